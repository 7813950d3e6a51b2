"""What authors say and what cases show in, an advisory out; or why it may not leave, with each place named.

Case studies hold counts, days from the first record, and titles of rules: no text that stood in a log, which an
intruder wrote and which names people. So what could leak is what authors write, what is marked, and indicators, and
these are looked at one by one.
"""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import msgspec

from tocsin.errors import ShareError
from tocsin.model.advisory import Advisory, Measure, Part, Row, Sentence, Shown, Sort, Study
from tocsin.model.attack import Release
from tocsin.model.incident import Cited, Incident
from tocsin.model.likelihood import misspoken
from tocsin.model.pap import ASK_FIRST, source_of
from tocsin.model.tlp import TLP, strictest, tlp_of
from tocsin.observe.fanging import defang
from tocsin.seal.canonical import canonical

HEADINGS: Final[Mapping[Part, str]] = {
    "background": "Background",
    "summary": "Summary of activity",
    "tradecraft": "Notable tradecraft",
    "tooling": "Tooling",
    "studies": "Case studies",
    "disclaimer": "Disclaimer",
}
_CITED: Final = 5  # ids of evidence of one sentence that we make
_RULES: Final = 3  # that are named as detecting a technique
_DAY_US: Final = 86_400_000_000
_MINUTE_US: Final = 60_000_000
_HASHES: Final[dict[int, Sort]] = {32: "md5", 40: "sha1", 64: "sha256"}
_HOLDS_NO_MORE: Final = 50  # places that one refusal names
_NAMED: Final = 20  # things that a line of changes names


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A case that is told of: what it is called there, how its facts are marked, and whose intelligence may be used."""

    id: str
    called: str
    marking: str
    incident: Incident
    agreed: tuple[str, ...] = ()


def study(told: Told, day: Callable[[int | None], str]) -> Study:
    """What records show of a case: when, how many, in which order of tactics, and what of it is not known."""
    incident = told.incident
    every = range(len(incident.findings))
    machines, accounts = _many(len(incident.hosts), "machine"), _many(len(incident.accounts), "account")
    span = f"from {day(incident.first_us)} to {day(incident.last_us)}"
    sentences = [_sentence(told, f"Records {span} name {machines} and {accounts}.", every)]
    for tactic in incident.tactics:
        numbers = [number for number in every if tactic in incident.findings[number].tactics]
        times = [us for number in numbers if (us := incident.findings[number].at.ts_us) is not None]
        when = _when(incident.first_us, times)
        titles = sorted({incident.findings[number].title for number in numbers if _is_rule(incident.findings[number])})
        shown = "; ".join(titles[:_RULES]) or "indicators were seen"
        more = f" and {len(titles) - _RULES} more" if len(titles) > _RULES else ""
        sentences.append(_sentence(told, f"{when}, {tactic.replace('-', ' ')}: {shown}{more}.", numbers))
    claims = incident.impact.claims if incident.impact else ()
    for stage, words in (("accessed", "accessed"), ("staged", "gathered to be taken"), ("left", "taken")):
        sure = [one for one in claims if one.stage == stage and one.confidence == "high"]
        maybe = sum(one.stage == stage and one.confidence != "high" for one in claims)
        if sure or maybe:
            perhaps = f"in {_many(maybe, 'place')} it is possible that something was {words}"
            surely = f"in {_many(len(sure), 'place')} something was {words}, with high confidence"
            text = "; ".join([*([surely] if sure else []), *([perhaps] if maybe else [])])
            text = f"{text[0].upper()}{text[1:]}."
            cited = [number for one in sure for number in one.findings]
            sentences.append(_sentence(told, text, cited or every))
    if incident.not_seen:
        text = f"{_many(len(incident.not_seen), 'thing')} could not be seen in the logs."
        sentences.append(_sentence(told, text, every))
    techniques = sorted({technique for one in incident.findings for technique in one.techniques})
    return Study(called=told.called, sentences=tuple(sentences), techniques=tuple(techniques))


def _when(start_us: int | None, times: Sequence[int]) -> str:
    """Counted from the first record, to the minute: what the clock said there would tell more than how fast it went."""
    if not times or start_us is None:
        return "At a time not told"
    first, last = (max(0, us - start_us) for us in (min(times), max(times)))
    hours, minutes = divmod(first // _MINUTE_US, 60)
    after = f", {hours}:{minutes:02} hours after the first record" if first >= _MINUTE_US else ""
    day, until = first // _DAY_US + 1, last // _DAY_US + 1
    return f"Day {day}{after}" + (f", and until day {until}" if until > day else "")


def _many(count: int, word: str) -> str:
    return f"{count:,} {word}{'' if count == 1 else 's'}"


def _is_rule(one: Cited) -> bool:
    return one.terms is None


def _sentence(told: Told, text: str, numbers: Iterable[int]) -> Sentence:
    """With the marking of the case, or a stricter one of intelligence that it rests on."""
    found = [told.incident.findings[number] for number in numbers]
    every = [word for one in found for word in one.terms or ()]
    # Of each finding alone: that one ally agreed says nothing of what another told.
    left = tuple(dict.fromkeys(word for one in found for word in _left(one.terms, told.agreed)))
    cited = dict.fromkeys(f"{told.id}#{one.rule_id}@{one.at.src[:12]}:{one.at.rec}" for one in found)
    return Sentence(
        text=text,
        evidence=tuple(cited)[:_CITED],
        marking=strictest((told.marking, *_markings(every))),
        terms=left,
    )


def _markings(terms: Iterable[str]) -> list[str]:
    return [tlp_of(one) for one in terms if one.startswith("tlp:")]


def _left(terms: tuple[str, ...] | None, agreed: Sequence[str]) -> tuple[str, ...]:
    """What still binds once those who agreed are asked no more. Who gave no marking must be asked, too."""
    if terms is None or source_of(terms) in agreed:
        return ()
    return terms if _markings(terms) else (*dict.fromkeys((*terms, ASK_FIRST)),)


def rows(cases: Sequence[Told], release: Release) -> tuple[Row, ...]:
    """Techniques that were seen, by tactic in the order of an intrusion as the release lists them, then by id."""
    found: dict[str, list[tuple[Told, int]]] = {}
    for told in cases:
        for number, one in enumerate(told.incident.findings):
            for technique in one.techniques:
                found.setdefault(technique, []).append((told, number))
    made = []
    for technique, where in sorted(found.items()):
        entry = release.entries.get(technique)
        titles = sorted({told.incident.findings[number].title for told, number in where})
        ours = {told.id: told for told, _ in where}
        sentences = [_sentence(told, "", [number for one, number in where if one is told]) for told in ours.values()]
        use = Sentence(
            text=f"Seen in {_many(len(ours), 'case')}, by {_many(len(where), 'finding')}.",
            evidence=tuple(name for one in sentences for name in one.evidence)[:_CITED],
            marking=strictest(one.marking for one in sentences),
            terms=tuple(dict.fromkeys(word for one in sentences for word in one.terms)),
        )
        detection = tuple(one for one in titles if not _of_indicator(one, where))[:_RULES]
        for tactic in entry.tactics if entry else ("not in this release",):
            name = entry.name if entry else technique
            made.append(Row(tactic=tactic, technique=technique, name=name, use=use, detection=detection))
    order = {tactic: place for place, tactic in enumerate(_ORDER)}
    return tuple(sorted(made, key=lambda row: (order.get(row.tactic, len(order)), row.tactic, row.technique)))


_ORDER: Final = (
    "reconnaissance resource-development initial-access execution persistence privilege-escalation defense-evasion "
    "stealth defense-impairment credential-access discovery lateral-movement collection command-and-control "
    "exfiltration impact"
).split()


def _of_indicator(title: str, where: Iterable[tuple[Told, int]]) -> bool:
    found = (told.incident.findings[number] for told, number in where)
    return any(one.title == title and not _is_rule(one) for one in found)


def indicators(
    cases: Sequence[Told], day: Callable[[int | None], str], is_public: Callable[[str], bool]
) -> tuple[Shown, ...]:
    """Addresses, domains and digests that are not one's own, each once, with the strictest of its markings."""
    found: dict[str, list[tuple[Told, int | None, int | None]]] = {}
    for told in cases:
        own = own_of(told.incident)
        for value, first, last in _values(told.incident):
            if not own(value) and _sort(value, is_public) is not None:
                found.setdefault(value, []).append((told, first, last))
    made = []
    for value, where in sorted(found.items()):
        terms = tuple(dict.fromkeys(word for told, _, _ in where for word in _binding(told, value)))
        firsts = [first for _, first, _ in where if first is not None]
        lasts = [last for _, _, last in where if last is not None]
        sort = _sort(value, is_public)
        assert sort is not None  # looked at above
        made.append(
            Shown(
                sort=sort,
                value=value,
                defanged=defang(value) if sort in ("ipv4-addr", "ipv6-addr", "domain-name") else value,
                first=day(min(firsts)) if firsts else "",
                last=day(max(lasts)) if lasts else "",
                cases=len({told.id for told, _, _ in where}),
                marking=strictest((*(told.marking for told, _, _ in where), *_markings(terms))),
                terms=terms,
            )
        )
    return tuple(sorted(made, key=lambda one: (one.sort, one.value)))


