"""Every log format that Tocsin reads, in the order of sniffing: formats with a magic number first."""

from __future__ import annotations

from tocsin.collect.formats import evtx, windows_json
from tocsin.collect.reader import Reader

READERS: tuple[Reader, ...] = (evtx, windows_json)
