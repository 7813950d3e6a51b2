from __future__ import annotations

import base64
import collections
import subprocess
import sys
import time
import uuid
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from detect.compiled import asked, compiled, compiled_pack, pack, refused, shape, text_of, variants
from tocsin.detect import sigma
from tocsin.model.rule import All, AnyOf, Condition, Leaf, Not

# --------------------------------------------------------------------------------- values and wildcards


@pytest.mark.parametrize(
    ("selection", "wanted"),
    [
        ("{F: Value}", "F equals value"),
        ("{F: ''}", "F equals"),
        ("{F: null}", "F null"),
        ("{F: []}", "F null"),
        ("{F: 5}", "F equals 5"),
        ("{F: 0x10}", "F equals 16"),
        ("{F: 5.0}", "F equals 5"),
        ("{F: 1.5}", "F equals 1.5"),
        ("{F: true}", "F equals true"),
        ("{F: 'True'}", "F equals true"),
        ("{F: '*'}", "F wildcard *"),
        ("{F: '**'}", "F wildcard *"),
        ("{F|contains: ''}", "F wildcard *"),
        ("{F: '?'}", "F wildcard ?"),
        ("{F: 'a*'}", "F startswith a"),
        ("{F: '*a'}", "F endswith a"),
        ("{F: '*a*'}", "F contains a"),
        ("{F: 'a*b'}", "F wildcard a*b"),
        ("{F: '*?a'}", "F wildcard ?*a"),
        (r"{F: 'a\*b'}", "F equals a*b"),
        (r"{F: 'a\?b*c'}", r"F wildcard a\?b*c"),
        (r"{F: 'a\\*'}", "F startswith a\\"),
        (r"{F: 'c:\dir\file'}", r"F equals c:\dir\file"),
        (r"{F: 'c:\dir\*\file'}", r"F equals c:\dir*\file"),
        (r"{F: 'c:\dir\\*\file'}", r"F wildcard c:\\dir\\*\\file"),
        (r"{F: '\\\\server\x'}", r"F equals \\server\x"),
        ("{F: [a, B]}", ["any", "F equals a", "F equals b"]),
        ("{F: [a, A]}", "F equals a"),
        ("{F: a, G: b}", ["all", "F equals a", "G equals b"]),
        ("[{F: a}, {G: b, H: c}]", ["any", "F equals a", ["all", "G equals b", "H equals c"]]),
        ("[[{F: a}, {G: b}], {H: c}]", ["any", "F equals a", "G equals b", "H equals c"]),
    ],
)
def test_values(selection: str, wanted: Any) -> None:
    assert asked(selection) == wanted


def test_case_is_folded_text_by_text() -> None:
    # Over the whole text the first sigma would be one inside a word.
    assert asked("{F: 'ΑΣ*Σ'}") == "F wildcard ας*σ"
    assert asked("{F: 'İ'}") == "F equals i̇"


# --------------------------------------------------------------------------------- modifiers


def b64(content: bytes) -> str:
    return base64.b64encode(content).decode().lower()