def own_of(incident: Incident) -> Callable[[str], bool]:
    """Whether a value is of whom it happened to: an asset, or a name under which their machines or accounts are."""
    names = {one.name.casefold() for one in incident.assets}
    under = set()
    for seen in (*incident.hosts, *incident.accounts, *incident.perhaps_hosts, *incident.perhaps_accounts):
        for name in (seen.name, *seen.also):
            folded = name.casefold()
            names.add(folded)
            domain = folded.rpartition("@")[2] if "@" in folded else folded.partition(".")[2]
            if domain:
                under.add(domain)

    def own(value: str) -> bool:
        folded = value.casefold()
        return folded in names or any(folded == one or folded.endswith(f".{one}") for one in under)

    return own


def _values(incident: Incident) -> Iterator[tuple[str, int | None, int | None]]:
    for seen in incident.addresses:
        yield seen.name, seen.first_us, seen.last_us
    for join in incident.joins:
        if join.entity.kind in ("domain", "hash", "address"):
            yield join.entity.name, None, None


def _sort(value: str, is_public: Callable[[str], bool]) -> Sort | None:
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        if len(value) in _HASHES and all(letter in "0123456789abcdef" for letter in value):
            return _HASHES[len(value)]
        labels = value.split(".")
        plain = value.isascii() and all(one and one.replace("-", "").replace("_", "").isalnum() for one in labels)
        return "domain-name" if len(labels) > 1 and plain and not labels[-1].isdigit() else None
    if not is_public(value):
        return None
    return "ipv4-addr" if address.version == 4 else "ipv6-addr"


