"""A plan in, a CACAO 2.0 playbook and a second one that undoes it out; and back (OASIS CACAO Security Playbooks v2.0).

Every step is a `manual` command: a playbook of ours tells people what to do, and holds nothing that a machine runs.
Identifiers are made of the plan, so that the same plan gives the same bytes; the specification asks for version 4 of
UUIDs in steps, so digests are written in that form.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from tocsin.errors import SettingsError
from tocsin.model.action import Action, Text
from tocsin.model.plan import Alternative
from tocsin.seal.canonical import canonical

MOST_STEPS: Final = 10_000
_LARGEST: Final = 16 << 20
_ACTIVITY: Final = {"block": "restrict-access", "isolate": "disconnect-system", "close": "disconnect-system"}


def _id(kind: str, *of: str) -> str:
    digest = hashlib.sha256("\0".join((kind, *of)).encode("utf-8", "replace")).hexdigest()
    return f"{kind}--{digest[:8]}-{digest[8:12]}-4{digest[13:16]}-a{digest[17:20]}-{digest[20:32]}"


def playbooks(chosen: Alternative, *, case: str, plan: str, at_us: int) -> tuple[Text, Text]:
    """What is done, and what takes it back; each names the other."""
    ids = _id("playbook", plan, "do"), _id("playbook", plan, "undo")
    made = datetime.fromtimestamp(at_us / 1e6, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    do = _playbook(
        ids[0], f"Contain case {case}, {chosen.way}", made, [(one, one.steps, one.probes) for one in chosen.actions]
    )
    back = [(one, one.undo, ()) for one in reversed(chosen.actions) if one.reversible]
    undo = _playbook(ids[1], f"Lift what contains case {case}, {chosen.way}", made, back)
    do["related_to"], undo["related_to"] = [ids[1]], [ids[0]]
    undo["derived_from"] = [ids[0]]
    return (
        Text(name=f"{ids[0]}.json", content=_written(do)),
        Text(name=f"{ids[1]}.json", content=_written(undo)),
    )


def _written(playbook: Mapping[str, Any]) -> str:
    return canonical(_unicode(playbook)).decode() + "\n"


def _unicode(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode()
    if isinstance(value, Mapping):
        return {name: _unicode(inner) for name, inner in value.items()}
    return [_unicode(inner) for inner in value] if isinstance(value, list) else value


def _playbook(
    name: str, title: str, made: str, actions: Sequence[tuple[Action, Sequence[str], Sequence[str]]]
) -> dict[str, Any]:
    agent = _id("individual", name)
    start, end = _id("start", name), _id("end", name)
    steps = [_id("action", name, action.id) for action, _, _ in actions]
    workflow: dict[str, Any] = {start: {"type": "start", "on_completion": steps[0] if steps else end}}
    for number, (action, do, probes) in enumerate(actions):
        following = steps[number + 1] if number + 1 < len(steps) else end
        workflow[steps[number]] = _step(action, do, probes, agent, following)
    workflow[end] = {"type": "end"}
    activities = sorted({_activity(action) for action, _, _ in actions}) or ["restrict-access"]
    return {
        "type": "playbook",
        "spec_version": "cacao-2.0",
        "id": name,
        "name": title,
        "description": "Made by Tocsin. Every step is for a person, who reads it before it is done.",
        "playbook_types": ["mitigation"],
        "playbook_activities": activities,
        "created_by": _id("identity", "tocsin"),
        "created": made,
        "modified": made,
        "revoked": False,
        "workflow_start": start,
        "workflow": workflow,
        "agent_definitions": {agent: {"type": "individual", "name": "Whoever runs the system that is named"}},
    }


def _activity(action: Action) -> str:
    return _ACTIVITY.get(action.verb.partition(" ")[0], "eliminate-risk")


def _step(action: Action, do: Sequence[str], probes: Sequence[str], agent: str, following: str) -> dict[str, Any]:
    """The command stands in base64, as the specification asks for text whose signs must be kept (§5.1)."""
    words = [*do, *(f"Check: {probe}" for probe in probes)]
    told = base64.b64encode("\n".join(words).encode("utf-8", "backslashreplace")).decode("ascii")
    return {
        "type": "action",
        "name": f"{action.verb}: {action.target.value[:200]}",
        "description": f"{action.id}; {action.why}",
        "on_completion": following,
        "commands": [{"type": "manual", "command_b64": told, "playbook_activity": _activity(action)}],
        "agent": agent,
    }


class _Command(msgspec.Struct):
    type: str
    command: str = ""
    command_b64: str = ""


class _Step(msgspec.Struct):
    type: str
    name: str = ""
    description: str = ""
    on_completion: str = ""
    on_success: str = ""
    commands: list[_Command] = []


class _Playbook(msgspec.Struct):
    type: str
    spec_version: str
    id: str
    workflow_start: str
    workflow: dict[str, _Step]
    name: str = ""
    related_to: list[str] = []


def steps_of(text: bytes, name: str) -> tuple[str, tuple[tuple[str, str], ...]]:
    """A playbook's name, and its steps in order, each with what a person is to do.

    Only a plain sequence is read. What a machine would run, and what branches, is refused and named: nothing of it is
    passed over in silence, and nothing of it is ever run.
    """
    try:
        if len(text) > _LARGEST:
            raise SettingsError(f"{name}: is larger than {_LARGEST:,} bytes", hint="Is it a playbook?")
        found = msgspec.json.decode(text, type=_Playbook)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{name}: is no CACAO playbook: {error}", hint="CACAO 2.0 is read.") from error
    if found.type != "playbook" or found.spec_version != "cacao-2.0":
        raise SettingsError(f"{name}: is a {found.type} of {found.spec_version}", hint="CACAO 2.0 is read.")
    told: list[tuple[str, str]] = []
    at, passed = found.workflow_start, set[str]()
    while at:
        step = found.workflow.get(at)
        if step is None or at in passed or len(passed) > MOST_STEPS:
            raise SettingsError(f"{name}: its steps do not lead to an end (at {at[:100]})", hint="It cannot be read.")
        passed.add(at)
        if step.type == "end":
            break
        if step.type not in {"start", "action"}:
            raise SettingsError(f"{name}: has a step of kind {step.type[:60]}", hint="Only a plain sequence is read.")
        told += [(step.name, _told(command, name)) for command in step.commands]
        at = step.on_completion or step.on_success
    return found.name, tuple(told)


def _told(command: _Command, name: str) -> str:
    if command.type != "manual":
        raise SettingsError(
            f"{name}: has a command for {command.type[:60]}", hint="Only what people do is taken from elsewhere."
        )
    try:
        return base64.b64decode(command.command_b64, validate=True).decode() if command.command_b64 else command.command
    except ValueError as error:
        raise SettingsError(
            f"{name}: a command of it cannot be read: {error}", hint="It is base64 of UTF-8."
        ) from error
