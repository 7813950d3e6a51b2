"""What the emulated attacks of the shared corpora took, as a table that was read through, and one count by hand.

TOCSIN_GOLDEN=write writes the table anew; read the difference before it is kept.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from corpus.pack import Pack
from tocsin.model.asset import Asset, Assets
from tocsin.model.incident import Incident
from tocsin.respond import respond

GOLDEN = Path(__file__).parent / "golden" / "impact.json"
ATOMIC = "atomic/windows/credential_access/host"
SOURCES = {
    "replication": f"{ATOMIC}/empire_dcsync_dcerpc_drsuapi_DsGetNCChanges.zip",
    "ntdsutil": f"{ATOMIC}/cmd_dumping_ntds_dit_file_ntdsutil.zip",
    "ninjacopy": f"{ATOMIC}/empire_ninjacopy_dumping_ntds_dit_file.zip",
    "saved hives": f"{ATOMIC}/empire_shell_reg_dump_sam.zip",
    "memory": f"{ATOMIC}/empire_mimikatz_logonpasswords.zip",
    "memory, by system calls": f"{ATOMIC}/cmd_lsass_memory_dumpert_syscalls.zip",
    "mail": "compound/GoldenSAMLADFSMailAccess",
    "network": "compound/apt29/day1/zeek/individual_zeek_logs",
}
# The laboratory's own network: what lies outside of it is not ours, private or not.
ASSETS = Assets([Asset(name="laboratory", addresses=("10.0.0.0/16",))])


def _table(incidents: tuple[Incident, ...]) -> Iterator[dict[str, Any]]:
    for incident in incidents:
        assert incident.impact is not None
        for claim in incident.impact.claims:
            if claim.confidence != "low" or claim.sort == "mail":
                yield {
                    "claim": f"{claim.stage}: {claim.what}",
                    "bounds": [claim.amount.lower, claim.amount.upper, claim.unit],
                    "confidence": claim.confidence,
                    "content": claim.content,
                    "records": claim.records,
                    "names": [*claim.names[:6]],
                }


@pytest.mark.parametrize("name", SOURCES)
def test_what_was_taken(shared: Path, pack: Pack, name: str) -> None:
    source = shared / "corpus" / "security-datasets" / SOURCES[name]
    with respond([source], pack.detector.rules, jobs=1, assets=ASSETS if name == "network" else None) as response:
        table = list(_table(response.incidents))
    known = json.loads(GOLDEN.read_text(encoding="utf-8")) if GOLDEN.exists() else {}
    if os.environ.get("TOCSIN_GOLDEN") == "write":
        known[name] = table
        text = json.dumps({one: known[one] for one in SOURCES if one in known}, indent=1, ensure_ascii=False)
        GOLDEN.write_text(text + "\n", encoding="utf-8")
    assert table == known[name]


def test_bytes_by_hand(shared: Path, pack: Pack) -> None:
    """Two sensors wrote a file each; of each the payload, or what was on the wire, whichever is less or more."""
    folder = shared / "corpus" / "security-datasets" / SOURCES["network"]
    least, most, there = [], [], "192.168.0.4"
    with respond([folder], pack.detector.rules, jobs=1, assets=ASSETS) as response:
        (claim,) = (
            one
            for incident in response.incidents
            if incident.impact
            for one in incident.impact.claims
            if one.subject == there
        )
        (impact,) = {one.impact for one in response.incidents if one.impact and claim in one.impact.claims}
    since, until = (impact.since_us or 0) / 1e6, (impact.until_us or 0) / 1e6
    for path in sorted(folder.glob("*_conn.log")):
        records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        # A connection is written down once, and only what either side counted is a count.
        known = {one["uid"]: one for one in records if one["id_resp_h"] == there and since <= float(one["ts"]) <= until}
        counts = [[one[name] for name in ("orig_bytes", "orig_ip_bytes") if name in one] for one in known.values()]
        least.append(sum(min(count) for count in counts if count))
        most.append(sum(max(count) for count in counts if count))
    assert claim.amount.lower == max(least)
    assert claim.amount.upper in {None, sum(most)}
