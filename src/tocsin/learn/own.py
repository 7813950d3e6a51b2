"""A team's own intrusion sets in, as a file of JSON that people write, what they tell out; and where they are kept.

The form is `docs/intrusion-sets.md`, and its schema is published. Whoever names a group or software that ATT&CK does
not know chooses the word; its id starts with "own:".
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Final, Literal

import msgspec
from msgspec import Meta

from tocsin.errors import TocsinError
from tocsin.learn import countries, vendors
from tocsin.learn.kept import data_folder
from tocsin.learn.names import plain
from tocsin.learn.placed import OF_TEAM, Places
from tocsin.model.intrusion_set import IntrusionSet, Name
from tocsin.model.software import Software
from tocsin.observe import infrastructure

FORMAT: Final = "tocsin-intrusion-sets-1"
MOST_BYTES: Final = 16 << 20
_TOLD_BY: Final = "own"

_Slug = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
_Text = Annotated[str, Meta(min_length=1, max_length=200)]
_Texts = Annotated[tuple[_Text, ...], Meta(max_length=500)]
_Country = Annotated[str, Meta(pattern="^[A-Z]{2}$")]
_Countries = Annotated[tuple[_Country, ...], Meta(max_length=250)]
_Vulnerability = Annotated[str, Meta(pattern=r"^CVE-\d{4}-\d{4,7}$")]
_Language = Annotated[str, Meta(pattern=r"^[a-z]{2,3}$")]
_Zone = Annotated[str, Meta(pattern=r"^UTC([+-]\d{1,2})?$")]
_Release = Annotated[str, Meta(pattern=r"^\d{1,3}(\.\d{1,3})?$")]


class _Technique(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is used, and the reports or cases that say so."""

    id: Annotated[str, Meta(pattern=r"^T\d{4}(\.\d{3})?$")]
    sources: _Texts = ()


class _Software(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Software by its number in ATT&CK, or one that ATT&CK does not know by its name in lower case, with hyphens."""

    id: Annotated[str, Meta(pattern=r"^(S\d{4}|own:[a-z0-9][a-z0-9-]{0,62})$")]
    sources: _Texts = ()


class _Set(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One intrusion set. What is suspected is what the team suspects, and nothing that it has shown."""

    id: _Slug
    name: _Text
    aliases: _Texts = ()
    techniques: Annotated[tuple[_Technique, ...], Meta(max_length=2000)] = ()
    software: Annotated[tuple[_Software, ...], Meta(max_length=2000)] = ()
    countries: _Countries = ()
    sponsors: _Texts = ()
    victims: _Countries = ()
    sectors: _Texts = ()
    motives: _Texts = ()
    infrastructure: _Texts = ()
    vulnerabilities: Annotated[tuple[_Vulnerability, ...], Meta(max_length=500)] = ()
    languages: Annotated[tuple[_Language, ...], Meta(max_length=50)] = ()
    code: _Texts = ()
    hours: Annotated[tuple[_Zone, ...], Meta(max_length=24)] = ()


class OwnSets(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A team's own intrusion sets, with the release of ATT&CK that its numbers are of."""

    format: Literal["tocsin-intrusion-sets-1"]
    release: _Release
    intrusion_sets: Annotated[tuple[_Set, ...], Meta(max_length=10_000)]


_decoder: Final = msgspec.json.Decoder(OwnSets)


def read(path: Path) -> OwnSets:
    """The sets of a file.

    Raises:
        TocsinError: it cannot be read, is not in the form, or has two sets of one id or name.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as fault:
        raise TocsinError(f"{path}: {fault.strerror}", hint="Name a file to read.") from fault
    if len(content) > MOST_BYTES:
        raise TocsinError(f"{path}: more than {MOST_BYTES >> 20} MiB", hint="No team knows that much: is it the file?")
    try:
        own = _decoder.decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as fault:
        raise TocsinError(
            f"{path}: not a file of intrusion sets ({fault})",
            hint=f'It starts with {{"format": "{FORMAT}", "release": "19", "intrusion_sets": [ ...',
        ) from fault
    seen: dict[str, str] = {}
    for one in own.intrusion_sets:
        for word in {f"id {one.id}", *(f"name {plain(name)}" for name in (one.name, *one.aliases))}:
            if word in seen:
                raise TocsinError(
                    f"{path}: {seen[word]} and {one.id} have one {word.partition(' ')[0]}",
                    hint="Give each set names of its own: a name must say which one is meant.",
                )
            seen[word] = one.id
    return own


def place() -> Path:
    """Where this user's own sets are kept."""
    return data_folder() / "own-intrusion-sets.json"


def kept() -> OwnSets | None:
    return read(path) if (path := place()).is_file() else None


def written(own: OwnSets) -> str:
    """As it is kept: the same sets, the same bytes."""
    return json.dumps(msgspec.to_builtins(own), indent=2, ensure_ascii=False, sort_keys=True) + "\n"


def schema() -> dict[str, Any]:
    """JSON Schema, draft 2020-12, as it is published."""
    title = "A team's own intrusion sets, as tocsin learn own reads them"
    (top,), parts = msgspec.json.schema_components((OwnSets,), ref_template="#/$defs/{name}")
    named = {name.lstrip("_"): part for name, part in parts.items()}
    text = json.dumps(
        {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title, **top, "$defs": named}
    )
    found: dict[str, Any] = json.loads(text.replace("#/$defs/_", "#/$defs/"))
    return found


def groups(own: OwnSets, places: Places) -> dict[str, IntrusionSet]:
    """The sets with their ids as they are in the knowledge they become a part of.

    Raises:
        TocsinError: the release that they are written for is not known.
    """
    release = places.facts.release(own.release)
    if release is None:
        there = ", ".join(places.releases)
        raise TocsinError(
            f"own intrusion sets are written for release {own.release} of ATT&CK, which is not known",
            hint=f"There are {there}. Learn it with `tocsin learn attack`, or write them for one of these.",
        )
    found: dict[str, IntrusionSet] = {}
    for one in own.intrusion_sets:
        number = f"{OF_TEAM}{one.id}"
        texts = dict.fromkeys(name for name in one.aliases if plain(name) != plain(one.name))
        found[number] = IntrusionSet(
            id=number,
            name=one.name,
            origin="own",
            aliases=tuple(Name(text=text, form=vendors.by_form(text), sources=(_TOLD_BY,)) for text in texts),
            techniques=places.own(number, {use.id: use.sources for use in one.techniques}, release.name),
            software=places.own(number, {use.id: use.sources for use in one.software}, release.name),
            countries=tuple(sorted(set(one.countries))),
            sponsors=tuple(sorted({countries.code(told) or told for told in one.sponsors})),
            victims=tuple(sorted(set(one.victims))),
            sectors=tuple(sorted(set(one.sectors))),
            motives=tuple(sorted(set(one.motives))),
            infrastructure=tuple(sorted({infrastructure.normal(told) for told in one.infrastructure})),
            vulnerabilities=tuple(sorted(set(one.vulnerabilities))),
            languages=tuple(sorted(set(one.languages))),
            code=tuple(sorted(set(one.code))),
            hours=tuple(sorted(set(one.hours))),
            told_by=(_TOLD_BY,),
        )
    return found


def software(own: OwnSets) -> dict[str, Software]:
    """What only the team has a name for."""
    ids = sorted({use.id for one in own.intrusion_sets for use in one.software if use.id.startswith(OF_TEAM)})
    return {number: Software(id=number, name=number.removeprefix(OF_TEAM), kind="malware") for number in ids}
