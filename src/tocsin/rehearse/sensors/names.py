"""A question for a name in, a line of BIND's query log out.

BIND 9 manual, "Query Logging", with `print-time iso8601-utc`.
"""

from __future__ import annotations

from tocsin.rehearse.dice import digest
from tocsin.rehearse.rhythm import clock
from tocsin.rehearse.scene import Scene
from tocsin.rehearse.world import Host


def write(scene: Scene, resolver: Host, ts_us: int, client: str, port: int, name: str, kind: str) -> None:
    shown = clock(resolver.clock(ts_us)) + "Z"
    line = (
        f"{shown} queries: info: client @0x7f{digest(client)[:10]} {client}#{port} ({name}): "
        f"query: {name} IN {kind} +E(0)K ({resolver.address})\n"
    )
    scene.tape.put(scene.tape.stream(f"dns/{resolver.name}/queries-{{day}}.log"), ts_us, line, scene.mark)
