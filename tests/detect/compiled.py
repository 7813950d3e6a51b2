"""Rules as text in, what they are compiled to in a form people can read out."""

from __future__ import annotations

import zipfile
from functools import cache
from pathlib import Path
from typing import Any

from tocsin.detect import sigma
from tocsin.model.rule import All, AnyOf, Condition, Leaf, Not, RuleSet, RuleText

WINDOWS_SYSTEM = "{product: windows, service: system}"


def text_of(detection: str, *, logsource: str = WINDOWS_SYSTEM, more: str = "", title: str = "A rule") -> str:
    """A rule file around the YAML of its `detection` section."""
    section = "".join(f"    {line}\n" for line in detection.strip("\n").splitlines())
    return f"title: {title}\nlogsource: {logsource}\n{more}detection:\n{section}"


def compiled(*texts: str | bytes, **options: Any) -> RuleSet:
    contents = [text if isinstance(text, bytes) else text.encode() for text in texts]
    files = [RuleText(path=f"{place}.yml", content=content) for place, content in enumerate(contents)]
    return sigma.compile_rules(files, **options)


def shape(ruleset: RuleSet, condition: Condition) -> Any:
    """`field kind text` for a pattern, lists that begin with all, any or not for the rest."""
    match condition:
        case Leaf(place):
            one = ruleset.patterns[place]
            words = f"{one.field} {one.kind} {one.text}".rstrip()
            return f"{words} CASED" if one.cased else words
        case Not(part):
            return ["not", shape(ruleset, part)]
        case All(parts):
            return ["all", *(shape(ruleset, part) for part in parts)]
        case AnyOf(parts):
            return ["any", *(shape(ruleset, part) for part in parts)]


def asked(selection: str, **options: Any) -> Any:
    """What one selection, given as the YAML of a flow or block mapping or list, asks for."""
    ruleset = compiled(text_of(f"selection: {selection}\ncondition: selection"), **options)
    assert ruleset.problems == ()
    [variant] = ruleset.variants
    return shape(ruleset, variant.condition)


def variants(ruleset: RuleSet) -> dict[str, Any]:
    return {one.name: shape(ruleset, one.condition) for one in ruleset.variants}


def refused(*texts: str | bytes, **options: Any) -> tuple[str, int, str]:
    """The reason, line and words of the only problem."""
    [problem] = compiled(*texts, **options).problems
    return problem.reason, problem.line, problem.text


@cache
def pack(shared: Path) -> tuple[RuleText, ...]:
    with zipfile.ZipFile(shared / "corpus" / "sigma-rules.zip") as archive:
        names = [name for name in archive.namelist() if name.endswith(".yml")]
        return tuple(RuleText(path=f"sigma-rules.zip!{name}", content=archive.read(name)) for name in names)


@cache
def compiled_pack(shared: Path) -> RuleSet:
    return sigma.compile_rules(pack(shared))
