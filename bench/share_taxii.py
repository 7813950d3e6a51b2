"""The figures of TAXII: ingest, pages at any depth, reading with the client of OASIS; and medallion beside it.

    python bench/share_taxii.py [--objects N] [--rows N] [--postgresql URL]

Objects are those of `bench/share.py`, and made indicators. The store is filled to `--rows` behind the server's back,
which takes about a minute for a million. medallion is stopped after two minutes: its figures are then lower bounds.
Printed is a table and, last, one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import taxii2client.v21 as taxii2
import uvicorn
from sqlalchemy import insert, update
from stix2 import parse

import share
from tocsin.model.collection import Collection
from tocsin.model.guest import RIGHTS, Guest
from tocsin.model.peer import Peer
from tocsin.model.site import Site
from tocsin.share.taxii import envelope, feeds, intake, place, reading, store
from tocsin.share.taxii.app import app
from tocsin.share.taxii.place import Place
from tocsin.share.taxii.tables import objects, readers, shown

FIVE = "11111111-1111-4111-8111-111111111111"
TOKEN = "token"
DIGEST = "3c469e9d6c5875d37a43f353d4f88e61fcf812c66eee3457465a40b0da4153e0"  # of the word above
MEDALLION_S = 120
AT_ONCE = 20_000


def guest(peer: Peer | None = None) -> Guest:
    return Guest(
        id=peer.id if peer else "ours",
        peer=peer,
        agreement="a" if peer else "",
        tokens=(DIGEST,),
        certificates=(),
        rights={FIVE: frozenset(RIGHTS)},
        a_minute=10**6,
    )


def opened(folder: Path, url: str, own: frozenset[str], *guests: Guest) -> Place:
    site = Site(
        title="bench",
        description="",
        contact="",
        own=own,
        collections=(Collection(id=FIVE, title="Five"),),
        guests=guests,
        assets=None,
        people=None,
    )
    found = place.opened(site, folder, url or store.address(folder / f"{uuid.uuid4().hex}.db"))
    feeds.settle(found)
    return found


def intelligence(count: int) -> list[dict[str, Any]]:
    """What collections mostly hold: of ten objects seven indicators, and three that relate them to malware."""
    dice = random.Random(7)
    made: list[dict[str, Any]] = []
    stamp = {"created": "2026-03-01T00:00:00.000Z", "modified": "2026-03-01T00:00:00.000Z", "spec_version": "2.1"}
    for number in range(count):
        key = f"{uuid.UUID(int=dice.getrandbits(128), version=4)}"
        if number % 10 < 7:
            name, digest = f"c{dice.randrange(10**9)}.example", f"{dice.getrandbits(256):064x}"
            pattern = (
                f"[domain-name:value = '{name}']",
                f"[file:hashes.'SHA-256' = '{digest}' OR file:name = 't{number}.exe']",
                f"[url:value LIKE 'http://{name}/%'] AND [ipv4-addr:value = '198.51.100.{number % 250}']",
            )[number % 3]
            more = {"pattern": pattern, "pattern_type": "stix", "valid_from": stamp["created"], "name": name}
            made.append({"type": "indicator", "id": f"indicator--{key}", **stamp, **more})
        else:
            ends = {"source_ref": made[number - number % 10]["id"], "target_ref": f"malware--{key}"}
            more = {"relationship_type": "indicates", **ends}
            made.append({"type": "relationship", "id": f"relationship--{key}", **stamp, **more})
    return made


def timed(work: Any) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def ingest(made: Sequence[Any], own: frozenset[str], url: str) -> dict[str, float]:
    body = json.dumps({"objects": made}).encode()

    def read() -> None:
        assert not any(envelope.read(one).fault for one in envelope.divided(body))

    read()
    read_s = min(timed(read) for _ in range(3))
    few = made[: len(made) // 10]
    stix2_s = timed(lambda: [parse(one, allow_custom=True) for one in few]) * len(made) / len(few)
    found = {"parse_validate_10k_s": read_s, "stix2_parse_10k_s": stix2_s, "parse_times": stix2_s / read_s}
    peer = Peer(id="p", name="P", tlp="amber", pap="red", sightings="as marked")
    for name, guests in (("ingest_10k_s", [guest()]), ("ingest_10k_with_a_peer_s", [guest(), guest(peer)])):
        took = []
        for _ in range(3):
            with TemporaryDirectory() as folder:
                here = opened(Path(folder), url, own, *guests)
                took.append(timed(partial(_post, here, body)))
                if url:
                    emptied(here)
                here.engine.dispose()
        found[name] = min(took)
    return found | {"ingest_times": stix2_s / found["ingest_10k_s"]}


def _post(here: Place, body: bytes) -> None:
    told = intake.post(here, here.site.guests[0], FIVE, envelope.divided(body))
    assert not told["failure_count"]


def emptied(here: Place) -> None:
    from sqlalchemy import text

    with store.writing(here.engine) as connection:
        connection.execute(text("TRUNCATE objects, refs, shown, readers, statuses"))


def filled(here: Place, made: Sequence[Any], count: int) -> None:
    """Objects as they would be after as many posts: one row each, and one for the reader."""
    contents = [json.dumps(one).encode() for one in made]
    kinds = [one["type"] for one in made]
    start = 10**15
    with store.writing(here.engine) as connection:
        for first in range(0, count, AT_ONCE):
            some = range(first, min(count, first + AT_ONCE))
            ids = {number: f"{kinds[number % len(made)]}--{uuid.UUID(int=number)}" for number in some}
            kept = [
                {
                    "seq": number + 1,
                    "collection": FIVE,
                    "poster": "ours",
                    "object_id": ids[number],
                    "version_us": start,
                    "digest": number.to_bytes(32, "big"),
                    "content": contents[number % len(made)],
                    "added_us": start + number,
                }
                for number in some
            ]
            told = [
                {
                    "reader": "ours",
                    "collection": FIVE,
                    "added_us": start + number,
                    "object_id": ids[number],
                    "type": kinds[number % len(made)],
                    "version_us": start,
                    "is_first": True,
                    "is_last": True,
                    "seq": number + 1,
                    "content": None,
                }
                for number in some
            ]
            connection.execute(insert(objects), kept)
            connection.execute(insert(shown), told)
        connection.execute(update(readers).values(last_us=start + count))


def pages(made: Sequence[Any], rows: int, url: str) -> dict[str, float]:
    with TemporaryDirectory() as folder:
        here = opened(Path(folder), url, frozenset(), guest())
        filled(here, made, rows)
        one, path = here.site.guests[0], f"/allies/collections/{FIVE}/objects/"
        dice, took, filtered = random.Random(1), [], []
        for number in range(300):
            after = 10**15 + dice.randrange(max(1, rows - 1000))
            asked = replace(reading.question(here, one, "objects", path, {}), after_us=after)
            took.append(timed(lambda: reading.page_of_objects(here, one, FIVE, path, asked)))  # noqa: B023
            if number % 10 == 0:
                kind = replace(asked, types=("sighting",))
                filtered.append(timed(lambda: reading.page_of_objects(here, one, FIVE, path, kind)))  # noqa: B023
        if url:
            emptied(here)
        here.engine.dispose()
    took.sort()
    return {
        "rows": rows,
        "taxii_page_p50_ms": took[len(took) // 2] * 1000,
        "taxii_page_p99_ms": took[len(took) * 99 // 100] * 1000,
        "taxii_page_of_a_type_max_ms": max(filtered) * 1000,
    }


@contextmanager
def serving(here: Place) -> Iterator[int]:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(app(here, print), ws="none", lifespan="off", log_level="critical"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]}, daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield bound.getsockname()[1]
        server.should_exit = True
        thread.join()


def read_all(url: str, user: str, password: str) -> int:
    held = taxii2.Collection(url, user=user, password=password)
    return sum(len(page["objects"]) for page in taxii2.as_pages(held.get_objects, per_request=1000))


def reading_10k(made: Sequence[Any], url: str) -> dict[str, float]:
    with TemporaryDirectory() as folder:
        here = opened(Path(folder), url, frozenset(), guest())
        intake.post(here, here.site.guests[0], FIVE, [json.dumps(one).encode() for one in made])
        with serving(here) as port:
            where = f"http://127.0.0.1:{port}/allies/collections/{FIVE}/"
            took = min(timed(lambda: read_all(where, "ours", TOKEN)) for _ in range(3))
        if url:
            emptied(here)
        here.engine.dispose()
    return {"taxii_read_10k_s": took}


def medallion(made: Sequence[Any]) -> dict[str, float]:
    """Its own time for posting and reading these, cut off after two minutes."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        held = {"id": FIVE, "title": "Five", "can_read": True, "can_write": True, "objects": [], "manifest": []}
        held["media_types"] = ["application/stix+json;version=2.1"]
        information = {"title": "R", "versions": ["application/taxii+json;version=2.1"], "max_content_length": 10**9}
        root = {"information": information, "status": [], "collections": [held]}
        (folder / "content.json").write_text(json.dumps({"/discovery": {"title": "m"}, "trusted": root}))
        backend = {"module": "medallion.backends.memory_backend", "module_class": "MemoryBackend"}
        config = {"backend": backend | {"filename": str(folder / "content.json")}, "users": {"u": TOKEN}}
        (folder / "config.json").write_text(json.dumps(config | {"taxii": {"max_page_size": 1000}}))
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        argv = [sys.executable, "-W", "ignore", "-m", "medallion.scripts.run", "--host", "127.0.0.1"]
        running = subprocess.Popen(
            [*argv, "--port", str(port), str(folder / "config.json")],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ},
        )
        threading.Timer(MEDALLION_S, running.kill).start()
        where, began, posted_s = f"http://127.0.0.1:{port}/trusted/collections/{FIVE}/", time.perf_counter(), 0.0
        try:
            while True:
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.1)
            client = taxii2.Collection(where, user="u", password=TOKEN)
            began = time.perf_counter()
            client.add_objects({"objects": list(made)}, wait_for_completion=False)
            posted_s = time.perf_counter() - began
            read_all(where, "u", TOKEN)
            done = 1.0
        except OSError:  # it was stopped
            done = 0.0
        finally:
            running.kill()
            running.wait()
        took = time.perf_counter() - began
    return {"medallion_2k_post_s": posted_s, "medallion_2k_read_s": took - posted_s, "medallion_finished": done}


def run(count: int, rows: int, url: str, *, beside: bool = True) -> dict[str, float]:
    made = share.objects_of(count)
    own = frozenset(one["id"] for one in made if one["type"] == "identity" and one["name"] == "bench")
    found = ingest(made, own, url)
    found |= {f"{name}_of_indicators": value for name, value in ingest(intelligence(count), own, url).items()}
    found |= reading_10k(made, url) | pages(made, rows, url)
    return found | (medallion(made[:2000]) if beside else {})


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--objects", type=int, default=10_000)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--postgresql", default="", help="an empty database; what is in it is deleted")
    parser.add_argument("--alone", action="store_true", help="without medallion")
    words = parser.parse_args(arguments)
    figures = {
        name: round(value, 3)
        for name, value in run(words.objects, words.rows, words.postgresql, beside=not words.alone).items()
    }
    for name, value in figures.items():
        print(f"{name:<28} {value:>14,}")
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
