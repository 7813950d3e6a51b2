"""A case that somebody made with tools of their own: whatever its entries say, nothing crashes."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import fields, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cases.making import PEOPLE, SHA
from tocsin import cases, tell
from tocsin.cases import folder as layout
from tocsin.cli import case_pages, tell_pages
from tocsin.disclose import clocks
from tocsin.errors import TocsinError
from tocsin.model.case import VERBS
from tocsin.output.screen import UNSEEN
from tocsin.seal import chain

SAID = ["", "1", "9" * 5000, SHA, "../../etc", "a\x00b", "\x1b[2J", "close", "yes", "٣", "x" * 300]
texts = st.sampled_from(SAID) | st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=8)
digests = st.just(SHA) | st.just("cd" * 32) | texts
plain = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | texts
values = plain | st.lists(plain, max_size=2) | st.dictionaries(texts, plain, max_size=2)
signers = st.fixed_dictionaries({"name": texts, "key": texts | st.just("ssh-ed25519 AAAA"), "fingerprint": texts})
tasks = st.fixed_dictionaries({"task": texts, "text": texts, "due": texts, "owner": texts})
decisions = st.fixed_dictionaries(
    dict.fromkeys(("case", "subject", "choice", "role", "by", "key", "at", "reason", "seen", "head"), texts)
    | {"role": st.just("lead")}
)
envelopes = st.dictionaries(st.sampled_from(["payload", "payloadType", "signatures"]), values, max_size=3)
counts = st.integers(-1, 2**53 - 1)
weights = st.fixed_dictionaries(
    {
        "of": texts,
        "stage": st.sampled_from(("left", "staged", "accessed", "gone")),
        "sort": st.just("mail"),
        "what": texts,
        "unit": st.sampled_from(("bytes", "messages")),
        "lower": counts,
        "upper": counts | st.none(),
        "confidence": st.just("low"),
    }
)
concerns = st.fixed_dictionaries({"of": texts, "id": texts, "name": texts, "how": st.just("reached")})
several = st.lists(texts, max_size=2)
notifications = st.fixed_dictionaries(
    {
        "key": texts | st.just("person:1"),
        "kind": st.sampled_from(("person", "owner", "king")),
        "name": texts,
        "extent": st.sampled_from(("targeted", "reached", "eaten")),
        "because": several,
        "id": texts,
        "role": texts,
        "language": texts,
        "contact": texts,
        "instead": several,
        "namesakes": several,
        "through": several,
        "laws": several | st.just(["nz-privacy-115"]),
        "of": texts,
    }
)
words = st.fixed_dictionaries(
    dict.fromkeys(("key", "by", "to", "letter", "stage", "note"), texts)
    | {"key": texts | st.just("person:1"), "deed": st.sampled_from(("begun", "sent", "lost"))}
)
FITTING: dict[str, st.SearchStrategy[Any]] = {
    "str": texts,
    "Digest": digests,
    "DigestOrNone": digests | texts,
    "tuple[Digest, ...]": st.lists(digests, max_size=3),
    "Number": counts,
    "int": st.integers(-9, 2**53 - 1),
    "bool": st.booleans(),
    "tuple[str, ...]": st.lists(texts, max_size=3),
    "tuple[TaskAdded, ...]": st.lists(tasks, max_size=2),
    "tuple[Weight, ...]": st.lists(weights, max_size=2),
    "tuple[Concern, ...]": st.lists(concerns, max_size=2),
    "tuple[Notification, ...]": st.lists(notifications, max_size=2),
    "Word": words,
    "Signer": signers,
    "Decision": decisions,
    "Mapping[str, Any]": envelopes,
}


@st.composite
def bodies(draw: st.DrawFn) -> dict[str, Any]:
    verb = draw(st.sampled_from(list(VERBS)))
    what = {field.name: draw(FITTING[str(field.type)]) for field in fields(VERBS[verb])}
    if draw(st.integers(0, 9)) == 0:
        what[draw(st.sampled_from(list(what)))] = draw(values)
    at = draw(st.sampled_from(["2026-11-24T10:00:00.000000Z", "2026-13-99T99:99:99.999999Z"]))
    return {"version": 1, "at": at, "by": draw(texts) or "Ben", "verb": verb, "what": what}


OPENED = {"case": "c", "title": "t", "incident": "", "split_from": ""}


@given(st.lists(bodies(), max_size=4))
def test_nothing_crashes(tmp_path_factory: pytest.TempPathFactory, added: list[dict[str, Any]]) -> None:
    folder = tmp_path_factory.getbasetemp() / "hostile"
    folder.mkdir(exist_ok=True)
    opened = {"version": 1, "at": "2026-11-24T10:00:00.000000Z", "by": "Ben", "verb": "opened", "what": OPENED}
    text, prev = b"", chain.ROOT
    for n, body in enumerate([opened, *added]):
        line, link = chain.line(body, n, prev)
        text, prev = text + line, link.digest
        if n == 0:
            first = link.digest
    (folder / "log.jsonl").write_bytes(text)
    (folder / "case.json").write_text(json.dumps({"version": 1, "count": 1, "head": first}))
    with suppress(TocsinError):
        verdict = cases.verify(folder, known=PEOPLE.values())
        entries, case, _ = cases.entries_of(folder)
        pages = [*case_pages.overview(case, verdict), *case_pages.diary(entries)]
        pages += case_pages.handover(case, entries, verdict, "2026-11-24T10:00:00.000000Z")
        at = tell.desk(None, PEOPLE.values())
        at = replace(at, laws=clocks.built_in())
        now = "2026-11-24T10:00:00.000000Z"
        pages += tell_pages.standing(case, tell.standing_of(case, case.decisions, at, now), at.telling, now, whole=True)
        pages.append(tell_pages.told(folder, case, at))
        assert not [line for line in pages if UNSEEN.search(line)]
    with suppress(TocsinError):
        layout.kept(folder, str(added[0]["what"].get("sha256")) if added else "")
