"""Rule files in, the log sources that they name out: which of them are read, and how many rules that concerns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from tocsin.detect import logsource, rulefiles, sigma
from tocsin.detect.terms import Unusable
from tocsin.model.mapping import Served
from tocsin.model.rule import RuleProblem, RuleText

State: TypeAlias = Literal["read", "mapped", "no reader"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """A log source as rules name it; parts that they leave out are empty.

    Args:
        state: `mapped` is found among events of a more general kind.
        kinds: of events that are looked at.
        reason: why there is none.
    """

    product: str
    category: str
    service: str
    rules: int
    state: State
    kinds: tuple[str, ...] = ()
    reason: str = ""


def named(texts: Iterable[RuleText], served: Sequence[Served] = ()) -> list[Named]:
    """Every log source that a rule names, those of most rules first; what is no rule is passed over."""
    counts: Counter[tuple[str, str, str]] = Counter()
    for text in texts:
        for document in rulefiles.read(text):
            if isinstance(document, RuleProblem) or not {"logsource", "detection"} <= document.content.keys():
                continue
            try:
                counts[sigma.log_source(document.content)] += 1
            except Unusable:
                continue
    ordered = sorted(counts.items(), key=lambda one: (-one[1], one[0]))
    return [_judged(*source, rules=count, served=served) for source, count in ordered]


def _judged(category: str, product: str, service: str, *, rules: int, served: Sequence[Served]) -> Named:
    bindings = logsource.variants(category, product, service, sigma.TABLES, served)
    found = () if isinstance(bindings, str) else tuple(dict.fromkeys(binding.kind for binding in bindings))
    places = logsource.places(category, product, service)
    mapped = all(place.mapped for place in places) and (
        bool(places) or (bool(found) and set(found) <= {one.kind for one in served})
    )
    return Named(
        product=product,
        category=category,
        service=service,
        rules=rules,
        state="no reader" if not found else "mapped" if mapped else "read",
        kinds=found,
        reason=bindings if isinstance(bindings, str) else "",
    )
