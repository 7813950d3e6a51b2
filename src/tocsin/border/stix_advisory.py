"""An advisory in, a STIX 2.1 bundle out: a report over all of it, a grouping a case study, what they are made of.

Ids are made of what an object says, so that one advisory gives the same bytes; techniques have the ids that ATT&CK gave
them. Times are the day of the advisory. What evidence is called inside, and who among the nations doubts, is not in it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Final

from tocsin.border import markings
from tocsin.border.bundles import as_bundle, made_id
from tocsin.model.advisory import Advisory, Row, Shown
from tocsin.model.attack import Release
from tocsin.seal.canonical import canonical

_PATTERNS: Final[Mapping[str, str]] = {
    "ipv4-addr": "[ipv4-addr:value = '{}']",
    "ipv6-addr": "[ipv6-addr:value = '{}']",
    "domain-name": "[domain-name:value = '{}']",
    "md5": "[file:hashes.MD5 = '{}']",
    "sha1": "[file:hashes.'SHA-1' = '{}']",
    "sha256": "[file:hashes.'SHA-256' = '{}']",
}
_MITRE: Final = "mitre-attack"


def bundle(advisory: Advisory, release: Release, digest: str = "") -> str:
    """The bundle as text.

    What is told with a likelihood is a note with that confidence. Each nation that approved the words has an opinion of
    its own on the report and these notes: that it agrees, and no more, for what else it thinks is not for readers.

    Args:
        release: of ATT&CK, for the ids of techniques.
        digest: of the words that the authors approved; '' where nobody has.
    """
    made = _Made(advisory)
    techniques = {row.technique: made.technique(row, release) for row in advisory.rows}
    for shown in advisory.indicators:
        made.indicator(shown)
    for measure in advisory.measures:
        course = made.add("course-of-action", name=measure.name, external_references=[_reference(measure.id)])
        for technique in measure.techniques:
            if technique in techniques:
                target = techniques[technique]
                made.add("relationship", relationship_type="mitigates", source_ref=course, target_ref=target)
    for study in advisory.studies:
        made.add(
            "grouping",
            name=study.called,
            description="\n".join(one.text for one in study.sentences),
            context="suspicious-activity",
            object_refs=sorted(techniques[one] for one in study.techniques if one in techniques) or made.authors,
        )
    parts = [one.text for part, told in advisory.parts if part != "disclaimer" for one in told]
    report = made.add(
        "report",
        name=advisory.title,
        description="\n".join(parts),
        published=made.at,
        report_types=["threat-report"],
        object_refs=[name for name, one in made.objects.items() if one["type"] != "marking-definition"],
        external_references=[{"source_name": "advisory", "external_id": advisory.number}],
    )
    assessed = [
        made.add("note", content=one.text, confidence=one.percent, object_refs=[report])
        for part, told in advisory.parts
        for one in told
        if part != "disclaimer" and one.percent is not None
    ]
    if digest and advisory.authors:
        for author in made.authors:
            said = f"Approved in these words, the digest of which is {digest}."
            made.add("opinion", by=author, opinion="agree", explanation=said, object_refs=[report, *assessed])
    return as_bundle(list(made.objects.values()))


def _reference(number: str) -> dict[str, str]:
    kind = "mitigations" if number.startswith("M") else "techniques"
    url = f"https://attack.mitre.org/{kind}/{number.replace('.', '/')}/"
    return {"source_name": _MITRE, "external_id": number, "url": url}


class _Made:
    """Objects by id, and what is common to all of them."""

    def __init__(self, advisory: Advisory) -> None:
        self.at = f"{advisory.date}T00:00:00.000Z"
        self.marking = markings.ID_OF[advisory.marking]
        self.objects: dict[str, dict[str, Any]] = {self.marking: markings.definition(advisory.marking)}
        self.authors: list[str] = []
        names = [(one.name, one.contact) for one in advisory.authors] or [("Authors who have not approved it yet", "")]
        for name, contact in names:
            named = self.add("identity", name=name, identity_class="organization", contact_information=contact)
            self.authors.append(named)

    def add(self, kind: str, *, named: str = "", by: str = "", **told: Any) -> str:
        plain = {key: value for key, value in told.items() if value not in ("", [], None)}
        who = [by] if by else self.authors[:1]
        digest = hashlib.sha256(canonical({"type": kind, "by": who, "at": self.at, **plain})).digest()
        name = named or f"{kind}--{made_id(digest)}"
        self.objects.setdefault(
            name,
            {
                "type": kind,
                "spec_version": "2.1",
                "id": name,
                **({"created_by_ref": who[0]} if who else {}),
                "created": self.at,
                "modified": self.at,
                **plain,
                "object_marking_refs": [self.marking],
            },
        )
        return name

    def technique(self, row: Row, release: Release) -> str:
        """Under the id that ATT&CK gave it, so that others see that it is the same."""
        entry = release.entries.get(row.technique)
        phases = [{"kill_chain_name": _MITRE, "phase_name": one} for one in (entry.tactics if entry else ())]
        return self.add(
            "attack-pattern",
            named=f"attack-pattern--{entry.uuid}" if entry else "",
            name=row.name,
            kill_chain_phases=phases,
            external_references=[_reference(row.technique)],
        )

    def indicator(self, one: Shown) -> str:
        """Valid from the first day on which it was seen, or else from the day of the advisory."""
        start = f"{one.first}T00:00:00.000Z" if one.first[:1].isdigit() else self.at
        return self.add(
            "indicator",
            name=one.defanged,
            pattern=_PATTERNS[one.sort].format(one.value.replace("\\", "\\\\").replace("'", "\\'")),
            pattern_type="stix",
            valid_from=start,
            indicator_types=["malicious-activity"],
        )
