"""Rule files in, compiled rules out, with a reason and a line for every rule that cannot be used.

Each rule is parsed once. One bad rule never stops the others.
"""

from __future__ import annotations

import gc
import uuid
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Final, Literal, cast

from sigma.pipelines.common import windows_logsource_mapping
from sigma.pipelines.sysmon.sysmon import sysmon_generic_logsource_eventid_mapping
from sigma.pipelines.windows.windows import windows_generic_category_channel_mapping

from tocsin.detect import attack_tags, correlation_rules, logsource, prefilter, referred, rulefiles, terms
from tocsin.detect.cache import digest_of
from tocsin.detect.correlation_links import Drafted, Links, carrying, linked
from tocsin.detect.logsource import Binding, Tables
from tocsin.detect.providers import Inexact, carry_over
from tocsin.detect.rulefiles import Document, canonical_id
from tocsin.detect.terms import Allowance, Expansions, Unusable
from tocsin.detect.trees import Tree, all_of, numbered, patterns_of
from tocsin.model.mapping import Served
from tocsin.model.rule import CORRELATION, LEVELS, Level, Pattern, Rule, RuleProblem, RuleSet, RuleText, Variant

TABLES: Final = Tables(
    channels=windows_logsource_mapping,
    sysmon=cast("Mapping[str, int | Sequence[int]]", sysmon_generic_logsource_eventid_mapping),
    categories=windows_generic_category_channel_mapping,
)
STATUSES: Final = ("stable", "test", "experimental", "deprecated", "unsupported")
DEFAULT_LEVEL: Final[Level] = "medium"  # of a rule that names none
MOST_TITLE: Final = 256

