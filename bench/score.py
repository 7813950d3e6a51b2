"""A drill's truth and what a tool concluded in, how right it was out: the scorer that the drill itself uses.

python bench/score.py TRUTH RESULT... [--out score.json]
"""

import runpy
from pathlib import Path

runpy.run_path(str(Path(__file__).parents[1] / "src" / "tocsin" / "rehearse" / "score.py"), run_name="__main__")