@pytest.mark.parametrize(
    ("selection", "wanted"),
    [
        ("{F|contains: A}", "F contains a"),
        ("{F|startswith: A}", "F startswith a"),
        ("{F|endswith: A}", "F endswith a"),
        ("{F|contains: 'a*b'}", "F wildcard *a*b*"),
        ("{F|contains|all: [a, b]}", ["all", "F contains a", "F contains b"]),
        ("{F|all: ['*a*', '*b']}", ["all", "F contains a", "F endswith b"]),
        ("{F|cased: Ab}", "F equals Ab CASED"),
        ("{F|contains|cased: Ab}", "F contains Ab CASED"),
        ("{F|cased|contains: Ab}", "F contains Ab CASED"),
        ("{F|cased: 'A*b'}", "F wildcard A*b CASED"),
        ("{F|neq: a}", ["not", "F equals a"]),
        ("{F|neq: [a, b]}", ["not", ["any", "F equals a", "F equals b"]]),
        ("{F|contains|neq: a}", ["not", "F contains a"]),
        ("{F|lt: 5}", "F lt 5"),
        ("{F|lte: 5.5}", "F lte 5.5"),
        ("{F|gt: -1}", "F gt -1"),
        ("{F|gte: 5}", "F gte 5"),
        ("{F|exists: true}", "F exists"),
        ("{F|exists: false}", ["not", "F exists"]),
        ("{F|cidr: 10.0.0.0/8}", "F cidr 10.0.0.0/8"),
        ("{F|cidr: '2001:DB8:0:0::/32'}", "F cidr 2001:db8::/32"),
        ("{F|fieldref: Other}", "F fieldref Other"),
        ("{F|fieldref|contains: Other}", "F fieldref_contains Other"),
        ("{F|fieldref|startswith: Other}", "F fieldref_startswith Other"),
        ("{F|fieldref|endswith: Other}", "F fieldref_endswith Other"),
        ("{F|minute: 5}", "F minute 5"),
        ("{F|hour: 5}", "F hour 5"),
        ("{F|day: 5}", "F day 5"),
        ("{F|week: 5}", "F week 5"),
        ("{F|month: 5}", "F month 5"),
        ("{F|year: 2024}", "F year 2024"),
        ("{F|hour|gte: 22}", ["any", "F hour 22", "F hour 23"]),
        ("{F|hour|lt: 2}", ["any", "F hour 0", "F hour 1"]),
        (r"{F|re: 'A.*\d'}", r"F regex A.*\d"),
        ("{F|re: ['a', 'B']}", ["any", "F regex a", "F regex B"]),
        ("{F|re|i: A}", "F regex (?i)A"),
        ("{F|re|m|s|i: A}", "F regex (?ims)A"),
        ("{F|re|ignorecase|multiline|dotall: A}", "F regex (?ims)A"),
        ("{F|re|s: '(?i)A'}", "F regex (?is)A"),
        ("{F|wide: ab}", "F equals a\0b\0"),
        ("{F|utf16le: ab}", "F equals a\0b\0"),
        ("{F|utf16be: ab}", "F equals \0a\0b"),
        ("{F|utf16: ab}", "F equals \ufeffa\0b\0"),
        ("{F|wide|contains: 'a*b'}", "F wildcard *a\0*b\0*"),
        ("{F|base64: foo}", f"F equals {b64(b'foo')}"),
        ("{F|base64|contains: foo}", f"F contains {b64(b'foo')}"),
        ("{F|base64|cased: foo}", "F equals Zm9v CASED"),
        ("{F|wide|base64: fé}", f"F equals {b64('fé'.encode('utf-16-le'))}"),
        ("{F|utf16be|base64: fé}", f"F equals {b64('fé'.encode('utf-16-be'))}"),
        (r"{F|base64: 'a\*'}", f"F equals {b64(b'a*')}"),
        ("{F|base64offset|contains: foo}", ["any", "F contains zm9v", "F contains zvb", "F contains mb2"]),
        (
            "{F|windash: ' -a'}",
            ["any", "F equals  -a", "F equals  /a", "F equals  –a", "F equals  —a", "F equals  ―a"],
        ),
        ("{F|contains|windash: a-b}", "F contains a-b"),
    ],
)
def test_modifiers(selection: str, wanted: Any) -> None:
    assert asked(selection) == wanted


def test_expansions_are_alternatives_even_where_all_must_hold() -> None:
    wanted = ["all", ["any", *(f"F contains {dash}a" for dash in "-/–—―")], "F contains b"]
    assert asked("{F|contains|all|windash: ['-a', b]}") == wanted


def test_windash_keeps_case() -> None:
    assert asked("{F|cased|windash: '-A'}") == ["any", *(f"F equals {dash}A CASED" for dash in "-/–—―")]


@pytest.mark.parametrize("place", [0, 1, 2])
@pytest.mark.parametrize("text", ["fo", "foo", "fooo", "é", "a*b"])
def test_base64offset_finds_the_text_wherever_it_stands(place: int, text: str) -> None:
    escaped = text.replace("*", "\\*")
    found = asked(f"{{F|base64offset|cased: '{escaped}'}}")
    texts = [one.removeprefix("F equals ").removesuffix(" CASED") for one in found[1:]]
    for tail in (b"", b"x", b"xyz"):
        encoded = base64.b64encode(b"x" * place + text.encode() + tail).decode()
        assert texts[place] in encoded