def _binding(told: Told, value: str) -> tuple[str, ...]:
    """Terms of intelligence whose findings hold the value; whoever told of it must have agreed."""
    found: list[str] = []
    for one in told.incident.findings:
        if one.terms is not None and any(text is not None and holds(text, value) for text in one.fields.values()):
            found += _left(one.terms, told.agreed)
    return tuple(dict.fromkeys(found))


def holds(text: str, value: str) -> bool:
    """Whether a field holds a value, which logs write in capitals, or an address in a longer form."""
    if value.casefold() in text.casefold():
        return True
    try:
        return ipaddress.ip_address(text.strip().strip("[]")) == ipaddress.ip_address(value)
    except ValueError:
        return False


def refused(one: Advisory) -> tuple[str, ...]:
    """Each place that may not be in a release of this marking, and why."""
    found: list[str] = []
    for where, sentence in _places(one):
        if why := _why(sentence.marking, sentence.terms, one.marking):
            found.append(f"{where}: {why}")
        if not sentence.evidence and not where.startswith("disclaimer"):
            found.append(f"{where}: rests on nothing that is named")
    for part, sentences in one.parts:
        said = ((number, misspoken(each.text, each.percent)) for number, each in enumerate(sentences, 1))
        found += [f"{part}, sentence {number}: {why}" for number, why in said if why and part != "disclaimer"]
    whys = ((shown, _why(shown.marking, shown.terms, one.marking)) for shown in one.indicators)
    found += [f"indicator {shown.defanged}: {why}" for shown, why in whys if why]
    return tuple(found)


