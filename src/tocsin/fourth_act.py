"""The drill's fourth act on one page: what a hunt found becomes cases, plans, a register, a page and a joint advisory.

The ally's word came in the second act, and the lake answered. Three nations then speak together, and one of them has a
reservation. Their keys are made up for the drill and gone after it. Nothing is sent, and nothing is blocked.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tocsin import advising, attribution, briefing, cases, endorsing, planning, respond, tell
from tocsin.border import advisory as files
from tocsin.border import observations
from tocsin.border.assets import read_assets
from tocsin.border.people import read_people
from tocsin.contain import Own
from tocsin.disclose import endorse, pages
from tocsin.errors import TocsinError
from tocsin.model.endorsement import Claim, JointStatement, Nation, Stance
from tocsin.model.incident import Incident
from tocsin.rehearse import Made
from tocsin.respond import Response
from tocsin.seal import decisions, durable, keys

WHO: Final = "the drill"
MOST_CASES: Final = 10
MARKING: Final = "amber"  # as the ally marked what it shared
_NATIONS: Final = (("au", "A nation of the drill"), ("nz", "A second nation"), ("uk", "A third nation"))
_RESERVES: Final = "uk"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Something that was done, in a sentence; `at_s` is the clock since the ally's word came."""

    at_s: float
    what: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """What came of it.

    Args:
        register_s: from the ally's word until every case had its register.
        entries: of all registers; `undecided` those on which somebody must decide.
        stands: whether enough nations stood behind the words; `named` who was named with them.
        reserved: whether a nation's reservation is with the signers, and in no file for the public.
        left_out: what could not be done, as sentences.
    """

    steps: tuple[Step, ...]
    cases: int
    register_s: float
    entries: int
    undecided: int
    stands: bool
    named: tuple[str, ...]
    reserved: bool
    left_out: tuple[str, ...]


def speak(
    made: Made,
    response: Response,
    folder: Path,
    *,
    since: float,
    on_step: Callable[[Step], None] = lambda step: None,
) -> Spoken:
    """Play it, its files below `folder`.

    Args:
        response: of the hunt.
        since: by `time.monotonic`, when the ally's word came.
    """
    steps: list[Step] = []

    def say(what: str) -> None:
        steps.append(Step(at_s=round(time.monotonic() - since, 2), what=what))
        on_step(steps[-1])

    left_out: list[str] = []
    assets, people = read_assets(made.assets)[0], read_people(made.people)[0]
    desk = tell.desk(None, (), people=people, assets=assets)
    root = folder / "cases"
    found = [one for one in response.incidents if one.rank != "background"][:MOST_CASES]
    opened = [_opened(response, one, root) for one in found]
    say(f"{len(found)} incidents of the hunt are cases")
    for one in opened:
        tell.bring_up_to_date(one, desk, WHO)
    standing = [each for one in opened for each in tell.standing(one, desk)]
    register_s = time.monotonic() - since
    undecided = sum(one.is_open for one in standing)
    say(f"their registers hold {len(standing)} whom they touch; on {undecided} somebody must decide")
    left_out += _planned(opened, Own(assets=assets), say)
    named, stands, reserved = tuple[str, ...](), False, False
    if found:
        first, incident = opened[0], found[0]
        weighed = attribution.weigh(attribution.observed(str(first), root), desk.groups())
        say(f"who it may have been: {weighed.answer.text}")
        marking, stand = f"TLP:{MARKING.upper()}", tell.standing(first, desk)
        page = briefing.page(first, incident, desk.table, stand, (), desk.groups, marking=marking)
        durable.replace(folder / "minister.txt", pages.text(page).encode())
        say("a page for a minister is written")
        named, stands, reserved = _together(found, root, folder, say)
    return Spoken(
        steps=tuple(steps),
        cases=len(found),
        register_s=round(register_s, 2),
        entries=len(standing),
        undecided=undecided,
        stands=stands,
        named=named,
        reserved=reserved,
        left_out=tuple(left_out),
    )


def _opened(response: Response, incident: Incident, root: Path) -> Path:
    seen = respond.observations(response, [incident])[incident.id]
    documents = [(attribution.OBSERVATIONS, observations.encoded(seen))]
    return root / cases.open_case(root, incident, by=WHO, documents=documents).id


def _planned(opened: Sequence[Path], mine: Own, say: Callable[[str], None]) -> list[str]:
    """A plan for each, kept in its case; nothing of it is carried out."""
    actions, left_out = 0, []
    for one in opened:
        try:
            plan = planning.plan(one, mine, ())
        except TocsinError as error:
            left_out.append(f"{one.name} has no plan: {error.message}")
            continue
        actions += len(planning.keep(one, plan, "least disruptive", WHO).alternative.actions)
    say(f"plans to cut them off hold {actions} actions, each waiting for those who may sign it")
    return left_out


def _together(
    found: Sequence[Incident], root: Path, folder: Path, say: Callable[[str], None]
) -> tuple[tuple[str, ...], bool, bool]:
    """An advisory over all cases, approved by three nations, of which one reserves something."""
    private = {name: Ed25519PrivateKey.generate() for name, _ in _NATIONS}
    nations = tuple(Nation(id=name, name=called, keys=(keys.public_text(private[name]),)) for name, called in _NATIONS)
    names = [one.id for one in found]
    drafted = advising.draft(_written(names), names, root, leave_out=False)
    advising.save(drafted, folder / "draft", with_pdf=False)
    say("a joint advisory is drafted; it names nobody yet")
    statement = JointStatement(
        title=drafted.advisory.title,
        claims=(Claim(id="words", text=f"We approve the advisory {drafted.digest}."),),
        asked=tuple(sorted(private)),
        threshold=2,
        words="We publish this advisory together.",
        marking=MARKING,
        at=decisions.now(),
    )
    joint = folder / "statement"
    endorsing.propose(statement, joint)
    why = "We have seen one of these cases alone."
    for name, key in private.items():
        stances: dict[str, tuple[Stance, str]] = {"words": ("reserve", why)} if name == _RESERVES else {}
        endorsing.sign(joint, nations, name, key, stances=stances, confidence="moderate", named=True)
        say(f"{name} has sealed its words" + (", with a reservation" if stances else ""))
    final = advising.approved(drafted, joint, nations)
    written = advising.save(final, folder / "advisory")
    concord = endorsing.concord(joint, nations)
    public = b"".join(path.read_bytes() for path in written)
    reserved = concord.tallies[0].reserve == (_RESERVES,) and why.encode() not in public
    say("the advisory is written for the world, with those who sealed its words")
    durable.replace(folder / "concord.json", msgspec.json.encode(concord))
    return endorse.named(concord), concord.stands, reserved


def _written(names: Sequence[str]) -> files.Written:
    """What authors would have said; it is a drill, and so it says little."""
    return files.Written(
        version=1,
        number="drill",
        title="What a drill has shown",
        date=dt.datetime.now(dt.UTC).date(),
        marking=MARKING,
        author=tuple(files.By(nation=name, name=called, contact="nobody: it is a drill") for name, called in _NATIONS),
        disclaimer=(files.Said(text="All of it was made up."),),
        case=tuple(files.Of(id=name, called=f"Body {number}", marking=MARKING) for number, name in enumerate(names, 1)),
    )
