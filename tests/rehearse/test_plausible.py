"""Ordinary life has the shapes that it has, and no single field tells attacks from it."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from typing import Any

from rehearse.conftest import Drill

ZONE = timezone(timedelta(hours=12))

# Kind of record and field -> why one value of it, or one bound, may tell attacks apart.
_ONE_DAY = "a breach that is contained within hours lies on one day of the week"
_TWO_PROGRAMS = "two programs that run for weeks have two numbers, and chance decides whether both are high"
MAY_SEPARATE: dict[tuple[str, str], str] = {
    ("zeek lc conn", "weekday"): _ONE_DAY,
    ("zeek lc ssl", "weekday"): _ONE_DAY,
    ("Microsoft-Windows-Sysmon 3", "ProcessId"): _TWO_PROGRAMS,
    ("Microsoft-Windows-Sysmon 22", "ProcessId"): _TWO_PROGRAMS,
}


def _local(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(ZONE)


def test_people_work_by_day_and_servers_by_night(drill: Drill) -> None:
    desks, servers = Counter[int](), Counter[int]()
    days = Counter[int]()
    for _, record in drill.windows:
        at = _local(record["@timestamp"])
        name = record["winlog"]["computer_name"].partition(".")[0]
        data = record["winlog"].get("event_data", {})
        if record["winlog"]["event_id"] == "1" and data.get("ParentImage", "").endswith("explorer.exe"):
            desks[at.hour] += 1
            days[at.weekday()] += 1
        elif record["winlog"]["event_id"] == "7036" and name[3:].startswith(("DC", "FS", "BKP", "APP", "PRN")):
            servers[at.hour] += 1
    office = sum(desks[hour] for hour in range(8, 18))
    assert office > 0.75 * desks.total()
    assert sum(desks[hour] for hour in range(5)) < 0.02 * desks.total()
    assert desks[12] < max(desks[10], desks[11]), "people eat at noon"
    assert sum(days[day] for day in range(5)) > 0.9 * days.total()
    assert not servers or sum(servers[hour] for hour in range(8, 18)) < 0.7 * servers.total()


def test_mail_comes_at_all_hours_but_less_at_night(drill: Drill) -> None:
    hours = Counter(
        _local(line.split(" ", 1)[0]).hour for _, _, line in drill.lines("linux/mx*/mail-*.log") if "client=" in line
    )
    assert sum(hours[hour] for hour in range(1, 6)) < 0.2 * hours.total()
    assert sum(hours[hour] for hour in range(7, 22)) > 0.6 * hours.total()


def _zipf_exponent(counts: Iterable[int]) -> float:
    """The slope of rank against frequency, both in logarithms, over the first thirty."""
    points = [
        (math.log(rank), math.log(count)) for rank, count in enumerate(sorted(counts, reverse=True)[:30], 1) if count
    ]
    mean_x = sum(x for x, _ in points) / len(points)
    mean_y = sum(y for _, y in points) / len(points)
    above = sum((x - mean_x) * (y - mean_y) for x, y in points)
    return -above / sum((x - mean_x) ** 2 for x, _ in points)


def test_few_programs_and_sites_are_common_and_many_rare(drill: Drill) -> None:
    programs = Counter(
        record["winlog"]["event_data"]["Image"]
        for _, record in drill.windows
        if (record["winlog"]["provider_name"], record["winlog"]["event_id"]) == ("Microsoft-Windows-Sysmon", "1")
    )
    assert 0.6 < _zipf_exponent(programs.values()) < 2.2
    names = Counter(record["query"] for _, record in drill.zeek("ps", "dns"))
    assert 0.4 < _zipf_exponent(names.values()) < 1.8
    assert sum(count == 1 for count in names.values()) > 0.15 * len(names)


def _flat(told: Any, name: str = "") -> Iterable[tuple[str, Any]]:
    if isinstance(told, dict):
        for key, value in told.items():
            yield from _flat(value, f"{name}.{key}" if name else key)
    elif isinstance(told, list):
        yield name, str(told)
    else:
        yield name, told


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or value is None:
        return None
    try:
        return float(int(value, 16)) if isinstance(value, str) and value.startswith("0x") else float(value)
    except (TypeError, ValueError):
        return None


def stump(values: list[tuple[Any, bool]]) -> float:
    """The best AUC of one cut: a value against all others, a bound on the number, or a bound on the length."""
    positives = sum(is_attack for _, is_attack in values)
    negatives = len(values) - positives
    best = 0.5
    theirs = Counter(str(value) for value, is_attack in values if is_attack)
    others = Counter(str(value) for value, is_attack in values if not is_attack)
    for value, count in theirs.items():
        area = (count / positives + 1 - others[value] / negatives) / 2
        best = max(best, area, 1 - area)
    measures = [[(_number(value), is_attack) for value, is_attack in values]]
    measures.append([(float(len(str(value))), is_attack) for value, is_attack in values])
    for measure in measures:
        numbers = sorted((number, is_attack) for number, is_attack in measure if number is not None)
        if len(numbers) < len(values):
            continue
        below = [0, 0]
        for place, (number, is_attack) in enumerate(numbers):
            below[is_attack] += 1
            if place + 1 < len(numbers) and numbers[place + 1][0] == number:
                continue
            area = (below[1] / positives + 1 - below[0] / negatives) / 2
            best = max(best, area, 1 - area)
    return best


def _kinds(drill: Drill) -> dict[str, list[tuple[tuple[str, int], dict[str, Any]]]]:
    """Records by what they are, as a detector would compare them: like with like."""
    import json
    import re
    import shlex

    kinds: dict[str, list[tuple[tuple[str, int], dict[str, Any]]]] = defaultdict(list)
    for place, record in drill.windows:
        winlog = record["winlog"]
        data = winlog.get("event_data") or winlog.get("user_data") or {}
        at = _local(record["@timestamp"])
        own = {"hour": at.hour, "weekday": at.weekday(), "computer": winlog["computer_name"]}
        kinds[f"{winlog['provider_name']} {winlog['event_id']}"].append((place, {**data, **own}))
    for body in ("ps", "lc"):
        for log in ("conn", "dns", "http", "ssl"):
            for place, record in drill.zeek(body, log):
                at = datetime.fromtimestamp(float(record["ts"]), tz=ZONE)
                kinds[f"zeek {body} {log}"].append((place, {**record, "hour": at.hour, "weekday": at.weekday()}))
    for path, number, line in drill.lines("firewall/ps/*"):
        fields = dict(part.split("=", 1) for part in shlex.split(line))
        kinds["fortigate"].append(((path, number), {**fields, "hour": fields["time"][:2]}))
    names: list[str] = []
    for path, number, line in drill.lines("web/PS-WEB01/*"):
        if line.startswith("#Fields"):
            names = line.split()[1:]
        elif not line.startswith("#"):
            kinds["iis"].append(((path, number), dict(zip(names, line.split(), strict=True))))
    for path, number, line in drill.lines("web/legis*/*"):
        cells = re.split(r'" | "|\[|\]', line)
        kinds["nginx"].append(((path, number), {str(place): cell for place, cell in enumerate(cells)}))
    for name in ("audit", "sign-ins", "directory"):
        for path, number, line in drill.lines(f"cloud/ps/{name}-*"):
            told = json.loads(line)
            record = dict(_flat(told))
            # Values that stand in lists by their name are fields of their own.
            named = [*told.get("Parameters", ()), *told.get("OperationProperties", ())]
            record.update({f"Parameters.{one['Name']}": one["Value"] for one in named})
            operation = record.get("Operation", "") if name == "audit" else record["operationName"]
            kinds[f"cloud {name} {operation}"].append(((path, number), record))
    return kinds


def test_no_single_field_tells_attacks_apart(drill: Drill) -> None:
    told: dict[tuple[str, str], float] = {}
    for kind, records in _kinds(drill).items():
        records = [one for one in records if one[0] not in drill.permitted]
        count = sum(place in drill.attack for place, _ in records)
        if count < 8 or len(records) - count < 30:
            continue
        for name in sorted({name for _, fields in records for name in fields}):
            values = [(fields.get(name, ""), place in drill.attack) for place, fields in records]
            if (area := stump(values)) >= 0.9:
                told[kind, name] = round(area, 3)
    assert not {key: area for key, area in told.items() if key not in MAY_SEPARATE}
