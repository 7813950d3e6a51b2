"""Knowledge in, plain dictionaries of what each group is told to use out: what attribution weighs.

The form is that of the benchmark's knowledge bases: of each group and each piece of software, every id it uses with
the names of the reports that say so. A link without a citation has the source "(none)".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tocsin.model.knowledge import Knowledge
from tocsin.model.use import Use

NO_SOURCE: Final = "(none)"


def profiles(knowledge: Knowledge) -> dict[str, Any]:
    """`attack_version`, `groups` and `software`, each by id; groups that were withdrawn, or use nothing, are not there.

    Reports at one address are one source, under the name that sorts first: else a report that is cited under two
    names would count as two.
    """
    one_name = _one_name(knowledge.reports)
    return {
        "attack_version": knowledge.release,
        "groups": {
            one.id: {
                "name": one.name,
                "aliases": [one.name, *(name.text for name in one.aliases)],
                "techniques": _sources(one.techniques, one_name),
                "software": _sources(one.software, one_name),
                "campaigns": list(one.campaigns),
                "country": one.country,
                "sponsor": one.sponsor,
                "victims": list(one.victims),
                "sectors": list(one.sectors),
                "motives": list(one.motives),
                "infrastructure": list(one.infrastructure),
                "vulnerabilities": list(one.vulnerabilities),
                "languages": list(one.languages),
                "code": list(one.code),
                "hours": list(one.hours),
                "since": {use.id: use.since for uses in (one.techniques, one.software) for use in uses.values()},
            }
            for one in knowledge.groups.values()
            if one.state == "live" and (one.techniques or one.software)
        },
        "software": {
            one.id: {"name": one.name, "type": one.kind, "techniques": _sources(one.techniques, one_name)}
            for one in knowledge.software.values()
            if one.state == "live"
        },
    }


def _one_name(reports: Mapping[str, str]) -> dict[str, str]:
    first: dict[str, str] = {}
    for name in sorted(reports):
        if reports[name]:
            first.setdefault(reports[name], name)
    return {name: first.get(address, name) for name, address in reports.items()}


def _sources(uses: Mapping[str, Use], one_name: Mapping[str, str]) -> dict[str, list[str]]:
    return {
        number: sorted({one_name.get(name, name) for name in use.citations}) or [NO_SOURCE]
        for number, use in uses.items()
    }
