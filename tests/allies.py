"""A folder in, a TAXII site with guests, its server and objects for it out: what tests of sharing stand on."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import uvicorn
from starlette.types import ASGIApp

from tocsin.border.markings import ID_OF
from tocsin.border.site import read_site
from tocsin.share.taxii import feeds, place
from tocsin.share.taxii.app import app
from tocsin.share.taxii.place import Place
from tocsin.share.taxii.serving import _Shown
from tocsin.share.taxii.store import address

FIVE, OTHER = "11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222"
NOWHERE = "33333333-3333-4333-8333-333333333333"
US = "identity--aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
TAXII = "application/taxii+json;version=2.1"
TOKENS = {name: f"token-of-{name}" for name in ("siem", "au", "ca", "ended", "none")}

AGREEMENT = 'version = 1\nid = "{id}"\nname = "{id}"\ntlp = "{tlp}"\npap = "red"\nvictims = "{victims}"\n{more}\n'


def digest(name: str) -> str:
    return "sha256:" + sha256(TOKENS[name].encode()).hexdigest()


def written(folder: Path, *, victims: str = "named", rate: int = 1_000_000, more: str = "") -> Path:
    """siem is ours; au reads up to amber and writes; ca reads up to green; ended and none may nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, tlp, extra in (
        ("au", "amber", ""),
        ("ca", "green", ""),
        ("ended", "amber", "until = 2020-01-01"),
        ("none", "amber", ""),
    ):
        (folder / f"{name}.toml").write_text(AGREEMENT.format(id=name, tlp=tlp, victims=victims, more=extra))
    guests = {
        "siem": f'ours = "siem"\nrights = {{ five = ["read", "write", "delete"], "{OTHER}" = ["read", "write"] }}',
        "au": 'agreement = "au.toml"\nrights = { five = ["read", "write", "delete"] }',
        "ca": f'agreement = "ca.toml"\nrights = {{ five = ["read"], "{OTHER}" = ["write"] }}',
        "ended": 'agreement = "ended.toml"\nrights = { five = ["read", "write", "delete"] }',
        "none": 'agreement = "none.toml"\nrights = {}',
    }
    told = [f'[[guest]]\ntokens = ["{digest(name)}"]\na-minute = {rate}\n{rest}' for name, rest in guests.items()]
    path = folder / "site.toml"
    path.write_text(
        f'version = 1\ntitle = "Somewhere"\nown = ["{US}"]\n{more}\n'
        f'[[collection]]\nid = "{FIVE}"\ntitle = "Five"\nalias = "five"\n'
        f'[[collection]]\nid = "{OTHER}"\ntitle = "Other"\n' + "\n".join(told)
    )
    return path


def opened(folder: Path, url: str = "", **how: Any) -> Place:
    site = folder / "site.toml" if (folder / "site.toml").exists() else written(folder, **how)
    found = place.opened(read_site(site), folder, url or address(folder / "taxii.db"))
    feeds.settle(found)
    return found


@dataclass
class Ally:
    """One who asks a server in this process."""

    app: ASGIApp
    headers: Mapping[str, str]

    def ask(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Any:
        content = body if isinstance(body, bytes) else None if body is None else json.dumps(body).encode()
        sent = {**self.headers, **({"Content-Type": TAXII} if content is not None else {}), **(headers or {})}

        async def asked() -> httpx.Response:
            way = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=way, base_url="http://here") as client:
                return await client.request(method, path, content=content, headers=sent)

        return asyncio.run(asked())

    def get(self, path: str) -> Any:
        return self.ask("GET", path)

    def post(self, *objects: Any, to: str = FIVE) -> Any:
        return self.ask("POST", f"/allies/collections/{to}/objects/", {"objects": list(objects)}).json()

    def every(
        self, what: str = "objects", asked: str = "match[version]=all", of: str = FIVE, limit: int = 1000
    ) -> list[Any]:
        found: list[Any] = []
        led = ""
        while True:
            page = self.get(f"/allies/collections/{of}/{what}/?{asked}{led}").json()
            found += page.get("objects", [])
            if not page.get("more"):
                return found
            led = f"&next={page['next']}"


def ally(found: Place, name: str) -> Ally:
    complaints: list[str] = []
    return Ally(app(found, complaints.append), {"Authorization": f"Bearer {TOKENS[name]}", "Accept": TAXII})


@contextmanager
def serving(found: Place, **how: Any) -> Iterator[int]:
    """A server in a thread, on a port of its own."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        config = uvicorn.Config(
            app(found, lambda what: None), http=_Shown, ws="none", lifespan="off", log_level="critical", **how
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            yield bound.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()
            found.engine.dispose()


def named(kind: str, number: int) -> str:
    return f"{kind}--{uuid.UUID(int=(number << 80) | (4 << 76) | (8 << 60) | 1)}"


def indicator(
    number: int, *, tlp: str = "clear", by: str = US, modified: str = "2026-03-01T00:00:00.000Z", **more: Any
) -> dict[str, Any]:
    return {
        "type": "indicator",
        "spec_version": "2.1",
        "id": named("indicator", number),
        "created": "2026-03-01T00:00:00.000Z",
        "modified": modified,
        "created_by_ref": by,
        "object_marking_refs": [ID_OF[tlp]],
        "pattern": f"[domain-name:value = 'c{number}.example']",
        "pattern_type": "stix",
        "valid_from": "2026-03-01T00:00:00Z",
        **more,
    }


def relationship(number: int, source: str, target: str, *, tlp: str = "clear", by: str = US) -> dict[str, Any]:
    return {
        "type": "relationship",
        "spec_version": "2.1",
        "id": named("relationship", number),
        "created": "2026-03-01T00:00:00.000Z",
        "modified": "2026-03-01T00:00:00.000Z",
        "created_by_ref": by,
        "object_marking_refs": [ID_OF[tlp]],
        "relationship_type": "related-to",
        "source_ref": source,
        "target_ref": target,
    }


def identity(named: str = US, name: str = "Us") -> dict[str, Any]:
    return {
        "type": "identity",
        "spec_version": "2.1",
        "id": named,
        "created": "2026-03-01T00:00:00.000Z",
        "modified": "2026-03-01T00:00:00.000Z",
        "name": name,
        "identity_class": "organization",
        "object_marking_refs": [ID_OF["clear"]],
    }
