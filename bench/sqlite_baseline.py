"""Sigma rules and a log in, findings out, as SQLite finds them: the baseline every figure is told against.

The design is the usual one of Python tools: pySigma turns each rule into SQL, all events go into one wide
table in memory, one SELECT runs for each rule. Only published parts are used (pySigma, its SQLite backend,
its sysmon and windows pipelines, `sqlite3`, `orjson`, `evtx`), and nothing of Tocsin, so that the same
module also checks Tocsin's findings independently.

What was chosen, always in favour of a right and fast baseline:

- Every column is TEXT COLLATE NOCASE. SQLite gives the bare number in `EventID=1` the column's affinity, so
  it is compared as text '1' and means the same as `EventID='1'`; a column of numbers would instead
  turn '10.0' or '007' into other text and break LIKE.
- `lt lte gt gte` need numbers: the backend's comparison is wrapped in a CAST that skips text which is none.
- A column for every field that a rule reads exists from the start, so an absent field is NULL, not an error.
- NOCASE and LIKE fold ASCII letters only. Column names fold too: `ProcessID` and `ProcessId` share one
  column, and in an event that has both, the first wins.
- What becomes a field, and as which text, stands in flat_events.py.
- EventID has an index, as in Zircolite, whose design this is. It decides more than all the rest together:
  it spares a rule the events of other ids. `indexed=False` gives what SQLite does unaided.
- INSERT statements are prepared once for each set of fields. SELECT returns row numbers; only the columns
  that a finding shows are read again for it.
"""

from __future__ import annotations

import json
import re
import sqlite3
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import cache
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import IO, Any

import msgspec
import orjson
import yaml
from flat_events import REC, Event, read_flat
from sigma.backends.sqlite.sqlite import sqliteBackend
from sigma.collection import SigmaCollection
from sigma.exceptions import SigmaError
from sigma.pipelines.sysmon.sysmon import sysmon_pipeline
from sigma.pipelines.windows.windows import windows_logsource_pipeline
from sigma.processing.pipeline import ProcessingPipeline
from sigma.rule import SigmaRule

RuleKey = tuple[str, str]  # (rule id, path)
Pipelines = Sequence[Callable[[], ProcessingPipeline]]

PIPELINES: Pipelines = (sysmon_pipeline, windows_logsource_pipeline)
BATCH = 10_000

_NUMBER = "{field} GLOB '*[0-9]*' AND {field} NOT GLOB '*[^-0-9.]*'"
_TIMES = ("UtcTime", "TimeCreated_SystemTime", "TimeCreated", "@timestamp")
_SHOWN = (REC, "EventID", "Channel", "Computer", *_TIMES)


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlRule:
    """One rule as SQL, and what a finding says about it."""

    id: str
    path: str
    title: str
    level: str
    techniques: tuple[str, ...]
    fields: tuple[str, ...]
    queries: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SqlRules:
    """`failures` names, by path, why a rule has no SQL."""

    rules: dict[RuleKey, SqlRule]
    failures: dict[str, str]


# --- rules


class _Backend(sqliteBackend):
    compare_op_expression = f"({_NUMBER} AND CAST({{field}} AS NUMERIC) {{operator}} {{value}})"


def rules_to_sql(texts: Mapping[str, str], *, pipelines: Pipelines = PIPELINES) -> SqlRules:
    """Convert rules (path to text) into SQL, each alone: one that fails does not stop the rest.

    Args:
        pipelines: how log sources become conditions; `windows_audit_pipeline` before
            `windows_logsource_pipeline` gives generic rules their Security 4688 and 4657 form instead.
    """
    pipeline = sum((make() for make in pipelines), start=ProcessingPipeline())
    backend: Any = _Backend(pipeline)  # type: ignore[no-untyped-call]  # the backend has no types
    rules: dict[RuleKey, SqlRule] = {}
    failures: dict[str, str] = {}
    for path, text in texts.items():
        try:
            # As its `from_yaml` does, with the loader in C: that in Python takes half of the time.
            for rule in SigmaCollection.from_dicts(list(yaml.load_all(text, yaml.CSafeLoader))).rules:
                if isinstance(rule, SigmaRule):
                    rules[str(rule.id), path] = _convert(backend, rule, path)
                else:
                    failures[path] = "a correlation: this baseline looks at single events"
        except (SigmaError, yaml.YAMLError, NotImplementedError, re.error, sqlite3.Error) as error:
            failures[path] = f"{type(error).__name__}: {error}"
    return SqlRules(rules=rules, failures=failures)