def test_utf16_has_its_mark_in_bytes() -> None:
    marked = b64(b"\xff\xfe" + "foo".encode("utf-16-le"))
    assert f"F equals {marked}" in asked("{F|utf16|base64: foo}")


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("F|contins", "a", "unsupported"),
        ("F|contains|contains", "a", "unsupported"),
        ("F|base64", "'a*'", "not sigma"),
        ("F|re", "'('", "unsupported"),
        ("F|re", "5", "not sigma"),
        ("F|re", r"'\p{L}'", "unsupported"),
        ("F|cidr", "10.0.0.1/8", "not sigma"),
        ("F|lt", "abc", "not sigma"),
        ("F|exists", "abc", "not sigma"),
        ("F|contains", "5", "not sigma"),
        ("F", "{a: b}", "not sigma"),
        ("F", "2024-01-01", "not sigma"),
        ("5", "a", "not sigma"),
        ("F|expand|base64", "'%a%'", "not sigma"),
        ("F|expand", "'%a%'", "placeholder"),
    ],
)
def test_what_cannot_be_asked_is_told_with_its_line(key: str, value: str, reason: str) -> None:
    found = refused(text_of(f"selection:\n    G: 1\n    {key}: {value}\ncondition: selection"))
    assert found[:2] == (reason, 6)


# --------------------------------------------------------------------------------- placeholders


def test_placeholders() -> None:
    lists = {"users": ["Bob", "al*"], "hosts": ["h1"]}
    wanted = ["any", "F equals bob", "F startswith al"]
    assert asked("{F|expand: '%users%'}", expansions=lists) == wanted
    wanted = ["any", "F contains bob@h1", "F wildcard *al*@h1*"]
    assert asked("{F|contains|expand: '%users%@%hosts%'}", expansions=lists) == wanted
    wanted = ["all", ["any", "F equals bob", "F startswith al"], "F equals c"]
    assert asked("{F|expand|all: ['%users%', c]}", expansions=lists) == wanted
    assert asked("{F|re|expand: '^%hosts%$'}", expansions=lists) == "F regex ^h1$"
    assert asked("{F: '%users%'}") == "F equals %users%"


def test_a_placeholder_without_values_is_named() -> None:
    reason, _, words = refused(text_of("selection: {F|expand: '%users%'}\ncondition: selection"))
    assert (reason, "%users%" in words) == ("placeholder", True)


def test_placeholders_do_not_multiply_without_bound() -> None:
    many = {"a": [str(number) for number in range(1000)]}
    text = text_of("selection: {F|expand: '%a%%a%%a%'}\ncondition: selection")
    assert refused(text, expansions=many)[0] == "unsupported"


# --------------------------------------------------------------------------------- keywords


@pytest.mark.parametrize(
    ("selection", "wanted"),
    [
        ("Mimi", "None contains mimi"),
        ("[a, 5]", ["any", "None contains a", "None contains 5"]),
        ("['a*b']", "None wildcard *a*b*"),
        ("['*a*']", "None contains a"),
        ("{'|all': [a, b]}", ["all", "None contains a", "None contains b"]),
        ("{'|cased': Ab}", "None contains Ab CASED"),
        ("{'|re': 'a+'}", "None regex a+"),
        (
            "{'|base64offset|contains': foo}",
            ["any", *(f"None contains {one}" for one in ("zm9v", "zvb", "mb2"))],
        ),
    ],
)
def test_keywords(selection: str, wanted: Any) -> None:
    assert asked(selection) == wanted


# --------------------------------------------------------------------------------- conditions


@pytest.mark.parametrize(
    ("condition", "wanted"),
    [
        ("sel_a or sel_b and not other", ["any", "A equals 1", ["all", "B equals 1", ["not", "C equals 1"]]]),
        ("(sel_a or sel_b) and other", ["all", ["any", "A equals 1", "B equals 1"], "C equals 1"]),
        ("1 of sel_*", ["any", "A equals 1", "B equals 1"]),
        ("all of sel_*", ["all", "A equals 1", "B equals 1"]),
        ("1 of them", ["any", "A equals 1", "B equals 1", "C equals 1"]),
        ("all of them", ["all", "A equals 1", "B equals 1", "C equals 1"]),
        ("any of sel_*", ["any", "A equals 1", "B equals 1"]),
        ("not (not sel_a)", "A equals 1"),
        ("sel_a and (sel_b and other)", ["all", "A equals 1", "B equals 1", "C equals 1"]),
        ("sel_a and not 1 of none_*", "A equals 1"),
        ("[sel_a, sel_b]", ["any", "A equals 1", "B equals 1"]),
    ],
)
def test_conditions(condition: str, wanted: Any) -> None:
    text = text_of(f"sel_a: {{A: 1}}\nsel_b: {{B: 1}}\nother: {{C: 1}}\ncondition: {condition}")
    assert variants(compiled(text)) == {"": wanted}


