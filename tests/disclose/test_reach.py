"""No way of telling goes through what an intruder may be reading."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disclose.made import entry, incident, touched
from tocsin.disclose import reach
from tocsin.model.incident import Seen
from tocsin.model.notification import Channel

MAIL = Channel(name="mail", kind="smtp", host="mx.centre.example", sender="desk@centre.example")
POST = Channel(name="post", kind="webhook", url="https://gateway.centre.example/in")
DROP = Channel(name="drop", kind="drop", folder="/var/letters")


def _scope() -> reach.Scope:
    def seen(name: str, *also: str) -> Seen:
        return Seen(name=name, first_us=None, last_us=None, findings=1, also=also)

    one = incident(touched("1001", "Aroha"))
    one = replace(
        one,
        hosts=(seen("ps-web01.ps.parliament.example"), seen("MAIL01")),
        accounts=(seen("PARL\\jsmith", "J.Smith@Parliament.Example"),),
        addresses=(seen("192.0.2.25"),),
    )
    return reach.scope([one], [entry(through=("aroha@members.example",))])


@pytest.mark.parametrize(
    ("channel", "to", "word"),
    [
        (MAIL, "", "no mailbox"),
        (MAIL, "room 2.14", "no mailbox"),
        (MAIL, "a@b.example, c@d.example", "no mailbox"),
        (MAIL, "a@b.example\r\nBcc: x@y.example", "no mailbox"),
        (MAIL, "j.smith@parliament.example", "within its scope"),
        (MAIL, "other@parliament.example", "within its scope"),
        (MAIL, "other@PS.Parliament.Example.", "no mailbox"),
        (MAIL, "other@ps.parliament.example", "within its scope"),
        (MAIL, "other@mail.members.example", "within its scope"),
        (MAIL, "aroha@home.example", ""),
        (replace(MAIL, sender="desk@parliament.example"), "aroha@home.example", "the sender"),
        (replace(MAIL, host="mail01"), "aroha@home.example", "the server mail01"),
        (replace(MAIL, host="mail01.elsewhere.example"), "aroha@home.example", "the server"),
        (replace(MAIL, host="192.0.2.25"), "aroha@home.example", "the server 192.0.2.25"),
        (POST, "", ""),
        (replace(POST, url="https://in.parliament.example/x"), "", "the server in.parliament.example"),
        (replace(POST, url="https://good.example@MAIL01:8443/x"), "", "the server MAIL01"),
        (DROP, "", ""),
    ],
)
def test_ways(channel: Channel, to: str, word: str) -> None:
    refused = reach.refusal(channel, to, _scope())
    assert (word in refused) if word else not refused


def test_a_machine_in_scope_tells_nobody_anything() -> None:
    for channel in (MAIL, POST, DROP):
        assert "nothing is told from it" in reach.refusal(channel, "aroha@home.example", _scope(), ["PS-WEB01"])
        assert not reach.refusal(channel, "aroha@home.example", _scope(), ["desk-3.centre.example"])


@given(st.text(max_size=20), st.text(max_size=20))
def test_whatever_a_list_says_nothing_crashes(to: str, host: str) -> None:
    refused = reach.refusal(replace(MAIL, host=host, sender=to), to, _scope())
    assert refused or reach.mailbox(to)


def test_contacts() -> None:
    assert reach.telephone("+64 4 555 0101")
    assert not reach.telephone("room 2.14")
    assert reach.host_of("https://[2001:db8::1]:8443/x") == "2001:db8::1"
    assert not reach.host_of("http://a.example")