_NOTHING: Final[Expansions] = MappingProxyType({})
_WITHOUT_ID: Final = uuid.UUID("5b1f4c0e-0f57-5d0e-9a83-6a1c0f0b7c11")  # the namespace of ids we give


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """A rule that was understood: what people see of it, what it asks, and where that may be found."""

    rule: Rule
    name: str
    source: tuple[str, str, str]  # category, product, service
    tree: Tree
    bindings: tuple[Binding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Filter:
    """What must hold besides, for the rules that it names and that read its log source."""

    document: Document
    source: tuple[str, str, str]
    rules: frozenset[str] | None  # ids and names; None for all
    tree: Tree


def compile_rules(
    texts: Sequence[RuleText], *, expansions: Expansions = _NOTHING, served: Sequence[Served] = ()
) -> RuleSet:
    """Compile rules; `expansions` gives the values that placeholders stand for, `served` what mappings read.

    Rules keep the order of their files. Of two rules with one id the first is used.
    """
    problems: list[RuleProblem] = []
    lost: dict[str, RuleProblem] = {}
    read: list[_Read] = []
    drafted: list[Drafted] = []
    filters: list[_Filter] = []
    with _undisturbed():
        for text in texts:
            allowance = Allowance(len(text.content), expansions)
            for document in rulefiles.read(text):
                if isinstance(document, RuleProblem):
                    problems.append(document)
                    continue
                try:
                    if "filter" in document.content:
                        filters.append(_read_filter(document, allowance))
                    elif "correlation" in document.content:
                        drafted.append(_read_correlation(document))
                    else:
                        read.append(_read_rule(document, allowance, served))
                except Unusable as fault:
                    problems.append(_problem(document, fault))
                    lost |= dict.fromkeys((problems[-1].rule_id, _text(document.content.get("name"))), problems[-1])
        read, drafted = _unique(read, drafted, problems)
        read = _filtered(read, filters, problems)
        rules, variants, patterns = _assembled(read, problems)
        links = _correlated(read, drafted, rules, lost, problems)
        providers = {(one.rule.id, each.name): each.provider for one in read for each in one.bindings}
        expressions = {number: one.text for one, number in patterns.items() if one.kind == "regex"}
        return RuleSet(
            rules=(*rules, *links.rules),
            patterns=tuple(patterns),
            variants=carrying(variants, rules, links.correlations, providers),
            correlations=links.correlations,
            quiet=tuple(sorted(referred.quiet(links.correlations))),
            problems=tuple(problems),
            digest=digest_of(texts, expansions, served=served),
            regex_database=prefilter.database(expressions),
        )


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Compile in silence and without collecting garbage, of which there is little (a fifth of the time)."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        with warnings.catch_warnings():
            # Strangers' expressions that Python finds odd are no concern of whoever runs them.
            warnings.simplefilter("ignore")
            yield
    finally:
        if collecting:
            gc.enable()


# --------------------------------------------------------------------------------- one document


def _read_rule(document: Document, allowance: Allowance, served: Sequence[Served]) -> _Read:
    content = document.content
    _title(content)
    source = log_source(content)
    detections = terms.read_detections(content.get("detection"), allowance)
    bindings = logsource.variants(*source, TABLES, served)
    if isinstance(bindings, str):
        terms.check(detections)
        raise Unusable("no reader", bindings)
    category, product, service = source
    rule = _about(document, f"{product}/{category}/{service}".rstrip("/"))
    tree = terms.tree_of(detections, allowance)
    return _Read(rule=rule, name=_text(content.get("name")), source=source, tree=tree, bindings=bindings)


def _read_correlation(document: Document) -> Drafted:
    content = document.content
    draft = correlation_rules.read(content["correlation"])
    rule = _about(document, CORRELATION)
    return Drafted(rule=rule, name=_text(content.get("name")), draft=draft, document=document)


def _about(document: Document, logsource: str) -> Rule:
    """What people see of a rule."""
    content = document.content
    tags = _texts(content.get("tags"))
    return Rule(
        id=_id(document),
        title=_title(content),
        level=_level(content.get("level")),
        status=_status(content.get("status")),
        path=document.path,
        line=document.line,
        logsource=logsource,
        description=_text(content.get("description")),
        author=_text(content.get("author")),
        references=_texts(content.get("references")),
        falsepositives=_texts(content.get("falsepositives")),
        tags=tags,
        techniques=attack_tags.techniques(tags),
        tactics=attack_tags.tactics(tags),
    )


def _title(content: Mapping[Any, Any]) -> str:
    title = content.get("title")
    if not isinstance(title, str) or not title.strip():
        raise Unusable("not sigma", "a rule needs a `title`")
    return title.strip()[:MOST_TITLE]


def _read_filter(document: Document, allowance: Allowance) -> _Filter:
    section = document.content.get("filter")
    named = section.get("rules") if isinstance(section, dict) else None
    if isinstance(named, str):
        named = [] if named.lower() == "any" else [named]
    if not isinstance(named, list):
        raise Unusable("not sigma", "a filter needs `rules`: `any`, or the ids or names of rules")
    detections = terms.read_detections(section, allowance, passed_over=("rules",))
    return _Filter(
        document=document,
        source=log_source(document.content),
        rules=frozenset(canonical_id(str(one)) for one in named) if named else None,
        tree=terms.tree_of(detections, allowance),
    )


def log_source(content: Mapping[Any, Any]) -> tuple[str, str, str]:
    section = content.get("logsource")
    if not isinstance(section, dict):
        raise Unusable("not sigma", "a rule needs a mapping `logsource`")
    parts = tuple(section.get(key) for key in ("category", "product", "service"))
    if not any(parts) or not all(part is None or isinstance(part, str) for part in parts):
        raise Unusable("not sigma", "`logsource` names a category, product or service as text", "logsource")
    category, product, service = (part or "" for part in parts)
    return category, product, service


def _level(value: object) -> Level:
    if value is None:
        return DEFAULT_LEVEL
    level = next((one for one in LEVELS if one == str(value).lower()), None)
    if level is None:
        raise Unusable("not sigma", f"the level {str(value)[:40]!r} is none of {', '.join(LEVELS)}", "level")
    return level


def _status(value: object) -> str:
    status = "" if value is None else str(value).lower()
    if status and status not in STATUSES:
        raise Unusable("not sigma", f"the status {status[:40]!r} is none of {', '.join(STATUSES)}", "status")
    return status


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _texts(value: object) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    return tuple(str(one) for one in values if one is not None)


def _id(document: Document) -> str:
    """The rule's id. One that has none, or shares that of its collection, gets one that stays the same."""
    written = document.content.get("id")
    if written is not None and (not isinstance(written, str) or not written or len(written) > 128):
        raise Unusable("not sigma", "an `id` is text, at most 128 characters", "id")
    if written is None:
        return str(uuid.uuid5(_WITHOUT_ID, f"{document.place} {document.source}"))
    if document.own_id:
        return canonical_id(written)
    return str(uuid.uuid5(_WITHOUT_ID, f"{document.place} {canonical_id(written)}"))


def _problem(document: Document, fault: Unusable) -> RuleProblem:
    title, rule_id = document.content.get("title"), document.content.get("id")
    return RuleProblem(
        path=document.path,
        line=_line(document, fault.near),
        reason=fault.reason,
        text=str(fault)[:500],
        rule_id=canonical_id(rule_id) if isinstance(rule_id, str) else "",
        title=title if isinstance(title, str) else "",
    )


def _line(document: Document, near: str) -> int:
    """The first line of the document where the text to blame stands, or where the document begins."""
    if near:
        for number, line in enumerate(document.source.split("\n")[document.line - 1 :], document.line):
            if near in line:
                return number
    return document.line


# --------------------------------------------------------------------------------- all documents


def _unique(
    read: Sequence[_Read], drafted: Sequence[Drafted], problems: list[RuleProblem]
) -> tuple[list[_Read], list[Drafted]]:
    first: dict[str, Rule] = {}
    both: tuple[_Read | Drafted, ...] = (*read, *drafted)
    for one in both:
        known = first.setdefault(one.rule.id, one.rule)
        if known is not one.rule:
            text = f"the id {one.rule.id} is that of {known.path}:{known.line}, which is used"
            problems.append(_of(one, "duplicate", text))
    return (
        [one for one in read if first[one.rule.id] is one.rule],
        [one for one in drafted if first[one.rule.id] is one.rule],
    )


def _of(one: _Read | Drafted, reason: Literal["duplicate", "unsupported"], text: str) -> RuleProblem:
    rule = one.rule
    return RuleProblem(path=rule.path, line=rule.line, reason=reason, text=text, rule_id=rule.id, title=rule.title)


def _filtered(read: Sequence[_Read], filters: Sequence[_Filter], problems: list[RuleProblem]) -> list[_Read]:
    """The rules with the conditions of the filters that apply to them."""
    found = list(read)
    for one in filters:
        applies = [place for place, rule in enumerate(found) if _applies(one, rule)]
        if not applies:
            problems.append(_problem(one.document, Unusable("not sigma", "no rule here is what it filters")))
        for place in applies:
            found[place] = replace(found[place], tree=all_of([found[place].tree, one.tree]))
    return found


def _applies(one: _Filter, rule: _Read) -> bool:
    same = all(not wanted or wanted == part for wanted, part in zip(one.source, rule.source, strict=True))
    return same and (one.rules is None or not one.rules.isdisjoint((rule.rule.id, rule.name or rule.rule.id)))


def _assembled(
    read: Sequence[_Read], problems: list[RuleProblem]
) -> tuple[list[Rule], list[Variant], dict[Pattern, int]]:
    rules: list[Rule] = []
    variants: list[Variant] = []
    patterns: dict[Pattern, int] = {}
    for one in read:
        if isinstance(one.tree, bool):
            text = f"the condition is {'always' if one.tree else 'never'} true"
            problems.append(_of(one, "unsupported", text))
            continue
        for binding in one.bindings:
            condition = _carried(one.tree, binding)
            if not isinstance(condition, bool):
                variants.append(
                    Variant(
                        rule=len(rules),
                        name=binding.name,
                        kind=binding.kind,
                        gate=numbered(binding.gate, patterns),
                        condition=numbered(condition, patterns),
                    )
                )
        rules.append(replace(one.rule, fields=_fields(one.tree)))
    return rules, variants, patterns


def _correlated(
    read: Sequence[_Read],
    drafted: Sequence[Drafted],
    rules: Sequence[Rule],
    lost: Mapping[str, RuleProblem],
    problems: list[RuleProblem],
) -> Links:
    """The correlations among the compiled rules; why the others cannot be used is added to the problems.

    `lost` are the rules that could not be read, by id and name; those that came to nothing later are known by now.
    """
    names = {one.rule.id: one.name for one in read}
    later = {key: one for one in problems for key in (one.rule_id, names.get(one.rule_id)) if key}
    lost = {**{key: one for key, one in later.items() if one.reason != "duplicate"}, **lost}
    found = linked(drafted, [(rule, names[rule.id]) for rule in rules], lost)
    problems += [_problem(one.document, fault) for one, fault in found.unusable]
    return found


def _carried(tree: Tree, binding: Binding) -> Tree:
    if binding.provider is None:
        return binding.widened(tree)
    try:
        return carry_over(tree, binding.provider)
    except Inexact:
        return False


def _fields(tree: Tree) -> tuple[str, ...]:
    found: set[str] = set()
    for one in patterns_of(tree):
        found.update(name for name in (one.field, one.text if one.kind.startswith("fieldref") else None) if name)
    return tuple(sorted(found))
