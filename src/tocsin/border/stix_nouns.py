"""A parcel of our own nouns in, a STIX 2.1 bundle that says them out; `stix_parcel` reads the same again.

What came from others is not written again in our name: an id of STIX is referred to, and no more. Of sightings those
values go that STIX has a type for, where it is known when they were seen. Countries and sponsors are in nothing of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from tocsin.border.stix_made import Made, of_content, time_of
from tocsin.border.stix_parcel import OURS
from tocsin.model.campaign import Campaign
from tocsin.model.cluster import Cluster
from tocsin.model.indicator import Indicator, Observable
from tocsin.model.intrusion_set import IntrusionSet
from tocsin.model.mitigation import Mitigation
from tocsin.model.parcel import Attributed, Opinion, Parcel, Sighting

_THEIRS: Final = re.compile(r"[a-z][a-z0-9-]+--[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
_ATTACK: Final = re.compile(r"[TGSCM]\d{4}(?:\.\d{3})?")
_VALUES: Final = {"domain": "domain-name", "url": "url", "mail": "email-addr"}
_DIGESTS: Final = {"md5": "MD5", "sha1": "SHA-1", "sha256": "SHA-256", "sha512": "SHA-512", "ssdeep": "SSDEEP"}
_ROOTS: Final = {
    "hkcc": "HKEY_CURRENT_CONFIG",
    "hkcr": "HKEY_CLASSES_ROOT",
    "hkcu": "HKEY_CURRENT_USER",
    "hklm": "HKEY_LOCAL_MACHINE",
    "hku": "HKEY_USERS",
}


def bundle(
    parcel: Parcel, *, author: str, tlp: str, at_us: int, names: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The bundle, as JSON holds it; the same parcel gives the same.

    Args:
        author: who says all this.
        tlp: of everything in it; an indicator that is marked more strictly has that marking.
        at_us: when it is said.
        names: of techniques and software, by their numbers.
    """
    made = _Bundle(author, tlp, time_of(at_us), names or {})
    for number in parcel.techniques:
        made.numbered("attack-pattern", number)
    for number in parcel.software:
        made.numbered("malware", number, is_family=True)
    for name in parcel.vulnerabilities:
        reference = {"source_name": "cve", "external_id": name}
        made.add("vulnerability", name=name, external_references=[reference])
    for group in parcel.groups:
        made.group(group)
    for campaign in parcel.campaigns:
        made.campaign(campaign, parcel.attributed)
    for incident in parcel.incidents:
        made.own("incident", incident.id, name=incident.title, description=incident.text)
    for cluster in parcel.clusters:
        made.cluster(cluster)
    for course in parcel.courses:
        made.course(course)
    for indicator in parcel.indicators:
        made.indicator(indicator)
    for sighting in parcel.sightings:
        made.sighting(sighting)
    for one in parcel.attributed:
        made.attributed(one)
    for opinion in parcel.opinions:
        made.opinion(opinion)
    objects = list(made.objects.values())
    return {"type": "bundle", "id": f"bundle--{of_content(objects)}", "objects": objects}


