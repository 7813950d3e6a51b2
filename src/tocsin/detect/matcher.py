"""Compiled rules and Events in, for each rule the rows it holds for out: decided per distinct value, never per event.

1. A rule's gate (its log source) gives the rows it can hold for; gates are few and shared.
2. Each field's distinct values are searched once for all literals of all rules.
3. A condition is folded: what looks at one field only is a set of that field's values. Most rules die here.
4. The others filter their gate's rows, the cheap parts first. Regular expressions, comparisons and networks
   are tried on the values of the rows that are left; keywords and long text on the rows themselves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial

import hyperscan
import numpy as np
import numpy.typing as npt

from tocsin.detect.literals import Literals, glob_literals, is_literal
from tocsin.detect.needs import collect_patterns, during, fields_in
from tocsin.detect.nodes import Among, And, Mask, Neg, Node, Or, Try, cost
from tocsin.detect.predicates import GaveUp, Predicate, any_of_texts, any_text, fields_agree, predicate, texts_of
from tocsin.detect.rawtext import RawSearch, whole_of
from tocsin.detect.views import SIGN, VIEWS, made
from tocsin.model.event import NULL, Codes, Column, Events, Longs
from tocsin.model.rule import All, AnyOf, Condition, Leaf, Not, Pattern, RuleSet

# Long and nearly unique text that few rules read: it stays in the raw record until rows are left to look at.
LEFT_IN_RAW = frozenset({"Message", "message"})
_MOST_GIVEN_UP = 100  # values of one table, for each regular expression: the rest is counted, not tried
_UNKNOWN, _FALSE, _TRUE = 0, 1, 2


@dataclass(slots=True)
class Matches:
    """What a scan found.

    Args:
        rows: (variant, rows in order), in the order of variants.
        gates: rows that each gate let through, by gate.
        gave_up: values on which a regular expression took too long, or was not tried after many such, by pattern.
        outside: by rule, rows it holds for at a time when it is not to be looked for.
    """

    rows: list[tuple[int, Longs]] = field(default_factory=list)
    gates: list[Longs] = field(default_factory=list)
    gave_up: Counter[int] = field(default_factory=Counter)
    outside: Counter[int] = field(default_factory=Counter)


class Detector:
    """Rules, ready to be matched with any number of Events."""

    def __init__(self, rules: RuleSet) -> None:
        self.rules = rules
        gates: dict[tuple[str, Condition], int] = {}
        self.gate_of = [gates.setdefault((variant.kind, variant.gate), len(gates)) for variant in rules.variants]
        self.gates = list(gates)
        self._by_gate: list[list[int]] = [[] for _ in gates]
        for number, gate in enumerate(self.gate_of):
            self._by_gate[gate].append(number)
        # Two fields are compared by their columns, and correlations group by them.
        carried = {name for variant in rules.variants for _, name in variant.carry}
        compared = fields_in(one for one in rules.patterns if one.kind.startswith("fieldref"))
        self.left_in_raw = LEFT_IN_RAW - compared - carried
        self.projection = (frozenset(fields_in(rules.patterns)) | carried) - self.left_in_raw
        self._literals: dict[tuple[str, bool], Literals] = {}
        self._grouped: dict[tuple[str, bool], dict[int, Pattern]] = {}
        self.is_literal = bytearray(len(rules.patterns))
        for number, pattern in enumerate(rules.patterns):
            if pattern.field is not None and is_literal(pattern):
                self._grouped.setdefault((pattern.field, pattern.cased), {})[number] = pattern
                self.is_literal[number] = True
        self._predicates: dict[int, Predicate] = {}
        self._raw_searches: dict[tuple[int, ...], RawSearch] = {}
        self._patterns_by_gate = [self._patterns(variants) for variants in self._by_gate]
        self.fields_by_gate = [fields_in(rules.patterns[one] for one in used) for used in self._patterns_by_gate]
        self._regexes: hyperscan.Database | None = None

    def scan(self, events: Events, among: Longs | None = None) -> Matches:
        """Match all rules with the events of one table; with `among`, only with these rows (in order)."""
        table = _Table(self, events)
        everything = np.arange(len(events), dtype=np.int64) if among is None else among
        matches = Matches(gave_up=table.gave_up)
        for kind, condition in self.gates:
            through = table.filter(table.fold(condition), everything) if kind == events.kind else everything[:0]
            matches.gates.append(through)
        table.open_gates = tuple(gate for gate, rows in enumerate(matches.gates) if len(rows))
        found: dict[int, Longs] = {}
        for gate in table.open_gates:
            for number in self._by_gate[gate]:
                node = table.fold(self.rules.variants[number].condition)
                if node is not False and len(rows := table.filter(node, matches.gates[gate])):
                    variant = self.rules.variants[number]
                    inside = during(variant, events.ts[rows])
                    if not inside.all():
                        matches.outside[variant.rule] += len(rows) - int(inside.sum())
                        rows = rows[inside]
                    if len(rows):
                        found[number] = rows
        matches.rows = sorted(found.items())
        return matches

    def literals(self, field: str) -> Iterator[Literals]:
        """The literal patterns of a field; built when the field is first met."""
        for cased in (False, True):
            key = (field, cased)
            if key in self._grouped:
                if key not in self._literals:
                    self._literals[key] = Literals(self._grouped[key], cased=cased)
                yield self._literals[key]

    def predicate(self, number: int) -> Predicate:
        if number not in self._predicates:
            self._predicates[number] = predicate(self.rules.patterns[number])
        return self._predicates[number]

    def raw_search(self, gates: Iterable[int]) -> RawSearch:
        """A search of raw records for the patterns that look at whole records, of the rules behind some gates."""
        whole = (None, *self.left_in_raw)
        used = set().union(*(self._patterns_by_gate[gate] for gate in gates))
        numbers = tuple(sorted(number for number in used if self.rules.patterns[number].field in whole))
        if numbers not in self._raw_searches:
            self._raw_searches[numbers] = RawSearch({number: self.rules.patterns[number] for number in numbers})
        return self._raw_searches[numbers]

    def _patterns(self, variants: Iterable[int]) -> set[int]:
        used: set[int] = set()
        for variant in variants:
            collect_patterns(self.rules.variants[variant].condition, used)
        return used

    def regexes(self) -> hyperscan.Database:
        if self._regexes is None:
            self._regexes = hyperscan.loadb(self.rules.regex_database, mode=hyperscan.HS_MODE_BLOCK)
            self._regexes.scratch = hyperscan.Scratch(self._regexes)
        return self._regexes


class _Table:
    """One Events while it is matched; everything found out about its values is kept until it is done."""

    def __init__(self, detector: Detector, events: Events) -> None:
        self._detector, self._events = detector, events
        self._patterns = detector.rules.patterns
        self.gave_up: Counter[int] = Counter()
        self.open_gates: tuple[int, ...] = ()
        self._found: dict[str, dict[int, npt.NDArray[np.int64]]] = {}
        self._leaves: dict[int, Node] = {}
        self._judged: dict[int, npt.NDArray[np.int8]] = {}
        self._candidates: dict[str, dict[int, set[int]]] = {}
        self._worth_decoding: dict[int, Longs] | None = None
        self._wholes: dict[int, Mapping[str, tuple[str, ...] | None]] = {}
        self._views: dict[str, Column | None] = {}

    def _column(self, name: str) -> Column | None:
        """A column of the events, or a view of one."""
        if SIGN not in name:
            return self._events.columns.get(name)
        if name not in self._views:
            base, _, view = name.partition(SIGN)
            column = self._events.columns.get(base)
            self._views[name] = made(column, view) if column is not None and view in VIEWS else None
        return self._views[name]

    def _codes(self, name: str) -> Codes:
        column = self._column(name)
        assert column is not None
        return column.codes

    # --- folding ---

    def fold(self, condition: Condition) -> Node:
        match condition:
            case Leaf(pattern):
                leaf = self._leaves.get(pattern)
                if leaf is None:
                    leaf = self._leaves[pattern] = self._leaf(pattern)
                return leaf
            case All(parts):
                return self._fold_parts(parts, conjunction=True)
            case AnyOf(parts):
                return self._fold_parts(parts, conjunction=False)
            case Not(part):
                node = self.fold(part)
                if isinstance(node, bool):
                    return not node
                return Among(node.field, ~node.codes) if isinstance(node, Among) else Neg(node)

    def _fold_parts(self, parts: tuple[Condition, ...], *, conjunction: bool) -> Node:
        """Sets of one field become one set; a false part ends a conjunction, a true one a disjunction."""
        sets: dict[str, Mask] = {}
        others: list[Node] = []
        for part in parts:
            node = self.fold(part)
            if isinstance(node, bool):
                if node is not conjunction:
                    return node
            elif isinstance(node, Among):
                known = sets.get(node.field)
                if known is None:
                    sets[node.field] = node.codes
                else:
                    sets[node.field] = known & node.codes if conjunction else known | node.codes
            else:
                others.append(node)
        nodes: list[Node] = []
        for name, codes in sets.items():
            if conjunction and not codes.any():
                return False
            nodes.append(Among(name, codes))
        nodes += others
        if not nodes:
            return conjunction
        if len(nodes) == 1:
            return nodes[0]
        return And(tuple(nodes)) if conjunction else Or(tuple(nodes))

    def _leaf(self, number: int) -> Node:
        pattern = self._patterns[number]
        if pattern.field is None:
            return Try(lambda rows: self._in_whole(number, rows, None))
        column = self._column(pattern.field)
        if column is None:
            if pattern.field in self._detector.left_in_raw:
                return Try(lambda rows: self._in_whole(number, rows, pattern.field))
            return pattern.kind == "null"
        match pattern.kind:
            case "exists":
                return Among(pattern.field, np.arange(len(column.values)) > 0)
            case "null":
                empty = np.array([not text for text in column.values], bool)
                for code, elements in column.lists.items():
                    empty[code] = "" in elements
                return Among(pattern.field, empty)
            case "fieldref" | "fieldref_contains" | "fieldref_startswith" | "fieldref_endswith":
                return Try(lambda rows: self._compare_fields(pattern, column, rows))
            case "equals" | "contains" | "startswith" | "endswith" | "wildcard":
                return self._literal(number, pattern, column)
        return Try(lambda rows: self._judge(number, column, rows))

    def _literal(self, number: int, pattern: Pattern, column: Column) -> Node:
        name = pattern.field or ""
        if not self._detector.is_literal[number]:  # '' with an open end, or only wildcards
            if not glob_literals(pattern.text) and set(pattern.text) <= {"*"}:
                codes = np.arange(len(column.values)) > NULL
                for code, elements in column.lists.items():
                    codes[code] = bool(elements)
                return Among(name, codes)
            return Try(lambda rows: self._judge(number, column, rows))
        if name not in self._found:
            self._found[name] = {}
            for literals in self._detector.literals(name):
                self._found[name].update(literals.find(column))
        found = self._found[name].get(number)
        if found is None:
            return False
        if pattern.kind == "wildcard":
            test = self._detector.predicate(number)
            found = np.array([code for code in found.tolist() if any_text(column, code, test)], np.int64)
            if not len(found):
                return False
        codes = np.zeros(len(column.values), bool)
        codes[found] = True
        return Among(name, codes)

    # --- filtering ---

    def filter(self, node: Node, rows: Longs) -> Longs:
        """Those of the rows for which the node holds."""
        match node:
            case bool():
                return rows if node else rows[:0]
            case Among(name, codes):
                return rows[codes[self._codes(name)[rows]]]
            case And(parts):
                for part in sorted(parts, key=cost):
                    if not len(rows):
                        break
                    rows = self.filter(part, rows)
                return rows
        return rows[self._mask(node, rows)]

    def _mask(self, node: Node, rows: Longs) -> Mask:
        match node:
            case bool():
                return np.full(len(rows), node)
            case Among(name, codes):
                return codes[self._codes(name)[rows]]
            case Neg(part):
                return ~self._mask(part, rows)
            case Try(test):
                return test(rows)
            case And(parts):
                mask = np.zeros(len(rows), bool)
                mask[np.searchsorted(rows, self.filter(And(parts), rows))] = True
                return mask
            case Or(parts):
                mask = np.zeros(len(rows), bool)
                for part in sorted(parts, key=cost):
                    open_rows = np.flatnonzero(~mask)
                    if not len(open_rows):
                        break
                    mask[open_rows] = self._mask(part, rows[open_rows])
                return mask

    # --- looking at values and rows ---

    def _judge(self, number: int, column: Column, rows: Longs) -> Mask:
        """Try a pattern on the distinct values of rows, each once."""
        judged = self._judged.get(number)
        if judged is None:
            judged = self._judged[number] = np.full(len(column.values), _UNKNOWN, np.int8)
            judged[:2] = _FALSE
        codes = column.codes[rows]
        unknown = np.unique(codes[judged[codes] == _UNKNOWN])
        if len(unknown):
            test = self._detector.predicate(number)
            candidates = self._prefiltered(number, column, unknown)
            for code in unknown.tolist():
                worth = candidates is None or code in candidates
                holds = worth and self._tried(number, partial(any_text, column, code, test))
                judged[code] = _TRUE if holds else _FALSE
        mask: Mask = judged[codes] == _TRUE
        return mask

    def _tried(self, number: int, test: Callable[[], bool]) -> bool:
        if self.gave_up[number] < _MOST_GIVEN_UP:
            try:
                return test()
            except GaveUp:
                pass
        self.gave_up[number] += 1
        return False

    def _prefiltered(self, number: int, column: Column, codes: Longs) -> set[int] | None:
        """For a regex: the values worth trying, found in one pass for all regexes; None: all are."""
        pattern = self._patterns[number]
        rules = self._detector.rules
        if pattern.kind != "regex" or not rules.regex_database:
            return None
        if rules.unfiltered_from is not None and number >= rules.unfiltered_from:
            return None
        known = self._candidates.setdefault(pattern.field or "", {})
        database = self._detector.regexes()
        hits: list[int] = []

        def on_match(identity: int, *_where: object) -> None:
            hits.append(identity)

        for code in codes.tolist():
            if code not in known:
                for text in texts_of(column, code):
                    database.scan(text.encode("utf-8", "surrogatepass"), match_event_handler=on_match)
                known[code] = set(hits)
                hits.clear()
        return {code for code in codes.tolist() if number in known[code]}

    def _compare_fields(self, pattern: Pattern, column: Column, rows: Longs) -> Mask:
        other = self._events.columns.get(pattern.text)
        if other is None:
            return np.zeros(len(rows), bool)
        pairs = column.codes[rows].astype(np.int64) << 32 | other.codes[rows]
        distinct, at = np.unique(pairs, return_inverse=True)
        holds = np.array(
            [fields_agree(pattern, column, int(pair >> 32), other, int(pair & 0xFFFFFFFF)) for pair in distinct],
            bool,
        )
        return holds[at]

    def _in_whole(self, number: int, rows: Longs, name: str | None) -> Mask:
        """Test whole records: every field for a keyword, else one that is left in the raw record."""
        pattern = self._patterns[number]
        holds = np.zeros(len(rows), bool)
        if self._worth_decoding is None:
            self._worth_decoding = self._detector.raw_search(self.open_gates).candidates(self._events.raw)
        worth = self._worth_decoding.get(number)
        places = range(len(rows)) if worth is None else np.flatnonzero(np.isin(rows, worth)).tolist()
        for at in places:
            whole = self._whole(int(rows[at]))
            if pattern.kind in ("null", "exists"):
                texts = whole.get(name or "", None)
                holds[at] = name in whole if pattern.kind == "exists" else texts is None or "" in texts
                continue
            test = self._detector.predicate(number)
            names = whole if name is None else (name,)
            tried = [text for key in names for text in whole.get(key) or ()]
            holds[at] = self._tried(number, partial(any_of_texts, tried, test))
        return holds

    def _whole(self, row: int) -> Mapping[str, tuple[str, ...] | None]:
        whole = self._wholes.get(row)
        if whole is None:
            fields = whole_of(self._events, row)
            whole = {name: (value,) if isinstance(value, str) else value for name, value in fields.items()}
            self._wholes[row] = whole
        return whole
