"""A command line in, an exit code out: what the codes mean is in docs/exit-codes.md."""

from __future__ import annotations

import io
import os
import signal
import sys
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from types import FrameType
from typing import Annotated, Final, cast

import typer

from tocsin.cli import case, endorse, lake, learn, node, person, rules, share, share_taxii
from tocsin.cli.advise import advise
from tocsin.cli.attribute import attribute
from tocsin.cli.contain import contain
from tocsin.cli.detect import detect
from tocsin.cli.drill import drill
from tocsin.cli.harden import harden
from tocsin.cli.hunt import hunt
from tocsin.cli.norms import norms
from tocsin.cli.respond import respond
from tocsin.cli.sample import sample
from tocsin.cli.tell import tell
from tocsin.errors import TocsinError
from tocsin.output.screen import shown

FAULT: Final = 70  # the customary code for a fault of the program itself
INTERRUPTED: Final = 130
NOBODY_READS: Final = 141

# What is wrong with the words on the command line; the library does not export the class under a name.
_UsageError: Final[type[Exception]] = cast("type[Exception]", typer.BadParameter.__mro__[1])

app = typer.Typer(
    name="tocsin",
    help="Raw logs in, findings out, with a word on what could not have been seen.",
    epilog="First steps: tocsin drill. Smaller ones: tocsin sample try, then tocsin detect try/logs --rules try/rules",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command()(detect)
app.command()(respond)
app.command()(drill)
app.command()(attribute)
app.add_typer(rules.app, name="rules")
app.add_typer(learn.app, name="learn")
app.add_typer(case.app, name="case")
app.command()(contain)
app.command()(tell)
app.command()(hunt)
app.command()(harden)
app.add_typer(lake.app, name="lake")
for verb in share_taxii.COMMANDS:
    share.app.command()(verb)
app.add_typer(share.app, name="share")
app.add_typer(endorse.app, name="endorse")
app.command()(norms)
app.command()(advise)
app.add_typer(node.app, name="node")
app.command()(node.peers)
app.add_typer(person.app, name="person")
app.command()(sample)


def _tell_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"tocsin {version('tocsin')}")
        raise typer.Exit


@app.callback(invoke_without_command=True)
def _root(
    context: typer.Context,
    told: Annotated[  # noqa: ARG001 - it has done its work by then
        bool,
        typer.Option("--version", callback=_tell_version, is_eager=True, help="Tell the version, and end."),
    ] = False,
    debug: Annotated[  # noqa: ARG001 - main() looks for it, also where the words cannot be understood
        bool, typer.Option("--debug", help="Show where in the program an error came from.")
    ] = False,
) -> None:
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


@cache
def _spoken() -> Callable[..., object]:
    """The commands as the library reads them out of their functions, which takes a quarter of a second: once."""
    return typer.main.get_command(app)


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the words say; every error ends as at most two lines on standard error, and a code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")  # a terminal that lacks a character is no reason to stop
    signal.signal(signal.SIGTERM, _end)
    try:
        code = _spoken()(args=words, prog_name="tocsin", standalone_mode=False)
        sys.stdout.flush()
    except TocsinError as error:
        return _complain(error.message, error.hint, error.exit_code, words)
    except _UsageError as error:
        return _complain(*_usage(error), 2, words)
    except (KeyboardInterrupt, typer.Abort):
        return _complain("interrupted", "", INTERRUPTED, [])
    except BrokenPipeError:
        return _nobody_reads()
    except SystemExit as end:  # so the libraries say it that run commands and draw tables
        if isinstance(end.__context__, BrokenPipeError):
            return _nobody_reads()
        raise
    except Exception as error:  # noqa: BLE001 - the last one to know: nobody should have to read a traceback
        name = type(error).__name__
        return _complain(f"a fault of tocsin itself: {name}: {error}", "See where with --debug.", FAULT, words)
    if code == INTERRUPTED:  # newer versions of the library turn Ctrl-C into this by themselves
        return _complain("interrupted", "", INTERRUPTED, [])
    return code if isinstance(code, int) else 0


def _nobody_reads() -> int:
    """Whoever read standard output went away, as `head` does. Python would complain once more on its way out."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return NOBODY_READS


def _complain(message: str, hint: str, code: int, words: Sequence[str]) -> int:
    if "--debug" in words:
        traceback.print_exc()
    print(f"tocsin: {shown(message, 2000)}", file=sys.stderr)  # noqa: T201 - this is where errors are told
    if hint:
        print(f"        {shown(hint, 2000)}", file=sys.stderr)  # noqa: T201 - as above
    return code


def _usage(error: BaseException) -> tuple[str, str]:
    context = getattr(error, "ctx", None)
    place = context.command_path if context else "tocsin"
    told = getattr(error, "format_message", lambda: str(error))()
    return " ".join(str(told).split()), f"{place} --help tells what it takes."


def _end(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - as a signal calls it
    """Somebody ends this process: leave as after an error, so that workers and temporary files go too."""
    raise SystemExit(128 + number)
