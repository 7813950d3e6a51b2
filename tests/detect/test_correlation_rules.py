"""Correlation rules as files have them: what is understood, what is refused, and why and where."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from detect.compiled import compiled, refused
from tocsin.detect import cache
from tocsin.detect.correlation_rules import timespan_us
from tocsin.detect.subset import subset
from tocsin.detect.terms import Unusable
from tocsin.model.correlation import Bound, Choice, Correlation
from tocsin.model.rule import RuleSet

SECOND = 1_000_000


def base(name: str, **more: Any) -> str:
    rule = {
        "title": f"Rule {name}",
        "name": name,
        "logsource": {"product": "windows", "service": "system"},
        "detection": {"s": {"EventID": 1}, "condition": "s"},
    }
    return yaml.safe_dump({**rule, **more}, sort_keys=False)


def correlation(title: str = "Together", **section: Any) -> str:
    about = {key: section.pop(key) for key in ("name", "id", "level") if key in section}
    whole = {"type": "event_count", "rules": ["a"], "timespan": "1m", "condition": {"gte": 2}, **section}
    left = {key: value for key, value in whole.items() if value is not None}
    return yaml.safe_dump({"title": title, **about, "correlation": left}, sort_keys=False)


def only(*texts: str) -> Correlation:
    ruleset = compiled(*texts)
    assert ruleset.problems == ()
    [one] = ruleset.correlations
    return one


def test_all_of_it() -> None:
    text = correlation(
        type="value_count",
        rules=["a", "b"],
        timespan="15m",
        aliases={"address": {"a": "from", "b": "to"}},
        generate=True,
        condition={"field": "User", "gt": 3, "lte": 9},
        **{"group-by": ["address", "Computer"]},
    )
    assert only(base("a"), base("b"), text) == Correlation(
        rule=2,
        type="value_count",
        parts=(0, 1),
        timespan_us=15 * 60 * SECOND,
        group_by=("address", "Computer"),
        keys=(("from", "Computer"), ("to", "Computer")),
        values=(("User",), ("User",)),
        bounds=(Bound(how="gt", text="3"), Bound(how="lte", text="9")),
        generate=True,
    )


def test_a_file_of_several_documents() -> None:
    text = "---\n".join([base("a"), correlation(level="high"), base("b")])
    ruleset = compiled(text)
    assert [(rule.title, rule.logsource, rule.line) for rule in ruleset.rules] == [
        ("Rule a", "windows//system", 1),
        ("Rule b", "windows//system", 21),
        ("Together", "correlation", 11),
    ]
    assert ruleset.rules[2].level == "high"
    assert ruleset.quiet == (0,)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1s", 1),
        ("90m", 5400),
        ("2h", 7200),
        ("3d", 259_200),
        ("2w", 1_209_600),
        ("1M", 2_629_746),
        ("1y", 31_556_952),
    ],
)
def test_timespans(text: str, seconds: int) -> None:
    assert timespan_us(text) == seconds * SECOND


@pytest.mark.parametrize("text", ["", "0s", "5", "5 m", "m", "-5m", "1h30m", "1.5h", "1D", "5min", 5, None, "٣m"])
def test_what_is_no_timespan(text: object) -> None:
    with pytest.raises(Unusable, match="timespan"):
        timespan_us(text)


def test_a_timespan_beyond_all_time_is_all_time() -> None:
    assert timespan_us("999999999y") == 1 << 60


@pytest.mark.parametrize(
    ("condition", "choices"),
    [
        (None, [((0, 1, 2), ())]),
        ("a and b and c", [((0, 1, 2), ())]),
        ("(a or b) AND NOT c", [((0,), (2,)), ((1,), (2,))]),
        ("a and not (b or c)", [((0,), (1, 2))]),
        ("a and not (b and c)", [((0,), (1,)), ((0,), (2,))]),
        ("a or b and c", [((0,), ()), ((1, 2), ())]),
        ("a and (not not b or c)", [((0, 1), ()), ((0, 2), ())]),
    ],
)
def test_temporal_conditions(condition: str | None, choices: list[tuple[tuple[int, ...], tuple[int, ...]]]) -> None:
    one = only(*map(base, "abc"), correlation(type="temporal", rules=list("abc"), condition=condition))
    assert one.choices == tuple(Choice(seen=seen, unseen=unseen) for seen, unseen in choices)


def test_an_extended_condition_names_its_rules() -> None:
    one = only(*map(base, "ab"), correlation(type="temporal_ordered", rules=None, condition="b and a"))
    assert one.parts == (1, 0)


UNUSABLE = [
    ({"type": "sum"}, "not sigma", "'sum' is none of event_count"),
    ({"type": None}, "not sigma", "none of event_count"),
    ({"rules": None}, "not sigma", "needs `rules`"),
    ({"rules": []}, "not sigma", "needs `rules`"),
    ({"rules": ["a", {}]}, "not sigma", "list of names"),
    ({"rules": [f"r{number}" for number in range(65)]}, "unsupported", "more than 64"),
    ({"rules": ["a", "nobody"]}, "not sigma", "no rule with the id or name 'nobody'"),
    ({"timespan": None}, "not sigma", "there is none"),
    ({"timespan": "soon"}, "not sigma", "'soon' is not one"),
    ({"condition": None}, "not sigma", "a mapping such as"),
    ({"condition": {}}, "not sigma", "compares nothing"),
    ({"condition": {"gte": "many"}}, "not sigma", "`gte` is a number"),
    ({"condition": {"gte": True}}, "not sigma", "`gte` is a number"),
    ({"condition": {"gte": float("nan")}}, "not sigma", "`gte` is a number"),
    ({"condition": {"gte": 0.0000001}}, "not sigma", "at most six decimals"),
    ({"condition": {"gte": 2, "about": 3}}, "not sigma", "no key about"),
    ({"condition": {"gte": 2, "field": "User"}}, "not sigma", "cannot have `field`"),
    ({"condition": "a and b"}, "not sigma", "a mapping such as"),
    ({"type": "value_sum"}, "not sigma", "needs `field`"),
    ({"type": "value_sum", "condition": {"gte": 1, "field": []}}, "not sigma", "name of a `field`"),
    ({"type": "value_avg", "condition": {"gte": 1, "field": ["x", "y"]}}, "unsupported", "more than 1"),
    ({"type": "value_percentile", "condition": {"gte": 1, "field": "x"}}, "not sigma", "needs `percentile`"),
    (
        {"type": "value_percentile", "condition": {"gte": 1, "field": "x", "percentile": 101}},
        "not sigma",
        "from 0 to 100",
    ),
    ({"generate": "yes"}, "not sigma", "`generate` is true or false"),
    ({"aliases": ["x"]}, "not sigma", "`aliases` gives"),
    ({"aliases": {"x": {"b": "y"}}}, "not sigma", "the rule 'b', which is not in `rules`"),
    ({"ordered": True}, "unsupported", "no key ordered"),
    ({"type": "temporal", "condition": "a and"}, "not sigma", "ends too early"),
    ({"type": "temporal", "condition": "a) or (a"}, "not sigma", "something left at ')'"),
    ({"type": "temporal", "condition": "(a"}, "not sigma", "not closed"),
    ({"type": "temporal", "condition": "a or or a"}, "not sigma", "name is missing before 'or'"),
    ({"type": "temporal", "condition": "a and b"}, "not sigma", "'b', which is not in `rules`"),
    ({"type": "temporal", "rules": ["a", "b"], "condition": "a"}, "not sigma", "'b', which is not in its condition"),
    ({"type": "temporal", "condition": "not a"}, "unsupported", "nothing was seen"),
    ({"type": "temporal", "condition": "a and not a"}, "unsupported", "never true"),
    ({"type": "temporal", "condition": "(" * 60 + "a" + ")" * 60}, "unsupported", "too deep"),
    ({"type": "temporal", "condition": "a" * 5000}, "unsupported", "longer than"),
    (
        {"type": "temporal", "rules": None, "condition": " and ".join(f"(a{n} or b{n})" for n in range(16))},
        "unsupported",
        "ways to hold",
    ),
]


@pytest.mark.parametrize(("section", "reason", "words"), UNUSABLE, ids=[words for _, _, words in UNUSABLE])
def test_what_cannot_be_used(section: dict[str, Any], reason: str, words: str) -> None:
    told, _, text = refused(base("a"), correlation(**section))
    assert told == reason
    assert words in text


def test_a_section_that_is_no_mapping() -> None:
    assert refused("title: x\ncorrelation: [event_count]\n")[2] == "`correlation` is a mapping"


def test_the_line_that_is_to_blame() -> None:
    text = correlation(rules=["a", "nobody"])
    assert refused(base("a"), text)[1] == text.splitlines().index("  - nobody") + 1


def test_rules_by_id_and_by_name() -> None:
    ours = "0E95725D-7320-415D-80F7-004DA920FC11"
    one = only(base("a", id=ours), base("b"), correlation(rules=[ours.lower(), "b"]))
    assert one.parts == (0, 1)


def test_a_name_means_the_rule_of_the_same_file() -> None:
    here = "---\n".join([base("a", title="Here"), correlation()])
    ruleset = compiled(base("a"), here)
    assert [ruleset.rules[part].title for part in ruleset.correlations[0].parts] == ["Here"]


def test_a_name_that_several_rules_have() -> None:
    reason, _, text = refused(base("a"), base("a", title="Another"), correlation())
    assert reason == "not sigma"
    assert "2 rules have the name 'a'" in text


def test_the_same_rule_twice() -> None:
    ours = "0e95725d-7320-415d-80f7-004da920fc11"
    assert "the same rule" in refused(base("a", id=ours), correlation(rules=[ours, "a"]))[2]


@pytest.mark.parametrize(
    ("rule", "reason", "words"),
    [
        (base("a", detection={"s": {"EventID|what": 1}, "condition": "s"}), None, "0.yml:"),
        (base("a", logsource={"product": "windows", "service": "unheard-of"}), "no reader", "its channel is not known"),
        (base("a", detection={"s": {"EventID|hour|gt": 99}, "condition": "s"}), None, "the condition is never true"),
    ],
)
def test_a_rule_that_cannot_be_used_takes_its_correlations_along(rule: str, reason: str | None, words: str) -> None:
    below, above = correlation(name="below"), correlation("Above", rules=["below"])
    ruleset = compiled(rule, below, above)
    assert ruleset.rules == ()
    first, *others = ruleset.problems
    assert [one.title for one in others] == ["Together", "Above"]
    assert "the rule 'a' it refers to cannot be used" in others[0].text
    assert words in others[0].text
    assert "the correlation 'Together' it refers to cannot be used: 1.yml:1" in others[1].text
    assert {one.reason for one in others} == {reason or first.reason}


def test_cycles_are_refused() -> None:
    ruleset = compiled(
        base("a"),
        correlation("One", name="one", rules=["two", "a"]),
        correlation("Two", name="two", rules=["one"]),
        correlation("Self", name="self", rules=["self"]),
        correlation("Above", name="above", rules=["one"]),
        correlation("Good"),
    )
    assert [rule.title for rule in ruleset.rules] == ["Rule a", "Good"]
    assert {problem.title: problem.text for problem in ruleset.problems} == {
        "One": "the correlation refers to itself, by way of 'Two', 'One'",
        "Two": "the correlation refers to itself, by way of 'One', 'Two'",
        "Self": "the correlation refers to itself, by way of 'Self'",
        "Above": "the correlation refers to correlations that refer to themselves: 'Two', 'One'",
    }


def test_a_long_chain_in_the_wrong_order() -> None:
    chain = [correlation(f"C{n}", name=f"c{n}", rules=[f"c{n + 1}" if n < 1999 else "a"]) for n in range(2000)]
    ruleset = compiled("---\n".join([*chain, base("a")]))
    assert ruleset.problems == ()
    seen = {0}
    for one in ruleset.correlations:
        assert seen.issuperset(one.parts)
        seen.add(one.rule)


def test_two_correlations_of_one_id() -> None:
    ours = "0e95725d-7320-415d-80f7-004da920fc11"
    ruleset = compiled(base("a"), correlation(id=ours), correlation("Other", id=ours))
    assert [problem.reason for problem in ruleset.problems] == ["duplicate"]
    assert len(ruleset.correlations) == 1


def titles(ruleset: RuleSet, numbers: Any) -> set[str]:
    return {ruleset.rules[number].title for number in numbers}


def test_rules_that_a_correlation_refers_to_are_quiet_unless_it_generates_them() -> None:
    ruleset = compiled(
        *map(base, "abc"),
        correlation("One", rules=["a", "b"]),
        correlation("Two", name="two", rules=["b"], generate=True),
        correlation("Three", rules=["two"]),
    )
    assert titles(ruleset, ruleset.quiet) == {"Rule a", "Two"}


def test_a_correlation_that_cannot_be_used_silences_nobody() -> None:
    assert compiled(base("a"), correlation(timespan="soon")).quiet == ()


def test_what_events_bring_along() -> None:
    ruleset = compiled(
        base("a"),
        base("b"),
        correlation(
            "Low",
            name="low",
            rules=["a"],
            aliases={"who": {"a": "User"}},
            **{"group-by": ["who", "Computer"]},
        ),
        correlation(
            "High", rules=["low", "b"], type="temporal", condition=None, **{"group-by": ["who", "Computer", "Port"]}
        ),
    )
    assert [variant.carry for variant in ruleset.variants] == [
        (("Computer", "Computer"), ("Port", "Port"), ("User", "User")),
        (("Computer", "Computer"), ("Port", "Port"), ("who", "who")),
    ]


def test_what_events_bring_along_has_the_name_that_their_log_gives_it() -> None:
    rule = base(
        "a",
        logsource={"product": "windows", "category": "process_creation"},
        detection={"s": {"Image|endswith": "\\x.exe"}, "condition": "s"},
    )
    ruleset = compiled(rule, correlation(**{"group-by": ["Image", "User", "Computer", "Unheard"]}))
    assert {variant.name: dict(variant.carry) for variant in ruleset.variants} == {
        **{one: {name: name for name in ("Image", "User", "Computer", "Unheard")} for one in ("sysmon", "defender")},
        "security": {
            "Image": "NewProcessName",
            "User": "SubjectUserName",
            "Computer": "Computer",
            "Unheard": "Unheard",
        },
    }


def test_a_choice_of_rules_brings_what_they_refer_to() -> None:
    ruleset = compiled(
        *map(base, "abc"), correlation("Low", name="low", rules=["b"]), correlation("High", rules=["low"])
    )
    high = next(number for number, rule in enumerate(ruleset.rules) if rule.title == "High")
    few = subset(ruleset, [2, high])
    assert [rule.title for rule in few.rules] == ["Rule c", "High", "Low", "Rule b"]
    assert [(one.rule, one.parts) for one in few.correlations] == [(2, (3,)), (1, (2,))]
    assert few.quiet == (2, 3)
    assert [variant.rule for variant in few.variants] == [3, 0]


def test_what_is_compiled_can_be_kept() -> None:
    ruleset = compiled(*map(base, "ab"), correlation(type="temporal", rules=["a", "b"], condition="a and not b"))
    assert cache._decoder.decode(cache._encoder.encode(ruleset)) == ruleset
