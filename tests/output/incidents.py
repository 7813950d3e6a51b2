"""Incidents to report, made by number: as large as wanted, with values that try to be more than text."""

from __future__ import annotations

import random

from output import taken
from tocsin.model.coverage import Coverage, RuleCoverage, SeenLog
from tocsin.model.custody import Custody
from tocsin.model.incident import (
    Citation,
    Cited,
    Entity,
    Entry,
    Folded,
    Incident,
    Join,
    Move,
    Process,
    Seen,
    Skew,
)
from tocsin.model.rule import Level, RuleSet
from tocsin.model.run import Run

START = 1_772_000_000_000_000
RULES: list[tuple[str, str, Level, str, str]] = [
    ("r-1", "Web Server Starts a Shell", "high", "T1505.003", "initial-access"),
    ("r-2", "Memory of the Logon Service Is Dumped", "critical", "T1003.001", "credential-access"),
    ("r-3", "Remote Service Is Installed", "medium", "T1021.002", "lateral-movement"),
    ("r-4", "Somebody Asks Who the Admins Are", "low", "T1069.002", "discovery"),
]
HOSTS = ("web-01", "dc-01", "ws-017", "file-02")
HOSTILE = ("<script>alert(1)</script>", "</script><img src=x onerror=alert(1)>", "=cmd|'/c calc'!A0", "a\u202eb\x1b[2J")


def citation(number: int, *, ts_us: int | None = 0) -> Citation:
    src = f"{number % 7:064x}"
    return Citation(
        src=src, path=f"logs/{number % 7}.evtx", rec=number, chunk=4096, ts_us=START + number if ts_us == 0 else ts_us
    )


def cited(number: int, fields: dict[str, str | None], *, minute: int) -> Cited:
    rule_id, title, level, technique, tactic = RULES[number % len(RULES)]
    return Cited(
        rule_id=rule_id,
        title=title,
        level=level,
        techniques=(technique,),
        tactics=(tactic,),
        host=HOSTS[number % len(HOSTS)],
        kind="windows",
        at=citation(number, ts_us=START + minute * 60_000_000),
        fields=fields,
    )


def incident(findings: int = 40, *, words: tuple[str, ...] = (), seed: int = 1) -> Incident:
    """`words` stand wherever a log or a rule could put them."""
    rng = random.Random(seed)
    word = words[0] if words else "whoami /groups"
    found = tuple(
        cited(
            number,
            {
                "Image": rng.choice(words) if words else "C:\\Windows\\System32\\cmd.exe",
                "CommandLine": f"{rng.choice(words) if words else 'cmd /c'} {rng.randrange(10**9):x} " + "x" * 180,
                "User": "ASSEMBLY\\m.tane",
            },
            minute=3 * number,
        )
        for number in range(findings)
    )
    entries = tuple(
        Entry(
            ts_us=one.at.ts_us,
            host=one.host,
            what=f"{one.title} {word}",
            at=one.at,
            findings=(number,),
            tactic=one.tactics[0],
        )
        for number, one in enumerate(found)
    )
    times = [one.at.ts_us or 0 for one in found]
    seen = {"first_us": min(times), "last_us": max(times)}
    counted = len(found) // len(HOSTS)
    return Incident(
        id="3f" * 16,
        title=f"Web server, then the domain controller {word if words else ''}".strip(),
        rank="act now",
        score=31.5,
        because=("a critical finding on a domain controller",),
        level="critical",
        findings=found,
        hosts=tuple(Seen(name=host, findings=counted, **seen) for host in HOSTS),
        accounts=(
            Seen(name="ASSEMBLY\\m.tane", findings=len(found), also=("S-1-5-21-1-2-3-1104",), on=HOSTS[:2], **seen),
        ),
        addresses=(
            Seen(name="1.1.1.1", findings=2, on=HOSTS[:1], **seen),
            Seen(name="10.0.4.17", findings=1, **seen),
        ),
        techniques=tuple(sorted({one.techniques[0] for one in found})),
        tactics=("initial-access", "credential-access", "lateral-movement", "discovery"),
        tactic="credential-access",
        joins=tuple(
            Join(
                one=number,
                other=number + 1,
                entity=Entity(kind="process", name=f"p{number}", shown=f"p{number}"),
                weight=9.5,
                gap_us=180_000_000,
                because=f"the same process {word}",
            )
            for number in range(len(found) - 1)
        ),
        timeline=entries,
        processes=tuple(
            Process(
                parent=number - 1 if number % 5 else -1,
                host=HOSTS[0],
                image=word,
                command=f"{word} {number}",
                account="ASSEMBLY\\m.tane",
                first_us=START + number,
                findings=(number,),
                at=found[number].at,
            )
            for number in range(min(len(found), 12))
        ),
        folded=(
            Folded(
                index=0,
                rule_id="r-4",
                title=RULES[3][1],
                level="low",
                host="ws-017",
                count=90,
                first_us=START,
                last_us=START + 5,
                because="the same words every hour",
                citations=(citation(900_001),),
            ),
        ),
        skews=(Skew(host="dc-01", against="web-01", ahead_us=2_400_000, events=7),),
        way_in=entries[0],
        patient_zero="web-01",
        moves=(
            Move(
                ts_us=START,
                source="1.1.1.1",
                target="web-01",
                account="",
                because=f"a request {word}",
                at=found[0].at,
            ),
            Move(
                ts_us=START + 1,
                source="web-01",
                target="dc-01",
                account="ASSEMBLY\\m.tane",
                because="a logon over the network",
                at=found[1].at,
            ),
            Move(
                ts_us=START + 2,
                source="dc-01",
                target="file-02",
                account="ASSEMBLY\\m.tane",
                because="a share was opened",
                at=citation(900_002),
            ),
        ),
        dwell_us=max(times) - min(times),
        still_open=("a session of ASSEMBLY\\m.tane on dc-01 has no end",),
        not_seen=("No log of the mail server is among the evidence.",),
        impact=taken.impact(word if words else "", [found[0].at, citation(900_003)]),
        assets=taken.held(word if words else ""),
        people=taken.touched(word if words else "", [found[0].at]),
        **seen,
    )


def run() -> Run:
    return Run(
        rules=RuleSet(rules=(), variants=(), patterns=(), problems=()),
        findings=(),
        custody=tuple(
            Custody(
                path=f"logs/{number}.evtx",
                file=f"logs/{number}.evtx",
                size_bytes=69_632,
                sha256=f"{number:064x}",
                format="evtx",
                read=60,
            )
            for number in range(7)
        ),
        coverage=Coverage(
            seen=tuple(
                SeenLog(kind="windows", channel="Security", host=host, records=60, first_us=START, last_us=START + 9)
                for host in HOSTS
            ),
            rules=(
                RuleCoverage(rule=0, state="fired", findings=3),
                RuleCoverage(rule=1, state="no log source", detail="linux/auditd"),
            ),
            problems=(),
        ),
        tool_version="0.1.0",
    )
