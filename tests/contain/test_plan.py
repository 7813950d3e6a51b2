"""Plans of incidents: nothing is left open that could be closed, and protected assets never appear."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from containing.making import ASSETS, BAD, OWN, cited, incident, seen
from tocsin.contain.cut import Edge, reach
from tocsin.contain.graph import INTRUDER, drawn
from tocsin.contain.guard import Own
from tocsin.contain.plan import plan
from tocsin.contain.recover import recovery
from tocsin.model.action import Action
from tocsin.model.citation import Citation
from tocsin.model.impact import Bounds, Claim, Impact
from tocsin.model.incident import Cited, Incident, Move
from tocsin.model.plan import WAYS, Alternative, Plan
from tocsin.seal.canonical import canonical

HOSTS = ("web01.agency.example", "WS017", "dc01.agency.example", "unlisted.example")
TECHNIQUES = ("T1190", "T1505.003", "T1071", "T1003.003", "T1053.005", "T1078", "T1114.003", "T1528", "T1606.002")


def _planned(of: Incident, own: Own = OWN) -> Plan:
    return plan(of, of="inc1", digest="", own=own)


def _verbs(one: Alternative) -> list[str]:
    return [action.verb for action in one.actions]


def _move(source: str, target: str, account: str = "AGENCY\\anna") -> Move:
    at = Citation(src="ab" * 32, path="a", rec=1, chunk=0, ts_us=1)
    return Move(ts_us=1, source=source, target=target, account=account, because="logon", at=at)


@st.composite
def incidents(draw: st.DrawFn) -> Incident:
    hosts = st.sampled_from(HOSTS)
    findings = draw(
        st.lists(
            st.builds(
                lambda number, technique, host, address: cited(
                    number, technique, host=host, DestinationIp=address, TargetFilename="C:\\x.aspx", AppId="app"
                ),
                st.integers(0, 99),
                st.sampled_from(TECHNIQUES),
                hosts,
                st.sampled_from([BAD, "203.0.113.10", "10.0.0.1", "192.0.2.1"]),
            ),
            min_size=1,
            max_size=6,
        )
    )
    moves = draw(st.lists(st.builds(_move, hosts, hosts, st.sampled_from(["AGENCY\\anna", "SYSTEM", ""])), max_size=3))
    accounts = draw(
        st.lists(st.builds(seen, st.sampled_from(["AGENCY\\anna", "bob@agency.example"]), hosts), max_size=2)
    )
    addresses = draw(st.lists(st.builds(seen, st.sampled_from([BAD, "203.0.113.7"]), hosts), max_size=2))
    return incident(*findings, accounts=tuple(accounts), addresses=tuple(addresses), moves=tuple(moves))


@pytest.mark.timeout(3_600)  # the soak asks for 30,000 cuts
@given(incidents())
def test_what_holds_of_every_plan(of: Incident) -> None:
    found = _planned(of)
    assert found == _planned(of)
    held = set(drawn(of).held)
    for one in found.alternatives:
        _leaves_no_path_but_those_that_are_told(found, one, held)
        _touches_nothing_protected(one)
        _keeps_what_depends_on_what(one)


def _leaves_no_path_but_those_that_are_told(found: Plan, one: Alternative, held: set[str]) -> None:
    done = {link for action in one.actions for link in action.severs}
    told = {left.link for left in one.leaves}
    standing = [link for link in found.links if link.id not in done and link.id not in told]
    edges = [Edge(source=link.source, target=link.target) for link in standing]
    assert not reach(edges, INTRUDER) & held


def _touches_nothing_protected(one: Alternative) -> None:
    for action in one.actions:
        touched = action.target.host or (action.target.value if action.target.kind == "host" else "")
        assert not any(asset.protected for asset in ASSETS.named(touched)), action


def _keeps_what_depends_on_what(one: Alternative) -> None:
    before: set[str] = set()
    for action in one.actions:
        assert set(action.after) <= before
        before.add(action.id)


def test_each_way_keeps_low_what_it_is_named_for() -> None:
    of = incident(
        cited(0, "T1190"), cited(1, "T1505.003", TargetFilename="C:\\x.aspx"), cited(2, "T1071", DestinationIp=BAD)
    )
    found = _planned(of)
    for way, name in zip(WAYS, ("cost", "minutes", "noise"), strict=True):
        sums = {one.way: sum(getattr(action, name) for action in one.actions) for one in found.alternatives}
        assert sums[way] == min(sums.values())
        assert found.way(way).total == sums[way]


def test_a_web_shell_and_its_way_in() -> None:
    of = incident(
        cited(0, "T1190", "T1505.003", TargetFilename="C:\\inetpub\\x.aspx"),
        addresses=(seen(BAD, "web01.agency.example"),),
    )
    found = _planned(of)
    assert _verbs(found.way("least disruptive")) == ["block address", "close way in", "remove persistence"]
    assert _verbs(found.way("fastest")) == ["isolate host"]
    (isolate,) = found.way("fastest").actions
    assert isolate.approvals == 2  # the website has people who need it
    assert isolate.authorities == ("Agency",)
    assert isolate.because == (0,)
    assert found.way("quietest").first


def test_what_is_protected_is_left_open_with_the_word_why() -> None:
    found = _planned(incident(cited(0, "T1505.003", host="DC01", TargetFilename="C:\\x")))
    for one in found.alternatives:
        assert one.actions == ()
        assert "DC01" in one.leaves[0].why.upper()
        assert "protected" in one.leaves[0].why


def test_a_copied_directory_asks_for_krbtgt_twice_and_the_wait_between() -> None:
    found = _planned(incident(cited(0, "T1003.003", host="ws9.agency.example")))
    krbtgt = next(action for action in found.way("least disruptive").actions if action.verb == "reset krbtgt")
    words = " ".join(krbtgt.steps)
    assert krbtgt.target.value == "agency.example"
    assert "once" in words
    assert "second time" in words
    assert "lifetime" in words
    assert "every domain controller" in words
    assert krbtgt.approvals == 2
    assert krbtgt.authorities == ("Agency",)  # whose machines are in that directory
    assert not krbtgt.reversible


def test_a_stolen_signing_key_asks_for_new_certificates() -> None:
    found = _planned(incident(cited(0, "T1606.002", host="fs.agency.example")))
    assert "renew signing certificates" in _verbs(found.way("least disruptive"))


def test_disabling_an_account_does_not_end_its_sessions() -> None:
    found = _planned(incident(cited(0, "T1078"), accounts=(seen("AGENCY\\anna", "web01.agency.example"),)))
    for one in found.alternatives:
        assert "revoke sessions" in _verbs(one)


def test_the_systems_own_accounts_are_nobodys_to_disable() -> None:
    names = ("NT AUTHORITY\\SYSTEM", "IIS APPPOOL\\site", "AGENCY\\WEB01$", "root", "-")
    found = _planned(incident(cited(0, "T1078"), accounts=tuple(seen(name) for name in names)))
    assert not [one for one in found.alternatives for action in one.actions if action.target.kind == "account"]


def test_a_machine_that_nothing_leads_to_is_held_in_a_way_nobody_knows() -> None:
    found = _planned(incident(cited(0, "T1059", host="WS017")))
    assert _verbs(found.way("least disruptive")) == ["isolate host"]
    assert "not in the logs" in found.links[0].what


def test_intelligence_that_may_not_be_acted_on_is_advice() -> None:
    amber = ("pap:amber", "source:an ally")
    of = incident(cited(0, "T1071", DestinationIp=BAD, terms=amber), cited(1, "T1059", host="WS017"))
    found = _planned(of)
    assert not [action for one in found.alternatives for action in one.actions if action.target.value == BAD]
    # A machine that only this intelligence points at is left alone, too: cutting it off would tell as much.
    assert "isolate host" in [action.verb for action in found.advice]
    (advice,) = [action for action in found.advice if action.target.value == BAD]
    assert "PAP:AMBER" in advice.advice
    assert any("PAP:AMBER" in left.why for left in found.way("least disruptive").leaves)


def test_intelligence_whose_originator_must_be_asked() -> None:
    of = incident(cited(0, "T1071", DestinationIp=BAD, terms=("pap:green", "orcon", "source:an ally")))
    assert not [action for action in _planned(of).way("fastest").actions if action.target.value == BAD]
    agreed = plan(of, of="inc1", digest="", own=OWN, agreed=("an ally",))
    assert [action for action in agreed.way("least disruptive").actions if action.target.value == BAD]


def test_without_a_list_of_assets_it_is_said_and_two_people_are_asked() -> None:
    found = _planned(incident(cited(0, "T1059", host="WS017")), Own())
    assert "no list of assets" in found.notes[0]
    (isolate,) = found.way("fastest").actions
    assert isolate.approvals == 2
    assert isolate.authorities == ("not known",)


def test_recovery_names_what_is_rebuilt_and_whose_secrets_are_renewed() -> None:
    from datetime import date

    of = incident(
        cited(0, "T1505.003", TargetFilename="C:\\x.aspx"),
        cited(1, "T1003.001"),
        accounts=(seen("AGENCY\\anna", "web01.agency.example"),),
    )
    found = _planned(of)
    told = recovery(found, found.way("least disruptive"), of, date(2026, 1, 1))
    assert told.rebuild == ("web01.agency.example",)
    assert told.watch_until == "2026-04-01"
    assert any("anna" in one for one in told.secrets)
    assert any("everybody" in one for one in told.secrets)


def test_a_plan_is_text_that_json_can_hold() -> None:
    import msgspec

    found = _planned(incident(cited(0, "T1505.003", TargetFilename="C:\\x.aspx")))
    assert canonical(msgspec.to_builtins({"verbs": _verbs(found.way("fastest"))}))


def _many(count: int, *extra: Cited, where: str = "203.0.113") -> Incident:
    return incident(
        *(cited(number, "T1071", DestinationIp=f"{where}.{number + 20}") for number in range(count)), *extra
    )


def _of(found: Plan, verb: str) -> list[Action]:
    return [action for one in found.alternatives for action in one.actions if action.verb == verb]


def test_a_network_is_blocked_where_many_of_their_addresses_share_it() -> None:
    found = _planned(_many(6))
    (network, *_) = _of(found, "block network")
    assert network.target.value == "203.0.113.0/24"
    assert network.approvals == 2
    assert network.because == tuple(range(6))
    assert "6 of their addresses lie in 203.0.113.0/24" in network.why
    assert "nothing was looked up" in network.why
    assert network.expires_s < _of(_planned(_many(1)), "block address")[0].expires_s
    assert any("network 203.0.113.0/24" in note for note in found.notes)


def test_few_addresses_are_blocked_one_by_one() -> None:
    for count in (1, 2, 3):
        found = _planned(_many(count))
        assert not _of(found, "block network")
        assert len(found.way("fastest").actions) == count
    scattered = incident(*(cited(number, "T1071", DestinationIp=f"203.0.{number}.9") for number in range(9)))
    assert not _of(_planned(scattered), "block network")


def test_what_else_of_ours_talks_to_a_network_is_told_and_makes_it_dear() -> None:
    claim = Claim(
        stage="left",
        sort="network",
        what="left for 203.0.113.200",
        subject="203.0.113.200",
        unit="bytes",
        amount=Bounds(),
        confidence="low",
        because="it may be anybody's",
        host="WS017",
    )
    of = replace(_many(6), impact=Impact(claims=(claim,)))
    found = _planned(of)
    assert not [one for one in found.way("least disruptive").actions if one.verb == "block network"]
    assert any("WS017" in note for note in found.notes if note.startswith("network "))


@pytest.mark.parametrize("where", ["192.0.2", "198.51.100", "10.1.2"])
def test_no_network_of_our_own_or_of_something_protected_is_blocked(where: str) -> None:
    """The list has the gateway and the web server in the first, our resolver is in the second, the third is inside."""
    assert not _of(_planned(_many(6, where=where)), "block network")


def test_ipv6_is_widened_to_one_customers_network_and_no_further() -> None:
    of = incident(*(cited(number, "T1071", DestinationIp=f"2a00:1:2:3::{number + 1}") for number in range(6)))
    (network, *_) = _of(_planned(of), "block network")
    assert network.target.value == "2a00:1:2:3::/64"


def test_one_address_that_may_not_be_acted_on_holds_its_network_back() -> None:
    amber = cited(9, "T1071", DestinationIp="203.0.113.99", terms=("pap:amber", "source:an ally"))
    found = _planned(_many(6, amber))
    assert not _of(found, "block network")
    assert [action for action in found.advice if action.verb == "block network"]
    assert not [one for one in _of(found, "block address") if one.target.value == "203.0.113.99"]


def test_intelligence_without_a_word_on_it_asks_its_originator() -> None:
    of = incident(cited(0, "T1071", DestinationIp=BAD, terms=("tlp:amber", "source:an ally")))
    assert not _of(_planned(of), "block address")
    assert "an ally" in _planned(of).advice[0].advice
    for agreed, own in ((("an ally",), OWN), ((), replace(OWN, agreed=(("an ally", "the treaty of 1946"),)))):
        found = plan(of, of="inc1", digest="", own=own, agreed=agreed)
        assert _of(found, "block address")[0].originators == ("an ally",)
        assert any(note.startswith("intelligence of an ally is acted on") for note in found.notes)
    green = incident(cited(0, "T1071", DestinationIp=BAD, terms=("tlp:green", "source:an ally")))
    assert _of(_planned(green), "block address")[0].originators == ()
