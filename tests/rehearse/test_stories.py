"""The stories are what they say: two campaigns, one of them a targeting; a slow breach, and a short one."""

from __future__ import annotations

import base64
import csv
import json
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import load_ssh_public_key

from rehearse.conftest import Drill
from tocsin import rehearse
from tocsin.border.assets import read_assets
from tocsin.border.people import read_people
from tocsin.errors import SettingsError

SCHEMAS = Path(__file__).resolve().parents[2] / "docs" / "schemas"


def _valid(told: Any, name: str) -> None:
    schema = json.loads((SCHEMAS / f"{name}-1.schema.json").read_bytes())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(told)


def _incident(drill: Drill, number: int) -> dict[str, Any]:
    return next(one for one in drill.truth["incidents"] if one["id"] == f"incident-{number}")


def _span(incident: dict[str, Any]) -> timedelta:
    return datetime.fromisoformat(incident["ended_at"]) - datetime.fromisoformat(incident["started_at"])


def test_files_are_as_their_schemas_say(drill: Drill) -> None:
    _valid(drill.truth, "truth")
    _valid(json.loads(drill.made.claim.read_bytes()), "claim")
    envelope = json.loads(drill.made.permit.read_bytes())
    _valid(json.loads(base64.b64decode(envelope["payload"])), "permit")


def test_the_permit_is_signed(drill: Drill) -> None:
    envelope = json.loads(drill.made.permit.read_bytes())
    payload, kind = base64.b64decode(envelope["payload"]), envelope["payloadType"]
    key: Any = load_ssh_public_key(drill.made.permit.with_suffix(".pub").read_bytes())
    signature = base64.b64decode(envelope["signatures"][0]["sig"])
    key.verify(signature, b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload))
    with pytest.raises(InvalidSignature):
        key.verify(signature, b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload[:-1] + b" "))


def test_the_permitted_test_keeps_to_its_permit(drill: Drill) -> None:
    permit = json.loads(base64.b64decode(json.loads(drill.made.permit.read_bytes())["payload"]))
    servers = {
        host
        for place, record in drill.windows
        if place in drill.permitted
        for host in [record["winlog"]["computer_name"]]
    }
    # Its tickets come from a controller, which writes them down.
    assert {host for host in servers if "dc0" not in host} <= set(permit["hosts"])
    (told,) = drill.truth["permitted"]
    assert permit["from"][:10] <= told["until"][:10] <= permit["until"][:10]
    assert told["until"] <= permit["until"]


def test_lists_read_without_a_fault(drill: Drill) -> None:
    assets, said = read_assets(drill.made.assets)
    people, more = read_people(drill.made.people)
    # Two people of one name are told, and are there on purpose.
    assert all("the name" in word for word in said + more)
    assert len(assets.all) == drill.made.hosts
    known = {person.id for person in people.all}
    for incident in drill.truth["incidents"]:
        for ids in incident["people"].values():
            assert set(ids) <= known


def test_two_campaigns_of_two_groups_and_a_lesser_one(drill: Drill) -> None:
    groups = {one["id"]: (one["group"] or {}).get("id") for one in drill.truth["campaigns"]}
    assert groups == {"campaign-1": "G0065", "campaign-2": "G0128", "campaign-3": None}
    first = {name for number in (1, 2) for name in _incident(drill, number)["domains"]}
    second = set(_incident(drill, 3)["domains"])
    assert first
    assert second
    assert not first & second
    assert not set(_incident(drill, 1)["addresses"]) & set(_incident(drill, 3)["addresses"])


def test_the_slow_one_takes_weeks_and_the_short_one_hours(drill: Drill) -> None:
    slow, short = _incident(drill, 1), _incident(drill, 2)
    assert _span(slow) > timedelta(days=10)
    assert _span(short) < timedelta(hours=8)
    assert short["contained_at"]
    assert short["contained_at"] >= short["steps"][-1]["at"]
    assert slow["contained_at"] is None


def test_who_is_only_aimed_at_is_not_breached(drill: Drill) -> None:
    told = _incident(drill, 3)
    assert not told["breached"]
    assert told["people"]["targeted"]
    assert set(told["people"]["possibly_reached"]) <= set(told["people"]["targeted"])
    assert not told["people"]["reached"] + told["people"]["data_left"]
    assert told["bytes"]["left"] == told["bytes"]["staged"] == 0


def test_a_tool_of_another_group_is_planted(drill: Drill) -> None:
    (planted,) = [step for step in _incident(drill, 1)["steps"] if step["decoy"]]
    assert "APT28" in planted["what"]
    lines = [record for place, record in drill.windows if place in drill.attack]
    found = [one for one in lines if one["winlog"]["event_id"] == "1116"]
    assert any("Zebrocy" in one["winlog"]["event_data"]["Threat Name"] for one in found)


def test_the_claim_is_more_than_what_left(drill: Drill) -> None:
    claim, truth = json.loads(drill.made.claim.read_bytes()), drill.truth["claim"]
    assert truth["contradicted"]
    assert {part["id"] for part in truth["parts"]} == {part["id"] for part in claim["parts"]}
    assert sum(part["bytes"] for part in claim["parts"]) > 100 * _incident(drill, 1)["bytes"]["left"]
    (archive,) = [part for part in claim["parts"] if part["id"] == "archive"]
    with drill.made.assets.open(encoding="utf-8", newline="") as file:
        own = next(row["addresses"] for row in csv.DictReader(file) if row["also"] == archive["host"])
    since, until = (datetime.fromisoformat(archive[name]).timestamp() for name in ("from", "until"))
    left = sum(
        int(conn["orig_bytes"])
        for _, conn in drill.zeek("ps", "conn")
        if conn["id.orig_h"] == own and not conn["local_resp"] and since <= conn["ts"] < until
    )
    assert left < archive["bytes"] / 10_000


