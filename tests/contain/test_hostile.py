"""What evidence says never becomes a command, and never an outage of our own."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from suricataparser import parse_rule

from containing.making import OWN, PEOPLE, START, allow, case, cited, incident, planned, seen
from tocsin.contain import ENFORCERS
from tocsin.contain.enforcers import suricata
from tocsin.contain.guard import Own, refusal
from tocsin.contain.plan import plan
from tocsin.contain.zone import zone
from tocsin.errors import ActError
from tocsin.model.action import TARGET_KINDS, VERBS, Block, Place, Target, TargetKind, Verb
from tocsin.observe.known_good import KnownGood, compiled
from tocsin.planning import rendered

HOSTILE = (
    "$(reboot)",
    "`reboot`",
    "; reboot",
    "a;b.example",
    "x\ny",
    "x}; flush ruleset; {",
    "' -or 1 -eq 1 #",
    "\x1b[2J",
    "../../etc/passwd",
    "\ud800",
    "a" * 5_000,
    "*)(uid=*",
    "None",
    "",
)


@pytest.mark.parametrize(
    ("kind", "value", "word"),
    [
        ("address", "192.0.2.1", "gateway, which is on the list"),
        ("address", "198.51.100.53", "our own resolver"),
        ("network", "198.51.100.0/24", "our own resolver"),
        ("network", "0.0.0.0/0", "too large"),
        ("network", "::/0", "too large"),
        ("network", "192.0.0.0/9", "too large"),
        ("network", "192.0.2.0/24", "WEB01"),
        ("address", "10.1.2.3", "no address of the outside"),
        ("address", "127.0.0.1", "no address of the outside"),
        ("address", "::1", "no address of the outside"),
        ("address", "224.0.0.251", "no address of the outside"),
        ("address", "203.0.113.9/32", "normal form"),
        ("address", "None", "no address"),
        ("network", "None", "no network"),
        ("domain", "None", "no domain"),
        ("domain", "example", "no domain"),
        ("domain", "agency.example", "would cut off"),
        ("domain", "web01.agency.example", "would cut off"),
        ("domain", "evil.example; drop", "no domain"),
        ("domain", "xn--.example.$(reboot)", "no domain"),
        ("host", "ANALYST1.agency.example", "the analyst's own"),
    ],
)
def test_what_would_cut_ourselves_off_is_refused_with_a_word(kind: TargetKind, value: str, word: str) -> None:
    assert word in refusal(Target(kind=kind, value=value), OWN)


def test_what_many_would_miss_is_refused_by_the_lists() -> None:
    lists = [
        compiled({"name": name, "type": kind, "list": values, "matching_attributes": attributes}, name)
        for name, kind, values, attributes in (
            ("public-dns-v4", "string", ["9.9.9.9"], ["ip-dst"]),
            ("cloudflare", "cidr", ["203.0.113.0/28"], ["ip-dst"]),
            ("amazon-aws", "cidr", ["198.51.100.0/24"], ["ip-dst"]),
            ("microsoft", "hostname", ["update.example"], ["domain", "hostname"]),
            ("tranco", "hostname", ["pages.example.org"], ["domain", "hostname"]),
        )
    ]
    own = Own(known_good=KnownGood(lists))

    def of(kind: TargetKind, value: str) -> str:
        return refusal(Target(kind=kind, value=value), own)

    assert "public-dns-v4" in of("address", "9.9.9.9")
    assert "cloudflare" in of("address", "203.0.113.9")
    assert of("address", "198.51.100.7") == ""  # rented there, by whomever
    assert "microsoft" in of("domain", "fe2.update.example")
    assert "tranco" in of("domain", "pages.example.org")
    assert of("domain", "evil.pages.example.org") == ""  # below what many visit, and anybody's
    assert of("domain", "updates.evil.example") == ""


@given(st.text(max_size=80))
def test_only_normal_forms_pass_as_addresses_and_domains(text: str) -> None:
    plain = set("0123456789abcdefghijklmnopqrstuvwxyz.-_:/")
    for kind in ("address", "network", "domain"):
        if not refusal(Target(kind=kind, value=text), Own()):  # type: ignore[arg-type]
            assert set(text) <= plain


def _full_of(value: str) -> tuple[str, ...]:
    """All that is rendered of an incident in which a value stands wherever an intruder can put it."""
    of = incident(
        cited(0, "T1505.003", TargetFilename=value),
        cited(1, "T1053.005", TaskName=value),
        cited(2, "T1071.001", DestinationIp=value, QueryName=value, DestinationHostname=value),
        cited(3, "T1114.003", MailboxOwnerUPN=value),
        cited(4, "T1528", AppId=value),
        accounts=(seen(value or "x", "web01.agency.example"), seen(f"PARL\\{value}", value)),
        addresses=(seen(value),),
    )
    found = plan(of, of="inc1", digest="", own=OWN)
    actions = [action for one in found.alternatives for action in one.actions]
    blocks = [
        Block(verb=one.verb, target=one.target, since_us=START, until_us=0, cases=("inc1", value)) for one in actions
    ]
    texts = []
    for enforcer in ENFORCERS:
        mine = [block for block in blocks if block.verb in enforcer.VERBS]
        texts += [text.content for text in enforcer.render(mine, Place(enforcer=enforcer.NAME), START)]
    return tuple(texts)


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_value_is_a_value_and_nothing_else(value: str) -> None:
    harmless = _full_of("harmless word")
    rendered_ = _full_of(value)
    for text, plain in zip(rendered_, harmless, strict=True):
        if text.startswith("{"):
            json.loads(text)  # the value stands in it as JSON holds it
        else:
            # Scripts, tables, zones and rules hold nothing of it at all.
            assert text == plain


EMPTY = {text.content for one in ENFORCERS for text in one.render([], Place(enforcer=one.NAME), START)}
ANYTHING = st.one_of(
    st.sampled_from(HOSTILE),
    st.sampled_from(["0.0.0.0/0", "203.0.113.9", "203.0.113.0/24", "2001:db8::1", "evil.example", "::ffff:1.2.3.4"]),
    st.text(max_size=60),
    st.text(alphabet="0123456789./:abcdef;{}\"'\\ \n$()`", max_size=30),
)


@given(ANYTHING, ANYTHING, ANYTHING, st.sampled_from(VERBS), st.sampled_from(TARGET_KINDS))
def test_no_enforcer_makes_a_command_of_a_value_however_it_came_there(
    value: str, host: str, case_id: str, verb: Verb, kind: TargetKind
) -> None:
    """Past the plan and all that it refuses: an enforcer refuses it once more, or holds it as a value and no more."""
    target = Target(kind=kind, value=value, host=host)
    block = Block(verb=verb, target=target, since_us=START, until_us=0, cases=(case_id,))
    for enforcer in ENFORCERS:
        if verb in enforcer.VERBS:
            place = Place(enforcer=enforcer.NAME, zone_file="/z", url="https://x.example/")
            try:
                texts = [text.content for text in enforcer.render([block], place, START)]
                steps = (*enforcer.steps((), [block], place, START), *enforcer.probes([block], place))
            except ActError:
                continue
            for step in steps:
                assert (step.path, step.url) in {("", ""), ("/z", ""), ("", "https://x.example/")}
                assert len(step.argv) == len([word for word in step.argv if re.fullmatch(r"[A-Za-z0-9@.+=_-]+", word)])
            for text in (*texts, *(step.text for step in steps)):
                _holds_only_as_a_value(text, block)


def _holds_only_as_a_value(text: str, block: Block) -> None:
    value = block.target.value
    if text.startswith("{"):
        (one,) = json.loads(text)["standing"]
        seen = (one["value"], one["host"], *one["cases"])
        kept = (value, block.target.host, *block.cases)
        assert seen == tuple(each.encode("utf-8", "backslashreplace").decode() for each in kept)
    elif (
        text and text not in EMPTY
    ):  # a script, or what takes no such target; tables, zones and rules hold only normal forms
        assert re.fullmatch(r"[0-9a-z.:/_-]+", value)


@given(st.text(max_size=40), st.sampled_from(["block address", "block network", "block domain"]))
def test_rules_of_suricata_have_their_form(case_id: str, verb: Verb) -> None:
    values = {"block address": "203.0.113.9", "block network": "203.0.113.0/24", "block domain": "evil.example"}
    kinds: dict[str, TargetKind] = {"block address": "address", "block network": "network", "block domain": "domain"}
    block = Block(
        verb=verb,
        target=Target(kind=kinds[verb], value=values[verb]),
        since_us=START,
        until_us=0,
        cases=(case_id,),
    )
    (text,) = suricata.render([block], Place(enforcer="suricata"), START)
    lines = [line for line in text.content.splitlines() if not line.startswith("#")]
    assert len(lines) == 1
    assert suricata.fault(lines[0]) == ""
    _reads_as(lines[0], block)


def _reads_as(line: str, block: Block) -> None:
    """What somebody else's parser makes of it."""
    rule = parse_rule(line)
    assert rule is not None
    assert (rule.action, rule.enabled) == ("drop", True)
    assert [one.name for one in rule.options][-3:] == ["sid", "rev", "metadata"]
    assert 1_000_000 <= rule.sid < 2_000_000
    assert block.target.value in line


