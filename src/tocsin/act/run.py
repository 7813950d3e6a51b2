"""A step in, what came of it out: a program with its fixed words and values on its standard input, never a shell."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tocsin.act import post
from tocsin.model.action import Step
from tocsin.seal import durable

_AT_MOST_S: Final = 60.0
_KEPT: Final = 2_000  # characters of what a program says that are kept with the step
# What a program finds around it: nothing of ours, so that no variable changes what it does.
_AROUND: Final = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """`well` says whether it ended well; `said` is what the program told, `skipped` that it was not needed."""

    well: bool
    said: str
    skipped: bool = False


def run(step: Step) -> Done:
    """Do one step. Whatever goes wrong is told, never raised: half of a plan must not end in a traceback."""
    if step.unless and _ran(step.unless, "").well:
        return Done(well=True, said="", skipped=True)
    if step.path:
        return _written(Path(step.path), step.text)
    if step.url:
        well, said = post.post(step)
        return Done(well=well, said=said[:_KEPT])
    done = _ran(step.argv, step.text)
    return Done(well=done.well, said=done.said[:_KEPT])


def ask(step: Step) -> Done:
    """Do a probe, whose whole answer is wanted."""
    return _ran(step.argv, step.text)


def _written(path: Path, text: str) -> Done:
    """In place of what is there, at once; whoever reads it may do so under another name."""
    try:
        mode = path.stat().st_mode & 0o777 if path.exists() else 0o644
        durable.replace(path, text.encode(), mode=mode)
    except OSError as error:
        return Done(well=False, said=f"{path}: cannot be written: {error.strerror or error}")
    return Done(well=True, said="")


def _ran(argv: tuple[str, ...], text: str) -> Done:
    if not argv:
        return Done(well=False, said="no program is named")
    try:
        ended = subprocess.run(  # noqa: S603 - words that whoever runs Tocsin wrote down; values are on standard input
            list(argv),
            input=text.encode(),
            capture_output=True,
            timeout=_AT_MOST_S,
            check=False,
            env=_AROUND,
            cwd="/",
        )
    except (OSError, ValueError) as error:
        return Done(well=False, said=f"{argv[0]}: cannot be started: {error}")
    except subprocess.TimeoutExpired:
        return Done(well=False, said=f"{argv[0]}: did not end within {_AT_MOST_S:g} s")
    said = (ended.stdout if ended.returncode == 0 else ended.stdout + ended.stderr).decode("utf-8", "replace")
    return Done(well=ended.returncode == 0, said=said)