def test_steps_are_seen_and_lie_in_order(drill: Drill) -> None:
    for incident in drill.truth["incidents"]:
        steps = {step["id"]: step for step in incident["steps"]}
        assert sum(step["observable"] for step in steps.values()) >= 0.9 * len(steps)
        assert all(step["at"] <= step["until"] for step in steps.values())
    order = [technique for step in _incident(drill, 1)["steps"] for technique in step["techniques"]]
    wanted = ["T1190", "T1505.003", "T1105", "T1003.001", "T1558.003", "T1021.002", "T1039", "T1560.001", "T1685.005"]
    assert [order.index(one) for one in wanted] == sorted(order.index(one) for one in wanted)


PROFILE = """
[group]
name = "Test Tern"
[techniques]
ids = ["T1190", "T1505.003", "T1105", "T1041"]
[hours]
zone = 3
from = 8
to = 17
[infrastructure]
domains = ["one.test"]
relays = 1
"""


def test_a_group_does_what_its_profile_says(tmp_path: Path) -> None:
    (tmp_path / "tern.toml").write_text(PROFILE)
    profile = rehearse.read_profile(tmp_path / "tern.toml")
    made = rehearse.make(seed=2, events=20_000, folder=tmp_path / "made", profile=profile)
    truth = json.loads(made.truth.read_bytes())
    first = truth["incidents"][0]
    did = {technique for step in first["steps"] for technique in step["techniques"]}
    assert {"T1190", "T1505.003", "T1105"} <= did
    assert not did & {"T1003.001", "T1558.003", "T1021.001", "T1021.002", "T1039", "T1685.005"}
    assert not any(step["decoy"] for step in first["steps"])
    assert set(first["domains"]) == {"one.test"}
    _valid(truth, "truth")


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (("one.test", "one.co.nz"), "domains"),
        (('"T1190", ', ""), "T1190"),
        (("zone = 3", "zone = 30"), "hours"),
        (("relays = 1", "relays = true"), "relays"),
        (('name = "Test Tern"', ""), "name"),
        (("[group]", "[group"), "cannot be read"),
        (("one.test", "one\\u0007.test"), "short texts"),
    ],
)
def test_a_wrong_profile_is_told(change: tuple[str, str], word: str, tmp_path: Path) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(PROFILE.replace(*change))
    with pytest.raises(SettingsError, match=word):
        rehearse.read_profile(path)


# What is done to accounts in the cloud: technique -> how its records are told, and that ordinary life has the same.
LIKE = {
    "T1552.004": lambda record: record.get("winlog", {}).get("event_id") == "18",
    "T1606.002": lambda record: record.get("properties", {}).get("tokenIssuerType") == "ADFederationServices",
    "T1528": lambda record: record.get("operationName") == "Consent to application",
    "T1098.002": lambda record: record.get("Operation") == "Add-MailboxPermission",
    "T1114.003": lambda record: record.get("Operation") == "New-InboxRule",
    "T1078.004": lambda record: record.get("properties", {}).get("clientAppUsed") == "IMAP4",
}


@pytest.mark.parametrize("technique", LIKE)
def test_what_is_done_to_accounts_has_its_like_in_ordinary_life(technique: str, drill: Drill) -> None:
    lines = [
        (path, number, text)
        for pattern in ("cloud/*/*", "windows/ps/*")
        for path, number, text in drill.lines(pattern)
        if '"event_id":"18"' in text or pattern.startswith("cloud")
    ]
    like = LIKE[technique]
    places = {(path, number) for path, number, text in lines if like(json.loads(text))}
    own = {
        (record["path"], record["line"])
        for step in _incident(drill, 1)["steps"]
        if technique in step["techniques"]
        for record in step["records"]
    }
    assert places & own, "it is there"
    assert len(places - drill.attack) >= 3, "and nothing but what it means sets it apart"


def test_people_are_in_two_places_at_once_in_ordinary_life_too(drill: Drill) -> None:
    """Impossible travel: within the hour one person signs in from two countries, intruders or not."""
    signs: dict[str, list[tuple[datetime, str, bool]]] = {}
    for path, number, text in drill.lines("cloud/ps/sign-ins-*"):
        told = json.loads(text)["properties"]
        at = datetime.fromisoformat(told["createdDateTime"])
        place = told["location"]["countryOrRegion"]
        signs.setdefault(told["userPrincipalName"], []).append((at, place, (path, number) in drill.attack))
    twice = {True: 0, False: 0}
    for own in signs.values():
        own.sort()
        for one, other in pairwise(own):
            if one[1] != other[1] and other[0] - one[0] < timedelta(hours=3):
                twice[one[2] or other[2]] += 1
    assert twice[True]
    assert twice[False]


def test_a_token_that_nobody_gave_is_told_by_the_server_that_did_not_give_it(drill: Drill) -> None:
    """Of a sign-in by federation the house's server has a record of the same request, unless its agent was down."""
    given = {
        record["winlog"]["event_data"]["param1"]
        for _, record in drill.windows
        if record["winlog"]["provider_name"] == "AD FS Auditing" and record["winlog"]["event_id"] == "1200"
    }
    forged = honest = unseen = 0
    for path, number, text in drill.lines("cloud/ps/sign-ins-*"):
        told = json.loads(text)
        if told["properties"]["tokenIssuerType"] != "ADFederationServices":
            continue
        if told["properties"]["clientAppUsed"] == "Browser" and (path, number) in drill.attack:
            forged += told["correlationId"] not in given
        else:
            honest += 1
            unseen += told["correlationId"] not in given
    assert forged >= 3
    assert honest > 50
    assert unseen < 0.1 * honest