def test_a_rule_that_is_none_is_told() -> None:
    assert suricata.fault("drop ip any any -> any any (msg:x)")
    assert suricata.fault('drop ip any any -> any any (msg:"a"; sid:1; rev:1;) extra')
    assert "no rev" in suricata.fault('drop ip any any -> any any (msg:"a"; sid:1;)')


def test_a_program_gets_values_on_its_standard_input_only() -> None:
    block = Block(
        verb="block address",
        target=Target(kind="address", value="203.0.113.9"),
        since_us=START,
        until_us=0,
        cases=("inc1",),
    )
    place = Place(enforcer="x", zone_file="/z", url="https://x.example/")
    for enforcer in ENFORCERS:
        for step in (*enforcer.steps((), (block,), place, START), *enforcer.probes((block,), place)):
            assert not [word for word in (*step.argv, *step.unless, step.path, step.url) if "203.0.113.9" in word]


def test_a_long_name_is_refused_before_it_is_in_a_zone() -> None:
    name = ".".join(["a" * 60] * 4)
    assert "too long" in refusal(Target(kind="domain", value=name), OWN)
    assert zone([], START).count("\n") == 3


def test_nothing_hostile_is_in_what_is_applied(tmp_path: Path) -> None:
    of = incident(cited(0, "T1071", DestinationIp="203.0.113.9", QueryName="ok.evil.example; flush ruleset"))
    folder = case(tmp_path, of)
    kept = planned(folder)
    allow(folder, kept)
    (text,) = rendered(folder, kept, "nftables", (), OWN, PEOPLE.values())
    assert "203.0.113.9" in text.content
    assert "flush" not in text.content
