"""Packs, rules and trials in, pages for the terminal out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from tocsin.cli import rule_correlations, rule_trees
from tocsin.detect.trace import outline
from tocsin.model.rule import CORRELATION, Rule, RuleProblem, RuleSet, Variant
from tocsin.output.plain import clock
from tocsin.output.screen import shown
from tocsin.output.terminal import STYLES

if TYPE_CHECKING:
    from tocsin.cli.rule_trial import Bound, Traced, Trial
    from tocsin.learn.packs import Pack

BROKEN: Final = frozenset({"not yaml", "not sigma"})

_FAINT: Final = "bright_black"
_MOST_GROUPS: Final = 8  # of problems that nobody here can mend, on a terminal
_MOST_PLACES: Final = 2  # of rules with the same problem, likewise
_NEAR: Final = 0.1  # below, nothing of what a rule asks for was there
_MOST_LOGS: Final = 12
_MOST_IDS: Final = 12

# What is wrong, in the order in which it is told: what somebody must mend comes last and stays in sight.
REASONS: Final = {
    "no reader": "for logs that no reader knows yet",
    "duplicate": "with the id of a rule that is used",
    "placeholder": "with a placeholder that nobody filled in",
    "unsupported": "asking for what the engine does not do yet",
    "not sigma": "not Sigma",
    "not yaml": "not YAML",
}


# --------------------------------------------------------------------------------- packs


def added(console: Console, pack: Pack, before: Pack | None, rules: RuleSet) -> None:
    word = "added" if before is None else "replaced"
    was = f" (were {before.rules:,})" if before and before.rules != pack.rules else ""
    console.print(Text.assemble((shown(pack.name), "bold"), f" {word}: {_count(pack.rules, 'rule file')}{was}"))
    table = _facts()
    table.add_row("from", _text(pack.source))
    table.add_row("sha256", pack.sha256)
    table.add_row("licence", _licence(pack))
    table.add_row("usable", _usable(rules))
    console.print(Padding(table, (0, 0, 0, 2), expand=False))
    if rules.problems:
        console.print(Text(f"  `tocsin rules check {pack.name}` says why, rule by rule.", _FAINT))


def listed(console: Console, own: Pack, packs: Sequence[Pack]) -> None:
    """Every pack, and which of them are used where nobody names any."""
    table = Table(box=None, header_style=_FAINT, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("name", no_wrap=True, style="bold")
    table.add_column("rules", justify="right", no_wrap=True)
    table.add_column("source", overflow="fold")
    table.add_column("added (UTC)", no_wrap=True)
    table.add_column("licence", overflow="fold")
    for pack in (own, *packs):
        added_at = "" if pack is own else shown(pack.added_at, 40)[:16].replace("T", " ") or "not known"
        table.add_row(pack.name, f"{pack.rules:,}", _text(pack.source or "not known"), added_at, _licence(pack))
    console.print(table)
    if packs:
        used = f"every pack that was added is used; {own.name} as well if it is named"
    else:
        used = f"{own.name} is used. Add a pack with `tocsin rules add SOURCE`"
    console.print(Text(f"Without --rules {used}.", _FAINT))


def _licence(pack: Pack) -> Text:
    return Text(", ".join(shown(one, 80) for one in pack.licences)) if pack.licences else Text("none told", "yellow")


# --------------------------------------------------------------------------------- problems


def checked(console: Console, rules: RuleSet, reasons: Collection[str], *, shorten: bool) -> None:
    """Every problem, grouped; with `shorten` only the most common of those that nobody here can mend."""
    problems = [one for one in rules.problems if not reasons or one.reason in reasons]
    for reason, words in REASONS.items():
        of_reason = [one for one in problems if one.reason == reason]
        if not of_reason:
            continue
        style = "bold red" if reason in BROKEN else "bold"
        console.print(Text.assemble((reason.upper(), style), f"  {_count(len(of_reason), 'rule')}, {words}"))
        groups = _by_text(of_reason)
        short = shorten and reason not in BROKEN
        for text, same in groups[:_MOST_GROUPS] if short else groups:
            most = len(same) if not short else 0 if reason == "no reader" else _MOST_PLACES
            _group(console, text, same, most)
        if short and len(groups) > _MOST_GROUPS:
            rest = sum(len(same) for _, same in groups[_MOST_GROUPS:])
            console.print(Text(f"  and {_count(rest, 'more rule')}: all with --reason '{reason}'", _FAINT))
        console.print()
    console.print(Text.assemble(("USABLE  ", "bold"), _usable(rules)))
    if reasons and not problems:
        console.print(f"None is {' or '.join(sorted(reasons))}.")


def _group(console: Console, text: str, same: Sequence[RuleProblem], most: int) -> None:
    """Rules with one problem. Lines are left to the terminal to fold, so that paths can be copied."""
    console.print(Text(f"  {shown(text, 600)}  ({len(same):,})"), soft_wrap=True)
    for one in same[:most]:
        place = Text(f"    {shown(one.path)}:{one.line}", "cyan")
        console.print(place.append(f"  {shown(one.title, 120)}" if one.title else "", _FAINT), soft_wrap=True)
    if 0 < most < len(same):
        console.print(Text(f"    and {len(same) - most:,} more", _FAINT))


def _by_text(problems: Sequence[RuleProblem]) -> list[tuple[str, list[RuleProblem]]]:
    """The most common first."""
    found: dict[str, list[RuleProblem]] = {}
    for one in problems:
        # Each duplicate names another rule, which says nothing about the group.
        text = "another file has the same id, and comes first" if one.reason == "duplicate" else one.text
        found.setdefault(text, []).append(one)
    return sorted(found.items(), key=lambda pair: -len(pair[1]))


def _usable(rules: RuleSet) -> Text:
    count = len(rules.rules)
    unusable: Counter[str] = Counter(one.reason for one in rules.problems)
    if not unusable:
        return Text(f"all {_count(count, 'rule')}", "bold green")
    words = ", ".join(f"{unusable[reason]:,} {reason}" for reason in REASONS if unusable[reason])
    whole = count + unusable.total()
    return Text.assemble((f"{count:,}", "bold green" if count else "bold red"), f" of {whole:,} rules; not: {words}")


# --------------------------------------------------------------------------------- one rule


def shown_rule(console: Console, rules: RuleSet) -> None:
    """The first rule of a set; others are those that it refers to."""
    rule = rules.rules[0]
    console.print(_headline(rule))
    table = _facts()
    for name, text in _about(rule):
        table.add_row(name, text)
    console.print(Padding(table, (0, 0, 0, 2), expand=False))
    own = [variant for variant in rules.variants if not variant.rule]
    for variant in own:
        console.print()
        console.print(Text.assemble(("WHERE  ", "bold"), _where(rules, variant)))
        console.print(Text("WHAT MUST HOLD", "bold"))
        console.print(Padding(rule_trees.outlined(outline(rules, variant.condition)), (0, 0, 0, 2), expand=False))
    if any(not one.rule for one in rules.correlations):
        rule_correlations.shown_correlation(console, rules)
    elif not own:
        console.print(Text("No log that Windows writes can tell what this rule asks for.", "bold yellow"))
    console.print()


def _about(rule: Rule) -> Iterator[tuple[str, Text]]:
    yield "id", _text(rule.id)
    yield "file", Text(f"{shown(rule.path)}:{rule.line}")
    if rule.status:
        yield "status", _text(rule.status)
    for name, value in (("author", rule.author), ("description", rule.description.strip())):
        if value:
            # Its line breaks are how the file was written, not how it is read here.
            yield name, _text(" ".join(value.split()) if "\n\n" not in value else value.replace("\n", " "))
    if rule.techniques or rule.tactics:
        release = f"release {rule.attack_release}" if rule.attack_release else "of a release it does not tell"
        if rule.attack_release == "18":
            release += " or before"
        words = ", ".join(shown(one, 60) for one in (*rule.tactics, *rule.techniques))
        yield "ATT&CK", Text.assemble(words, (f"  ({release})", _FAINT))
    other = [tag for tag in rule.tags if not tag.startswith("attack.")]
    lines = (
        ("tags", other),
        ("references", rule.references),
        ("false positives", rule.falsepositives),
    )
    for name, texts in lines:
        if texts:
            yield name, Text("\n").join(_text(one) for one in texts)
    yield "log source", _text(rule.logsource)
    if rule.fields or rule.logsource != CORRELATION:
        yield "fields read", _text(", ".join(rule.fields) or "any: it looks for keywords")


def _where(rules: RuleSet, variant: Variant) -> Text:
    words = rule_trees.sentence(outline(rules, variant.gate))
    return Text.assemble(f"{variant.name or variant.kind} logs (", (shown(words) or "every event", "cyan"), ")")


# --------------------------------------------------------------------------------- one rule on one log


def tried(console: Console, rules: RuleSet, trial: Trial) -> None:
    """What became of one rule on a log."""
    console.print(_headline(rules.rules[0]))
    console.print(Text(f"  {shown(rules.rules[0].path)}:{rules.rules[0].line}", _FAINT), soft_wrap=True)
    _read(console, trial)
    for bound in trial.bound:
        many = Text(f"{_count(bound.gated, 'event')}, ")
        many.append(f"{bound.fired:,} fired", "bold green" if bound.fired else "bold")
        console.print(Text.assemble("  ", _where(rules, bound.variant), ": ", many), soft_wrap=True)
    fired = sum(bound.fired for bound in trial.bound)
    gated = [bound for bound in trial.bound if bound.gated]
    if fired:
        for bound in gated:
            _events(console, bound.events, "FIRED", rules, bound)
            if bound.fired > len(bound.events):
                more = _count(bound.fired - len(bound.events), "more event")
                console.print(Text(f"and {more} fired: --limit {bound.fired} shows all", _FAINT))
    elif gated:
        _missing(console, rules, gated)
        for bound in gated:
            near = [event for event in bound.nearest if event.score >= _NEAR] or bound.nearest[:1]
            _events(console, near, "NEAREST", rules, bound)
    else:
        _no_log_source(console, rules, trial)
    console.print()


def _read(console: Console, trial: Trial) -> None:
    damaged = sum(sum(source.damaged.values()) for source in trial.custody)
    words = f"  {_count(trial.events, 'event')} read"
    console.print(Text(f"{words}, {_count(damaged, 'damaged record')} lost" if damaged else words))
    for source in trial.custody:
        for problem in source.problems:
            console.print(Text(f"  {shown(source.path)}: {shown(problem, 200)}", "bold yellow"))


def _events(console: Console, events: Sequence[Traced], word: str, rules: RuleSet, bound: Bound) -> None:
    for number, event in enumerate(events, 1):
        console.print()
        style = "bold green" if word == "FIRED" else "bold yellow"
        of = f" {number} of {bound.fired:,}" if word == "FIRED" else f" {number}"
        facts = [
            clock(event.ts_us) + (" UTC" if event.ts_us is not None else ""),
            f"host {shown(event.host, 80) or '(no name)'}",
        ]
        facts += [f"at byte {event.rec}" if event.chunk < 0 else f"record {event.rec}", shown(event.path)]
        if bound.variant.name and len(rules.variants) > 1:
            facts.insert(0, bound.variant.name)
        console.print(Text.assemble((f"{word}{of}", style), "  ", "  ".join(facts)), soft_wrap=True)
        console.print(Padding(rule_trees.traced(event.step), (0, 0, 0, 2), expand=False))


def _missing(console: Console, rules: RuleSet, gated: Sequence[Bound]) -> None:
    """It did not fire: say so, and which fields are not there at all."""
    many = _count(sum(bound.gated for bound in gated), "event")
    console.print()
    console.print(
        Text.assemble(("DID NOT FIRE  ", "bold yellow"), f"its conditions held for none of {many} of its log source")
    )
    for bound in gated:
        if bound.absent:
            names = ", ".join(shown(name, 60) for name in sorted(bound.absent))
            console.print(Text(f"  no event{_of(bound)} has the field {names}", "yellow"))
    for bound in gated:
        console.print(Text(f"  of {_count(bound.gated, 'event')}{_of(bound)}, this many hold", _FAINT))
        table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
        table.add_column(justify="right", no_wrap=True)
        table.add_column(overflow="fold")
        alternatives = {part.alternative for part in bound.held}
        for part, count in bound.held.items():
            words = rule_trees.headline(outline(rules, part.condition))
            which = f"alternative {part.alternative + 1}: " if len(alternatives) > 1 else ""
            table.add_row(Text(f"{count:,}", "" if count else "bold red"), Text(f"{which}{words}"))
        console.print(Padding(table, (0, 0, 0, 4), expand=False))
    console.print(Text("  The nearest events; `<-` points to what was in the way.", _FAINT))


def _of(bound: Bound) -> str:
    return f" of {bound.variant.name}" if bound.variant.name else ""


def _no_log_source(console: Console, rules: RuleSet, trial: Trial) -> None:
    console.print()
    where = " or ".join(shown(rule_trees.sentence(outline(rules, one.variant.gate))) for one in trial.bound)
    console.print(
        Text.assemble(
            ("COULD NOT FIRE  ", "bold yellow"), f"no event of its log source is here: {where or 'none is known'}"
        )
    )
    if not trial.seen:
        return
    console.print("  These logs are:")
    table = Table(box=None, header_style=_FAINT, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("log", overflow="fold")
    table.add_column("events", justify="right", no_wrap=True)
    table.add_column("event ids", overflow="fold")
    logs: dict[str, Counter[str]] = {}
    for (log, number), count in trial.seen.items():
        logs.setdefault(log, Counter())[number] += count
    largest = sorted(logs.items(), key=lambda pair: (-pair[1].total(), pair[0]))
    for log, numbers in largest[:_MOST_LOGS]:
        told = [shown(number, 20) or "none" for number, _ in numbers.most_common(_MOST_IDS)]
        more = [f"and {len(numbers) - _MOST_IDS} more"] if len(numbers) > _MOST_IDS else []
        table.add_row(_text(log or "(no name)"), f"{numbers.total():,}", ", ".join(told + more))
    console.print(Padding(table, (0, 0, 0, 2), expand=False))
    if len(largest) > _MOST_LOGS:
        console.print(Text(f"  and {_count(len(largest) - _MOST_LOGS, 'more log')}", _FAINT))


# --------------------------------------------------------------------------------- words


def _headline(rule: Rule) -> Text:
    return Text.assemble((shown(rule.title), "bold"), "  ", (rule.level, STYLES[rule.level]))


def _facts() -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column(style=_FAINT, no_wrap=True)
    table.add_column(overflow="fold")
    return table


def _text(text: str) -> Text:
    return Text(shown(text))


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
