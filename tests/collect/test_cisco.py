"""Messages of Cisco's firewalls and routers: read by columns as line by line."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from collect.both_ways import assert_alike, rows
from tocsin.collect.formats import asa

HEADS = st.sampled_from(
    [
        "",
        "<166>",
        "Mar  5 10:00:00 fw1 ",
        "<166>Mar 05 2024 10:00:00 fw1 : ",
        "Mar  5 10:00:00 r Mar 05 2024 10:00:00 f : ",
    ]
)
IDS = st.sampled_from([106001, 106015, 106023, 106100, 302013, 302014, 302016, 302020, 302021, 305011, 305012, 710003])
ENDS = st.builds(
    "{}{}{}/{}".format,
    st.sampled_from(["inside:", "outside:", "a/b:", ":", ""]),
    st.sampled_from(["192.0.2.1", "2001:db8::1", "host", ""]),
    st.sampled_from(["", "/x", "("]),
    st.sampled_from(["80", "https", "80(A\\u)", ""]),
)
WORDS = st.one_of(
    ENDS,
    ENDS.map("({})".format),
    st.sampled_from(
        ["Built", "Deny", "tcp", "x y", "", '"acl"', "inside/192.0.2.1(80)", "inside/2001:db8::1(80)(x)", "7"]
    ),
)


@st.composite
def messages(draw: st.DrawFn) -> str:
    """A message of a known text, with other words here and there."""
    number = draw(IDS)
    words = draw(st.sampled_from(asa._TEXTS[number])).split(" ")
    for at, word in enumerate(words):
        if "{" in word:
            good = word.replace("_interface}", "}").replace("_ip}", "}").replace("_port}", "}")
            plain = "".join(c for c in good if c not in "{}.").replace("src", "1").replace("dst", "2")
            words[at] = draw(WORDS) if draw(st.integers(0, 9)) == 0 else plain.rpartition("=")[2]
    product, level = draw(st.sampled_from(["ASA", "FTD", "FWSM"])), draw(st.integers(0, 9))
    return f"{draw(HEADS)}%{product}-{level}-{number}: {' '.join(words)}"


@given(st.lists(messages(), max_size=6))
def test_asa(lines: list[str]) -> None:
    assert_alike(asa, "\n".join(lines).encode())


@given(st.binary(max_size=300))
def test_no_bytes_stop_the_reader(noise: bytes) -> None:
    rows(asa, noise, asa.decoder(None))
