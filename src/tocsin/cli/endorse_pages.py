"""What became of a joint statement in, the page for those who sign it out: each nation in its own voice."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from tocsin.disclose import endorse
from tocsin.model.endorsement import Concord, Nation, OfClaim, Stance, Tally, Voice
from tocsin.output.screen import cut, shown

_SIGNS: Final[dict[Stance, str]] = {"endorse": "yes", "reserve": "yes*", "dissent": "NO", "abstain": "-"}


@dataclass(frozen=True, slots=True)
class Page:
    width: int

    def told(self, found: Concord, nations: Sequence[Nation]) -> Iterator[str]:
        statement = found.statement
        called = {one.id: one.name for one in nations}
        yield cut(f"{shown(statement.title)}  [TLP:{statement.marking.upper()}]", self.width)
        yield f"proposed {statement.at[:16].replace('T', ' ')} UTC"
        yield f"digest {found.digest}"
        yield from self._wrapped("For those who sign it: who was asked, declined or dissents is not for the public.")
        yield ""
        ids = [one.nation for one in found.voices]
        columns = {one: max(6, len(shown(one)) + 2) for one in ids}
        in_columns = sum(columns.values()) <= self.width * 2 // 3  # a voice that is cut off would not be heard
        if in_columns:
            yield "  " + "".join(f"{shown(one):>{wide}}" for one, wide in columns.items())
        for tally in found.tallies:
            marks = {one.nation: _mark(one, tally) for one in found.voices}
            row = "".join(f"{marks[one]:>{wide}}" for one, wide in columns.items()) + "   " if in_columns else ""
            behind = len({*tally.endorse, *tally.reserve} & set(statement.asked))
            state = "stands" if tally.stands else "does not stand"
            told = f"{state}, {behind} of {statement.threshold}"
            name = shown(tally.claim.id, max(6, self.width - len(row) - len(told) - 4))
            yield cut(f"  {row}{name}: {told}", self.width)
            if not in_columns:
                yield from self._wrapped(", ".join(f"{one} {mark}" for one, mark in marks.items()), "      ")
            yield from self._wrapped(tally.claim.text, "      ")
        yield ""
        for voice in found.voices:
            yield from self._voice(voice, called, found)
        if statement.words:
            yield ""
            yield "The words for the public, should all of it come to stand:"
            yield from self._wrapped(statement.words, "  ")
        for why in found.refused:
            yield from self._wrapped(f"Counts for nothing: {why}")

    def _voice(self, voice: Voice, called: dict[str, str], found: Concord) -> Iterator[str]:
        entry = voice.entry
        words = f"{called.get(voice.nation, voice.nation)}: {voice.state}"
        if entry is not None:
            words += f" on {entry.at[:10]}"
            if entry.act == "seal":
                words += ", may be named in public" if entry.named else ", not to be named in public"
            if entry.reason:
                words += f". {entry.reason}"
        if not voice.asked:
            words += " (was not asked, and does not count towards the number)"
        if len(voice.entries) > 1:
            words += f" [{len(voice.entries)} entries]"
        yield from self._wrapped(words)
        if entry is None and (against := [one.claim.id for one in found.tallies if voice.nation in one.dissent]):
            yield from self._wrapped(f"- one of its entries dissents from {', '.join(against)}", "  ")
        for doubt in voice.doubts:
            yield from self._wrapped(f"- {doubt}", "  ")
        for tally in found.tallies:
            said = _of(voice, endorse.of_claim(tally.claim))
            if said is not None and said.words:
                yield from self._wrapped(f"{tally.claim.id}, {said.stance}: {said.words}", "  ")

    def _wrapped(self, text: str, indent: str = "") -> list[str]:
        return textwrap.wrap(
            shown(" ".join(text.split())), self.width, initial_indent=indent, subsequent_indent=f"{indent}  "
        )


def _of(voice: Voice, claim: str) -> OfClaim | None:
    said = voice.entry.claims if voice.entry else ()
    return next((one for one in said if one.claim == claim), None)


def _mark(voice: Voice, tally: Tally) -> str:
    said = _of(voice, endorse.of_claim(tally.claim))
    if voice.nation in tally.dissent:
        return _SIGNS["dissent"]
    if said is not None:
        return _SIGNS[said.stance]
    return {"silent": ".", "sealed": "."}.get(voice.state, "x")


def plain(found: Concord) -> dict[str, Any]:
    """The same for programs."""
    told: dict[str, Any] = msgspec.to_builtins(found)
    return {**told, "stands": found.stands}
