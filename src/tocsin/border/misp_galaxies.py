"""What STIX names by ATT&CK's ids in, the clusters and tags of MISP's galaxies that mean the same out; and back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tocsin.border.tally import text

# Type of STIX: name of the galaxy, its id as the MISP project publishes it, and the letter of ATT&CK's ids.
GALAXIES: Final[Mapping[str, tuple[str, str, str, str]]] = {
    "attack-pattern": ("mitre-attack-pattern", "c4e851fa-775f-11e7-8163-b774922098cd", "T", "Attack Pattern"),
    "course-of-action": ("mitre-course-of-action", "6fcb4472-6de4-11e7-b5f7-37771619e14e", "M", "Course of Action"),
    "intrusion-set": ("mitre-intrusion-set", "1023f364-7831-11e7-8318-43b5531983ab", "G", "Intrusion Set"),
    "malware": ("mitre-malware", "d752161c-78f6-11e7-a0ea-bfa79b407ce4", "S", "Malware"),
    "tool": ("mitre-tool", "d5cbd1a2-78f6-11e7-a833-7b9bccca9649", "S", "Tool"),
}
_TAG: Final = re.compile(r'misp-galaxy:([a-z0-9-]+)="(.+)"')
_NUMBERED: Final = re.compile(r"(?:(.+) - )?([TGSM]\d{4}(?:\.\d{3})?)")
_BY_NAME: Final = {name: kind for kind, (name, *_) in GALAXIES.items()} | {"threat-actor": "threat-actor"}


@dataclass(frozen=True, slots=True)
class Cluster:
    """An entry of a galaxy: what STIX calls its type, its name and its number at ATT&CK."""

    kind: str
    name: str
    number: str
    uuid: str = ""

    @property
    def value(self) -> str:
        return f"{self.name} - {self.number}" if self.number and self.number != self.name else self.name

    @property
    def tag(self) -> str:
        galaxy = GALAXIES[self.kind][0] if self.kind in GALAXIES else self.kind
        value = self.value.replace('"', "'")
        return f'misp-galaxy:{galaxy}="{value}"'


def cluster(one: Mapping[str, Any]) -> Cluster | None:
    """The entry that an object of STIX stands for; None where it says no number of ATT&CK's."""
    kind = str(one.get("type"))
    if kind not in GALAXIES or not (name := text(one.get("name"))):
        return None
    references = one.get("external_references")
    for each in references if isinstance(references, list) else ():
        number = text(each.get("external_id"), 20) if isinstance(each, dict) else ""
        if re.fullmatch(GALAXIES[kind][2] + r"\d{4}(?:\.\d{3})?", number):
            return Cluster(kind, name, number, str(one.get("id")).partition("--")[2])
    return None


def of_tag(tag: str) -> Cluster | None:
    """The entry that a tag names; None where it is no tag of a galaxy that is known here."""
    found = _TAG.fullmatch(tag.strip())
    if found is None or found[1] not in _BY_NAME:
        return None
    numbered = _NUMBERED.fullmatch(found[2])
    name, number = (numbered[1] or numbered[2], numbered[2]) if numbered else (found[2], "")
    return Cluster(_BY_NAME[found[1]], name, number)


def told(clusters: Iterable[Cluster]) -> list[dict[str, Any]]:
    """Galaxies with their clusters, as an event holds them."""
    found: dict[str, list[Cluster]] = {}
    for one in clusters:
        found.setdefault(one.kind, []).append(one)
    return [
        {
            "uuid": GALAXIES[kind][1],
            "name": GALAXIES[kind][3],
            "type": GALAXIES[kind][0],
            "namespace": "mitre-attack",
            "description": GALAXIES[kind][3],
            "GalaxyCluster": [
                {
                    "uuid": one.uuid,
                    "type": GALAXIES[kind][0],
                    "value": one.value,
                    "tag_name": one.tag,
                    "description": "",
                    "meta": {"external_id": [one.number]},
                }
                for one in some
            ],
        }
        for kind, some in found.items()
    ]
