"""`tocsin learn`: public knowledge is read from files; what is known is shown."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, TextIO

import typer

from tocsin.cli import progress
from tocsin.errors import SettingsError

app = typer.Typer(help="Public knowledge: learn releases of ATT&CK, and show what an id is in each of them.")


@app.callback(invoke_without_command=True)
def _root(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command("attack")
def learn_attack(
    files: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE...",
            help="STIX bundles of Enterprise ATT&CK, or clusters (or a folder) of MISP's galaxies of it; "
            "19=FILE where the file does not say which release it is.",
        ),
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="Write a table of these releases alone, and learn nothing."),
    ] = None,
) -> None:
    """Read releases of ATT&CK, and use them from now on beside those that are known.

    The same files give the same table, byte for byte. A release that is known already is replaced.
    """
    from tocsin.cli import learn_pages
    from tocsin.learn import attack, attack_build, attack_table
    from tocsin.output.files import prepare_folder, save

    with progress.word("reading ATT&CK", quiet=False):
        learned = attack_build.build(files)
        facts = learned.facts if out else attack_build.added(attack.known(with_links=True), learned.facts)
    path = out or attack.place()
    prepare_folder(path.parent)

    def write(file: TextIO) -> None:
        file.write(attack_table.encoded(facts).decode())

    save(path, write)
    _say(learn_pages.learned(learned.facts, learned.left_out, path))


@app.command()
def show(
    word: Annotated[
        str, typer.Argument(metavar="ID|NAME", help="An id of ATT&CK, or a name or alias: T1562.001, stealth, APT29.")
    ],
) -> None:
    """Show what an id or a name is in each release of ATT&CK, and what became of it."""
    from tocsin.cli import learn_pages
    from tocsin.learn import attack
    from tocsin.model.attack import resolve

    facts = attack.known(with_links=True)
    found = resolve(word, facts.releases)
    if not found:
        there = ", ".join(release.name for release in facts.releases)
        raise SettingsError(
            f"{word}: neither an id nor a name in ATT&CK, as of release {there}",
            hint="Ids look like T1059.001, TA0005, G0016, S0154, C0022; names are taken whole, in any letters.",
        )
    for place, one in enumerate(found):
        _say([*([""] if place else []), *learn_pages.entry(facts, one)])


def _say(lines: Iterable[str]) -> None:
    for line in lines:
        typer.echo(line)