@pytest.mark.parametrize(
    ("condition", "reason"),
    [
        ("sel and missing", "not sigma"),
        ("sel and 1 of missing_*", "not sigma"),
        ("sel | count() > 5", "unsupported"),
        ("sel and", "not sigma"),
        ("(sel", "not sigma"),
        ("''", "not sigma"),
        ("5", "not sigma"),
        ("{a: b}", "not sigma"),
        ("not 1 of missing_*", "unsupported"),
        (f"{'not ' * 3000}sel", "unsupported"),
        (" or ".join(["sel"] * 10_000), "unsupported"),
    ],
)
def test_conditions_that_say_nothing(condition: str, reason: str) -> None:
    began = time.process_time()
    assert refused(text_of(f"sel: {{A: 1}}\ncondition: {condition}"))[0] == reason
    assert time.process_time() - began < 5


def test_a_condition_can_nest_deeply_but_not_endlessly() -> None:
    nested = "sel"
    for _ in range(40):
        nested = f"not (sel and {nested})"
    assert compiled(text_of(f"sel: {{A: 1}}\ncondition: {nested}")).problems == ()
    for _ in range(400):
        nested = f"not (sel and {nested})"
    assert refused(text_of(f"sel: {{A: 1}}\ncondition: {nested}"))[0] == "unsupported"


# --------------------------------------------------------------------------------- files and collections

RULE = """title: T{0}
id: {1}
logsource: {{product: windows, service: system}}
detection:
  s: {{A: {0}}}
  condition: s
"""
FIRST, SECOND = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"


def test_one_bad_document_stops_no_other() -> None:
    text = RULE.format(1, FIRST) + "---\ntitle: bad\n---\n" + RULE.format(2, SECOND) + "---\n- list\n---\n---\n5\n"
    ruleset = compiled(text, b"\xff\xfe\x00", "a: [", "")
    assert [(rule.title, rule.line) for rule in ruleset.rules] == [("T1", 1), ("T2", 10)]
    assert [(one.path, one.line, one.reason) for one in ruleset.problems] == [
        ("0.yml", 8, "not sigma"),
        ("0.yml", 17, "not sigma"),
        ("0.yml", 20, "not sigma"),
        ("1.yml", 1, "not yaml"),
        ("2.yml", 2, "not yaml"),
        ("3.yml", 1, "not sigma"),
    ]


def test_the_part_of_a_file_before_an_error_is_used() -> None:
    ruleset = compiled(RULE.format(1, FIRST) + "---\ntitle: x\n  bad: y\n")
    assert [rule.id for rule in ruleset.rules] == [FIRST]
    assert [(one.reason, one.line) for one in ruleset.problems] == [("not yaml", 9)]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_encodings(encoding: str) -> None:
    text = RULE.format("é", FIRST).encode(encoding)
    assert [rule.title for rule in compiled(text).rules] == ["Té"]


def test_global_parts_are_merged() -> None:
    text = """
action: global
title: Shared
id: 11111111-1111-4111-8111-111111111111
level: high
logsource: {product: windows}
detection: {condition: s}
---
logsource: {service: system}
detection: {s: {A: 1}}
---
logsource: {service: security}
detection: {s: {B: 1}}
---
action: repeat
detection: {s: {C: 1}}
---
action: reset
---
title: Alone
logsource: {product: windows}
detection: {s: {D: 1}, condition: s}
---
action: nonsense
"""
    ruleset = compiled(text)
    conditions = [shape(ruleset, variant.condition) for variant in ruleset.variants]
    assert conditions == ["A equals 1", "B equals 1", ["all", "B equals 1", "C equals 1"], "D equals 1"]
    assert [rule.title for rule in ruleset.rules] == ["Shared", "Shared", "Shared", "Alone"]
    assert len({rule.id for rule in ruleset.rules}) == 4
    assert [rule.logsource for rule in ruleset.rules] == [
        "windows//system",
        "windows//security",
        "windows//security",
        "windows",
    ]
    assert [(one.reason, one.line) for one in ruleset.problems] == [("not sigma", 24)]


