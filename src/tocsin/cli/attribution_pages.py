"""An Attribution in, the page that people read out: likelihoods as bars, why, what speaks against, what is missing."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tocsin.model.attribution import CERTAIN, UNKNOWN, Attribution, Ground, Hypothesis
from tocsin.model.cluster import Clusters
from tocsin.model.likelihood import word
from tocsin.model.observation import Observation
from tocsin.model.statement import Standing
from tocsin.output.screen import cut, shown

MOST = 6  # hypotheses that are drawn
GROUNDS = 8

_EIGHTHS = " ▏▎▍▌▋▊▉"
_LEVELS = {"group": "a group", "sponsor": "groups of one sponsor", "cluster": "a cluster", "unknown": "unknown"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    width: int = 100

    def told(
        self, found: Attribution, observation: Observation, *, before: Attribution | None = None, explain: bool = False
    ) -> Iterator[str]:
        yield from self._wrapped(self._seen(observation))
        yield ""
        yield from self._wrapped(f"Answer ({_LEVELS[found.answer.level]}): {found.answer.text}")
        for why in found.answer.because:
            yield from self._wrapped(f"- {why}", "  ")
        yield from self._wrapped(found.confidence)
        yield from self._wrapped(
            "This compares what was seen with what is publicly told of groups. Who is responsible is for people to "
            "decide."
        )
        yield ""
        yield from self._hypotheses(found)
        if before is not None:
            yield from self._changed(before, found)
        leader = next((one for one in found.hypotheses if one.kind == "group"), None)
        if leader is not None and leader.grounds:
            yield from self._why(leader, found)
        if found.matrix:
            yield from self._matrix(found, whole=explain)
        yield from self._list("What it would be expected to show, and was not seen", found.gaps)
        yield from self._list("What would change our mind", found.would_change)
        yield from self._list("Not weighed, and other notes", found.notes)
        if explain:
            yield from self._sums(found)

    def ours(self, clusters: Clusters | None, incident: str) -> Iterator[str]:
        """Whether it is one of the team's own clusters; this is asked before any public group is."""
        own = clusters.of(incident) if clusters else None
        if own is None:
            return
        for sentence in own_sentences(clusters, incident):
            yield from self._wrapped(sentence)
        for change in own.history[-3:]:
            incidents = ", ".join(map(shown, change.incidents[:4]))
            yield from self._wrapped(f"- {change.kind}: {incidents}", "  ")
            for why in change.because[:4]:
                yield from self._wrapped(why, "      ")
        yield ""

    def several(
        self, found: Mapping[str, Attribution], seen: Sequence[Observation], clusters: Clusters | None
    ) -> Iterator[str]:
        """Which of several are one activity, and a short answer for each."""
        if clusters is not None:
            yield "Your own clusters"
            for own in clusters.clusters:
                if set(own.incidents) & found.keys():
                    yield from self._wrapped(f"- {own.name}: {', '.join(map(shown, own.incidents[:12]))}", "  ")
                    for change in own.history[-3:]:
                        why = f": {change.because[0]}" if change.because else ""
                        yield from self._wrapped(f"{change.kind}{why}", "      ")
            yield ""
        for one in seen:
            told = found[one.id]
            yield from self._wrapped(f"{shown(one.id, 60)}  {self._seen(one)}")
            yield from self._wrapped(f"Answer ({_LEVELS[told.answer.level]}): {told.answer.text}", "  ")
            leaders = [each for each in told.hypotheses if each.kind != "kin"][:3]
            chances = ", ".join(f"{shown(each.name, 30)} {_percent(each.billionths)}" for each in leaders)
            yield from self._wrapped(f"Likeliest: {chances}", "  ")

    def standing(self, standing: Standing) -> Iterator[str]:
        """Whom people hold responsible; the words of a statement are shown only once it stands."""
        yield ""
        held = standing.held
        if held is not None:
            signed = " and ".join(f"{one.by} ({one.role}, {one.at[:10]})" for one in standing.signed)
            yield from self._wrapped(f"Held responsible, by decision of {signed}: {held.responsible}.")
            yield from self._wrapped(f"Proposed by {held.by}. It is their decision, and not what the comparison says.")
        else:
            yield from self._wrapped(
                "Who is held responsible: nobody. It takes two signed decisions, with the keys of two people, neither "
                "of them the analyst's."
            )
            if standing.digest:
                states = {"proposed": "waits for signatures", "refused": "was refused", "void": "is void"}
                yield from self._wrapped(f"Statement {standing.digest[:16]} {states[standing.state]}.")
        for why in standing.because:
            yield from self._wrapped(f"- {why}", "  ")

    def _seen(self, observation: Observation) -> str:
        counts = {
            kind: len({one.value for one in observation.traits if one.kind == kind})
            for kind in ("technique", "software")
        }
        others = len({(one.kind, one.value) for one in observation.traits}) - sum(counts.values())
        name = shown(observation.name or observation.id, 80)
        parts = [
            f"{counts['technique']} technique{'s' if counts['technique'] != 1 else ''}",
            f"{counts['software']} piece{'s' if counts['software'] != 1 else ''} of software",
        ]
        parts += [f"{others} other trait{'s' if others != 1 else ''}"] if others else []
        last = f", last seen {shown(observation.last_seen, 30)}" if observation.last_seen else ""
        return f"{name}: {', '.join(parts)}{last}"

    def _hypotheses(self, found: Attribution) -> Iterator[str]:
        room = max(8, self.width - 70)
        yield f"{'HYPOTHESIS':28} {'':{room}} {'CHANCE':>7}  {'WORD':19} {'DECIBANS':>8}"
        drawn = [one for one in found.hypotheses if one.kind != "kin"][:MOST]
        if all(one.id != UNKNOWN for one in drawn):
            drawn += [one for one in found.hypotheses if one.id == UNKNOWN]
        for one in drawn:
            yield self._drawn(one, room)
        kin = [one for one in found.hypotheses if one.kind == "kin"]
        if kin:
            chance = sum(one.billionths for one in kin)
            yield f"{'new groups, of known kin':28} {_bar(chance, room)} {_percent(chance):>7}  {word(chance):19}"
        others = CERTAIN - sum(one.billionths for one in (*drawn, *kin))
        if others > 0:
            yield f"{'all other groups':28} {_bar(others, room)} {_percent(others):>7}"
        level, within = found.within
        names = [self._name(found, one) for one in within]
        told = ", ".join(names) if len(names) <= 12 else f"{len(names)} hypotheses, too many to help"
        yield ""
        yield from self._wrapped(f"In {level // 10} of 100 cases the answer is in a set made like this one: {told}.")

    def _drawn(self, one: Hypothesis, room: int) -> str:
        name = cut(shown(one.name), 20)
        label = f"{name} {one.id}" if one.kind == "group" else name
        weight = f"{one.millidecibans / 1000:+8.1f}" if one.kind == "group" else f"{'0':>8}"
        bar = _bar(one.billionths, room)
        return f"{cut(label, 28):28} {bar} {_percent(one.billionths):>7}  {word(one.billionths):19} {weight}"

    def _name(self, found: Attribution, one: str) -> str:
        told = found.of(one)
        return shown(told.name, 40) if told else shown(one, 40)

    def _why(self, leader: Hypothesis, found: Attribution) -> Iterator[str]:
        speaking = sorted(leader.grounds, key=lambda one: (-one.millidecibans, one.kind, one.value))
        most = max((abs(one.millidecibans) for one in leader.grounds), default=1) or 1
        yield ""
        yield f"What speaks for {shown(leader.name, 60)}, in decibans (10 is ten times likelier)"
        for one in speaking[:GROUNDS]:
            if one.millidecibans > 0:
                yield from self._ground(one, most)
        rest = [one.millidecibans for one in speaking[GROUNDS:] if one.millidecibans > 0]
        if rest:
            yield f"  and {len(rest)} more, {sum(rest) / 1000:+.1f} together"
        opposing = [one for one in reversed(speaking) if one.millidecibans < 0]
        if opposing:
            yield ""
            yield "What speaks against"
            for one in opposing[:5]:
                yield from self._ground(one, most)
        yield ""
        if found.fragile:
            yield "Is it fragile? Yes, it hangs on few things, and could be a false flag:"
            for text in found.fragile[:6]:
                yield from self._wrapped(f"- {text}", "  ")
        else:
            yield from self._wrapped(
                "Is it fragile? It would still lead without any one trait, and without any one class of them."
            )

    def _ground(self, one: Ground, most: int) -> Iterator[str]:
        kind = "" if one.kind in ("technique", "software") else one.kind
        what = cut(shown(f"{kind} {one.value} {one.name}".strip()), 26)
        bar = _bar(abs(one.millidecibans) * CERTAIN // most, 8)
        head = f"  {what:26} {bar} {one.millidecibans / 1000:+6.1f}  {one.grade} {one.forgeability:5} "
        lines = textwrap.wrap(shown(one.because), max(20, self.width - len(head))) or [""]
        yield head + lines[0]
        for line in lines[1:]:
            yield " " * len(head) + line

    def _matrix(self, found: Attribution, *, whole: bool) -> Iterator[str]:
        rows = found.matrix if whole else found.matrix[:10]
        room = min(14, (self.width - 28) // max(1, len(found.columns)))
        names = [cut(self._name(found, one), room - 1) for one in found.columns]
        yield ""
        yield "Competing hypotheses: ++ fits well, -- does not; what tells them apart first"
        yield f"  {'':26}" + "".join(f"{name:>{room}}" for name in names)
        for row in rows:
            kind = "" if row.kind in ("technique", "software") else row.kind
            what = cut(shown(f"{kind} {row.value} {row.name}".strip()), 26)
            yield f"  {what:26}" + "".join(f"{reading:>{room}}" for reading in row.readings)
        if len(found.matrix) > len(rows):
            yield f"  {len(found.matrix) - len(rows)} more with --explain"

    def _changed(self, before: Attribution, after: Attribution) -> Iterator[str]:
        yield ""
        yield "What the changes do"
        ids = dict.fromkeys(one.id for found in (after, before) for one in found.hypotheses[:MOST] if one.kind != "kin")
        for one in ids:
            was, now = before.of(one), after.of(one)
            chances = _percent(was.billionths if was else 0), _percent(now.billionths if now else 0)
            yield f"  {cut(self._name(after if now else before, one), 28):28} {chances[0]:>7} -> {chances[1]:>7}"

    def _list(self, title: str, texts: tuple[str, ...]) -> Iterator[str]:
        if texts:
            yield ""
            yield title
            for text in texts:
                yield from self._wrapped(f"- {text}", "  ")

    def _sums(self, found: Attribution) -> Iterator[str]:
        for one in [one for one in found.hypotheses if one.kind == "group"][:3]:
            yield ""
            yield f"{shown(one.name, 60)} ({one.id}) against nobody known, in millidecibans"
            for line in one.lines:
                yield self._line(line.what, line.kind, line.millidecibans)
            yield self._line("together", "", one.millidecibans)

    def _line(self, what: str, kind: str, weight: int) -> str:
        room = self.width - 24
        return f"  {cut(shown(what), room):{room}} {kind:11} {weight:+8d}"

    def _wrapped(self, text: str, indent: str = "") -> Iterator[str]:
        yield from textwrap.wrap(
            shown(text), self.width, initial_indent=indent, subsequent_indent=indent + "  " * bool(indent)
        )


def own_sentences(clusters: Clusters | None, incident: str) -> Iterator[str]:
    """Which of the team's own clusters an incident belongs to, in sentences."""
    own = clusters.of(incident) if clusters else None
    if own is None:
        return
    others = [name for name in own.incidents if name != incident]
    if others:
        yield f"One of your own clusters: {own.name}, with {cited(others)}."
    else:
        yield f"None of your own clusters resembles it; it is the first of {own.name}."


def own_paragraphs(clusters: Clusters | None, incident: str) -> Iterator[str]:
    """The same for a page, with what the last of those that joined have in common."""
    yield from own_sentences(clusters, incident)
    own = clusters.of(incident) if clusters else None
    if own is not None and len(own.incidents) > 1:
        yield from [f"{why}." for change in own.history for why in change.because][-4:]


def cited(incidents: Sequence[str]) -> str:
    """Incidents by name, as far as anybody reads on."""
    more = f" and {len(incidents) - 8} more" if len(incidents) > 8 else ""
    return f"{', '.join(incidents[:8])}{more}"


def _bar(billionths: int, room: int) -> str:
    eighths = billionths * room * 8 // CERTAIN
    full, rest = divmod(eighths, 8)
    return ("█" * full + (_EIGHTHS[rest] if rest else ""))[:room].ljust(room)


def _percent(billionths: int) -> str:
    percent = billionths / 10_000_000
    if 0 < percent < 0.1:
        return "<0.1 %"
    return f">{99.9} %" if 99.9 < percent < 100 else f"{percent:.1f} %"
