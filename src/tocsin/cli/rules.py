"""`tocsin rules`: packs of rules are added and listed; rules are checked, shown, and tried on a log."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Final

import typer

from tocsin.cli import folders, options, progress
from tocsin.errors import EvidenceError, RuleError, SettingsError
from tocsin.output.screen import shown

if TYPE_CHECKING:
    from rich.console import Console

    from tocsin.model.mapping import LogMapping
    from tocsin.model.rule import RuleSet

Chosen = Annotated[
    list[str] | None,
    typer.Option(
        "--rules",
        "-r",
        metavar="PATH|PACK",
        help="Where to look for the rule: files, folders, archives, packs. All packs that were added if not given.",
        autocompletion=options.complete_packs,
    ),
]

Mappings = Annotated[
    list[str] | None,
    typer.Option(
        "--mapping",
        metavar="FILE",
        help="How to read JSON or CSV that no reader knows; may be repeated. See the manual.",
    ),
]

Zone = Annotated[
    str | None,
    typer.Option(
        "--timezone",
        metavar="ZONE",
        help="Where times in logs that name no zone were written: Europe/Zurich or +01:00. UTC if not given.",
    ),
]

Sources = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[PACK|PATH]...",
        help="Packs, folders, archives or files; every pack that was added if none is named.",
        autocompletion=options.complete_packs,
    ),
]

# Named here and not taken from the pages, whose import a mere `--help` need not pay for; a test compares.
REASONS: Final = ("no reader", "duplicate", "placeholder", "unsupported", "not sigma", "not yaml")
_NARROWEST: Final = 120  # of what is written to a file or another program

app = typer.Typer(help="Packs of rules: add, list and check them; show a rule, and test it on a log.")


@app.callback(invoke_without_command=True)
def _root(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command()
def add(
    source: Annotated[
        str, typer.Argument(metavar="SOURCE", help="A folder, a zip or tar.gz archive, or the address of one.")
    ],
    name: Annotated[
        str | None, typer.Option(help="What to call the pack; made from the source's name if not given.")
    ] = None,
) -> None:
    """Add a pack of rules, or replace the one of that name; the old one stays if anything goes wrong."""
    from tocsin.learn import packs

    before = {pack.name: pack for pack in packs.packs()}
    with progress.word(f"reading {shown(source, 60)}", quiet=False):
        pack = packs.add(source, name)
    rules = _compiled([pack.name])

    from tocsin.cli import rule_pages

    rule_pages.added(_console(), pack, before.get(pack.name), rules)


@app.command("list")
def list_() -> None:
    """List the rules that come with tocsin, and the packs that were added."""
    from tocsin.cli import rule_pages
    from tocsin.learn import packs

    rule_pages.listed(_console(), packs.own(), packs.packs())


@app.command()
def check(
    sources: Sources = None,
    reason: Annotated[
        list[str] | None,
        typer.Option(
            metavar="REASON",
            help=f"Only problems of this reason; may be repeated. There are {', '.join(REASONS)}.",
            autocompletion=lambda incomplete: [one for one in REASONS if one.startswith(incomplete)],
        ),
    ] = None,
) -> None:
    """Say which rules can be used, and for every other one why it cannot, with file and line.

    Ends with 4 where a file is broken (not YAML, or not Sigma); a rule for logs that no reader knows is not.
    """
    from tocsin.cli import rule_pages

    for one in reason or ():
        if one not in REASONS:
            raise SettingsError(f"--reason {one}: there is no such reason", hint=f"There are {', '.join(REASONS)}.")
    rules = _compiled(sources or [])
    console = _console()
    rule_pages.checked(console, rules, reason or (), shorten=console.is_terminal and not reason)
    broken = sum(problem.reason in rule_pages.BROKEN for problem in rules.problems)
    if broken:
        raise typer.Exit(RuleError.exit_code)


@app.command()
def sources(
    names: Sources = None,
    *,
    mapping: Mappings = None,
    markdown: Annotated[bool, typer.Option("--markdown", help="Write the table as Markdown.")] = False,
) -> None:
    """List the log sources that rules name: which are read, and how many rules that concerns."""
    from tocsin.cli import source_pages
    from tocsin.detect import census
    from tocsin.learn import packs

    with progress.word("reading rules", quiet=False):
        served = [one for each in options.mappings(mapping or []) for one in each.serves]
        found = census.named(packs.resolve(names or []), served)
    if markdown:
        typer.echo(source_pages.markdown(found), nl=False)
    else:
        source_pages.listed(_console(), found)


@app.command("show")
def show_rule(
    rule: Annotated[
        str, typer.Argument(metavar="RULE", help="An id or how it begins, a part of the title, or a rule file.")
    ],
    rules: Chosen = None,
) -> None:
    """Show a rule: what it is about, which logs it reads, and what must hold there."""
    from tocsin.cli import rule_pages

    for one in _chosen(rule, rules or []):
        rule_pages.shown_rule(_console(), one)


@app.command("test")
def try_on_log(
    rule: Annotated[
        str, typer.Argument(metavar="RULE", help="An id or how it begins, a part of the title, or a rule file.")
    ],
    log: Annotated[str, typer.Argument(metavar="LOG", help="A log, or a folder or archive of logs.")],
    rules: Chosen = None,
    mapping: Mappings = None,
    timezone: Zone = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many events to show.")] = 5,
) -> None:
    """Try a rule on a log: which condition held for which event, and by what value.

    Shows the events it fires for; where there is none, those that come nearest, and what they lack.
    """
    from tocsin.cli import rule_pages, rule_trial

    console = _console()
    mappings, zone = options.mappings(mapping or []), options.zone(timezone)
    chosen = _chosen(rule, rules or [], mappings)
    single = [one for one in chosen if not one.correlations]
    if not single:
        raise RuleError(
            f"{shown(chosen[0].rules[0].title, 80)}: a correlation looks at many events, and is not tried on one",
            hint="Test the rules that it refers to, or run it: `tocsin detect LOG --rules FILE`.",
        )
    for one in single:
        with progress.word(f"reading {shown(log, 60)}", quiet=False):
            trial = rule_trial.tried(one, log, limit, mappings, zone)
        if not any(source.format for source in trial.custody):
            why = next((problem for source in trial.custody for problem in source.problems), "there is nothing in it")
            raise EvidenceError(
                f"{log}: no log that tocsin can read ({why})",
                hint="What it is made of decides, not its name; docs/add-a-log-format.md says how to add a format.",
            )
        rule_pages.tried(console, one, trial)


def _compiled(names: Sequence[str], mappings: Sequence[LogMapping] = ()) -> RuleSet:
    from tocsin import pipeline
    from tocsin.learn import packs

    with progress.word("reading rules (compiled once, then kept)", quiet=False):
        return pipeline.compile_rules(packs.resolve(names), folders.cache(), mappings)


def _chosen(rule: str, names: Sequence[str], mappings: Sequence[LogMapping] = ()) -> list[RuleSet]:
    """The rules that a word stands for, each by itself."""
    from tocsin.cli import rule_choice

    named = rule_choice.is_file(rule)
    return rule_choice.choose(rule, _compiled([rule] if named else names, mappings), whole=named)


def _console() -> Console:
    from rich.console import Console

    console = Console(highlight=False, emoji=False, markup=False, soft_wrap=False)
    if not console.is_terminal:  # what is kept in a file should not be folded at 80 characters
        console.width = max(console.width, _NARROWEST)
    return console