def _convert(backend: Any, rule: SigmaRule, path: str) -> SqlRule:
    queries = tuple(query.replace("SELECT * ", "SELECT rowid ", 1) for query in backend.convert_rule(rule))
    converted = SqlRule(
        id=str(rule.id),
        path=path,
        title=rule.title,
        level=rule.level.name.lower() if rule.level else "",
        techniques=tuple(t.name.upper() for t in rule.tags if re.fullmatch(r"t\d{4}(\.\d{3})?", t.name)),
        fields=tuple(backend.required_fields(rule)),
        queries=queries,
    )
    _check(converted)
    return converted


def _check(rule: SqlRule) -> None:
    """Raise where SQLite or `re` would refuse the rule, before any event is read."""
    with closing(connect([rule])) as conn:
        for query in rule.queries:
            for pattern in re.findall(r" REGEXP '((?:[^']|'')*)'", query):
                re.compile(pattern.replace("''", "'"))
            conn.execute(f"EXPLAIN {query}").close()


def save_rules(rules: SqlRules, path: Path) -> None:
    """Keep converted rules, since converting thousands takes half a minute."""
    path.write_bytes(orjson.dumps({"rules": list(rules.rules.values()), "failures": rules.failures}))


def load_rules(path: Path) -> SqlRules:
    kept = orjson.loads(path.read_bytes())
    rules = [msgspec.convert(rule, SqlRule) for rule in kept["rules"]]
    return SqlRules(rules={(rule.id, rule.path): rule for rule in rules}, failures=kept["failures"])


# --- the table


def connect(rules: Iterable[SqlRule]) -> sqlite3.Connection:
    """Open an empty table `logs` in memory, with a column for each field that a rule reads."""
    conn = sqlite3.connect(":memory:", cached_statements=2000)
    conn.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA temp_store = MEMORY;")
    conn.create_function("regexp", 2, _regexp, deterministic=True)
    names = {name.lower(): name for name in _SHOWN}
    for rule in rules:
        for name in rule.fields:
            names.setdefault(name.lower(), name)
    conn.execute(f"CREATE TABLE logs ({', '.join(map(_column, names.values()))})")
    return conn


def _column(name: str) -> str:
    return f"{_quoted(name)} TEXT COLLATE NOCASE"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _regexp(pattern: str, text: str | None) -> bool:
    return text is not None and _compiled(pattern).search(text) is not None


def load(conn: sqlite3.Connection, events: Iterable[Event]) -> int:
    """Insert every field of every event, adding columns as they are first seen; return how many events."""
    columns = {row[1].lower() for row in conn.execute("PRAGMA table_info(logs)")}
    inserts: dict[tuple[str, ...], tuple[str, Callable[[Event], tuple[str | None, ...]]]] = {}
    count = 0
    conn.execute("BEGIN")
    for event in events:
        shape = tuple(event)
        insert = inserts.get(shape)
        if insert is None:
            insert = inserts[shape] = _insert(conn, shape, columns)
        conn.execute(insert[0], insert[1](event))
        count += 1
    conn.execute("COMMIT")
    return count


def _insert(
    conn: sqlite3.Connection, shape: tuple[str, ...], columns: set[str]
) -> tuple[str, Callable[[Event], tuple[str | None, ...]]]:
    """Prepare the INSERT for events of one shape, adding the columns it lacks."""
    kept: dict[str, str] = {}
    for name in shape:
        kept.setdefault(name.lower(), name)
    for folded, name in kept.items():
        if folded not in columns:
            conn.execute(f"ALTER TABLE logs ADD COLUMN {_column(name)}")
            columns.add(folded)
    names = list(kept.values())
    statement = f"INSERT INTO logs ({', '.join(map(_quoted, names))}) VALUES ({', '.join('?' * len(names))})"
    return statement, itemgetter(*names) if len(names) > 1 else lambda event: (event[names[0]],)


def index(conn: sqlite3.Connection) -> None:
    conn.execute("CREATE INDEX by_event_id ON logs (EventID)")


