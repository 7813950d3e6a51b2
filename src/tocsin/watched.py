"""After the blocks on one page: a case and logs since in, what enforcers and logs show of it out, and what must hold.

That it is contained is a person's decision. It is signed over what is kept here, and nothing here takes it for them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from tocsin import cases
from tocsin.act import run as world
from tocsin.border import files
from tocsin.contain import PREFIX, authority, recovery
from tocsin.contain import verify as words
from tocsin.detect.plain_patterns import plain
from tocsin.detect.terms import Unusable
from tocsin.enforce import TASK, gone, reached, standing_of
from tocsin.errors import ActError, CaseError
from tocsin.model.action import Action, Place, Probed
from tocsin.model.containment import Heard, Recovery, Sign, Verification
from tocsin.model.coverage import SeenLog
from tocsin.model.decision import Decision, Signer
from tocsin.model.rule import RuleSet
from tocsin.pipeline import detect
from tocsin.planning import Chosen, chosen, decisions_of, now_us

VERIFICATION: Final = "containment seen.json"
_MOST_SIGNS: Final = 10_000


def verify(
    folder: Path,
    places: Sequence[Place],
    known: Iterable[Signer],
    by: str,
    logs: Sequence[str],
    rules: RuleSet | None,
    *,
    jobs: int = 0,
) -> tuple[Verification, str]:
    """Ask the enforcers, look through logs since, keep in the case what was seen; with its digest.

    Args:
        logs: of the time since; without them nothing is said of the intruder.
        rules: what is looked for in them.
    """
    kept, known = chosen(folder), tuple(known)
    _, incident, decisions = decisions_of(folder, known)
    done = authority.done_by(decisions, kept.digest)
    since = since_us(folder, done.values())
    hosts = words.hosts_of(kept.alternative, [one.name for one in incident.hosts])
    signs: tuple[Sign, ...] = ()
    heard = tuple(Heard(host=name, sources=(), until_us=None) for name in hosts)
    if logs and rules is not None and since is not None:
        names = [one.target.value for one in kept.alternative.actions]
        names += [one.name for one in (*incident.accounts, *incident.addresses)]
        values = frozenset(name.casefold() for name in names)
        signs, heard = _looked(logs, rules, since, hosts, values, jobs)
    blocks = probed(folder, places)
    asked = {one.target for one in blocks}
    unseen = [one for one in kept.alternative.actions if one.target not in asked]
    told = words.verification(
        of=kept.plan.of,
        plan=kept.digest,
        chosen=kept.alternative,
        since_us=since,
        blocks=blocks,
        looked=bool(logs),
        signs=signs,
        heard=heard,
        by_people=[_called(one) for one in unseen if one.id not in done],
        signed=[_as_signed(one, done[one.id]) for one in unseen if one.id in done],
        lifted=_lifted(folder),
    )
    return told, keep_seen(folder, told, by)


def _lifted(folder: Path) -> str:
    """When the last of what stood for this case was lifted; '' while something stands, or where nothing ever did."""
    standing, now = standing_of(folder)
    last = [one for one in gone(folder, now) if one.does in {"undo", "expire"}][-1:]
    return f"{last[0].at[:16].replace('T', ' ')} UTC" if last and not any(standing.values()) else ""


def _called(action: Action) -> str:
    where = f" on {action.target.host}" if action.target.host else ""
    return f"{action.verb} {action.target.value}{where}"


def _as_signed(action: Action, by: Decision) -> str:
    return f"{_called(action)}: done, as {by.by} signed on {by.at[:16].replace('T', ' ')} UTC ({by.reason[:200]})"


def _looked(
    logs: Sequence[str], rules: RuleSet, since: int, hosts: Sequence[str], values: frozenset[str], jobs: int
) -> tuple[tuple[Sign, ...], tuple[Heard, ...]]:
    """Signs in logs since: findings on one of the machines, or with one of the values in them."""
    titles = {number: rule.title for number, rule in enumerate(rules.rules)}
    signs: list[Sign] = []
    with detect(logs, rules, since_us=since, jobs=jobs) as run:
        for finding in run.findings:
            named = any((value or "").casefold() in values for value in finding.fields.values())
            if len(signs) < _MOST_SIGNS and (named or _is_of(finding.host, hosts)):
                signs.append(Sign(ts_us=finding.ts_us, host=finding.host, what=titles[finding.rule]))
        heard = tuple(_heard(name, run.coverage.seen, since) for name in hosts)
    return tuple(sorted(signs, key=lambda one: (one.ts_us is None, one.ts_us or 0, one.host, one.what))), heard


def _is_of(host: str, hosts: Sequence[str]) -> bool:
    folded = host.strip().rstrip(".").casefold()
    return bool(folded) and any(_same(folded, name) for name in hosts)


def _same(one: str, other: str) -> bool:
    """By the whole name, or its first part where one of them has no more."""
    if "." in one and "." in other:
        return one == other
    return one.partition(".")[0] == other.partition(".")[0]


def _heard(name: str, seen: Sequence[SeenLog], since: int) -> Heard:
    """How far the logs of a machine go. What ends before the blocks were in place says nothing of the time after."""
    of = [one for one in seen if one.last_us is not None and one.last_us > since and _is_of(one.host, (name,))]
    sources = tuple(sorted({one.channel or one.kind for one in of}))
    return Heard(host=name, sources=sources, until_us=max((one.last_us or 0 for one in of), default=None))


def proposals(folder: Path, names: Sequence[str]) -> tuple[str, ...]:
    """Blocks whose indicators were taken back or have ended: lifting is proposed, and nothing is lifted by it.

    Where another indicator still calls the value bad, that is said instead: a block goes with its last support.

    Args:
        names: files of indicators, as they are today.
    """
    blocks = [one for each in standing_of(folder)[0].values() for one in each]
    standing = {one.target.value for one in blocks}
    gone: dict[str, dict[str, None]] = {}
    alive: dict[str, dict[str, None]] = {}
    today = now_us()
    for one in files.read(names).indicators:
        try:
            values = {each.value for each in plain(one).observables} & standing
        except Unusable:
            continue
        source = one.source or "its source"
        for value in sorted(values):
            if one.revoked:
                gone.setdefault(value, {})[f"{source} has taken its indicator back"] = None
            elif one.until_us is not None and one.until_us <= today:
                gone.setdefault(value, {})[f"the indicator of {source} has ended"] = None
            else:
                alive.setdefault(value, {})[source] = None
    return tuple(
        f"{value}: {'; '.join(why)}; "
        + (f"{', '.join(alive[value])} still calls it bad" if value in alive else "lifting it is proposed")
        for value, why in gone.items()
    )


def probed(folder: Path, places: Sequence[Place]) -> tuple[Probed, ...]:
    """What the enforcers tell of the blocks of this case."""
    standing, _ = standing_of(folder)
    found: list[Probed] = []
    for place, enforcer in reached(places):
        blocks = standing.get(place.enforcer, ())
        probes = enforcer.probes(blocks, place) if blocks else ()
        if probes:
            found += enforcer.seen([world.ask(probe).said for probe in probes], blocks)
    return tuple(found)


def since_us(folder: Path, done: Iterable[Decision] = ()) -> int | None:
    """When the newest block of this case was put in place, or the last action that people signed as done."""
    standing, _ = standing_of(folder)
    times = [one.since_us for blocks in standing.values() for one in blocks]
    times += [round(datetime.fromisoformat(one.at).timestamp() * 1e6) for one in done]
    return max(times, default=None)


def keep_seen(folder: Path, seen: Verification, by: str) -> str:
    """Keep what was seen in the case; its digest is what whoever decides signs over."""
    content = msgspec.json.format(msgspec.json.encode(seen)) + b"\n"
    with cases.writing(folder) as log:
        cases.attach(log, VERIFICATION, content, by=by)
    return hashlib.sha256(content).hexdigest()


def contained(folder: Path, known: Iterable[Signer]) -> Decision | None:
    """The signed decision that it is contained, made over what was seen; None where nobody decided so."""
    case, _, decisions = decisions_of(folder, known)
    seen = {one.sha256 for one in case.attached if one.name == VERIFICATION}
    about = [one for one in decisions if one.subject == authority.CONTAINED and one.seen in seen]
    last = max(about, key=lambda one: one.at, default=None)
    return last if last is not None and last.choice == authority.YES else None


def recover(folder: Path, kept: Chosen, known: Iterable[Signer], by: str) -> Recovery:
    """Write down what must hold before the case may be closed, a task each; once, however often it is asked for."""
    known = tuple(known)
    decided = contained(folder, known)
    if decided is None:
        hint = "`tocsin contain CASE --verify` tells what was seen, and how to decide on it."
        raise ActError(f"{kept.plan.of}: nobody has decided that it is contained", hint=hint)
    _, incident, _ = decisions_of(folder, known)
    found = recovery(kept.plan, kept.alternative, incident, datetime.fromisoformat(decided.at).date())
    with cases.writing(folder) as log:
        known_tasks = {one.text for one in log.case.tasks}
        for text in found.criteria:
            if PREFIX + text not in known_tasks:
                due = found.watch_until if found.watch_until in text else ""
                cases.add_task(log, PREFIX + text, by=by, due=due)
        for task in cases.open_tasks(log.case):
            if task.text == TASK:
                with suppress(CaseError):
                    cases.finish_task(log, task.task, by=by, text="what must hold is written down as tasks")
    return found
