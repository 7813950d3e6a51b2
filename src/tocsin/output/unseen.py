"""What could not have been seen in, the words and tables that say so out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from tocsin.model.coverage import SeenLog
from tocsin.output.plain import utc
from tocsin.output.screen import shown
from tocsin.output.summary import Unseen

_WIDE: Final = 110
_MOST: Final = 8
_MOST_LOGS: Final = 12

_UNUSABLE: Final[Mapping[str, str]] = {
    "not yaml": "are not YAML",
    "not sigma": "are not Sigma rules",
    "unsupported": "ask for what the engine does not do",
    "no reader": "are for logs that no reader knows",
    "placeholder": "have a placeholder that nobody filled in",
}


def explain(unseen: Unseen, width: int) -> Iterator[RenderableType]:
    """How many rules could not fire, and why, the largest reasons first."""
    unable = unseen.rules - unseen.able
    if not unseen.rules:
        yield Text("Nothing was looked for: there were no rules.", style="bold")
    elif not unable:
        yield Text(f"All {unseen.rules:,} rules could fire on the logs below; only there.", style="bold")
    else:
        yield Text(f"{unable:,} of {unseen.rules:,} rules could not fire:", style="bold")
    reasons = _reasons(unseen)
    if reasons:
        table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
        table.add_column(justify="right", no_wrap=True)
        table.add_column(overflow="fold")
        for count, words in reasons:
            table.add_row(f"{count:,}", words)
        yield table
    if unseen.gave_up:
        values = sum(count for _, count in unseen.gave_up)
        named = _list({shown(title, width // 2): count for title, count in unseen.gave_up}, "regular expressions")
        yield Text(
            f"{values:,} values were too costly for a regular expression and not tried in full: {named}",
            style="yellow",
        )


def _reasons(unseen: Unseen) -> list[tuple[int, Text]]:
    reasons = []
    if unseen.no_log_source:
        sources = {_plainly(name): count for name, count in unseen.no_log_source.items()}
        text = Text.assemble(("no such log in the evidence: ", "bold"), _list(sources, "log sources"))
        reasons.append((sum(unseen.no_log_source.values()), text))
    if unseen.without_fields:
        text = Text.assemble(
            ("the log is there, but a field they need is not: ", "bold"),
            _list(unseen.field_absent, "fields"),
        )
        reasons.append((unseen.without_fields, text))
    reasons += [(count, Text(_UNUSABLE.get(reason, reason), style="bold")) for reason, count in unseen.unusable.items()]
    return reasons


def seen_logs(seen: Sequence[SeenLog], width: int) -> Iterator[RenderableType]:
    """Which logs of which hosts are there, and from when to when: outside of these nothing is known."""
    if not seen:
        yield Text("No log was read, so nothing can be said of any host.", style="bold")
        return
    yield Text("\nOnly these logs, hosts and times were looked at:", style="bold")
    wide = width >= _WIDE
    table = Table(box=None, header_style="bright_black", pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("host", no_wrap=True, overflow="ellipsis", max_width=32 if wide else 20)
    table.add_column("log", no_wrap=True, overflow="ellipsis", max_width=46 if wide else 18)
    table.add_column("records", no_wrap=True, justify="right")
    table.add_column("from and to (UTC)", no_wrap=True)
    # The largest logs of all, but host by host.
    largest = sorted(seen, key=lambda log: (-log.records, log.host, log.channel))[:_MOST_LOGS]
    for log in sorted(largest, key=lambda log: (log.host, -log.records, log.channel)):
        table.add_row(
            Text(shown(log.host, 80) or "(no name)"),
            Text(_log(log.channel, short=not wide)),
            f"{log.records:,}",
            _span(log.first_us, log.last_us, short=not wide),
        )
    yield table
    rest = len(seen) - len(largest)
    if rest > 0:
        yield Text(f"and {rest:,} more, all of them in the coverage report", style="bright_black")


def _log(channel: str, *, short: bool) -> str:
    name = shown(channel, 80) or "(no name)"
    return name.removeprefix("Microsoft-Windows-").removesuffix("/Operational") if short else name


def _span(first_us: int | None, last_us: int | None, *, short: bool) -> str:
    """From and to; on a narrow terminal without the hours, unless it is all within one day."""
    first, last = ((utc(us) or "no time")[:16].replace("T", " ") for us in (first_us, last_us))
    if first[:10] == last[:10]:
        return first if first == last else f"{first} to {last[11:]}"
    return f"{first[:10]} to {last[:10]}" if short else f"{first} to {last}"


def _plainly(logsource: str) -> str:
    """A rule's log source without the parts that it leaves open."""
    return "/".join(part for part in logsource.split("/") if part)


def _list(counts: Mapping[str, int], noun: str) -> str:
    """The largest few of them, and how many are left out."""
    told = [f"{shown(name, 60) or '(no name)'} {count:,}" for name, count in list(counts.items())[:_MOST]]
    more = [f"and {len(counts) - _MOST:,} more {noun}"] if len(counts) > _MOST else []
    return ", ".join(told + more)
