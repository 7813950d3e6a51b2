"""Nothing above a marking is ever told: texts that must stay stand anywhere in a case; each output is read for them."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from disclose.made import FACTS, TELLING, incident, touched
from disclose.nations import key, nation
from disclose.test_endorse import NATIONS, STATEMENT, entry
from tocsin.attribution import known
from tocsin.border import stix_advisory
from tocsin.disclose import advisory, advisory_pages, endorse, letters, norms, notice, pages
from tocsin.disclose.register import register
from tocsin.errors import SealError, SettingsError, ShareError
from tocsin.model.addressee import Addressed, Addressee
from tocsin.model.advisory import Advisory, Author, Sentence
from tocsin.model.attack import Release
from tocsin.model.endorsement import Claim, JointStatement, OfClaim, Stance
from tocsin.model.incident import Cited, Incident, Seen
from tocsin.model.norms import Notice
from tocsin.model.tlp import TLP
from tocsin.output.screen import shown

CANARY = "CANARY-7f3a"
MARKINGS = st.sampled_from(TLP)
WORDS = letters.words()
# What stands in an output because it must: what rules are called, and of whom a letter is.
_TOLD = {
    "findings": {"title", "techniques", "tactics"},
    "people": {"id", "name", "role", "language", "contact", "through"},
    "tactics": {"tactics"},
    "techniques": {"techniques"},
    "id": {"id"},
}


def _leaves(plain: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(plain, str):
        yield path
    elif isinstance(plain, dict | list | tuple):
        for at, one in plain.items() if isinstance(plain, dict) else enumerate(plain):
            yield from _leaves(one, (*path, at))


def _with(plain: Any, path: Sequence[Any], text: str) -> Any:
    if not path:
        return text
    made = dict(plain) if isinstance(plain, dict) else list(plain)
    made[path[0]] = _with(made[path[0]], path[1:], text)
    return made


@cache
def _whole() -> tuple[dict[str, Any], tuple[tuple[Any, ...], ...]]:
    """A case with something in every field, and where in it a text of any kind can stand."""
    one = incident(touched("1001", "Aroha Ngata"), touched("1002", "Mere Tane", "targeted"), words=("plain",))
    wrote = Addressee(name="a@b.example", fetched=False, count=1, first_us=1, last_us=1, citations=())
    some = Addressed(kind="domain", name="x.example", because="a finding", doubt="a doubt", all=(wrote,), count=2)
    plain = msgspec.to_builtins(replace(one, addressed=(some,)))
    places = []
    for path in _leaves(plain):
        if _TOLD.get(path[0], set()).isdisjoint(path[-2:]):
            try:
                msgspec.convert(_with(plain, path, CANARY), Incident)
            except msgspec.ValidationError:
                continue  # one of a few words
            places.append(path)
    assert len(places) > 250
    return plain, tuple(places)


@st.composite
def cases(draw: st.DrawFn) -> Incident:
    """With a canary in some of these places, or in each."""
    plain, places = _whole()
    dice = random.Random(draw(st.integers(0, 2**32)))
    for path in dice.sample(places, draw(st.sampled_from([1, 9, 90, len(places)]))):
        plain = _with(plain, path, f"{CANARY} {dice.choice(['', 'evil.example', '203.0.113.7'])}".strip())
    return msgspec.convert(plain, Incident)


@cache
def _release() -> Release:
    all_ = known()
    release = all_.facts.release(all_.knowledge.release)
    assert release is not None
    return release


def _outputs(one: Advisory) -> str:
    page = advisory_pages.Page(advisory=one, draft="")
    laid_out = json.dumps(page.plain(), ensure_ascii=False)  # what the sheet of paper is set from
    words = [advisory_pages.html(page), advisory_pages.markdown(page).replace("\\", ""), advisory_pages.table(one)]
    return "\n".join([*words, laid_out, stix_advisory.bundle(one, _release(), "ab" * 32)])


def _drafted(
    incidents: Sequence[Incident], release: str, marking: str = "clear", sentences: Sequence[Sentence] = ()
) -> Advisory:
    told = [
        advisory.Told(id=f"c{number}", called=f"Body {number}", marking=marking, incident=one)
        for number, one in enumerate(incidents)
    ]
    return Advisory(
        number="1",
        revision=1,
        title="A title",
        date="2026-11-28",
        marking=release,
        authors=(Author(nation="nz", name="A centre", contact="+64 4"),),
        parts=(("summary", tuple(sentences)),),
        studies=tuple(advisory.study(one, lambda us: "2026-01-01" if us else "a day not told") for one in told),
        rows=advisory.rows(told, _release()),
        measures=(),
        indicators=advisory.indicators(told, lambda us: "2026-01-01" if us else "", lambda text: True),
        release=_release().name,
    )


@given(cases())
def test_no_text_of_a_case_is_in_an_advisory(one: Incident) -> None:
    assert CANARY not in _outputs(advisory.checked(_drafted([one], "clear")))


@given(cases(), MARKINGS)
def test_no_text_of_a_case_is_in_a_notice(one: Incident, marking: str) -> None:
    assert CANARY not in _notice(one, marking)


@given(cases())
def test_no_text_of_a_case_is_in_a_letter(one: Incident) -> None:
    for each in register(one, TELLING, ()):
        if letters.is_written(each) and each.kind == "person":
            letter = letters.letter(each, FACTS, TELLING, WORDS, shown)
            assert CANARY not in pages.text(letter) + pages.html(letter)


# --------------------------------------------------------------------------------- what is marked


def _bound(number: int, marking: str | None, *, ask: bool) -> Cited:
    """A finding by intelligence; all that tells of it has its number."""
    word = f"SECRET{number:03}"
    terms = (*([f"tlp:{marking}"] if marking else []), *(["orcon"] if ask else []), f"source:Ally {word}")
    return replace(
        incident(words=("plain",)).findings[0],
        rule_id=f"indicator--{word}",
        title=f"Title {word}",
        fields={"DestinationIp": f"198.51.100.{number}", "QueryName": f"{word.lower()}.example"},
        techniques=(f"T9{number:03}",),
        tactics=(f"tactic-{word}",),
        terms=terms,
    )


TERMS = st.lists(st.tuples(st.sampled_from([None, *TLP]), st.booleans()), min_size=1, max_size=6)


def _case(terms: Sequence[tuple[str | None, bool]]) -> Incident:
    bound = [_bound(number, marking, ask=ask) for number, (marking, ask) in enumerate(terms, 1)]
    seen = [Seen(name=f"198.51.100.{at}", first_us=1, last_us=1, findings=1) for at in range(1, len(terms) + 1)]
    one = incident(words=("plain",))
    return replace(
        one,
        findings=(one.findings[0], *bound),
        addresses=tuple(seen),
        joins=(),
        assets=(),
        tactics=(*one.findings[0].tactics, *(tactic for each in bound for tactic in each.tactics)),
    )


def _above(marking: str | None, release: str, *, ask: bool) -> bool:
    return ask or not marking or TLP.index(marking) > TLP.index(release)


def _signs(number: int) -> tuple[str, ...]:
    word = f"SECRET{number:03}"
    return (word, word.lower(), f"T9{number:03}", f"198.51.100.{number}", f"198[.]51[.]100[.]{number}")


def _tells(text: str, sign: str) -> bool:
    """The whole of it: 198.51.100.1 is no part of 198.51.100.12."""
    return any(not part[:1].isdigit() for part in text.split(sign)[1:])


@given(TERMS, MARKINGS, MARKINGS, st.lists(MARKINGS, max_size=4))
def test_an_advisory_is_refused_or_holds_nothing_above_its_marking(
    terms: list[tuple[str | None, bool]], release: str, marking: str, said: list[str]
) -> None:
    sentences = [Sentence(text=f"SENTENCE{at}", evidence=("e",), marking=one) for at, one in enumerate(said)]
    drafted = advisory.without(_drafted([_case(terms)], release, marking, sentences))
    secret = [at for at, (one, ask) in enumerate(terms, 1) if _above(one, release, ask=ask)]
    too_high = any(TLP.index(one) > TLP.index(release) for one in (marking, *said))
    try:
        text = _outputs(advisory.checked(drafted))
    except ShareError as refused:
        # Places are named, never the words.
        if not (secret or too_high) or any(f"SENTENCE{at}" in refused.message for at in range(len(said))):
            raise
        return
    assert not secret
    assert not too_high
    assert all(f"SENTENCE{at}" in text for at in range(len(said)))


@given(st.lists(st.tuples(MARKINGS, st.booleans()), max_size=6), MARKINGS, MARKINGS)
def test_what_changed_tells_nothing_that_was_for_fewer(said: list[tuple[str, bool]], before: str, release: str) -> None:
    sentences = [Sentence(text=f"SENTENCE{at}", evidence=("e",), marking=one) for at, (one, _) in enumerate(said)]
    old = _drafted([_case([(before, False)])], "red", before, sentences)
    kept = [one for one, (marking, stays) in zip(sentences, said, strict=True) if stays and not _up(marking, release)]
    new = advisory.checked(_drafted([], release, "clear", kept))
    text = _outputs(replace(new, changes=advisory.changes(old, new)))
    for at, (marking, _) in enumerate(said):
        assert not _up(marking, release) or f"SENTENCE{at}" not in text
    assert not _up(before, release) or not any(_tells(text, sign) for sign in _signs(1))


def _up(marking: str, release: str) -> bool:
    return TLP.index(marking) > TLP.index(release)


def _notice(one: Incident, marking: str, indicators: Sequence[str] = ()) -> str:
    asked = notice.Asked(
        state="Ruritania",
        sender="A centre",
        verify="Call",
        request="information",
        action="Look.",
        marking=marking,
        indicators=tuple(indicators),
    )
    relevance = norms.relevant(notice.without_bound(one, marking))
    drafted: Notice = notice.draft(
        one,
        relevance,
        asked,
        at="2026-11-28T00:00:00Z",
        clock=lambda us: "a time" if us else "no time",
        evidence=["ab" * 32],
        is_public=lambda text: True,
    )
    letter = notice.letter(drafted, relevance, decided=True)
    told = [Sentence(text=each.text, evidence=(), marking=marking) for each in drafted.facts]
    return notice.written(drafted).decode() + pages.text(letter) + pages.html(letter) + str(told)


@given(TERMS, MARKINGS)
def test_a_notice_holds_nothing_that_may_not_go_so_far(terms: list[tuple[str | None, bool]], marking: str) -> None:
    one = _case(terms)
    text = _notice(one, marking)
    for at, (told, ask) in enumerate(terms, 1):
        if _above(told, marking, ask=ask):
            assert not any(_tells(text, sign) for sign in _signs(at))
            with pytest.raises(SettingsError, match="rests on intelligence"):
                _notice(one, marking, [f"198.51.100.{at}"])
        else:
            assert f"T9{at:03}" in text


# --------------------------------------------------------------------------------- what nations say to each other

STANCES: st.SearchStrategy[Stance] = st.sampled_from(["endorse", "reserve", "dissent", "abstain"])


@given(st.lists(st.tuples(STANCES, STANCES, st.booleans()), min_size=1, max_size=4))
def test_the_public_learns_the_words_and_who_approved_them_and_nothing_else(
    voices: list[tuple[Stance, Stance, bool]],
) -> None:
    claims = tuple(Claim(id=f"c{at}", text=f"{CANARY} claim", evidence=(CANARY,)) for at in (1, 2))
    statement: JointStatement = replace(STATEMENT, title=CANARY, claims=claims, threshold=1)
    envelopes = []
    for who, (one, other, named) in zip(("au", "nz", "uk", "us"), voices, strict=False):
        made = entry(who, one, other, statement=statement, named=named, reason=CANARY)
        said = tuple(replace(each, words=CANARY if each.words else "") for each in made.claims)
        assert all(isinstance(each, OfClaim) for each in said)
        envelopes.append(endorse.sealed(replace(made, claims=said), statement, key(who)))
    found = endorse.weigh(statement, envelopes, NATIONS)
    behind = {
        who
        for who, (one, other, named) in zip(("au", "nz", "uk", "us"), voices, strict=False)
        if named and {one, other} <= {"endorse", "reserve"}
    }
    try:
        text = endorse.public(found, NATIONS)
    except SealError as refused:
        if (found.stands and behind) or CANARY in refused.message:
            raise
        return
    assert CANARY not in text
    for who in ("au", "nz", "uk", "us"):
        assert (nation(who).name in text) == (who in behind)
