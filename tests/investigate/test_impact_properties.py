"""Whatever the logs say: bounds hold, more logs show more, silence is no nought, and order changes nothing."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from investigate.weighing import SYSMON, accessed, audit, incident, weigh, windows, zeek
from tocsin.model.impact import Claim, Impact

THERE = ("203.0.113.9", "198.51.100.7", "10.0.0.9")
FEW = settings(max_examples=40)

_minute = st.integers(-30, 120)
_bytes = st.none() | st.integers(0, 1 << 40)
_zeek = st.builds(
    lambda minute, there, sent, came, uid: zeek(minute, there, sent, came, uid=f"C{uid}"),
    _minute,
    st.sampled_from(THERE),
    _bytes,
    _bytes,
    st.integers(0, 9),
)
_contact = st.builds(
    lambda minute, there: windows(
        3, minute, channel=SYSMON, SourceIp="10.0.0.5", DestinationIp=there, Initiated="true"
    ),
    _minute,
    st.sampled_from(THERE),
)
_mail = st.builds(
    lambda kind, ids, throttled, minute: accessed(kind, *ids, throttled=throttled, minute=minute),
    st.sampled_from(("Bind", "Sync", "")),
    st.lists(st.sampled_from("abcd"), max_size=3),
    st.booleans(),
    _minute,
)
_file = st.builds(
    lambda operation, name, minute: audit(
        operation, minute, workload="SharePoint", ObjectId=f"https://p/sites/n/d/{name}"
    ),
    st.sampled_from(("FileDownloaded", "FileAccessed")),
    st.sampled_from(("a.docx", "b.pem", "c")),
    _minute,
)
_packed = st.builds(
    lambda name, who, minute: windows(11, minute, channel=SYSMON, TargetFilename=name, User=who),
    st.sampled_from(("C:\\a.7z", "C:\\b.zip", "C:\\c.txt")),
    st.sampled_from(("PARL\\mere", "PARL\\tane", "NT AUTHORITY\\SYSTEM")),
    _minute,
)
# Lines of one kind a file, as logs are.
_file_of_lines = st.one_of(
    *(st.lists(kind, min_size=1, max_size=6) for kind in (_zeek, _contact, _mail, _file, _packed))
)
_files = st.lists(_file_of_lines.map("\n".join), min_size=1, max_size=4)


def _weighed(logs: Sequence[str]) -> Impact:
    with tempfile.TemporaryDirectory() as folder:
        return weigh(
            Path(folder), {f"sensor-{at}.json": text for at, text in zip("abcdefgh", logs, strict=False)}, incident()
        )


def _key(claim: Claim) -> tuple[str, ...]:
    return claim.stage, claim.sort, claim.what, claim.subject


@FEW
@given(_files)
def test_no_bound_is_crossed_and_no_claim_is_of_nothing(logs: list[str]) -> None:
    for claim in _weighed(logs).claims:
        assert claim.amount.upper is None or claim.amount.lower <= claim.amount.upper
        assert claim.amount.upper != 0, "what is not logged is not known; what is, is some"
        assert claim.because
        assert claim.records
        assert claim.evidence
        assert claim.amount.upper is not None or claim.would_tell, "what is not known names what would have told"


@FEW
@given(_files, _file_of_lines.map("\n".join))
def test_more_logs_never_show_less(logs: list[str], more: str) -> None:
    before, after = _weighed(logs), _weighed([*logs, more])
    lows = {_key(claim): claim.amount.lower for claim in after.claims}
    for claim in before.claims:
        # Destinations that no finding names may be told together; what is shown for them is nothing either way.
        if claim.amount.lower:
            assert lows.get(_key(claim), -1) >= claim.amount.lower


@FEW
@given(_files)
def test_order_changes_nothing(logs: list[str]) -> None:
    names = [f"sensor-{letter}.json" for letter in "abcdefgh"[: len(logs)]]
    pairs = list(zip(names, logs, strict=True))
    with tempfile.TemporaryDirectory() as folder:
        forward = weigh(Path(folder), dict(pairs), incident())
        shutil.rmtree(Path(folder) / "looked")
        assert forward == weigh(Path(folder), dict(reversed(pairs)), incident())


@FEW
@given(st.lists(st.tuples(st.sampled_from("ab"), _minute, st.integers(0, 9), st.integers(1, 1 << 50)), min_size=1))
def test_the_network_against_a_count_by_hand(flows: list[tuple[str, int, int, int]]) -> None:
    """Each sensor counts a connection once, by its number; the least is the largest sum, the most the sum of sums."""
    span = [zeek(0, "10.0.0.1", 1), zeek(60, "10.0.0.1", 1)]
    files = {
        f"{sensor}/conn.log": "\n".join(
            [
                *span,
                *(zeek(minute, THERE[0], sent, uid=f"C{uid}") for name, minute, uid, sent in flows if name == sensor),
            ]
        )
        for sensor in "ab"
    }
    sums = {}
    for sensor in "ab":
        largest: dict[int, int] = {}
        for name, minute, uid, sent in flows:
            if name == sensor and minute >= -60:
                largest[uid] = max(largest.get(uid, 0), sent)
        sums[sensor] = sum(largest.values())
    with tempfile.TemporaryDirectory() as folder:
        (claim,) = (one for one in weigh(Path(folder), files, incident()).claims if one.subject == THERE[0])
    assert claim.amount.lower == max(sums.values())
    assert claim.amount.upper == sum(sums.values())


@FEW
@given(st.lists(st.lists(st.sampled_from("abcdef"), min_size=1, max_size=4), min_size=1, max_size=6), st.booleans())
def test_bind_against_a_count_by_hand(records: list[list[str]], throttled: bool) -> None:
    lines = [audit("UserLoggedIn", 0), audit("UserLoggedIn", 61)]
    lines += [accessed("Bind", *ids, minute=at, throttled=throttled and at == 0) for at, ids in enumerate(records)]
    with tempfile.TemporaryDirectory() as folder:
        (claim,) = weigh(Path(folder), {"audit.json": "\n".join(lines)}, incident()).claims
    every = {one for ids in records for one in ids}
    assert claim.amount.lower == len(every)
    assert claim.amount.upper == (None if throttled else len(every))
    assert set(claim.names) == {f"<{one}>" for one in every}