class _Bundle(Made):
    """Objects, and by which id of STIX each of our ids goes."""

    def __init__(self, author: str, tlp: str, at: str, names: Mapping[str, str]) -> None:
        super().__init__(author, tlp, at)
        self.names = names
        self.ids: dict[str, str] = {}

    def own(self, kind: str, named: str, **told: Any) -> str:
        """An object under our id, or that of ATT&CK; what has an id of STIX is somebody's already."""
        if _THEIRS.fullmatch(named):
            return self.ids.setdefault(named, named)
        if named not in self.ids:
            source = "mitre-attack" if _ATTACK.fullmatch(named) else OURS
            references = [{"source_name": source, "external_id": named}]
            self.ids[named] = self.add(kind, **told, external_references=references)
        return self.ids[named]

    def ref(self, named: str) -> str:
        return named if _THEIRS.fullmatch(named) else self.ids[named]

    def numbered(self, kind: str, number: str, **told: Any) -> str:
        return self.own(kind, number, name=self.names.get(number, number), **told)

    def relation(self, how: str, source: str, target: str, **told: Any) -> None:
        if not _THEIRS.fullmatch(source):
            source = self.ids[source]
        self.add("relationship", relationship_type=how, source_ref=source, target_ref=self.ref(target), **told)

    def uses(self, named: str, techniques: Iterable[str], software: Iterable[str]) -> None:
        for number in techniques:
            self.numbered("attack-pattern", number)
            self.relation("uses", named, number)
        for number in software:
            self.numbered("malware", number, is_family=True)
            self.relation("uses", named, number)

    def group(self, one: IntrusionSet) -> None:
        first, *others = one.motives or ("",)
        self.own(
            "intrusion-set",
            one.id,
            name=one.name,
            aliases=[alias.text for alias in one.aliases],
            primary_motivation=first,
            secondary_motivations=others,
        )
        self.uses(one.id, one.techniques, one.software)

    def campaign(self, one: Campaign, attributed: Iterable[Attributed]) -> None:
        days = {"first_seen": one.first_seen, "last_seen": one.last_seen}
        times = {key: f"{day}T00:00:00.000Z" for key, day in days.items() if len(day) == 10}
        self.own("campaign", one.id, name=one.name, aliases=list(one.aliases), **times)
        self.uses(one.id, one.techniques, one.software)
        said = {each.to for each in attributed if each.what == one.id}
        for group in one.groups:
            if group not in said:
                self.relation("attributed-to", one.id, group)

    def cluster(self, one: Cluster) -> None:
        if one.incidents:
            refs = [self.ref(named) for named in one.incidents]
            self.own("grouping", one.id, name=one.name, context="suspicious-activity", object_refs=refs)

    def course(self, one: Mitigation) -> None:
        self.own("course-of-action", one.id, name=one.name)
        for number in one.techniques:
            self.numbered("attack-pattern", number)
            self.relation("mitigates", one.id, number)

    def indicator(self, one: Indicator) -> None:
        named = self.add(
            "indicator",
            one.tlp or self.tlp,
            name=one.title,
            description=one.description,
            pattern=one.pattern or pattern(one.observables),
            pattern_type="stix",
            valid_from=time_of(one.since_us) or self.at,
            valid_until=time_of(one.until_us),
            confidence=one.confidence,
            labels=list(one.labels),
            **({"revoked": True} if one.revoked else {}),
        )
        self.ids[one.id] = named
        for number in one.techniques:
            self.numbered("attack-pattern", number)
            self.relation("indicates", named, number)

    def sighting(self, one: Sighting) -> None:
        first, last = time_of(one.first_us), time_of(one.last_us)
        seen = [named for each in one.observables if (named := self.seen(each))]
        data = []
        if seen and first and last:
            times = {"first_observed": first, "last_observed": last}
            data = [self.add("observed-data", **times, number_observed=one.count, object_refs=seen)]
        self.add(
            "sighting",
            sighting_of_ref=self.numbered("attack-pattern", one.of) if _ATTACK.fullmatch(one.of) else self.ref(one.of),
            count=one.count,
            first_seen=first,
            last_seen=last,
            description=one.text,
            observed_data_refs=data,
            where_sighted_refs=[self.host(name) for name in one.hosts],
        )

    def seen(self, one: Observable) -> str | None:
        """An observable for a value; None where STIX has no type for it."""
        if one.type in _VALUES:
            return self.observable(_VALUES[one.type], value=one.value)
        if one.type in _DIGESTS:
            return self.observable("file", hashes={_DIGESTS[one.type]: one.value})
        if one.type in ("account", "sid"):
            return self.account(one.value if one.type == "account" else one.value.upper())
        if one.type in ("file", "path"):
            return self.file(one.value)
        if one.type == "mutex":
            return self.observable("mutex", name=one.value)
        if one.type == "key":
            return self.observable("windows-registry-key", key=_whole(one.value))
        return self.address(one.value) if one.type == "address" else None

    def attributed(self, one: Attributed) -> None:
        self.relation("attributed-to", one.what, one.to, confidence=one.confidence, description=one.text)

    def opinion(self, one: Opinion) -> None:
        self.add(
            "opinion",
            opinion=one.opinion,
            explanation=one.text,
            authors=[one.by] if one.by else [],
            confidence=one.confidence,
            object_refs=[self.ref(named) for named in one.about],
        )


def _whole(key: str) -> str:
    """A key of the registry with the whole name of its root, as STIX wants it (section 6.17)."""
    root, _, rest = key.partition("\\")
    return f"{_ROOTS[root.lower()]}\\{rest}" if root.lower() in _ROOTS else key


def pattern(observables: Iterable[Observable]) -> str:
    """A pattern that any of these values is enough for; '' where STIX can ask for none of them."""
    paths = {
        **{kind: f"{name}:value" for kind, name in _VALUES.items()},
        **{kind: f"file:hashes.'{name}'" for kind, name in _DIGESTS.items()},
        "file": "file:name",
        "mutex": "mutex:name",
        "key": "windows-registry-key:key",
        "sid": "user-account:user_id",
        "account": "user-account:account_login",
    }
    tests = []
    for one in observables:
        version = "ipv6-addr" if ":" in one.value else "ipv4-addr"
        path = f"{version}:value" if one.type in ("address", "network") else paths.get(one.type)
        if path:
            value = (_whole(one.value) if one.type == "key" else one.value).replace("\\", "\\\\").replace("'", "\\'")
            tests.append(f"[{path} = '{value}']")
    return " OR ".join(tests)
