"""A run and its summary in, a page for the terminal out: what somebody woken at three in the morning asks first."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from tocsin.model.rule import LEVELS, Level
from tocsin.model.run import Run
from tocsin.output import indicators
from tocsin.output.correlations import described
from tocsin.output.plain import clock
from tocsin.output.screen import shown
from tocsin.output.summary import Summary, Tally
from tocsin.output.unseen import explain, seen_logs

_SHORT: Final[Mapping[Level, str]] = {"critical": "crit", "medium": "med", "informational": "info"}
_WIDEST: Final = 130
_WIDE: Final = 110  # from here on there is room for seconds, and for when something was last seen
_MOST_RULES: Final = 15
_MOST_HOSTS: Final = 10
_MOST_NOTES: Final = 5
# Collections write `C%3A` for C: and `%5C` for a backslash.
_ESCAPED: Final = re.compile("%([2-7][0-9A-F])")
_LONGEST: Final = 200  # of one text from a log or a rule, before the width of the terminal cuts it

STYLES: Final[Mapping[Level, str]] = {
    "critical": "bold white on red",
    "high": "bold red",
    "medium": "yellow",
    "low": "cyan",
    "informational": "bright_black",
}


def show(console: Console, run: Run, summary: Summary, notes: Sequence[str] = ()) -> None:
    """Print the page; `notes` are its last lines."""
    width = min(console.width, _WIDEST)
    full = "#" if console.options.ascii_only else "█"
    for block in _page(run, summary, width, full):
        console.print(block, width=width)
    if notes:
        console.print()
    for note in notes:  # with the terminal's own line breaks, so that a long path can be copied
        console.print(Text(f"  {shown(note)}", style="bright_black"), soft_wrap=True)


def one_line(summary: Summary) -> str:
    """The whole page in one line, for those who asked for quiet."""
    unseen = summary.unseen
    levels = ", ".join(f"{count:,} {level}" for level, count in summary.levels.items() if count)
    findings = f"{_count(summary.findings, 'finding')}{f' ({levels})' if levels else ''}"
    evidence = f"{_count(summary.evidence.events, 'event')} of {_count(summary.evidence.sources, 'source')}"
    return f"{findings} in {evidence}; {unseen.able:,} of {unseen.rules:,} rules could fire"


def _page(run: Run, summary: Summary, width: int, full: str) -> Iterator[RenderableType]:
    yield _heading(f"EVIDENCE  read by tocsin {run.tool_version}")
    yield from _evidence(summary, width)
    yield _heading("FINDINGS", f"{summary.findings:,}")
    yield from _findings(summary, width, full)
    if summary.rules:
        yield _heading("RULES THAT FIRED", _rest(len(summary.rules), _MOST_RULES, "worst first"))
        yield _indented(_rules(run, summary, width))
        yield from _correlated(run, summary, width)
        yield _heading("HOSTS", _rest(len(summary.hosts), _MOST_HOSTS, "worst first"))
        yield _indented(_hosts(summary, width))
    if summary.tactics:
        release = f"as of release {' and '.join(summary.releases)}" if summary.releases else ""
        yield _heading("ATT&CK TACTICS", f"{release}, in the order of an intrusion".lstrip(", "))
        yield _indented(_bars(summary.tactics.items(), width, full, "magenta"))
    if run.coverage.indicators:
        yield _heading("INDICATORS")
        yield from (_indented(line) for line in indicators.lines(run, run.coverage.indicators, width))
    yield _heading("WHAT COULD NOT HAVE BEEN SEEN")
    yield from (_indented(block) for block in explain(summary.unseen, width))
    yield from (_indented(block) for block in seen_logs(run.coverage.seen, width))


def _evidence(summary: Summary, width: int) -> Iterator[RenderableType]:
    evidence = summary.evidence
    facts = [
        _count(evidence.events, "event"),
        _count(evidence.sources, "source"),
        _count(evidence.hosts, "host"),
        _size(evidence.size_bytes),
    ]
    yield _indented(Text(" · ".join(facts), style="bold"))
    if evidence.first_us is not None:
        yield _indented(Text(_span(evidence.first_us, evidence.last_us)))
    if evidence.damaged:
        many = _count(sum(evidence.damaged.values()), "damaged record")
        words = f"{many} lost in {_few(evidence.damaged_in, width)}: {_counts(evidence.damaged)}"
        yield _indented(Text(words, style="bold yellow"))
    if evidence.mended:
        many = _count(sum(evidence.mended.values()), "record")
        yield _indented(Text(f"{many} mended and kept: {_counts(evidence.mended)}", style="yellow"))
    if evidence.twice:
        many = _count(len(evidence.twice), "source")
        yield _indented(Text(f"{many} read once, for each stands there twice: {_few(evidence.twice, width)}"))
    stopped = [(text, path) for path, text in evidence.problems]
    stopped += [("no reader knows its format", path) for path in evidence.unknown]
    told = sorted({text for text, _ in stopped})
    for text in told[:_MOST_NOTES]:
        paths = [path for other, path in stopped if other == text]
        words = f"{_count(len(paths), 'source')}: {shown(text, _LONGEST)}: {_few(paths, width)}"
        yield _indented(Text(words, style="bold yellow"))
    if len(told) > _MOST_NOTES:
        more = _count(len(told) - _MOST_NOTES, "more kind")
        yield _indented(Text(f"and {more} of problem, all in the custody manifest", style="yellow"))


def _findings(summary: Summary, width: int, full: str) -> Iterator[RenderableType]:
    if summary.findings:
        present = [(level, count) for level, count in summary.levels.items() if count]
        yield _indented(_bars(present, width, full, STYLES))
        return
    unseen = summary.unseen
    held = f"{_count(unseen.able, 'rule')} could have fired on what is here and held for no event"
    lost = f"{unseen.rules - unseen.able:,} could not have fired; why is below"
    yield _indented(Text(f"{held}; {lost}.", style="bold"))


def _rules(run: Run, summary: Summary, width: int) -> RenderableType:
    table = _table()
    table.add_column("level", no_wrap=True)
    table.add_column("rule", ratio=1, no_wrap=True, overflow="ellipsis")
    for name in ("findings", "hosts"):
        table.add_column(name, justify="right", no_wrap=True)
    _add_times(table, width)
    for number, tally in summary.rules[:_MOST_RULES]:
        rule = run.rules.rules[number]
        table.add_row(
            _level(rule.level),
            Text(shown(rule.title, _LONGEST)),
            f"{tally.count:,}",
            f"{len(tally.hosts):,}",
            *_times(tally, width),
        )
    return table


def _correlated(run: Run, summary: Summary, width: int) -> Iterator[RenderableType]:
    if summary.correlated:
        rules = run.rules.rules
        correlations = {one.rule for one in run.rules.correlations}
        all_of_them = sum(tally.count for number, tally in summary.rules if number in correlations)
        yield _heading("EVENTS THAT BELONG TOGETHER", _rest(all_of_them, len(summary.correlated), "worst first"))
        titles = [rules[finding.rule].title for finding in summary.correlated]
        yield from (_indented(line) for line in described(summary.correlated, titles, width))


def _hosts(summary: Summary, width: int) -> RenderableType:
    table = _table()
    table.add_column("host", ratio=1, no_wrap=True, overflow="ellipsis")
    present = [level for level in reversed(LEVELS) if summary.levels[level]]
    for level in present:
        table.add_column(Text(level if width >= _WIDE else _SHORT.get(level, level)), justify="right", no_wrap=True)
    table.add_column("findings", justify="right", no_wrap=True)
    _add_times(table, width)
    for host, tally in summary.hosts[:_MOST_HOSTS]:
        counts = [tally.levels[level] for level in present]
        table.add_row(
            Text(shown(host, _LONGEST) or "(no name)"),
            *(
                _styled(f"{n:,}", STYLES[level]) if n else _styled("·", "bright_black")
                for level, n in zip(present, counts, strict=True)
            ),
            f"{tally.count:,}",
            *_times(tally, width),
        )
    return table


def _bars(counts: Iterable[tuple[str, int]], width: int, full: str, style: str | Mapping[Level, str]) -> RenderableType:
    rows = list(counts)
    most = max(count for _, count in rows)
    room = max(8, min(60, width - 42))
    table = _table(header=False)
    table.add_column(min_width=20, no_wrap=True)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    for name, count in rows:
        colour = style if isinstance(style, str) else STYLES[name]  # type: ignore[index]  # then names are levels
        bar = Text(full * max(1, round(room * count / most)), style=colour.split(" on ")[-1])
        label = _styled(name.replace("-", " "), colour if isinstance(style, Mapping) else "")
        table.add_row(label, f"{count:,}", bar)
    return table


def _table(*, header: bool = True) -> Table:
    return Table(
        box=None,
        show_header=header,
        header_style="bright_black",
        pad_edge=False,
        padding=(0, 2, 0, 0),
        expand=header,
    )


def _add_times(table: Table, width: int) -> None:
    for name in ("first (UTC)", "last (UTC)") if width >= _WIDE else ("first (UTC)",):
        table.add_column(name, no_wrap=True)


def _times(tally: Tally, width: int) -> list[str]:
    if width < _WIDE:
        return [clock(tally.first_us, seconds=False)]
    return [clock(tally.first_us), clock(tally.last_us)]


def _span(first_us: int | None, last_us: int | None) -> str:
    words = f"{clock(first_us)} to {clock(last_us)} UTC"
    if first_us is None or last_us is None:
        return words
    minutes = (last_us - first_us) // 60_000_000
    days, hours = minutes // 1440, minutes // 60 % 24
    length = f"{days:,} d {hours} h" if days else f"{hours} h {minutes % 60} min"
    return f"{words} ({length})"


def _level(level: Level) -> Text:
    return _styled("info" if level == "informational" else level, STYLES[level])


def _styled(text: str, style: str) -> Text:
    """Coloured as far as the text goes, and not to the end of its cell."""
    return Text.assemble((text, style))


def _heading(title: str, more: str = "") -> Text:
    name, _, rest = title.partition("  ")
    more = more or rest
    return Text.assemble("\n", (name, "bold"), (f"  {more}" if more else "", "bright_black"), overflow="fold")


def _indented(block: RenderableType) -> Padding:
    return Padding(block, (0, 0, 0, 2), expand=False)


def _rest(all_of_them: int, told: int, order: str) -> str:
    return f"{told} of {all_of_them:,}, {order}" if all_of_them > told else f"{all_of_them:,}, {order}"


def _few(paths: Sequence[str], width: int) -> str:
    """Names without their folders, which the manifest tells."""
    names = ", ".join(shown(_name(path), width // 2) for path in paths[:_MOST_NOTES])
    return f"{names} and {len(paths) - _MOST_NOTES:,} more" if len(paths) > _MOST_NOTES else names


def _name(path: str) -> str:
    file, mark, member = path.partition("!")
    return file.rpartition("/")[2] + mark + _ESCAPED.sub(lambda one: chr(int(one[1], 16)), member)


def _counts(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{shown(reason, 80)} {count:,}" for reason, count in counts.items())


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _size(size_bytes: int) -> str:
    size = float(size_bytes)
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:,.0f} {unit}" if unit == "bytes" or size >= 100 else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:,.1f} TB"
