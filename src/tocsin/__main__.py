"""`python -m tocsin` in, the command line out."""

from __future__ import annotations

import sys

from tocsin.cli.main import main

sys.exit(main())
