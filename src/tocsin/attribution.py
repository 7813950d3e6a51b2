"""The page on who it was: what was seen and what is publicly known in, an Attribution out, through the rooms in order.

It stays technical. It compares what was seen with what is told of groups, and says nothing of who is responsible.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, TextIO

import msgspec

from tocsin import attribute, cases
from tocsin.attribute import cluster, observing, pool
from tocsin.border import observations
from tocsin.errors import ListError, SettingsError, TocsinError
from tocsin.learn import attack, knowledge, names, own, profiles
from tocsin.model.attack import Facts, Release, is_live, translate
from tocsin.model.attribution import Attribution
from tocsin.model.cluster import Clusters
from tocsin.model.knowledge import Knowledge
from tocsin.model.observation import Observation, Trait
from tocsin.output.files import save

CLUSTERS: Final = "clusters.json"  # beside a team's cases
OBSERVATIONS: Final = "observations.json"  # the document of a case; others have it in their name
IN_RELEASE: Final = ("technique", "absence")  # traits whose values are ids of a release of ATT&CK

_CHANGE: Final = re.compile(r"([+-])(.+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known of groups, ready to be compared with. `ours` are the team's own clusters among them, by id."""

    facts: Facts
    knowledge: Knowledge
    profiles: attribute.Profiles
    ours: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Team:
    """What a team knows before it looks.

    Args:
        known: public groups, and those that it has written down.
        root: where its cases are; None where it has none.
        clusters: its own, as they are kept beside its cases.
        keeps: whether cases are opened, which then are in those clusters too.
    """

    known: Known
    root: Path | None = None
    clusters: Clusters = field(default_factory=Clusters)
    keeps: bool = False


def team(root: Path, *, keeps: bool = False) -> Team:
    """All of it, read before any log: a slip in a team's own files is told before hours of work.

    Raises:
        TocsinError: one of its files cannot be understood.
    """
    return Team(known=known(), root=root, clusters=clusters(root / CLUSTERS), keeps=keeps)


def known() -> Known:
    """Public groups, and those that the team has written down."""
    facts = attack.known(with_links=True)
    whole = knowledge.of(facts, own.kept())
    return Known(facts=facts, knowledge=whole, profiles=_prepared(facts, whole, {}))


def _prepared(facts: Facts, whole: Knowledge, ours: Mapping[str, Mapping[str, Any]]) -> attribute.Profiles:
    told = profiles.profiles(whole)
    release = facts.release(whole.release)
    called = {number: entry.name for number, entry in release.entries.items()} if release else {}
    return attribute.prepare({**told["groups"], **ours}, software=told["software"], names=called)


def pooled(public: Known, root: Path, *, without: Collection[str] = ()) -> tuple[Known, tuple[str, ...]]:
    """The same with what the team's closed cases tell of its own clusters, and notes on cases that could not be read.

    Args:
        public: groups to begin with.
        root: the folder of all cases.
        without: ids of cases that are asked about; in the pool they would find themselves.
    """
    seen, notes = [], []
    for one in cases.everything(root)[0]:
        if one.case is None or one.case.state != "closed" or one.case.id in without:
            continue
        try:
            seen.append(in_one_release(observed(str(one.folder), root), public))
        except TocsinError as error:
            notes.append(f"Case {one.name} is closed and was not compared with: {error.message}.")
    if not seen:
        return public, tuple(notes)
    ours = pool.entries(seen, clusters(root / CLUSTERS), public.profiles)
    prepared = _prepared(public.facts, public.knowledge, ours)
    names_of = {number: str(told["name"]) for number, told in ours.items()}
    return replace(public, profiles=prepared, ours=names_of), tuple(notes)


def weigh(observation: Observation, known: Known, *, against: Sequence[str] = ()) -> Attribution:
    """Say who it may have been.

    Args:
        against: names or ids of groups that are to be compared.

    Raises:
        SettingsError: one of them is nobody that is known, or more than one.
    """
    translated = in_one_release(observation, known)
    return attribute.weigh(translated, known.profiles, against=groups(against, known))


def clustered(seen: Sequence[Observation], before: Clusters, public: Known) -> Clusters:
    """The team's own clusters with these in them: long before a group has a name, one can have seen it before.

    By what was seen, and not by what sensors could have shown. Where nothing is new, `before` itself is given back.
    """
    new = [replace(in_one_release(one, public), watched=None, sensors={}) for one in seen]
    after = cluster.gather(new, before, public.profiles)
    return before if (after.observations, after.clusters) == (before.observations, before.clusters) else after


def clusters(path: Path) -> Clusters:
    """Clusters as they were kept; none where nothing was kept yet.

    Raises:
        ListError: the file is there and cannot be read.
    """
    try:
        return msgspec.json.decode(path.read_bytes(), type=Clusters)
    except FileNotFoundError:
        return Clusters()
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ListError(
            f"{path}: {error}",
            hint="tocsin attribute --clusters writes it, and tocsin respond --open-cases; no hand does.",
        ) from error


def keep(kept: Clusters, path: Path) -> None:
    """Write clusters down; the same ones give the same bytes."""
    told = msgspec.json.format(msgspec.json.encode(kept, order="deterministic"))

    def write(file: TextIO) -> None:
        file.write(f"{told.decode()}\n")

    save(path, write)