def test_of_two_rules_with_one_id_the_first_is_used() -> None:
    ruleset = compiled(RULE.format(1, FIRST), RULE.format(2, FIRST.upper()))
    assert [rule.title for rule in ruleset.rules] == ["T1"]
    [problem] = ruleset.problems
    assert (problem.reason, problem.path, problem.rule_id) == ("duplicate", "1.yml", FIRST)
    assert "0.yml:1" in problem.text


def test_a_rule_without_id_gets_one_that_stays() -> None:
    text = text_of("s: {A: 1}\ncondition: s")
    one, same, other = compiled(text), compiled(text), compiled(text + "# more\n")
    assert one.rules[0].id == same.rules[0].id != other.rules[0].id
    assert str(uuid.UUID(one.rules[0].id)) == one.rules[0].id


FILTER = """title: f
logsource: {{product: windows}}
filter:
  rules: {0}
  known: {{U: bob}}
  condition: not known
"""


@pytest.mark.parametrize("rules", ["any", "[]", f"[{FIRST}, other]", FIRST, "[called]"])
def test_filters_apply_to_the_rules_they_name(rules: str) -> None:
    named = RULE.format(1, FIRST) + "name: called\n"
    ruleset = compiled(FILTER.format(rules), named)
    assert variants(ruleset) == {"": ["all", "A equals 1", ["not", "U equals bob"]]}
    assert ruleset.rules[0].fields == ("A", "U")
    assert ruleset.problems == ()


def test_a_filter_that_filters_nothing_is_told() -> None:
    other = FILTER.format("any").replace("windows", "linux")
    ruleset = compiled(RULE.format(1, FIRST), FILTER.format(SECOND), other, FILTER.format("5"), FILTER.format("null"))
    assert variants(ruleset) == {"": "A equals 1"}
    assert [one.reason for one in ruleset.problems] == ["not sigma"] * 4


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "{a: " * 100_000,
        "- " * 100_000 + "a",
        "a:\n" + "".join(" " * depth + "a:\n" for depth in range(1, 2000)),
        "x: &a [1]\ny: *a\nz: *missing\n",
        "&a [*a]",
        "!!python/object/apply:os.system ['true']",
        "!!binary 5",
        "a: 2024-13-45",
        "a: " + "9" * 5000,
        "a: 1\na: 2",
        "{[1]: 2}",
        "? {a: b}\n: c",
        "\x01",
        "a: \t- b",
        "%YAML 9.9\n---\na: b",
        "a" * (5 << 20),
    ],
    ids=lambda text: repr(text[:24]),
)
def test_hostile_yaml_is_a_problem_and_nothing_more(text: str) -> None:
    began = time.process_time()
    ruleset = compiled(text, RULE.format(1, FIRST))
    assert [one.path for one in ruleset.problems] == ["0.yml"]
    assert len(ruleset.rules) == 1
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    "loaded",
    [RULE.format(1, FIRST), "title: t\nfalsepositives: &a [x]\nreferences: *a\n" + RULE.format(1, FIRST)[9:]],
)
def test_aliases_are_fine_in_small(loaded: str) -> None:
    assert compiled(loaded).problems == ()


def test_aliases_do_not_multiply() -> None:
    laughs = "a0: &a0 [x, x]\n" + "".join(
        f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 9)}]\n" for level in range(1, 11)
    )
    began = time.process_time()
    reason, line, words = refused(laughs + text_of("s: [*a10]\ncondition: s"))
    assert (reason, "aliases" in words) == ("not yaml", True)
    assert line <= 11
    assert time.process_time() - began < 5


def test_a_value_does_not_multiply() -> None:
    dashes = " -a" * 30
    reason, line, _ = refused(text_of(f"s:\n    F|contains|windash: '{dashes}'\ncondition: s"))
    assert (reason, line) == ("unsupported", 5)


def test_expressions_of_strangers_cause_no_warning() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert asked("{F|re: '[[a]b]'}") == "F regex [[a]b]"


# --------------------------------------------------------------------------------- what people see of a rule


