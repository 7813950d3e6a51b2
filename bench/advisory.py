"""The figures of telling the world: an advisory of ten cases and five thousand indicators; a thousand seals checked.

    python bench/advisory.py [--cases N] [--indicators N] [--seals N]

Cases are made. Printed is a table and, last, one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tocsin import advising, cases
from tocsin.border.advisory import read
from tocsin.disclose import endorse
from tocsin.model.citation import Citation
from tocsin.model.endorsement import Claim, Endorsement, JointStatement, Nation, OfClaim
from tocsin.model.incident import Cited, Incident, Seen
from tocsin.seal import keys

TECHNIQUES = ("T1190", "T1505.003", "T1003.001", "T1059.001", "T1021.002", "T1560.001", "T1041", "T1071.001")


def made(number: int, indicators: int) -> Incident:
    """One case with its share of the addresses."""
    start = 1_772_000_000_000_000

    def at(record: int) -> Citation:
        return Citation(src=f"{number:064x}", path="a.evtx", rec=record, chunk=0, ts_us=start + record * 10**9)

    findings = tuple(
        Cited(
            rule_id=f"r{record}",
            title=f"Rule {record % 40}",
            level="high",
            techniques=(TECHNIQUES[record % len(TECHNIQUES)],),
            tactics=("execution", "exfiltration")[record % 2 : record % 2 + 1],
            host=f"host{number}",
            kind="windows",
            at=at(record),
            fields={},
        )
        for record in range(200)
    )
    addresses = tuple(
        Seen(name=f"11.{number}.{one // 250}.{one % 250 + 1}", first_us=start, last_us=start, findings=1)
        for one in range(indicators)
    )
    return Incident(
        id=f"inc-{number}",
        title=f"Case {number}",
        rank="act now",
        score=1.0,
        because=(),
        level="high",
        first_us=start,
        last_us=start + 10**12,
        findings=findings,
        tactics=("execution", "exfiltration"),
        addresses=addresses,
    )


def written(count: int) -> str:
    head = 'version = 1\nnumber = "1"\ntitle = "T"\ndate = 2026-01-01\nmarking = "clear"\n'
    head += '[[author]]\nnation = "nz"\nname = "N"\ncontact = "C"\n'
    of = '[[case]]\nid = "inc-{0}"\ncalled = "Body {0}"\nmarking = "clear"\n'
    return head + "".join(map(of.format, range(count)))


def advisory_s(count: int, indicators: int) -> tuple[float, int]:
    with TemporaryDirectory() as name:
        folder = Path(name)
        for number in range(count):
            cases.open_case(folder / "cases", made(number, indicators // count), by="bench")
        (folder / "by.toml").write_text(written(count), encoding="utf-8")
        began = time.perf_counter()
        told = read(folder / "by.toml")
        drafted = advising.draft(told, [f"inc-{one}" for one in range(count)], folder / "cases", leave_out=False)
        advising.save(drafted, folder / "out")
        return time.perf_counter() - began, len(drafted.advisory.indicators)


def seals_s(count: int) -> float:
    """Envelopes of as many nations as there are keys, each checked against all of them."""
    names = [f"n{one}" for one in range(10)]
    private = {name: Ed25519PrivateKey.from_private_bytes(name.encode().ljust(32, b".")) for name in names}
    nations = [Nation(id=name, name=name, keys=(keys.public_text(private[name]),)) for name in names]
    claim = Claim(id="c", text="Something happened.", evidence=())
    statement = JointStatement(
        title="T", claims=(claim,), asked=tuple(sorted(names)), threshold=2, words="", marking="clear", at="2026"
    )
    envelopes: list[dict[str, Any]] = []
    after = dict.fromkeys(names, "")
    entry = Endorsement(
        statement=endorse.digest(statement),
        nation="",
        act="seal",
        key="",
        at="2026",
        after="",
        claims=(OfClaim(claim=endorse.of_claim(claim), stance="endorse", confidence="high"),),
    )
    for number in range(count):
        name = names[number % len(names)]
        one = replace(entry, nation=name, key=keys.fingerprint(private[name]), after=after[name])
        after[name] = endorse.entry_digest(one)
        envelopes.append(endorse.sealed(one, statement, private[name]))
    began = time.perf_counter()
    found = endorse.weigh(statement, envelopes, nations)
    took = time.perf_counter() - began
    assert found.stands
    return took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=10)
    parser.add_argument("--indicators", type=int, default=5000)
    parser.add_argument("--seals", type=int, default=1000)
    asked = parser.parse_args()
    took, count = advisory_s(asked.cases, asked.indicators)
    seals = seals_s(asked.seals)
    print(f"{'what':50} {'seconds':>9}")
    print(f"{f'advisory: {asked.cases} cases, {count:,} indicators, all forms':50} {took:9.2f}")
    print(f"{f'{asked.seals:,} seals checked':50} {seals:9.2f}")
    print(json.dumps({"advisory_s": round(took, 3), "indicators": count, "seals_s": round(seals, 3)}))


if __name__ == "__main__":
    main()
