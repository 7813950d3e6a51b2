"""Log files and an incident in a few words in, its impact out: the same way as a run goes, without rules."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from tocsin import collect, investigate
from tocsin.investigate import impact
from tocsin.model.asset import Assets
from tocsin.model.citation import Citation
from tocsin.model.coverage import SeenLog
from tocsin.model.event import NO_TIME
from tocsin.model.impact import Claim, Impact
from tocsin.model.incident import Cited, Incident, Seen
from tocsin.model.kind import ENVELOPE

BEGIN = 1_780_315_200_000_000  # 2026-06-01 12:00 UTC
MINUTE = 60_000_000
SYSMON = "Microsoft-Windows-Sysmon/Operational"


def at(minute: float) -> str:
    moment = datetime.fromtimestamp((BEGIN + minute * MINUTE) / 1e6, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def windows(event: int, minute: float = 1, *, channel: str = "Security", host: str = "FS01", **fields: str) -> str:
    return json.dumps({"EventID": event, "Channel": channel, "Hostname": host, "@timestamp": at(minute), **fields})


def zeek(
    minute: float, target: str, sent: int | None, came: int | None = 100, *, uid: str = "", source: str = "10.0.0.5"
) -> str:
    record: dict[str, Any] = {
        "_path": "conn",
        "ts": at(minute),
        "uid": uid or f"C{minute}{target}",
        "id.orig_h": source,
        "id.orig_p": 50_000,
        "id.resp_h": target,
        "id.resp_p": 443,
        "proto": "tcp",
        "conn_state": "SF",
    }
    record |= {"orig_bytes": sent} if sent is not None else {}
    return json.dumps(record | ({"resp_bytes": came} if came is not None else {}))


def audit(operation: str, minute: float = 1, *, workload: str = "Exchange", **fields: Any) -> str:
    record = {
        "CreationTime": at(minute)[:19],
        "Operation": operation,
        "Workload": workload,
        "RecordType": 50,
        "UserId": "mere@parl.example",
        "ClientIP": "203.0.113.9",
        **fields,
    }
    return json.dumps(record)


def accessed(
    kind: str, *ids: str, folder: str = "\\Inbox", throttled: bool = False, minute: float = 1, **more: Any
) -> str:
    return audit(
        "MailItemsAccessed",
        minute,
        MailboxOwnerUPN="mere@parl.example",
        OperationProperties=[
            {"Name": "MailAccessType", "Value": kind},
            {"Name": "IsThrottled", "Value": str(throttled)},
        ],
        Folders=[{"Path": folder, "FolderItems": [{"InternetMessageId": f"<{one}>"} for one in ids]}],
    )


def incident(
    *,
    hosts: Sequence[str] = ("FS01", "10.0.0.5"),
    accounts: Sequence[str] = ("PARL\\mere", "mere@parl.example"),
    addresses: Sequence[str] = ("203.0.113.9",),
    minutes: tuple[float, float] = (0, 60),
    places: Sequence[tuple[str, int]] = (),
    fields: Mapping[str, str | None] | None = None,
    kind: str = "m365",
) -> Incident:
    """`places` are (path, rec) of records that are findings."""

    def seen(names: Sequence[str]) -> tuple[Seen, ...]:
        return tuple(Seen(name=name, first_us=None, last_us=None, findings=1) for name in names)

    first, last = (int(BEGIN + minute * MINUTE) for minute in minutes)
    cited = tuple(
        Cited(
            rule_id="r",
            title="r",
            level="high",
            techniques=(),
            tactics=(),
            host="FS01",
            kind=kind,
            at=Citation(src="", path=path, rec=rec, chunk=-1, ts_us=first),
            fields=fields or {},
        )
        for path, rec in places or (("nowhere", 0),)
    )
    return Incident(
        id="i",
        title="An incident",
        rank="act now",
        score=50.0,
        because=(),
        level="high",
        first_us=first,
        last_us=last,
        findings=cited,
        hosts=seen(hosts),
        accounts=seen(accounts),
        addresses=seen(addresses),
    )


def weigh(
    folder: Path, logs: Mapping[str, str], of: Incident, *, assets: Assets | None = None, lost: Sequence[str] = ()
) -> Impact:
    """`logs` are texts by the names of their files; the order in which they are read is theirs."""
    evidence = folder / "evidence"
    evidence.mkdir(exist_ok=True)
    for name, text in logs.items():
        (evidence / name).parent.mkdir(parents=True, exist_ok=True)
        (evidence / name).write_text(text, encoding="utf-8")
    return weigh_files(folder, [evidence / name for name in logs], of, assets=assets, lost=lost)


def weigh_files(
    folder: Path, paths: Sequence[Path], of: Incident, *, assets: Assets | None = None, lost: Sequence[str] = ()
) -> Impact:
    fields = impact.FIELDS | ENVELOPE | investigate.FIELDS
    tables = [events for path in paths for events in collect.read(path, fields)]
    traced = folder / "traced"
    traced.write_bytes(
        b"".join(part for events in tables for part in investigate.frames(events, np.zeros(0, np.int64)))
    )
    known = assets or Assets()
    scenes = impact.scenes([of], investigate.read([traced]), known)
    looked = folder / "looked"
    looked.mkdir()
    kept = impact.Kept(folder=looked).made()
    for number, events in enumerate(tables):
        impact.keep(kept, f"{number:06}", events, impact.around(scenes))
    seen = [log for events in tables for log in _seen(events)]
    (told,) = impact.assess([of], scenes, impact.read(kept, lost=lost, digests={}, seen=seen), known)
    assert told.impact is not None
    return told.impact


def _seen(events: Any) -> list[SeenLog]:
    host = events.hosts()
    spans: dict[str, list[int]] = {}
    for row in range(len(events)):
        if events.ts[row] != NO_TIME:
            spans.setdefault((host.text(row) if host else "") or "", []).append(int(events.ts[row]))
    return [
        SeenLog(kind=events.kind, channel="", host=name, records=len(times), first_us=min(times), last_us=max(times))
        for name, times in spans.items()
    ]


def only(impact_: Impact, **told: Any) -> Claim:
    """The one claim with these parts."""
    found = [one for one in impact_.claims if all(getattr(one, name) == value for name, value in told.items())]
    assert len(found) == 1, [(one.stage, one.sort, one.what) for one in impact_.claims]
    return found[0]
