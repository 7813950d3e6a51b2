"""Picks in, claims of what was taken from databases out: dumps, exports, backups, and commands run from within.

No log tells how many rows a dump holds, so both bounds stay open.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from tocsin.investigate.impact import commands
from tocsin.investigate.impact.picks import Gate, Pick
from tocsin.investigate.impact.tied import Tied
from tocsin.model.impact import Bounds, Claim, Sort

SORT: Final[Sort] = "database"

_DUMP: Final = re.compile(
    r"\b(?:mysqldump|mariadb-dump|mysqlpump|pg_dump(?:all)?|pg_basebackup|mongodump|mongoexport|expdp|redis-cli\s.*--rdb"
    r"|influxd\s+backup|ldbdump|sqlpackage(?:\.exe)?\b.{0,400}/a(?:ction)?:export)\b"
    r"|\bsqlite3(?:\.exe)?\b.{0,400}\.(?:dump|backup)\b"
    r"|\bbcp(?:\.exe)?\b.{0,1000}\b(?:out|queryout)\b"
    r"|\bBACKUP\s+(?:DATABASE|LOG)\b|\bINTO\s+OUTFILE\b|Backup-SqlDatabase",
    re.IGNORECASE | re.DOTALL,
)
_WITHIN: Final = re.compile(r"\bxp_cmdshell\b|\bsp_OACreate\b|\bInvoke-SQLOSCmd\b", re.IGNORECASE)
_WORDS: Final = (
    *("dump", "pg_basebackup", "mysqlpump", "mongoexport", "expdp", "redis-cli", "influxd", "sqlpackage", "sqlite3"),
    *("bcp", "backup", "outfile", "xp_cmdshell", "sp_oacreate", "invoke-sqloscmd"),
)
_SERVERS: Final = re.compile(r"(?:^|[\\/])(?:sqlservr|mysqld|mariadbd|postgres|oracle)(?:\.exe)?$", re.IGNORECASE)
_SYSMON: Final = frozenset({"microsoft-windows-sysmon/operational"})

GATES: Final[tuple[Gate, ...]] = (
    *commands.gates(re.compile(f"{_DUMP.pattern}|{_WITHIN.pattern}", re.IGNORECASE | re.DOTALL), _WORDS),
    Gate(kind="windows", holds={"Channel": _SYSMON, "EventID": frozenset({"1"})}, found={"ParentImage": _SERVERS}),
    Gate(
        kind="windows",
        holds={"Channel": frozenset({"security"}), "EventID": frozenset({"4688"})},
        found={"ParentProcessName": _SERVERS},
    ),
    # SQL Server's own log: an option was changed, and the procedure is among the options (error 15457).
    Gate(
        kind="windows",
        holds={"Channel": frozenset({"application"}), "EventID": frozenset({"15457", "33205"})},
        found=dict.fromkeys(("Data", "Message", "param1", "Data_0", "statement"), _WITHIN),
    ),
)


def claims(tied: Tied) -> Iterator[Claim]:
    for host, here in tied.grouped(lambda pick: pick.host or "a machine that the records do not name"):
        dumped = here.only(lambda pick: _DUMP.search(commands.command(pick)) is not None)
        if dumped:
            yield dumped.claim(
                "staged",
                SORT,
                f"dumped or exported from a database on {host}",
                host,
                unit="records",
                amount=Bounds(),
                because="commands that write out whole databases were started; how much they wrote is not logged",
                names=dumped.names(lambda pick: (" ".join(commands.command(pick).split()),)),
                kind_of_content="content",
                would_tell="the audit log of the database server",
                host=host,
            )
        within = here.only(_ran_within)
        if within:
            yield within.claim(
                "accessed",
                SORT,
                f"reachable in a database on {host}",
                host,
                unit="records",
                amount=Bounds(),
                because="the database server ran commands of the system: whoever gave them could read what it holds",
                kind_of_content="content",
                would_tell="the audit log of the database server",
                host=host,
            )


def _ran_within(pick: Pick) -> bool:
    if _SERVERS.search(pick.text("ParentImage", "ParentProcessName")):
        return True
    said = " ".join((commands.command(pick), pick.text("Data", "Message", "param1", "Data_0", "statement")))
    return _WITHIN.search(said) is not None and _DUMP.search(commands.command(pick)) is None
