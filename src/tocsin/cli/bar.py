"""Progress in, one line out: a bar, events and megabytes a second, the time left, and what is being read."""

from __future__ import annotations

import time

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from tocsin.ledger import Progress
from tocsin.output.screen import shown


class Bar:
    def __init__(self, console: Console) -> None:
        self._console = console
        self._began = time.monotonic()
        self._live = Live(
            console=console, auto_refresh=False, transient=True, redirect_stdout=False, redirect_stderr=False
        )
        self._live.start()

    def draw(self, progress: Progress) -> None:
        self._live.update(self._line(progress), refresh=True)

    def close(self) -> None:
        self._live.stop()

    def _line(self, progress: Progress) -> Table:
        took = max(time.monotonic() - self._began, 1e-6)
        total = max(progress.bytes_total, progress.bytes_done, 1)
        share = progress.bytes_done / total
        left = took * (1 - share) / share if share else None
        words = [
            f"{share:4.0%}",
            f"{progress.events:,} events",
            f"{progress.events / took:,.0f}/s",
            f"{progress.bytes_done / took / 1e6:,.1f} MB/s",
            *([] if progress.findings is None else [f"{progress.findings:,} findings"]),
            f"{_clock(left)} left" if left is not None else "",
        ]
        line = Table.grid(padding=(0, 1), expand=True)
        line.add_column(width=max(8, min(30, self._console.width - 70)))
        line.add_column(no_wrap=True)
        line.add_column(no_wrap=True, ratio=1, overflow="ellipsis", style="bright_black")
        name = progress.current.rpartition("/")[2]
        line.add_row(ProgressBar(total=total, completed=progress.bytes_done), "  ".join(words), Text(shown(name, 60)))
        return line


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(min(seconds, 359_999)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