# --- matching and writing


def match(conn: sqlite3.Connection, rules: SqlRules) -> dict[RuleKey, set[int]]:
    """Run every rule; return the rows each found (rules that found none are left out)."""
    found: dict[RuleKey, set[int]] = {}
    for key, rule in rules.rules.items():
        rows = {row for query in rule.queries for (row,) in conn.execute(query)}
        if rows:
            found[key] = rows
    return found


def write(conn: sqlite3.Connection, rules: SqlRules, found: Mapping[RuleKey, set[int]], path: str, out: IO[str]) -> int:
    """Write one JSON line a rule and event, with the fields the rule looked at; return how many."""
    lines = 0
    for key, rows in found.items():
        rule = rules.rules[key]
        names = [*_SHOWN, *(name for name in rule.fields if name not in _SHOWN)]
        select = f"SELECT {', '.join(map(_quoted, names))} FROM logs WHERE rowid = ?"
        for row in sorted(rows):
            shown = dict(zip(names, conn.execute(select, (row,)).fetchone(), strict=True))
            finding = {
                "rule_id": rule.id,
                "title": rule.title,
                "level": rule.level,
                "techniques": rule.techniques,
                "ts": next((shown[name] for name in _TIMES if shown[name]), None),
                "host": shown["Computer"],
                "kind": "windows",
                "rec": shown[REC],
                "path": path,
                "fields": {name: shown[name] for name in rule.fields},
            }
            out.write(json.dumps(finding) + "\n")
            lines += 1
    return lines


@dataclass(slots=True)
class Stages:
    """CPU seconds of one run, by stage. Converting rules is not among them."""

    read: float = 0.0
    load: float = 0.0
    match: float = 0.0
    write: float = 0.0
    events: int = 0
    findings: int = 0
    found: dict[RuleKey, set[int]] = field(default_factory=dict, repr=False)

    @property
    def total(self) -> float:
        return self.read + self.load + self.match + self.write


def run(
    path: Path,
    rules: SqlRules,
    out: IO[str],
    *,
    indexed: bool = True,
    clock: Callable[[], float] = time.process_time,
) -> Stages:
    """Do the whole work on one log, timing its stages; reading and inserting take turns by batches."""
    with closing(connect(rules.rules.values())) as conn:
        return _run(conn, path, rules, out, indexed=indexed, clock=clock)


def _run(
    conn: sqlite3.Connection,
    path: Path,
    rules: SqlRules,
    out: IO[str],
    *,
    indexed: bool,
    clock: Callable[[], float],
) -> Stages:
    stages = Stages()
    events = read_flat(path)
    while True:
        start = clock()
        batch = list(islice(events, BATCH))
        read = clock()
        stages.events += load(conn, batch)
        stages.read, stages.load = stages.read + read - start, stages.load + clock() - read
        if len(batch) < BATCH:
            break
    start = clock()
    if indexed:
        index(conn)
    loaded = clock()
    stages.found = match(conn, rules)
    matched = clock()
    stages.findings = write(conn, rules, stages.found, str(path), out)
    stages.load += loaded - start
    stages.match, stages.write = matched - loaded, clock() - matched
    return stages


def find_all(paths: Sequence[Path], rules: SqlRules) -> dict[Path, set[tuple[str, str]]]:
    """Return every (rule id, record) of each log; a record is named by its EVTX id or its byte offset.

    All logs go into one table: thousands of SELECTs cost the same for one small log as for a hundred.
    """
    with closing(connect(rules.rules.values())) as conn:
        owners: list[tuple[Path, str | None]] = []  # of row 1, 2, ...
        for path in paths:
            load(conn, read_flat(path))
            rows = conn.execute(f"SELECT {REC} FROM logs WHERE rowid > ? ORDER BY rowid", (len(owners),))
            owners.extend((path, record) for (record,) in rows)
        index(conn)
        pairs: dict[Path, set[tuple[str, str]]] = {path: set() for path in paths}
        for (rule_id, _), found in match(conn, rules).items():
            for row in found:
                path, record = owners[row - 1]
                pairs[path].add((rule_id, record or ""))
    return pairs


def find(path: Path, rules: SqlRules) -> set[tuple[str, str]]:
    return find_all([path], rules)[path]
