"""Frames of events in, Traces out: records by what they can be joined by, in one vocabulary."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from msgspec import structs

from tocsin.investigate.kept import USES, Frame, Texts, codes_of, frames_in
from tocsin.investigate.normal import NORMAL
from tocsin.investigate.roles import ACTS, ROLES, Act, Role
from tocsin.model.event import Codes, Longs

MOST_AROUND: Final = 5_000_000  # records that no rule matched which are held in memory; each takes some 150 bytes
_OF_USES: Final = 5  # a fifth as many uses of accounts, besides

_Rows = npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Traces:
    """Records by what they can be joined by, in order of time, then of place.

    Args:
        ts: UTC microseconds, `NO_TIME` where the record has none.
        host: index into `texts`, 0 for none; so are the columns of `roles`.
        found: whether a rule matched it.
        act: index into `ACTS`.
        source: index into `sources`, which are (kind, file, path).
        shown: each text as the first log in order writes it.
        left_out: how many records that no rule matched were more than are read.
    """

    ts: Longs
    host: Codes
    found: _Rows
    act: Codes
    inward: _Rows
    source: Codes
    rec: Longs
    chunk: Longs
    roles: Mapping[Role, Codes]
    texts: Sequence[str]
    shown: Sequence[str]
    sources: Sequence[tuple[str, str, str]]
    left_out: int = 0

    def __len__(self) -> int:
        return len(self.ts)

    def role(self, name: Role) -> Codes:
        known = self.roles.get(name)
        return np.zeros(len(self), np.int32) if known is None else known

    def that(self, codes: Codes, fits: Callable[[str], bool]) -> _Rows:
        """Which of these texts are such ones."""
        used, at = np.unique(codes, return_inverse=True)
        return np.array([fits(self.texts[code]) for code in used.tolist()], np.bool_)[at]

    def acts(self, *names: Act) -> _Rows:
        return np.isin(self.act, [ACTS.index(name) for name in names])


@dataclass(slots=True)
class Gathering:
    """Rows as they come in, whose texts are in one vocabulary."""

    codes: dict[str, int] = field(default_factory=lambda: {"": 0})
    shown: list[str] = field(default_factory=lambda: [""])
    sources: dict[tuple[str, str, str], int] = field(default_factory=dict)
    parts: list[dict[str, npt.NDArray[Any]]] = field(default_factory=list)
    nobodys: set[int] = field(default_factory=set)  # SIDs of what is no account: machines and the system

    def code(self, role: Role | None, text: str) -> int:
        name = (NORMAL[role](text) if role else text.strip().lower().rstrip(".")) if text else ""
        if not name:
            return 0
        code = self.codes.setdefault(name, len(self.shown))
        if code == len(self.shown):
            self.shown.append(text)
        elif text < self.shown[code]:
            self.shown[code] = text
        return code

    def coded(self, role: Role | None, texts: Texts) -> Codes:
        return np.array([self.code(role, text) for text in texts.values], np.int32)[codes_of(texts.codes)]

    def add(self, frame: Frame) -> None:
        at = codes_of(frame.source)
        of = [self.sources.setdefault((frame.kind, *one), len(self.sources)) for one in frame.sources]
        self.parts.append(
            {
                "ts": np.frombuffer(frame.ts, np.int64),
                "rec": np.frombuffer(frame.rec, np.int64),
                "chunk": np.frombuffer(frame.chunk, np.int64),
                "source": np.array(of, np.int32)[at],
                "host": self.coded(None, frame.host),
                "found": np.full(len(at), frame.found),
                "act": np.full(len(at), frame.act, np.int32),
                "inward": np.full(len(at), frame.inward),
                **{role: self.coded(role, texts) for role, texts in frame.roles.items()},
            }
        )
        if {"account", "sid"} <= frame.roles.keys():
            nameless = (codes_of(frame.roles["account"].codes) > 0) & (self.parts[-1]["account"] == 0)
            self.nobodys.update(self.parts[-1]["sid"][nameless].tolist())


def read(paths: Iterable[Path], most: int = MOST_AROUND) -> Traces:
    """Read the frames of all tasks: all that was found, and up to so many other records.

    Of machines where nothing was found only contacts are kept, which tell how many others a machine deals with. Of uses
    of accounts only those by somebody, from an address or by an application of which something was found; they have a
    room of their own, lest the cloud's log of a large house leave none for what happened on machines.
    """
    order = sorted(paths)
    gathering = Gathering()
    for frame in frames_in(order, found=True):
        gathering.add(frame)
    here = {gathering.shown[code].lower() for part in gathering.parts for code in np.unique(part["host"]).tolist()}
    named = frozenset(gathering.codes.keys() - {""})
    room, left_out = {False: most, True: most // _OF_USES}, 0
    for frame in frames_in(order, found=False):
        if ACTS[frame.act] == "start" and not here.intersection(text.lower() for text in frame.host.values):
            continue
        is_use = ACTS[frame.act] == "use"
        kept = _naming(frame, named) if is_use else frame
        size = len(kept.ts) // 8
        if size > room[is_use]:
            left_out += size
        elif size:
            room[is_use] -= size
            gathering.add(kept)
    return sorted_(gathering, left_out)


def _naming(frame: Frame, named: frozenset[str]) -> Frame:
    """The rows of a frame of uses that name one of these."""
    rows = np.zeros(len(frame.ts) // 8, bool)
    for role in USES:
        if role in frame.roles:
            texts = frame.roles[role]
            rows |= np.array([NORMAL[role](text) in named for text in texts.values], bool)[codes_of(texts.codes)]
    at = np.flatnonzero(rows)

    def only(texts: Texts) -> Texts:
        used, codes = np.unique(codes_of(texts.codes)[at], return_inverse=True)
        return Texts(codes.astype(np.int32).tobytes(), [texts.values[code] for code in used.tolist()])

    return structs.replace(
        frame,
        source=np.frombuffer(frame.source, np.int32)[at].tobytes(),
        host=only(frame.host),
        roles={role: only(texts) for role, texts in frame.roles.items()},
        **{name: np.frombuffer(getattr(frame, name), np.int64)[at].tobytes() for name in ("ts", "rec", "chunk")},
    )


def sorted_(gathering: Gathering, left_out: int = 0) -> Traces:
    parts = gathering.parts
    sizes = [len(part["ts"]) for part in parts]

    def column(name: str, form: type[np.generic]) -> npt.NDArray[Any]:
        none = np.zeros(0, form)
        return np.concatenate(
            [
                none,
                *(
                    part[name] if name in part else np.zeros(size, form)
                    for part, size in zip(parts, sizes, strict=True)
                ),
            ]
        )

    names = list(gathering.sources)
    rank = np.empty(len(names), np.int64)
    rank[sorted(range(len(names)), key=lambda at: names[at][::-1])] = np.arange(len(names))
    source = column("source", np.int32)
    ts, chunk, rec = (column(name, np.int64) for name in ("ts", "chunk", "rec"))
    order = np.lexsort((rec, chunk, rank[source] if names else source, ts))
    roles = {role: column(role, np.int32)[order] for role in ROLES if any(role in part for part in parts)}
    if "sid" in roles and gathering.nobodys:
        roles["sid"] = np.where(np.isin(roles["sid"], list(gathering.nobodys)), 0, roles["sid"])
    return Traces(
        ts=ts[order],
        host=column("host", np.int32)[order],
        found=column("found", np.bool_)[order],
        act=column("act", np.int32)[order],
        inward=column("inward", np.bool_)[order],
        source=source[order],
        rec=rec[order],
        chunk=chunk[order],
        roles=roles,
        texts=list(gathering.codes),
        shown=gathering.shown,
        sources=names,
        left_out=left_out,
    )