def test_metadata() -> None:
    more = """
id: 11111111-1111-4111-8111-111111111111
level: HIGH
status: test
description: What it does
author: Somebody
references: [https://example.org/a]
falsepositives: Administrators
date: not a date
tags: [attack.t1059.001, attack.T1003, attack.defense_evasion, attack.g0016, attack.execution, cve.1, odd]
"""
    text = text_of(
        "s: {B|contains: x, A|fieldref: C, 'D': null}\nk: [word]\ncondition: s or k", more=more.strip() + "\n"
    )
    [rule] = compiled(text).rules
    assert (rule.id, rule.title, rule.level, rule.status) == (FIRST, "A rule", "high", "test")
    assert (rule.path, rule.line, rule.logsource) == ("0.yml", 1, "windows//system")
    assert (rule.description, rule.author) == ("What it does", "Somebody")
    assert (rule.references, rule.falsepositives) == (("https://example.org/a",), ("Administrators",))
    assert rule.tags[-2:] == ("cve.1", "odd")
    assert rule.techniques == ("T1059.001", "T1003")
    assert rule.tactics == ("defense-evasion", "execution")
    assert rule.fields == ("A", "B", "C", "D")


def test_a_rule_that_names_no_level_has_the_middle_one() -> None:
    [rule] = compiled(text_of("s: {A: 1}\ncondition: s")).rules
    assert (rule.level, rule.status) == ("medium", "")


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (text_of("s: {A: 1}\ncondition: s", more="level: fatal\n"), 3),
        (text_of("s: {A: 1}\ncondition: s", more="status: odd\n"), 3),
        (text_of("s: {A: 1}\ncondition: s", more="id: 5\n"), 3),
        (text_of("s: {A: 1}\ncondition: s", title="''"), 1),
        (text_of("s: {A: 1}\ncondition: s", logsource="windows"), 1),
        (text_of("s: {A: 1}\ncondition: s", logsource="{definition: x}"), 2),
        (text_of("s: {A: 1}\ncondition: s", logsource="{product: [windows]}"), 2),
        (text_of("s: {A: 1}"), 1),
        (text_of("condition: s"), 4),
        (text_of("s: {}\ncondition: s"), 5),
        ("title: x\nlogsource: {product: windows}\ndetection: [a]\n", 1),
        ("title: x\nlogsource: {product: windows}\n", 1),
    ],
)
def test_what_every_rule_needs(text: str, line: int) -> None:
    assert refused(text)[:2] == ("not sigma", line)


# --------------------------------------------------------------------------------- the public pack


def test_the_public_pack(shared: Path) -> None:
    ruleset = compiled_pack(shared)
    assert len(pack(shared)) == 3780
    assert len(ruleset.rules) == 3753
    assert collections.Counter(one.reason for one in ruleset.problems) == {
        "no reader": 2,
        "placeholder": 25,
    }
    assert collections.Counter(one.name for one in ruleset.variants if one.kind == "windows") == {
        "sysmon": 1754,
        "security": 1633,
        "": 1104,
        "defender": 9,
    }
    assert len({one.kind for one in ruleset.variants}) == 28
    assert len(ruleset.patterns) == len(set(ruleset.patterns))
    assert ruleset.regex_database


def leaves(condition: Condition) -> Iterator[int]:
    match condition:
        case Leaf(place):
            yield place
        case Not(part):
            yield from leaves(part)
        case All(parts) | AnyOf(parts):
            for part in parts:
                yield from leaves(part)


def test_patterns_are_all_used_and_all_there(shared: Path) -> None:
    ruleset = compiled_pack(shared)
    found = {leaf for one in ruleset.variants for tree in (one.gate, one.condition) for leaf in leaves(tree)}
    assert found == set(range(len(ruleset.patterns)))


def test_compiling_twice_is_the_same(shared: Path) -> None:
    some = pack(shared)[::40]
    assert sigma.compile_rules(some) == sigma.compile_rules(some)


def test_nothing_of_pysigma_is_changed() -> None:
    ask = (
        "import sigma.modifiers, sigma.rule.detection as d; before = dict(sigma.modifiers.modifier_mapping)\n"
        "from tocsin.detect import sigma as ours; ours.compile_rules([])\n"
        "assert dict(sigma.modifiers.modifier_mapping) == before and 'utf16le' not in before\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", ask], check=True, timeout=60)
