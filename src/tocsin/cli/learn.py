"""`tocsin learn`: knowledge is read from files; what is known of groups and of ATT&CK is shown."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TextIO

import typer

from tocsin.cli import progress
from tocsin.errors import SettingsError
from tocsin.output.screen import shown

if TYPE_CHECKING:
    from tocsin.model.attack import Facts
    from tocsin.model.knowledge import Knowledge

_NARROWEST: Final = 60
_WIDEST: Final = 120

app = typer.Typer(help="Knowledge of groups: learn releases of ATT&CK and lists of threat actors; show what is known.")


@app.callback(invoke_without_command=True)
def _root(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


Out = Annotated[
    Path | None,
    typer.Option("--out", "-o", metavar="FILE", help="Write a table of what these files say alone; learn nothing."),
]


@app.command("attack")
def learn_attack(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE|URL...",
            help="STIX bundles of Enterprise ATT&CK, or clusters (or a folder) of MISP's galaxies; "
            "19=FILE where the file does not say which release it is.",
        ),
    ],
    out: Out = None,
) -> None:
    """Read releases of ATT&CK, and use them from now on beside those that are known.

    The same files give the same table, byte for byte. A release that is known already is replaced.
    """
    _learn(files, out)


@app.command("galaxy")
def learn_galaxy(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE|URL...",
            help="threat-actor.json of the MISP project's galaxies, and the clusters mitre-*.json as 19=FILE: "
            "galaxies do not say which release of ATT&CK they are of.",
        ),
    ],
    out: Out = None,
) -> None:
    """Read a list of threat actors: names, and what is suspected. It takes the place of the one that is known."""
    _learn(files, out)


def _learn(files: Sequence[str], out: Path | None) -> None:
    from tocsin.cli import learn_pages
    from tocsin.learn import attack, attack_build, attack_table
    from tocsin.output.files import prepare_folder, save

    with progress.word("reading", quiet=False):
        learned = attack_build.build(files)
        facts = learned.facts if out else attack_build.added(attack.known(with_links=True), learned.facts)
    path = out or attack.place()
    prepare_folder(path.parent)

    def write(file: TextIO) -> None:
        file.write(attack_table.encoded(facts).decode())

    save(path, write)
    _say(learn_pages.learned(learned.facts, learned.left_out, path))


@app.command("own")
def learn_own(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="JSON of your own intrusion sets; see the manual.")],
) -> None:
    """Use your own intrusion sets beside the public ones. They take the place of those given before."""
    from tocsin.learn import attack, knowledge, own
    from tocsin.output.files import prepare_folder, save

    sets = own.read(file)
    known = knowledge.of(attack.known(with_links=True), sets)  # before anything is kept: all of it must fit
    prepare_folder(own.place().parent)

    def write(out: TextIO) -> None:
        out.write(own.written(sets))

    save(own.place(), write)
    _say(_about_own(known, len(sets.intrusion_sets), own.place()))


def _about_own(known: Knowledge, count: int, place: Path) -> Iterator[str]:
    yield f"own intrusion sets: {count}"
    for lost in known.untranslated:
        if ours := [user for user in lost.users if user.startswith("own:")]:
            yield f"  left out: {lost.id} has no one counterpart in {known.release} ({', '.join(ours)})"
    yield f"kept: {shown(str(place))}"


@app.command("list")
def list_groups(
    country: Annotated[
        str | None,
        typer.Option("--country", "-c", metavar="COUNTRY", help="Suspected to work from there: China, CN."),
    ] = None,
    technique: Annotated[
        str | None,
        typer.Option("--technique", "-t", metavar="ID", help="Told to use it, or a part of it: T1566, T1505.003."),
    ] = None,
    software: Annotated[
        str | None,
        typer.Option("--software", "-s", metavar="ID|NAME", help="Told to use it: S0020, Cobalt Strike."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """List what is known: releases, and groups with what is told of them. A country is what lists suspect."""
    from tocsin.cli import group_lists, listing

    facts, known = _knowledge()
    groups = group_lists.chosen(known, country=country, technique=technique, software=software)
    if as_json:
        _print_json(group_lists.as_json(facts, known, groups))
        return
    if country is technique is software is None:
        _say(group_lists.known(facts, known))
    listing.show(group_lists.HEADER, group_lists.rows(groups), "no group of which all that is told")


def _complete(incomplete: str) -> list[str]:
    """Groups by every name of theirs in ATT&CK, in the letters that were typed so far."""
    from tocsin.learn import attack

    start = incomplete.casefold()
    entries = (one for release in attack.known().releases for one in release.entries.values() if one.kind == "group")
    names = {name for one in entries for name in (one.id, one.name, *one.aliases)}
    return sorted(name for name in names if name.casefold().startswith(start) and name.isprintable())


@app.command()
def show(
    word: Annotated[
        str,
        typer.Argument(
            metavar="GROUP|ID|NAME",
            help="A group by any vendor's name, or any id or name of ATT&CK: APT40, T1562.001, stealth.",
            autocompletion=_complete,
        ),
    ],
    as_json: Annotated[bool, typer.Option("--json", help="Of a group, as JSON, for programs.")] = False,
) -> None:
    """Show what is known of a group; of a technique or other object, what it is in each release of ATT&CK."""
    from tocsin.cli import group_pages, learn_pages
    from tocsin.learn import names
    from tocsin.model.attack import resolve

    facts, known = _knowledge()
    meant = names.resolve(word, names.index(known.groups))
    if meant.is_ambiguous:
        raise SettingsError(
            f"{word}: ambiguous, it may be {_listed(known, meant.ids)}", hint="Show the one you mean by its id."
        )
    others = [one for one in resolve(word, facts.releases) if one not in meant.ids]
    if not meant.ids and not others:
        raise _nothing(word, facts, meant.near)
    if as_json:
        if not meant.ids:
            raise SettingsError(f"{word}: not a group", hint="Only groups are shown as JSON.")
        _print_json(group_pages.facts(known, known.groups[meant.ids[0]]))
        return
    for place, one in enumerate(meant.ids):
        _say([""] * bool(place))
        group = known.groups[one]
        in_attack = any(one in release.entries for release in facts.releases)
        told = learn_pages.entry(facts, one) if in_attack else [f"{one}  {shown(group.name)}  (group)"]
        _say(fitting for line in told for fitting in group_pages.fitted(line, _width()))
        if group.since:
            typer.echo(f"  {'since':14}release {group.since}")
        _say(group_pages.page(known, group, facts.release(known.release), _width()))
    if meant.also:
        typer.echo(f"\nA list that is less sure has this name for {_listed(known, meant.also)} too.")
    for one in others:
        _say(["", *learn_pages.entry(facts, one)] if meant.ids or one != others[0] else learn_pages.entry(facts, one))


def _listed(known: Knowledge, ids: Iterable[str]) -> str:
    return ", ".join(f"{one} {shown(known.groups[one].name)}" for one in ids)


def _nothing(word: str, facts: Facts, near: Sequence[str]) -> SettingsError:
    there = ", ".join(release.name for release in facts.releases)
    hint = "Ids look like T1059.001, TA0005, G0016, S0154, C0022; names are taken whole, in any letters."
    if near:
        hint = f"Did you mean {', '.join(map(shown, near))}? " + hint
    return SettingsError(f"{word}: neither an id nor a name in ATT&CK, as of release {there}", hint=hint)


@app.command()
def diff(
    before: Annotated[str, typer.Argument(metavar="A", help="A release that is known, or a file as for learn attack.")],
    after: Annotated[str, typer.Argument(metavar="B", help="The same.")],
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, for programs.")] = False,
) -> None:
    """Show what changed between two releases of ATT&CK: groups, names, and what they are told to use."""
    from tocsin.cli import learn_changes
    from tocsin.learn.compare import compare

    with progress.word("comparing", quiet=False):
        found = compare(_side(before), _side(after))
    if as_json:
        _print_json(learn_changes.as_json(found))
    else:
        _say(learn_changes.page(found, _width()))


def _side(word: str) -> Facts:
    from tocsin.learn import attack, attack_build
    from tocsin.learn.compare import only

    known = attack.known(with_links=True)
    if (release := only(known, word)) is not None:
        return release
    if "=" not in word and "/" not in word and not Path(word).exists():
        there = ", ".join(one.name for one in known.releases)
        raise SettingsError(f"{word}: neither a known release nor a file", hint=f"Known are {there}.")
    facts = attack_build.build([word]).facts
    if len(facts.releases) != 1:
        raise SettingsError(f"{word}: not one release, but {len(facts.releases)}", hint="Name the files of one.")
    return facts


def _knowledge() -> tuple[Facts, Knowledge]:
    from tocsin.learn import attack, knowledge, own

    facts = attack.known(with_links=True)
    return facts, knowledge.of(facts, own.kept())


def _width() -> int:
    return min(max(shutil.get_terminal_size((100, 24)).columns, _NARROWEST), _WIDEST)


def _print_json(document: object) -> None:
    typer.echo(json.dumps(document, indent=2))  # ASCII: names may hold what steers a terminal


def _say(lines: Iterable[str]) -> None:
    for line in lines:
        typer.echo(line)
