"""Lines of syslog that differ from others in digits alone are told apart as each line by itself is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tocsin.collect import alike, relayed
from tocsin.collect.block import Block
from tocsin.collect.literals import Literals

TEMPLATES = (
    "Mar  # ##:##:## gw# kernel: [###.##] DROP IN=eth# OUT= SRC=1.1.1.1",
    "Mar  # ##:##:## gw# kernel# IN=eth0 OUT=",
    "<###>Mar ## ##:##:## gw ulogd[##]: IN=eth# OUT=",
    "<##># 2026-03-0#T##:##:##Z gw kernel - - - IN= OUT=",
    "<##>## 2026-03-0#T##:##:##Z gw postfix/smtpd ## - - connect",
    "Mar  # ##:##:## mail postfix/smtpd[#####]: connect from x",
    "Mar  # ##:##:## mail postfix#/smtpd[##]: connect",
    "Mar  # ##:##:## ns named[#]: client",
    "Mar  # ##:##:## ns bind#: client",
    "Mar  # ##:##:## ns bind##: client",
    "Mar  # ##:##:## fw %ASA-#-30201#: Built",
    "Mar  # ##:##:## fw : %ASA-9-30201#: Built",
    "Mar  # ##:##:## fw CEF:#|a|b|1|2|3|4|x=1",
    "Mar  # ##:##:## fw CEF: #|a|b|1|2|3|4|x=1",
    "Mar  # ##:##:## fw date=2026-03-0# time=##:##:## logid=#",
    "Mar  # ##:##:## web# 10.0.0.# - - [0#/Mar/2026:##:##:## +0000] \"GET / HTTP/1.1\" 200 1",
    "Mar  # ##:##:## unix sshd[##]: Accepted] \" %ASA-6 IN=x OUT= postfix named squid",
    "Mar  # ##:##:## unix sudo: x",
    "no header ## named[1]: OUT=",
    "Mar  # ##:##:## unix app[#]: {\"a\": 1}",
)  # fmt: skip
HOMES = ("linux", "netfilter", "postfix", "bind", "asa", "cef", "fortinet", "cisco", "auditd")


@st.composite
def logs(draw: st.DrawFn) -> bytes:
    some = draw(st.lists(st.sampled_from(TEMPLATES), min_size=1, max_size=3))
    digits = st.sampled_from("0123456789x")
    lines = [
        "".join(draw(digits) if letter == "#" else letter for letter in template)
        for template in draw(st.lists(st.sampled_from(some), min_size=1, max_size=9))
    ]
    return "\n".join(lines).encode()


def _parts(data: bytes, home: str, few: int) -> list[tuple[str, bytes]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(alike, "_FEW", few)
        found = relayed.parts(Block(data=data, offset=0), home, lambda record: "okta")
    return [(name, block.data) for name, block in found]


@given(logs(), st.sampled_from(HOMES))
def test_lines_are_told_as_each_by_itself(data: bytes, home: str) -> None:
    assert _parts(data, home, 2) == _parts(data, home, 1 << 30)


@given(
    st.lists(st.text("ab", min_size=1, max_size=3), min_size=1, max_size=4, unique=True), st.text("abc", max_size=30)
)
def test_literals_are_found_where_they_stand(texts: list[str], block: str) -> None:
    literals, data = Literals([text.encode() for text in texts], [b"ba"]), block.encode()
    numbers, places = literals.find(data)
    found = sorted(zip(numbers.tolist(), places.tolist(), strict=True))
    wanted = [(n, at) for n, text in enumerate(texts) for at in range(len(block)) if block.startswith(text, at)]
    assert [one for one in found if one[0] < len(texts)] == wanted
    assert [number for number, _ in found if number == len(texts)] == [len(texts)] * ("ba" in block)
