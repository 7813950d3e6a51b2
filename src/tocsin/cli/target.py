"""`--out` and `--format` in, the files to write and in which form out."""

from __future__ import annotations

import glob
import io
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tocsin.cli import folders
from tocsin.cli.options import FORMATS
from tocsin.errors import OutputError, SettingsError
from tocsin.model.run import Run
from tocsin.output.files import prepare_folder, save
from tocsin.output.formats import WRITERS, custody
from tocsin.output.writer import Writer

_BY_NAME: Final = {writer.NAME: writer for writer in WRITERS}
_OF_A_FOLDER: Final = ("jsonl", "navigator", "coverage", "custody")
_OF_FINDINGS: Final = ("jsonl", "csv", "timesketch")  # files of these are called findings, the others by what they are


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """`stream` is what goes to standard output instead of the summary; `wanted` whether --out was given."""

    files: tuple[tuple[Path, Writer], ...]
    stream: Writer | None = None
    wanted: bool = False

    @property
    def manifest(self) -> Path:
        return next(path for path, writer in self.files if writer is custody)

    def save(self, run: Run) -> None:
        evidence = {os.path.realpath(source.file) for source in run.custody}
        for path, _ in self.files:
            if os.path.realpath(path) in evidence:
                raise _among_evidence(path)
        for path, writer in self.files:
            save(path, lambda file, write=writer.write: write(run, file))  # type: ignore[misc]  # bound for each

    def pour(self, run: Run) -> None:
        """To standard output: UTF-8 with the line ends of the format, whatever the terminal is set to."""
        assert self.stream
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8", newline="")
        self.stream.write(run, sys.stdout)
        sys.stdout.flush()


def choose(out: str | None, form: str | None, logs: Sequence[str]) -> Target:
    """Where the results go. Folders are made now: better no start than no place to write in the end."""
    if form is not None and form not in FORMATS:
        raise SettingsError(f"--format {form}: there is no such format", hint=f"There are {', '.join(FORMATS)}.")
    if out is None:
        target = _without_out(form)
    elif not out:
        raise SettingsError("--out names nothing", hint="Name a file or a folder.")
    elif form == "table":
        raise SettingsError("a table is for the terminal", hint=f"With --out, {', '.join(FORMATS[1:])} can be had.")
    elif out.endswith("/") or Path(out).is_dir() or not Path(out).suffix:
        target = _in_folder(Path(out), form)
    else:
        target = _in_file(Path(out), form)
    for path, _ in target.files:
        if _names(logs, path):
            raise _among_evidence(path)
        prepare_folder(path.parent)
    return target


def _without_out(form: str | None) -> Target:
    moment = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    manifest = folders.state() / "runs" / f"{moment}-{os.getpid()}-custody.json"
    stream = None if form in (None, "table") else _BY_NAME[str(form)]
    return Target(files=((manifest, custody),), stream=stream)


def _in_folder(folder: Path, form: str | None) -> Target:
    names = dict.fromkeys([*_OF_A_FOLDER, *([form] if form else [])])
    return Target(
        files=tuple((folder / _called(_BY_NAME[name]), _BY_NAME[name]) for name in names),
        wanted=True,
    )


def _called(writer: Writer) -> str:
    return f"findings{writer.SUFFIX}" if writer.NAME in _OF_FINDINGS else f"{writer.NAME}.json"


def _in_file(path: Path, form: str | None) -> Target:
    writer = _BY_NAME[form] if form else _by_suffix(path)
    manifest = path.with_name(path.name + custody.SUFFIX)
    files = ((path, writer), *(((manifest, custody),) if writer is not custody else ()))
    return Target(files=files, wanted=True)


def _by_suffix(path: Path) -> Writer:
    fitting = [writer for writer in WRITERS if path.name.endswith(writer.SUFFIX)]
    if not fitting:
        raise SettingsError(
            f"--out {path}: its name does not tell the format",
            hint=f"Add --format, or let it end in {', '.join(writer.SUFFIX for writer in WRITERS)}.",
        )
    return max(fitting, key=lambda writer: len(writer.SUFFIX))


def _names(logs: Sequence[str], path: Path) -> bool:
    """Whether a path is one of the logs, or below a folder of them, where the next run would take it for evidence."""
    place = os.path.realpath(path)
    for log in logs:
        for named in (log, *glob.glob(log, recursive=True)):  # noqa: PTH207 - as evidence is named
            real = os.path.realpath(named)
            if place == real or place.startswith(real.rstrip("/") + "/"):
                return True
    return False


def _among_evidence(path: Path) -> OutputError:
    return OutputError(
        f"{path}: is among the evidence, which is never changed", hint="Choose a place outside of the logs."
    )
