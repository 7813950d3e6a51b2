"""What a module in `formats/` offers: a run in, one file out."""

from __future__ import annotations

from typing import Protocol, TextIO

from tocsin.model.run import Run


class Writer(Protocol):
    """`SUFFIX` is how names of its files end; the longest that fits a name decides the format."""

    @property
    def NAME(self) -> str: ...  # noqa: N802 - a constant of a module

    @property
    def SUFFIX(self) -> str: ...  # noqa: N802 - a constant of a module

    def write(self, run: Run, file: TextIO) -> None:
        """Write UTF-8 text; `file` does not translate line ends. The same run gives the same bytes."""