def _places(one: Advisory) -> Iterator[tuple[str, Sentence]]:
    for part, sentences in one.parts:
        yield from ((f"{part}, sentence {number}", sentence) for number, sentence in enumerate(sentences, 1))
    for study_ in one.studies:
        yield from (
            (f"case study {study_.called}, sentence {number}", sentence)
            for number, sentence in enumerate(study_.sentences, 1)
        )
    yield from ((f"technique {row.technique}", row.use) for row in one.rows)


def _why(marking: str, terms: Sequence[str], release: str) -> str:
    if TLP.index(marking) > TLP.index(release):
        return f"is TLP:{marking.upper()}, above TLP:{release.upper()}"
    if ASK_FIRST in terms:
        return f"rests on intelligence of {source_of(terms)}, who has not agreed"
    return ""


def checked(one: Advisory) -> Advisory:
    """The same, if all of it may leave.

    Raises:
        ShareError: something may not, with each place.
    """
    if places := refused(one):
        more = f"; and {len(places) - _HOLDS_NO_MORE} more" if len(places) > _HOLDS_NO_MORE else ""
        raise ShareError(
            f"{len(places)} places may not be in it: {'; '.join(places[:_HOLDS_NO_MORE])}{more}",
            hint="Mark a case for release, ask who told of it, or leave indicators out with --leave-out.",
        )
    return one


def without(one: Advisory) -> Advisory:
    """The same without indicators that may not be in it; a note says how many that were."""
    kept = tuple(shown for shown in one.indicators if not _why(shown.marking, shown.terms, one.marking))
    left = len(one.indicators) - len(kept)
    note = (f"{_many(left, 'indicator')} cannot be shared in a release of this marking.",) if left else ()
    return replace(one, indicators=kept, notes=(*one.notes, *note))


def measures(ranked: Iterable[tuple[str, str, tuple[str, ...]]]) -> tuple[Measure, ...]:
    return tuple(Measure(id=number, name=name, techniques=techniques) for number, name, techniques in ranked)


def words_digest(one: Advisory) -> str:
    """What nations approve: the digest of all of it, who is named and how readers reach them among it."""
    return hashlib.sha256(written(one)).hexdigest()


def written(one: Advisory) -> bytes:
    """As it is kept, for the next revision; it carries ids of evidence, and is not for readers."""
    return canonical(msgspec.to_builtins(one))


def read(content: bytes) -> Advisory:
    return msgspec.json.decode(content, type=Advisory)


def changes(before: Advisory, after: Advisory) -> tuple[str, ...]:
    """What a revision says that the one before did not, and what it says no more.

    What was in one for fewer readers, and may not be in this, is not told to be gone: that would tell it.
    """
    found: list[str] = []
    before = _fit(before, after.marking)
    for part, heading in HEADINGS.items():
        old, new = (
            [sentence.text for name, sentences in one.parts for sentence in sentences if name == part]
            for one in (before, after)
        )
        found += [f"{heading}, new: {text}" for text in new if text not in old]
        found += [f"{heading}, no more: {text}" for text in old if text not in new]
    for name, was, now in (
        ("case studies", {one.called for one in before.studies}, {one.called for one in after.studies}),
        ("techniques", {one.technique for one in before.rows}, {one.technique for one in after.rows}),
        ("indicators", {one.defanged for one in before.indicators}, {one.defanged for one in after.indicators}),
        ("mitigations", {one.id for one in before.measures}, {one.id for one in after.measures}),
    ):
        for words, some in (("new", sorted(now - was)), ("no more", sorted(was - now))):
            if some:
                more = f" and {len(some) - _NAMED} more" if len(some) > _NAMED else ""
                found.append(f"{name}, {words} ({len(some)}): {', '.join(some[:_NAMED])}{more}")
    return tuple(found)


def _fit(one: Advisory, release: str) -> Advisory:
    """As much of it as may be in a release of this marking."""

    def fits(sentence: Sentence) -> bool:
        return not _why(sentence.marking, sentence.terms, release)

    return replace(
        one,
        parts=tuple((part, tuple(filter(fits, sentences))) for part, sentences in one.parts),
        studies=tuple(study_ for study_ in one.studies if all(map(fits, study_.sentences))),
        rows=tuple(row for row in one.rows if fits(row.use)),
        measures=one.measures if all(fits(row.use) for row in one.rows) else (),  # they tell techniques
        indicators=tuple(shown for shown in one.indicators if not _why(shown.marking, shown.terms, release)),
    )
