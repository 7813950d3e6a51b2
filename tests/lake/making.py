"""Small logs of several kinds, made from a seed; and lakes compared by what they hold, not by how it lies there."""

from __future__ import annotations

import json
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tocsin.intake import LOOKS
from tocsin.lake import upkeep
from tocsin.lake.reading import Opened
from tocsin.lake.runs import Run
from tocsin.lake.store import INDEX, Lake

HOSTS = ("ws-1.corp.example", "ws-2.corp.example", "dc-1.corp.example")
DOMAINS = (
    "evil.example",
    "sub.evil.example",
    "good.example",
    "xn--bcher-kva.example",
    "BÜCHER.example",
    "EVIL.Example",
)
ADDRESSES = ("192.0.2.1", "192.0.2.77", "198.51.100.9", "2001:db8::5", "::ffff:203.0.113.9", "10.0.0.1")
FILES = ("C:\\Temp\\evil.exe", "C:\\Windows\\cmd.exe", "C:\\Temp\\my tool.exe", "/tmp/evil.sh")
HASHES = ("d41d8cd98f00b204e9800998ecf8427e", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")

Event = dict[str, Any]


def windows(chance: random.Random, at: datetime, host: str = "") -> Event:
    """One record of Sysmon or of the security log."""
    event: Event = {
        "EventTime": at.strftime("%Y-%m-%d %H:%M:%S"),
        "Hostname": host or chance.choice(HOSTS),
        "SourceName": "Microsoft-Windows-Sysmon",
        "Channel": "Microsoft-Windows-Sysmon/Operational",
    }
    match chance.randrange(5):
        case 0:
            command = f'{chance.choice(FILES)} -u http://{chance.choice(DOMAINS)}/{chance.randrange(9)}.php "x"'
            digest = f"MD5={chance.choice(HASHES)[:32].upper()},IMPHASH=00000000000000000000000000000000"
            event |= {"EventID": 1, "Image": chance.choice(FILES), "CommandLine": command, "Hashes": digest}
        case 1:
            event |= {"EventID": 3, "DestinationIp": chance.choice(ADDRESSES), "Image": chance.choice(FILES)}
        case 2:
            event |= {"EventID": 22, "QueryName": chance.choice(DOMAINS), "QueryResults": chance.choice(ADDRESSES)}
        case 3:  # words are all there is, or nearly so
            said = (
                f"{chance.choice(ADDRESSES)}:443\r\nran {chance.choice(FILES)}, not http://{chance.choice(DOMAINS)}/a"
            )
            event |= {"EventID": 7, "Channel": "Application", "Message": said}
            event |= chance.choice(({}, {"Image": chance.choice(FILES)}, {"IpAddress": "10.0.0.1"}, {"User": ""}))
        case _:
            user = chance.choice(("anna", "CORP\\Boris"))
            event |= {
                "EventID": 4624,
                "Channel": "Security",
                "IpAddress": chance.choice(ADDRESSES),
                "TargetUserName": user,
            }
            event["md5" if chance.random() < 0.5 else "MD5"] = chance.choice(HASHES)[:32]
    return event


def zeek(chance: random.Random, at: datetime) -> Event:
    """One record of conn or dns, with a list and a null."""
    head: Event = {"@system": "sensor1", "@proc": "zeek", "ts": at.timestamp(), "uid": f"C{chance.randrange(10**6)}"}
    if chance.random() < 0.5:
        ends = {"id_orig_h": chance.choice(ADDRESSES), "id_resp_h": chance.choice(ADDRESSES)}
        return {"@stream": "conn", **head, **ends, "id_orig_p": 1, "id_resp_p": 443, "service": None}
    answers = [chance.choice(ADDRESSES), chance.choice(DOMAINS)]
    return {"@stream": "dns", **head, "query": chance.choice(DOMAINS), "answers": answers, "rejected": False}


def syslog(chance: random.Random, at: datetime) -> str:
    text = f"session from {chance.choice(ADDRESSES)} to https://{chance.choice(DOMAINS)}/a by {chance.choice(FILES)}"
    return f"{at.strftime('%b %d %H:%M:%S')} web1 app[12]: {text}"


def write_logs(folder: Path, seed: int, files: int = 4, records: int = 40, days: int = 5) -> list[Path]:
    """Files of several kinds; each seed gives others."""
    chance = random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    begin = datetime(2021, 3, 1, tzinfo=UTC)
    found = []
    for number in range(files):
        kind = chance.choice(("windows", "windows", "zeek", "syslog"))
        moments = sorted(begin + timedelta(seconds=chance.randrange(days * 86_400)) for _ in range(records))
        path = folder / f"{seed}-{number}.{'log' if kind == 'syslog' else 'json'}"
        if kind == "syslog":
            lines = [syslog(chance, at) for at in moments]
        else:
            make = windows if kind == "windows" else zeek
            lines = [json.dumps(make(chance, at)) for at in moments]
        path.write_text("\n".join(lines) + "\n")
        found.append(path)
    return found


def records(lake: Lake) -> Counter[tuple[str, str, int]]:
    """How often each record is there: digest of its file, path, place."""
    found: Counter[tuple[str, str, int]] = Counter()
    for part in lake.state.parts.values():
        for _, events in Opened(part, lake.part_path(part)).events(frozenset()):
            for source, rec in zip(events.src.tolist(), events.rec.tolist(), strict=True):
                found[events.sources[source].sha256, events.sources[source].path, rec] += 1
    return found


def index_of(lake: Lake) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    """What the index says: token, part and field -> count, first, last, rows; field and part -> its values, or None."""
    found: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    for run in lake.index():
        found |= said(run, lake)
    return found


def rebuilt_index_of(lake: Lake) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    file = upkeep.index(lake, LOOKS, list(lake.state.parts.values()))
    try:
        return said(Run(lake.folder / INDEX / file.name), lake)
    finally:
        lake.drop([file.name])


def said(run: Run, lake: Lake) -> dict[tuple[Any, ...], tuple[Any, ...]]:
    found: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    begins = run["entry_at"]
    for token in range(len(run)):
        for entry in range(int(begins[token]), int(begins[token + 1])):
            part = run.about.parts[int(run["part"][entry])]
            if part not in lake.state.parts:
                continue
            rows = run.rows(entry)
            mark = tuple(int(run[name][token]) for name in ("kind", "print", "check"))
            key = (mark, part, run.about.fields[int(run["field"][entry])])
            assert key not in found
            found[key] = (
                *(int(run[name][entry]) for name in ("count", "first", "last")),
                None if rows is None else tuple(rows.tolist()),
            )
    for key in run.fields:
        words = run.words(key)
        texts = words.texts.to_pylist()
        held: dict[int, set[str]] = {}
        for text, first, stop in zip(texts, words.starts[:-1], words.starts[1:], strict=True):
            for part in words.parts[first:stop].tolist():
                held.setdefault(part, set()).add(text)
        assert held.keys().isdisjoint(words.unheld.tolist())
        for part in (*held, *words.unheld.tolist()):
            if (name := run.about.parts[part]) in lake.state.parts:
                assert (key, name) not in found
                found[key, name] = tuple(sorted(held[part])) if part in held else (None,)
    return found
