"""Decoded JSON records in, columns out: each order of keys is understood once, then records of it cost a tuple.

Records of one provider repeat a few hundred layouts. A layout is the keys of an object, in order; a
record is split by known positions only when the layouts of all its objects are known, so a key that
appears for the first time is always learned and never lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np

from tocsin.collect.claims import MAX_DEPTH, Naming, Path, claims, contested, is_besides, spread
from tocsin.collect.clock import Clock
from tocsin.collect.columns import TableBuilder, json_text
from tocsin.collect.one_record import Reading
from tocsin.collect.taking import taker
from tocsin.collect.times import microseconds
from tocsin.model.event import NO_TIME, Longs

Row: TypeAlias = tuple[Any, ...]
Field: TypeAlias = tuple[str | None, Path]  # name and place; None where only what stands in lists there is wanted

_Stand: TypeAlias = tuple[int, str, Path, bool]  # a value: its object's number, its key, its path, whether it is split
Times: TypeAlias = Callable[[Sequence[Any], Clock], Longs]  # of a column of values

TIME = "_ts"  # what `names_below` calls the event's time
_ANY = "\0"  # a key that has no name of its own
_MAX_KEYS_KNOWN = 500_000  # hostile logs can name every key anew; past this, layouts are learned again
_KEYS_PER_STEP = 8  # what a step takes of memory, counted in keys
_FEW = 32  # records of one group are encoded by themselves from here on: below, the calls cost more than the values


class _Place:
    """A path at which objects stand, and the layouts seen there."""

    __slots__ = ("alike", "layouts", "path")

    def __init__(self, path: Path) -> None:
        self.path = path
        self.layouts: dict[Row, _Layout] = {}
        self.alike: dict[Row, _Layout] = {}  # by the keys that count


@dataclass(frozen=True, slots=True, eq=False)
class _Layout:
    """One order of keys at one place, but for those of which nobody asks; those of `subs` may hold objects to split."""

    keys: tuple[str, ...]
    subs: tuple[tuple[str, _Place], ...]


_Ahead: TypeAlias = "tuple[int, str, _Place, _Ahead | None]"  # the object, the key in it, and what comes behind


_END: Final[_Ahead] = (-1, "", _Place(()), None)


class _Step:
    """How far a record is understood: which layouts its objects have up to here, and where the next object may stand.

    Records of one form take the same steps; the last of them has their plan.
    """

    __slots__ = ("ahead", "alike", "at", "before", "key", "layout", "next", "parts", "place", "plan")

    def __init__(self, before: _Step | None, layout: _Layout | None, parts: int, ahead: _Ahead | None) -> None:
        """`layout` is that of the last object, None where none stands; `parts` is how many objects are known."""
        self.before, self.layout, self.parts = before, layout, parts
        self.at, self.key, self.place, self.ahead = ahead or _END
        self.next: dict[Row | None, _Step] = {}  # by the keys of the object that stands there
        self.alike: dict[_Layout | None, _Step] = {}
        self.plan: _Plan | None = None


class _Group:
    """Records that offer the same fields, waiting to be encoded together."""

    __slots__ = ("fields", "rows", "timed", "values")

    def __init__(self, fields: tuple[Field, ...], timed: bool) -> None:
        self.fields, self.timed = fields, timed
        self.rows: list[int] = []
        self.values: list[Row] = []


class _Plan:
    """Where the fields of a record stand: `take` gives their values in the group's order.

    `take` reads the record itself where one layout is the whole record's, else the list of its objects.
    """

    __slots__ = ("group", "take")

    def __init__(self, group: _Group, take: Callable[[Any], Row]) -> None:
        self.group, self.take = group, take


class Layouts:
    """Splits records of one naming into fields; with a projection, only into those."""

    def __init__(
        self,
        naming: Naming,
        projection: frozenset[str] | None,
        whole: Callable[[bytes], Reading],
        base: Path = (),
        times: Times = lambda values, clock: microseconds(values),
    ) -> None:
        """With a `base`, records are what stands at that path of whole ones; `whole` reads a raw one."""
        self._times = times
        self._naming, self._base, self._whole = naming, base, whole
        self._projection = projection
        self._known_names = None if projection is None else projection | {TIME}
        self._prefixes = {name[:end] for name in projection or () for end, c in enumerate(name) if c == "."}
        # A path that loses its name falls back on itself, with `_` behind: whom it loses it to counts as well.
        behind = {name[:end] for name in projection or () for end in range(len(name.rstrip("_")), len(name) + 1)}
        self._claimed = behind | {naming.name(tuple(name.split(".")))[0] for name in behind if name}
        self._objects: set[Path] = set()  # where objects were met
        self._opened: dict[Path, bool] = {}  # whether objects there may hold fields
        self._forget()

    def _forget(self) -> None:
        self._first = _Step(None, None, 0, (-1, "", _Place(self._base), None))
        self._places: dict[Path, _Place] = {}
        self._groups: dict[tuple[tuple[Field, ...], bool], _Group] = {}
        # By what stands in a record: paths that want one name, and the plans by the order of these.
        self._plans: dict[frozenset[_Stand], tuple[frozenset[Path], dict[tuple[Path, ...], _Plan]]] = {}
        self._keys_known = 0

    def add(self, records: Iterable[dict[str, Any]], rows: Iterable[int]) -> None:
        """Take records that stand in these rows of the table, of which there may be more than records."""
        first = self._first
        for record, row in zip(records, rows, strict=False):
            step = first.next.get(tuple(record)) or self._learn(first, record)
            parts = [record]
            while step.plan is None:
                node = parts[step.at][step.key]
                if type(node) is dict and node:
                    parts.append(node)
                    step = step.next.get(tuple(node)) or self._learn(step, node)
                else:
                    step = step.next.get(None) or self._learn(step, None)
            plan = step.plan
            plan.group.values.append(plan.take(record if len(parts) == 1 else parts))
            plan.group.rows.append(row)

    @property
    def is_crowded(self) -> bool:
        """Whether so many layouts are known that the next flush forgets them: it should come soon."""
        return self._keys_known > _MAX_KEYS_KNOWN

    def flush(self, table: TableBuilder) -> None:
        """Encode all records taken since the last flush."""
        relearn = self.is_crowded
        few: dict[str, tuple[list[int], list[Any]]] = {}
        timed: tuple[list[int], list[Any]] = ([], [])
        for group in self._groups.values():
            if not group.rows:
                continue
            columns = list(zip(*group.values, strict=True))
            if self._naming.spreads:
                self._spread(group, columns, table)
            if len(group.rows) >= _FEW or self._hold_objects(group, columns):
                relearn |= self._put(group, columns, table)
            else:
                if group.timed:
                    timed[0].extend(group.rows)
                    timed[1].extend(columns[-1])
                for (name, _), column in zip(group.fields, columns, strict=False):
                    if name is not None:
                        rows, values = few.setdefault(name, ([], []))
                        rows += group.rows
                        values += column
            group.rows.clear()
            group.values.clear()
        for name, (rows, values) in few.items():
            table.put(name, np.array(rows, np.int64), values)
        if timed[0]:
            table.put_time(np.array(timed[0], np.int64), self._times(timed[1], table.clock))
        if relearn:
            self._forget()

    def _hold_objects(self, group: _Group, columns: list[Row]) -> bool:
        for at, (field, column) in enumerate(zip(group.fields, columns, strict=False)):
            columns[at] = self._as_text(field, column)
        return any(dict in set(map(type, column)) for column in columns)

    def _as_text(self, field: Field, column: Row) -> Row:
        """Objects without keys as text, and all objects in a field to which an object comes as text."""
        if dict not in set(map(type, column)):
            return column
        whole = is_besides(self._naming, *field)
        return tuple([json_text(v) if type(v) is dict and (whole or not v) else v for v in column])

    def _put(self, group: _Group, columns: list[Row], table: TableBuilder) -> bool:
        """Encode a group by itself; True if layouts must be learned again."""
        rows = np.array(group.rows, np.int64)
        odd = False
        if group.timed:
            ts = self._times(columns[-1], table.clock)
            table.put_time(rows, ts)
            odd = bool((ts == NO_TIME).any()) and dict in set(map(type, columns[-1]))
        for at, field in enumerate(group.fields):
            if is_besides(self._naming, *field):
                columns[at] = self._as_text(field, columns[at])
            if field[0] is not None and not table.put(field[0], rows, columns[at]):
                columns[at] = self._as_text(field, columns[at])
                odd |= not table.put(field[0], rows, columns[at])
        return odd and self._put_whole(group, rows, columns, table)

    def _spread(self, group: _Group, columns: list[Row], table: TableBuilder) -> None:
        """Give records the fields that stand in the objects of their lists."""
        at_path = {path: column for (_, path), column in zip(group.fields, columns, strict=False)}
        lists = [
            (path, column)
            for path, column in sorted(at_path.items())
            if list in set(map(type, column)) and (self._projection is None or self._opened.get(path))
        ]
        own = {name for name, _ in group.fields}
        found: dict[str, tuple[list[int], list[Any]]] = {}
        for at, row in enumerate(group.rows if lists else ()):
            of_row = [(path, column[at]) for path, column in lists if type(column[at]) is list]
            for name, value in spread(self._naming, of_row).items():
                if name not in own and (self._projection is None or name in self._projection):
                    rows, values = found.setdefault(name, ([], []))
                    rows.append(row)
                    values.append(value)
        for name, (rows, values) in found.items():
            table.put(name, np.array(rows, np.int64), values)

    def _learn(self, step: _Step, node: dict[str, Any] | None) -> _Step:
        """What follows on a step where this object stands, or none."""
        layout, ahead, parts = None, step.ahead, step.parts
        if node is not None:
            layout = step.place.layouts.get(tuple(node)) or self._learn_layout(node, step.place)
            for key, below in reversed(layout.subs):
                ahead = (parts, key, below, ahead)
            parts += 1
        following = step.alike.get(layout)
        if following is None:
            following = step.alike[layout] = _Step(step, layout, parts, ahead)
            self._keys_known += _KEYS_PER_STEP
            if ahead is None:
                following.plan = self._understand(following)
        step.next[None if node is None else tuple(node)] = following
        self._keys_known += len(node or ())
        return following

    def _learn_layout(self, node: dict[str, Any], place: _Place) -> _Layout:
        subs, every = [], self._projection is None
        for key, value in node.items():
            path = (*place.path, key)
            if every and value and type(value) is not dict:  # most values are such, and say it by themselves
                splits = path in self._objects
            else:
                splits = self._may_hold_fields(path, value)
            if splits:
                subs.append((key, self._places.setdefault(path, _Place(path))))
        split = dict(subs)
        keys = tuple(node) if every else tuple(key for key in node if key in split or self._counts((*place.path, key)))
        layout = place.layouts[tuple(node)] = place.alike.setdefault((keys, *split), _Layout(keys, tuple(subs)))
        return layout

    def asks_for(self, key: str) -> bool:
        """Whether fields may be made of what stands under this key of a record."""
        return self._counts((key,)) or self._may_hold_fields((key,), None)

    def _counts(self, path: Path) -> bool:
        """Whether a value there may have a field of the projection, or take its name from another, or tell the time."""
        if self._projection is None or self._naming.time_rank(path) is not None:
            return True
        dotted = ".".join(path)
        names = (self._naming.name(path)[0], dotted, *self._naming.besides.get(dotted, ()))
        return not self._claimed.isdisjoint(names)

    def _may_hold_fields(self, path: Path, value: Any) -> bool:
        if len(path) > MAX_DEPTH:
            return False
        if self._known_names is None:
            if type(value) is dict and value:
                self._objects.add(path)
            if not value and (value is None or type(value) is dict) and self._naming.names_below(path) is None:
                return True  # `EventData` is null in one record and an object in the next
            return path in self._objects
        known = self._opened.get(path)
        if known is None:
            names = self._naming.names_below(path)
            claimed = self._naming.name(path)[0]
            known = (
                names is None
                or not names.isdisjoint(self._known_names)
                or ".".join(path) in self._prefixes
                or self._naming.name((*path, _ANY))[0].removesuffix(f".{_ANY}") in self._prefixes
                # an object claims no name, and where nobody asks for this one its column would not tell
                or (claimed in self._claimed and claimed not in self._known_names)
            )
            if len(self._opened) < _MAX_KEYS_KNOWN:
                self._opened[path] = known
        return known

    def _understand(self, last: _Step) -> _Plan:
        """The plan of a record whose combination of layouts was not met before.

        Programs write the same keys in ever new orders, and the order matters among those alone that want one name.
        """
        stands = _stands(last)
        self._keys_known += len(stands)
        alike = frozenset(stands)
        known = self._plans.get(alike)
        if known is None:
            known = self._plans[alike] = (contested(self._naming, [path for _, _, path, _ in stands]), {})
            self._keys_known += len(stands)
        order = tuple(path for _, _, path, _ in stands if path in known[0]) if known[0] else ()
        plan = known[1].get(order)
        if plan is None:
            plan = known[1][order] = self._planned(stands, alone=last.parts == 1)
        return plan

    def _planned(self, stands: list[_Stand], *, alone: bool) -> _Plan:
        leaves = [path for _, _, path, split in stands if not split]
        chosen = claims(self._naming, leaves, [path for _, _, path, split in stands if split])
        where = {path: (at, key) for at, key, path, _ in stands}
        wanted: list[Field] = [(n, p) for n, p in chosen if self._projection is None or n in self._projection]
        if self._naming.spreads and self._projection is not None:
            given = {path for _, path in wanted}
            wanted += [(None, path) for path in leaves if path not in given and self._opened.get(path)]
        fields = tuple(sorted(wanted, key=lambda field: (where[field[1]], field[1], field[0] or "")))
        times = [(rank, path) for path in leaves if (rank := self._naming.time_rank(path)) is not None]
        taken = [where[path] for _, path in fields] + ([where[min(times)[1]]] if times else [])
        group = self._groups.setdefault((fields, bool(times)), _Group(fields, bool(times)))
        return _Plan(group, taker(taken, alone=alone))

    def _put_whole(self, group: _Group, rows: Any, columns: list[Row], table: TableBuilder) -> bool:
        """Encode a group in whose columns objects turned up; True if layouts must be learned again.

        What stands in an object may claim a name that another key has, so these records are read as a whole.
        """
        odd = [[at for at, value in enumerate(column) if type(value) is dict] for column in columns]
        at_odd = np.unique(np.array([at for ats in odd for at in ats], np.int64))
        plain = np.delete(np.arange(len(rows)), at_odd)
        for (name, _), column, ats in zip(group.fields, columns, odd, strict=False):
            if name is None:
                continue
            table.blank(name, rows[at_odd])
            if ats:
                table.put(name, rows[plain], [column[at] for at in plain.tolist()])
        for row in rows[at_odd]:
            fields, time = self._whole(table.raw[row])
            table.put_time(row.reshape(1), self._times([time], table.clock))
            for name, value in fields:
                if self._projection is None or name in self._projection:
                    table.put(name, row.reshape(1), [value])
        relearn = False
        for (_, path), column, ats in zip(group.fields, columns, odd, strict=False):
            if len(path) <= MAX_DEPTH and any(column[at] for at in ats):
                if self._projection is None:
                    relearn |= path not in self._objects
                    self._objects.add(path)
                else:
                    relearn |= not self._opened.get(path)
                    self._opened[path] = True
        return relearn


def _stands(last: _Step) -> list[_Stand]:
    """Every value that counts, in order."""
    found: list[tuple[_Step, _Layout]] = []
    step, before = last, last.before
    while before is not None:
        if step.layout is not None:
            found.append((before, step.layout))
        step, before = before, before.before
    found.reverse()
    split = {(before.at, before.key) for before, _ in found}
    return [
        (at, key, (*before.place.path, key), (at, key) in split)
        for at, (before, layout) in enumerate(found)
        for key in layout.keys
    ]