def groups(words: Iterable[str], known: Known) -> tuple[str, ...]:
    """Ids by any name; a team's own clusters by theirs.

    Raises:
        SettingsError: nobody has that name, more than one has, or nothing is told of them to compare with.
    """
    index = names.index(known.knowledge.groups)
    ours = {names.plain(name): number for number, name in known.ours.items()}
    there = {profile.id for profile in known.profiles.groups}
    found: list[str] = []
    for word in words:
        if own_cluster := ours.get(names.plain(word)):
            found.append(own_cluster)
            continue
        number = names.one(word, index)
        if number not in there:
            raise SettingsError(
                f"{word}: nothing is told of what {number} does, so there is nothing to compare",
                hint=f"`tocsin learn show {number}` shows what is known.",
            )
        found.append(number)
    return tuple(dict.fromkeys(found))


def observed(what: str, cases_root: Path) -> Observation:
    """A file of what was seen, or else a case."""
    path = Path(what)
    if path.is_file() or path.suffix == ".json":
        return observations.read(path)
    folder = cases.find(cases_root, what)
    _, case, _ = cases.entries_of(folder)
    incident = cases.incident_of(folder, case)
    if incident is None:
        raise SettingsError(
            f"{case.id}: the case holds no incident to compare",
            hint="Cases that tocsin respond opens do; for others write what was seen: docs/observations.md.",
        )
    documents = [one for one in case.attached if one.kept and OBSERVATIONS in one.name]
    newest = {one.name: one for one in documents}
    first = newest.pop(OBSERVATIONS, None)
    seen = observations.decoded(cases.document(folder, first), first.name) if first else observing.observe(incident)
    for name, one in sorted(newest.items()):
        seen = _with(seen, observations.decoded(cases.document(folder, one), name))
    return replace(seen, id=case.id, name=case.title)


def _with(seen: Observation, more: Observation) -> Observation:
    """What people found out besides: traits and doubts go together, the rest is as the logs have it."""
    return replace(seen, traits=(*seen.traits, *more.traits), doubts=(*seen.doubts, *more.doubts))


def what_if(observation: Observation, changes: Iterable[str], known: Known) -> Observation:
    """The same, with some traits more ("+T1505.003") or fewer ("-S0020")."""
    traits = list(observation.traits)
    for change in changes:
        told = _CHANGE.fullmatch(change.strip())
        if told is None:
            raise SettingsError(f"{change}: neither more nor less", hint="Write +T1505.003 or -S0020.")
        sign, value = told.groups()
        if sign == "+":
            is_software = value in known.knowledge.software or re.fullmatch(r"S\d{4}", value)
            traits.append(Trait(kind="software" if is_software else "technique", value=value))
        elif any(trait.value == value for trait in traits):
            traits = [trait for trait in traits if trait.value != value]
        else:
            raise SettingsError(f"{value}: was not seen, so it cannot be left out", hint="See the list of traits.")
    return replace(observation, traits=tuple(traits))


def in_one_release(observation: Observation, known: Known) -> Observation:
    """The same, with the ids of techniques that the knowledge uses; what has no one counterpart is told."""
    target = known.facts.release(known.knowledge.release)
    if target is None:
        return observation
    said = known.facts.release(observation.release) if observation.release else None
    doubts = list(observation.doubts)
    if observation.release and said is None:
        doubts.append(f"Release {observation.release} of ATT&CK is not known; its ids were taken as they are.")
    new: dict[str, str] = {}
    for technique in sorted({one.value for one in observation.traits if one.kind in IN_RELEASE}):
        new[technique], doubt = _translated(technique, said, target, known.facts)
        if doubt:
            doubts.append(doubt)
    for technique in (*(observation.watched or ()), *observation.sensors):
        if technique not in new:
            new[technique] = _translated(technique, said, target, known.facts)[0]
    return replace(
        observation,
        traits=tuple(
            replace(one, value=new[one.value]) if one.kind in IN_RELEASE else one for one in observation.traits
        ),
        watched=None if observation.watched is None else frozenset(new[one] for one in observation.watched),
        sensors={new[one]: logs for one, logs in observation.sensors.items()},
        release=target.name,
        doubts=tuple(doubts),
    )


def _translated(technique: str, said: Release | None, target: Release, facts: Facts) -> tuple[str, str]:
    entry = target.entries.get(technique)
    if said is None and entry is not None and is_live(entry):
        return technique, ""
    newest = next((one for one in reversed(facts.releases) if technique in one.entries), None)
    if newest is None:
        return technique, f"{technique} is in no release of ATT&CK that is known."
    if said is not None and technique not in said.entries:
        taken, doubt = _translated(technique, None, target, facts)
        more = f" {doubt}" if doubt else ""
        return taken, f"{technique} is not in release {said.name}; it was taken as of release {newest.name}.{more}"
    source = said or newest
    found = translate(technique, source, target)
    if len(found.to) == 1:
        if found.to[0] == technique:
            return technique, ""
        was = f"{technique} of release {source.name}" if source.name != target.name else f"{technique}, withdrawn,"
        return found.to[0], f"{was} is {found.to[0]} in release {target.name}."
    perhaps = f" (perhaps {', '.join(found.to)})" if found.to else ""
    return technique, f"{technique} was withdrawn and has no one counterpart in release {target.name}{perhaps}."
