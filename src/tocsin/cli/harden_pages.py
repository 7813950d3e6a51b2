"""A Hardening in, the page that people read out: how it stands by tactic, what to mend first, and for which logs."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from tocsin.model.hardening import MOST_EFFORT, Hardening, Prospect, Sight, Standing
from tocsin.output.hardening import WORDS
from tocsin.output.screen import cut, shown

MOST_STEPS: Final = 10
_MOST_LOGS: Final = 8
_MOST_NAMED: Final = 12
_MOST_TIMES: Final = 10
_BAR: Final = 20
_GOALS: Final = {1: "for something in the way of each path", 2: "then for a second thing in the way of each"}
_SIGNS: Final[dict[Sight, str]] = {
    "could detect": "█",
    "in part": "▓",
    "no logs": "░",
    "no rules": "·",
    "not tried": "?",
    "outside": "-",
}
# In the order of an intrusion, under the names of releases before and since 19.
_ORDER: Final = (
    "reconnaissance resource-development initial-access execution persistence privilege-escalation defense-evasion "
    "stealth defense-impairment credential-access discovery lateral-movement collection command-and-control "
    "exfiltration impact"
).split()


@dataclass(frozen=True, slots=True)
class Page:
    width: int

    def told(self, found: Hardening) -> Iterator[str]:
        against = ", ".join(f"{shown(one.name)} ({shown(one.id)})" for one in found.aims)
        yield from self._wrapped(f"Against {against}: {len(found.prospects)} techniques of ATT&CK {found.release}.")
        yield ""
        yield from self._tactics(found.prospects)
        yield ""
        yield from self._logs(found)
        yield from self._steps(found)
        yield from self._without(found.prospects)
        for doubt in found.doubts:
            yield from self._wrapped(f"Note: {shown(doubt)}")

    def progressed(self, standings: Sequence[Standing]) -> Iterator[str]:
        """How it stood from time to time; said only once there is something to compare."""
        if len(standings) < 2:
            return
        yield ""
        yield "How it stood     shown      no logs no rules in place   open"
        yield from self._wrapped(
            "(shown: could be, by a rule here; in place: something against it; open: of the paths)", "  "
        )
        for one in standings[-_MOST_TIMES:]:
            could = f"{one.could_detect} of {one.techniques}"
            moment = one.at[:16].replace("T", " ")
            share = "<0.1%" if 0 < one.open_percent < 0.1 else f"{one.open_percent:.1f}%"
            yield f"{moment} {could:<10} {one.no_logs:7} {one.no_rules:8} {one.mitigated:8} {share:>6}"

    def _tactics(self, prospects: Sequence[Prospect]) -> Iterator[str]:
        yield from self._wrapped(
            "What rules and logs could show: one sign a technique; + is how many something is in place against"
        )
        tactics = {tactic for one in prospects for tactic in one.tactics}
        for tactic in sorted(tactics, key=lambda name: (_ORDER.index(name) if name in _ORDER else 99, name)):
            inside = sorted(
                (one for one in prospects if tactic in one.tactics), key=lambda one: list(_SIGNS).index(one.sight)
            )
            signs = "".join(_SIGNS[one.sight] for one in inside)
            held = sum(one.mitigated for one in inside)
            able = sum(one.sight == "could detect" for one in inside)
            line = f"  {shown(tactic):22} {signs}"
            could = f"{len(inside)}" if any(one.sight == "not tried" for one in inside) else f"{able} of {len(inside)}"
            yield cut(f"{line}  {could}" + (f", {held}+" if held else ""), self.width)
        counts = Counter(one.sight for one in prospects)
        for sight, sign in _SIGNS.items():
            if counts[sight]:
                yield from self._wrapped(f"{sign} {counts[sight]:3}  {WORDS[sight]}", "  ")

    def _logs(self, found: Hardening) -> Iterator[str]:
        if not found.missing:
            return
        yield "Logs that rules wait for, by the techniques that only they would show"
        for one in found.missing[:_MOST_LOGS]:
            techniques = _some(one.techniques)
            yield from self._wrapped(f"{len(one.techniques):3}  {shown(one.logsource)}: {techniques}", "  ")
        if len(found.missing) > _MOST_LOGS:
            yield f"       and {len(found.missing) - _MOST_LOGS} more"
        yield ""

    def _steps(self, found: Hardening) -> Iterator[str]:
        if not found.steps:
            return
        yield from self._wrapped("What to mend first: by the intruder's paths that it cuts, per effort")
        yield from self._wrapped(
            f"{found.paths:,} paths take one technique of each tactic; on {_share(found.open, found.paths)} of them "
            "nothing stands that is in place. A step cuts those with a technique that ATT&CK lists it against, which "
            "does not say that it always stops it. Efforts are a judgement: put your own in --posture.",
            "  ",
        )
        layers = 0
        for number, one in enumerate(found.steps[:MOST_STEPS], 1):
            if one.layers != layers:
                layers = one.layers
                yield f"  {_GOALS.get(layers, f'for {layers} things in the way of each path')}"
            bar = "█" * int(Fraction(one.cut, found.paths) * _BAR)
            effort = "●" * one.effort + "○" * (MOST_EFFORT - one.effort)
            name = f"{one.mitigation} {shown(one.name)}" + (" (in place in part)" if one.partly else "")
            left = f"leaves {_share(one.left, found.paths)}"
            yield cut(f"  {number:2}  {effort}  {bar:{_BAR}}  {left:14} {name}", self.width)
        if len(found.steps) > MOST_STEPS:
            yield f"      and {len(found.steps) - MOST_STEPS} more, with less to gain"
        yield ""

    def _without(self, prospects: Sequence[Prospect]) -> Iterator[str]:
        bare = [one for one in prospects if not one.mitigations and one.sight != "outside"]
        blind = [one for one in bare if one.sight in ("no rules", "no logs")]
        if bare:
            yield from self._wrapped(f"No mitigation is listed against {_some([one.id for one in bare])}.")
        if blind:
            yield from self._wrapped(f"Of these nothing here would show {_some([one.id for one in blind])}.")

    def _wrapped(self, text: str, indent: str = "") -> list[str]:
        return textwrap.wrap(
            text, self.width, initial_indent=indent, subsequent_indent=f"{indent}  ", break_on_hyphens=False
        )


def _some(ids: Sequence[str]) -> str:
    more = f" and {len(ids) - _MOST_NAMED} more" if len(ids) > _MOST_NAMED else ""
    return ", ".join(ids[:_MOST_NAMED]) + more


def _share(part: int, whole: int) -> str:
    """Of a hundred; what is not nothing never stands as nothing, nor what is not all as all."""
    if not part or not whole:
        return "0%"
    share = Fraction(100 * part, whole)
    if share < Fraction(1, 10):
        return "<0.1%"
    if share >= Fraction(999, 10) and part < whole:
        return ">99.9%"
    return f"{float(share):.1f}%" if part < whole else "100%"
