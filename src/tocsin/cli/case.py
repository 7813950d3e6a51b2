"""`tocsin case`: cases are listed, shown, verified, and worked in; what changes them whole is in case_whole.py."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from tocsin.cli import case_whole, listing, person
from tocsin.cli.case_options import By, Name, Root, TellingFile, done, known, place, say, tell, writing
from tocsin.errors import CaseError
from tocsin.output.screen import shown

app = typer.Typer(help="Cases: what was done, seen and decided, kept so that no change goes unnoticed.")
task = typer.Typer(help="Tasks of a case: add, end, list.")


@app.callback(invoke_without_command=True)
def _root(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@task.callback(invoke_without_command=True)
def _task_root(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@app.command("list")
def list_cases(root: Root = None, telling_file: TellingFile = None) -> None:
    """List all cases, open ones first."""
    from tocsin import cases
    from tocsin import tell as telling
    from tocsin.cli.case_pages import minute
    from tocsin.cli.tell_pages import told

    at = telling.desk(telling_file, known())
    there, broken_off = cases.everything(place(root))
    if sys.stdout.isatty():
        typer.echo(f"cases in {shown(str(place(root)))}", err=True)
    rows = []
    for one in sorted(there, key=lambda one: (one.case is None or one.case.state != "open", one.name)):
        if one.case is None:
            rows.append((one.name, "?", "", "", "", "", one.trouble))
            continue
        state = "CHANGED" if one.trouble else one.case.state
        left = str(len(cases.open_tasks(one.case)))
        words = told(one.folder, one.case, at) if one.case.state != "merged" else ""
        times = minute(one.case.opened_at), minute(one.case.changed_at)
        rows.append((one.name, state, *times, left, words, one.case.title))
    header = ("case", "state", "opened (UTC)", "changed (UTC)", "open tasks", "telling people", "title")
    listing.show(header, rows, f"There are no cases in {place(root)}.")
    if broken_off:
        tell([f"{broken_off} folders in {place(root)} end in .part: making a case was broken off; they may be removed"])


@app.command()
def show(name: Name, root: Root = None) -> None:
    """Show where a case stands, and whether anything is wrong with it."""
    from tocsin import cases
    from tocsin.cli.case_pages import overview

    folder = cases.find(place(root), name)
    _, case, _ = cases.entries_of(folder)
    say([*overview(case, cases.verify(folder, known=known())), f"  folder      {shown(str(folder))}"])


@app.command()
def log(
    name: Name,
    root: Root = None,
    diary: Annotated[bool, typer.Option("--diary", help="As a diary: a heading a day, sentences below it.")] = False,
) -> None:
    """Show the log of a case: who did, saw or decided what, when."""
    from tocsin import cases
    from tocsin.cli import case_pages

    entries, _, stored = cases.entries_of(cases.find(place(root), name))
    tell([*stored.faults, *stored.notes])
    if diary:
        say(case_pages.diary(entries))
        return
    rows = [(str(one.n), one.at, one.by, one.verb, case_pages.words(one)) for one in entries]
    listing.show(("n", "when", "who", "verb", "what"), rows, "The log is empty.")


@app.command()
def verify(
    names: Annotated[list[str] | None, typer.Argument(metavar="[CASE]...", help="All if none is named.")] = None,
    root: Root = None,
    head: Annotated[
        list[str] | None,
        typer.Option("--head", metavar="HEX", help="A head that was told to somebody, 16 digits or more of it."),
    ] = None,
) -> None:
    """Check every byte of a case: its chain of entries, its head, its signatures, its documents."""
    from tocsin import cases

    folder = place(root)
    found = [cases.find(folder, name) for name in names or ()]
    found = found or [one.folder for one in cases.everything(folder)[0]]
    if not found:
        raise CaseError(f"there are no cases in {folder}", hint="Name their folder with --cases.")
    if head and len(found) != 1:
        raise CaseError("--head goes with one case", hint="Name the case.")
    wrong = 0
    for path in found:
        try:
            verdict = cases.verify(path, heads=head or (), known=known())
        except CaseError as error:
            if len(found) == 1:
                raise
            typer.echo(f"{shown(path.name)}: CANNOT BE VERIFIED: {shown(error.message)}")
            wrong += 1
            continue
        word = "CHANGED" if verdict.faults else "good"
        typer.echo(f"{shown(path.name)}: {word}, {verdict.entries} entries, {verdict.decisions} signed decisions")
        say(f"  WRONG: {shown(fault)}" for fault in verdict.faults)
        say(f"  to know: {shown(note)}" for note in verdict.notes)
        typer.echo(f"  head {verdict.head}")
        wrong += bool(verdict.faults)
    if wrong:
        hint = "Keep the folder as it is, and compare it with the copies and the heads that others have."
        raise CaseError(f"{wrong} of {len(found)} cases {'does' if wrong == 1 else 'do'} not verify", hint=hint)


@app.command()
def new(
    title: Annotated[str, typer.Argument(metavar="TITLE")],
    root: Root = None,
    by: By = None,
) -> None:
    """Open a case by hand."""
    from tocsin import cases

    case = cases.new_case(place(root), title, by=person.whoever(by))
    typer.echo(case.id)
    typer.echo(f"opened in {shown(str(place(root) / case.id))}", err=True)


@app.command()
def note(
    name: Name,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What to write down; - reads it from standard input.")],
    root: Root = None,
    by: By = None,
) -> None:
    """Write something down."""
    from tocsin import cases

    text = sys.stdin.read() if text == "-" else text
    with writing(root, name) as log:
        done(cases.note(log, text, by=person.whoever(by)).n)


@app.command()
def attach(
    name: Name,
    file: Annotated[Path, typer.Argument(metavar="FILE")],
    root: Root = None,
    by: By = None,
    named: Annotated[bool, typer.Option("--named", help="Only name it, by its digest; keep no copy.")] = False,
) -> None:
    """Keep a file in the case, under its digest."""
    from tocsin import cases

    with writing(root, name) as log:
        label = str(file.absolute()) if named else file.name
        done(cases.attach(log, label, file, by=person.whoever(by), copied=not named).n)


@task.command("add")
def add_task(
    name: Name,
    text: Annotated[str, typer.Argument(metavar="TEXT")],
    root: Root = None,
    by: By = None,
    due: Annotated[str, typer.Option(metavar="WHEN", help="A day, or a time with its zone: 2026-11-30T09:00Z.")] = "",
    owner: Annotated[str, typer.Option(metavar="NAME", help="Who is to do it.")] = "",
) -> None:
    """Add something that is to be done before the case can be closed."""
    from tocsin import cases

    with writing(root, name) as log:
        cases.add_task(log, text, by=person.whoever(by), due=due, owner=owner)
        typer.echo(log.case.tasks[-1].task)


@task.command("done")
def finish_task(
    name: Name,
    number: Annotated[str, typer.Argument(metavar="TASK", help="Its number.")],
    root: Root = None,
    by: By = None,
    text: Annotated[str, typer.Option("--text", metavar="TEXT", help="What came of it, or why it was not done.")] = "",
) -> None:
    """End a task."""
    from tocsin import cases

    with writing(root, name) as log:
        done(cases.finish_task(log, number, by=person.whoever(by), text=text).n)


@task.command("list")
def list_tasks(name: Name, root: Root = None) -> None:
    """List the tasks of a case."""
    from tocsin import cases

    _, case, _ = cases.entries_of(cases.find(place(root), name))
    rows = [(one.task, "done" if one.done_at else "open", one.due, one.owner, one.text) for one in case.tasks]
    listing.show(("task", "state", "due", "owner", "text"), rows, "There are no tasks.")


@app.command()
def handover(
    name: Name,
    root: Root = None,
    by: By = None,
    to: Annotated[str, typer.Option("--to", metavar="NAME", help="Write into the log who takes over.")] = "",
    text: Annotated[str, typer.Option("--text", metavar="TEXT", help="What they should look at first.")] = "",
) -> None:
    """Print the page for whoever takes over the watch; with --to, the handover itself is written into the log."""
    from tocsin import cases
    from tocsin.cli.case_pages import handover as page
    from tocsin.seal import decisions

    folder = cases.find(place(root), name)
    if to:
        with writing(root, name) as log:
            cases.hand_over(log, to, by=person.whoever(by), text=text)
    elif text:
        raise CaseError("--text goes with --to", hint="Say who takes over.")
    entries, case, _ = cases.entries_of(folder)
    say(page(case, entries, cases.verify(folder, known=known()), decisions.now()))


app.add_typer(task, name="task")
app.command("decide")(case_whole.decide)
app.command("close")(case_whole.close)
app.command("reopen")(case_whole.reopen)
app.command("merge")(case_whole.merge)
app.command("split")(case_whole.split)
