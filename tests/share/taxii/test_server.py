"""The server as `taxii2-client` and plain HTTP see it: TAXII 2.1, section by section."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import taxii2client.v21 as taxii2
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from allies import FIVE, NOWHERE, OTHER, TAXII, TOKENS, US, Ally, ally, identity, indicator, named, opened, serving
from tocsin.share.taxii import envelope
from tocsin.share.taxii.place import Place
from tocsin.share.taxii.store import now_us
from tocsin.share.taxii.tables import META
from tocsin.share.taxii.times import told

OBJECTS = f"/allies/collections/{FIVE}/objects/"


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Place]:
    found = opened(tmp_path)
    yield found
    found.engine.dispose()


@pytest.fixture
def siem(here: Place) -> Ally:
    return ally(here, "siem")


def test_taxii2_client_posts_and_reads(tmp_path: Path) -> None:
    made = [identity(), *(indicator(number) for number in range(25))]
    with serving(opened(tmp_path)) as port:
        server = taxii2.Server(f"http://127.0.0.1:{port}/taxii2/", user="siem", password=TOKENS["siem"])
        root = server.default
        assert (server.title, root.versions) == ("Somewhere", [TAXII])
        five = next(one for one in root.collections if one.id == FIVE)
        assert (five.can_read, five.can_write, five.custom_properties.get("alias", five.alias)) == (True, True, "five")
        status = five.add_objects({"objects": made})
        assert (status.status, status.success_count, status.failure_count) == ("complete", 26, 0)
        assert root.get_status(status.id).total_count == 26
        pages = list(taxii2.as_pages(five.get_objects, per_request=10))
        assert [len(page["objects"]) for page in pages] == [10, 10, 6]
        assert [one for page in pages for one in page["objects"]] == made
        assert five.get_objects(type="identity")["objects"] == [identity()]
        assert five.get_object(made[3]["id"])["objects"] == [made[3]]
        assert [one["id"] for one in five.get_manifest()["objects"]] == [one["id"] for one in made]
        assert five.object_versions(made[3]["id"])["versions"] == ["2026-03-01T00:00:00.000Z"]
        five.delete_object(made[3]["id"])
        with pytest.raises(requests.HTTPError, match="404"):
            five.get_object(made[3]["id"])
        server.close()


def test_objects_are_kept_byte_for_byte(siem: Ally) -> None:
    raw = json.dumps(indicator(1), indent=3).replace('"Us"', '"\\u0055s"').encode()
    siem.ask("POST", OBJECTS, b'{"objects": [' + raw + b"]}")
    assert raw in siem.get(OBJECTS).content


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Accept": "application/taxii+json"}, 200),
        ({"Accept": "text/html, application/taxii+json;version=2.1;q=0.5"}, 200),
        ({"Accept": "*/*"}, 200),
        ({"Accept": "application/taxii+json;version=2.0"}, 406),
        ({"Accept": "application/vnd.oasis.taxii+json"}, 406),
        ({"Accept": "*/*;q=0"}, 406),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Authorization": ""}, 401),
        ({"Authorization": f"Token {TOKENS['siem']}"}, 200),
        ({"Authorization": "Basic !!!"}, 401),
        ({"Authorization": f"Bearer {TOKENS['ended']}"}, 401),
    ],
)
def test_who_asks_and_what_they_take(siem: Ally, headers: dict[str, str], status: int) -> None:
    answer = siem.ask("GET", OBJECTS, headers=headers)
    assert answer.status_code == status
    assert answer.headers["content-type"] == TAXII
    if status != 200:
        assert answer.json()["http_status"] == str(status)


@pytest.mark.parametrize(
    ("headers", "body", "status"),
    [
        ({"Content-Type": "application/json"}, b'{"objects": []}', 415),
        ({"Content-Type": "application/taxii+json;version=2.0"}, b'{"objects": []}', 415),
        ({"Content-Encoding": "gzip"}, b"\x1f\x8b", 415),
        ({}, b"", 400),
        ({}, b"[]", 400),
        ({}, b'{"objects": 5}', 400),
        ({}, b'{"objects": [', 400),
        ({}, b'{"objects": [NaN]}', 400),
        ({}, b"[" * 100_000, 400),
        ({}, b'{"objects": ["\\ud800"]}', 400),
        ({}, b'{"objects": [' + b'{"a":' * 5000 + b"1" + b"}" * 5000 + b"]}", 400),
        ({"Content-Length": "99999999999"}, b"{}", 413),
        ({}, b'{"objects": []}', 202),
    ],
)
def test_bodies(siem: Ally, headers: dict[str, str], body: bytes, status: int) -> None:
    answer = siem.ask("POST", OBJECTS, body, headers)
    assert answer.status_code == status
    assert answer.headers["content-type"] == TAXII


@pytest.mark.parametrize(
    "asked",
    [
        "added_after=yesterday",
        "added_after=2026-02-31T00:00:00Z",
        "added_after=",
        "limit=0",
        "limit=-1",
        "limit=ten",
        "limit=1&limit=2",
        "next=garbage",
        "next=",
        "match[version]=newest",
        "match[type]=",
        "match[colour]=red",
        "match[id]=%ff",
        "match[id]=%00",
    ],
)
def test_what_cannot_be_understood_is_told(siem: Ally, asked: str) -> None:
    siem.post(indicator(1))
    for path in (OBJECTS, f"/allies/collections/{FIVE}/manifest/"):
        answer = siem.get(f"{path}?{asked}")
        assert answer.status_code == 400, answer.text
        assert answer.json()["title"]


def test_filters(siem: Ally) -> None:
    old, new = indicator(1), indicator(1, modified="2026-03-02T00:00:00.000Z")
    between = told(now_us())
    siem.post(old, identity(), new)
    for asked, found in {
        "": [identity(), new],
        "match[version]=last": [identity(), new],
        "match[version]=first": [old, identity()],
        "match[version]=first,last": [old, identity(), new],
        "match[version]=all": [old, identity(), new],
        "match[version]=2026-03-02T00:00:00.000Z": [new],
        "match[version]=2026-03-02T00:00:00Z,first": [old, identity(), new],
        "match[type]=identity": [identity()],
        "match[type]=identity,indicator": [identity(), new],
        f"match[id]={US}": [identity()],
        f"match[id]={US},{old['id']}&match[type]=indicator": [new],
        "match[spec_version]=2.0": [],
        "match[spec_version]=2.0,2.1": [identity(), new],
        f"added_after={between}": [identity(), new],
        "added_after=2099-01-01T00:00:00Z": [],
    }.items():
        assert siem.every(asked=asked) == found, asked
        assert [one["id"] for one in siem.every("manifest", asked)] == [one["id"] for one in found], asked
    assert siem.get(f"{OBJECTS}{old['id']}/versions/").json()["versions"] == [old["modified"], new["modified"]]
    assert siem.every(f"objects/{old['id']}", "") == [new]


def test_added_after_is_strict_and_headers_lead_on(siem: Ally) -> None:
    siem.post(*(indicator(number) for number in range(5)))
    first = siem.get(f"{OBJECTS}?limit=2")
    rest = siem.get(f"{OBJECTS}?added_after={first.headers['x-taxii-date-added-last']}")
    assert [one["id"] for one in rest.json()["objects"]] == [named("indicator", number) for number in (2, 3, 4)]
    assert first.headers["x-taxii-date-added-first"] < first.headers["x-taxii-date-added-last"]
    assert "x-taxii-date-added-first" not in siem.get(f"{OBJECTS}?added_after=2099-01-01T00:00:00Z").headers


def test_next_leads_to_the_same_page_each_time_and_only_there(here: Place, siem: Ally, tmp_path: Path) -> None:
    siem.post(*(indicator(number) for number in range(9)))
    word = siem.get(f"{OBJECTS}?limit=3").json()["next"]
    page = siem.get(f"{OBJECTS}?limit=3&next={word}").content
    siem.post(indicator(77))
    assert siem.get(f"{OBJECTS}?limit=3&next={word}").content == page
    again = opened(tmp_path)  # another worker, or this one after a restart
    assert ally(again, "siem").get(f"{OBJECTS}?limit=3&next={word}").content == page
    again.engine.dispose()
    for name, path, more in (
        ("au", OBJECTS, ""),
        ("siem", f"/allies/collections/{FIVE}/manifest/", ""),
        ("siem", OBJECTS, "&match[type]=indicator"),
        ("siem", OBJECTS, "x"),
    ):
        assert ally(here, name).get(f"{path}?next={word}{more}").status_code == 400


def test_posting_again_changes_nothing_and_conflicts_are_told(siem: Ally) -> None:
    one = indicator(1)
    siem.post(one)
    turned = dict(reversed(one.items()))
    assert siem.post(one, turned)["success_count"] == 2
    status = siem.post(indicator(1, name="otherwise"), indicator(2))
    assert [each["id"] for each in status["successes"]] == [named("indicator", 2)]
    assert status["failures"][0]["message"].startswith("conflict")
    assert siem.every() == [one, indicator(2)]


def test_what_has_no_version_of_its_own(siem: Ally) -> None:
    one = {"type": "ipv4-addr", "spec_version": "2.1", "id": named("ipv4-addr", 1), "value": "198.51.100.7"}
    siem.post(one)
    siem.post(one)
    siem.post(one | {"defanged": True})
    assert siem.every() == [one, one | {"defanged": True}]
    assert siem.every(asked="") == [one | {"defanged": True}]


def test_deleting(siem: Ally) -> None:
    old, new = indicator(1), indicator(1, modified="2026-03-02T00:00:00.000Z")
    siem.post(old, new)
    assert siem.ask("DELETE", f"{OBJECTS}{old['id']}/?match[version]=last").status_code == 200
    assert siem.every(asked="") == [old]
    assert siem.post(new)["failures"][0]["message"].startswith("this version was deleted")
    assert siem.ask("DELETE", f"{OBJECTS}{old['id']}/").status_code == 200
    assert siem.ask("DELETE", f"{OBJECTS}{old['id']}/").status_code == 404
    assert siem.every() == []


def test_a_clock_that_stands_still_or_goes_back(siem: Ally, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([10**15, 10**15, 10**15] + [10**14] * 40)
    monkeypatch.setattr("tocsin.share.taxii.store.now_us", lambda: next(clock))
    seen: list[Any] = []
    last = "1970-01-01T00:00:00Z"
    for number in range(4):
        siem.post(indicator(number * 2), indicator(number * 2 + 1))
        page = siem.get(f"{OBJECTS}?added_after={last}&limit=1")
        seen += page.json()["objects"]
        last = page.headers["x-taxii-date-added-last"]
    seen += siem.every(asked=f"added_after={last}")
    assert [one["id"] for one in seen] == [named("indicator", number) for number in range(8)]


def test_rates(tmp_path: Path) -> None:
    here = opened(tmp_path, rate=2)
    one = ally(here, "siem")
    answers = [one.get("/taxii2/") for _ in range(3)]
    assert [each.status_code for each in answers] == [200, 200, 429]
    assert int(answers[2].headers["retry-after"]) >= 1
    assert ally(here, "au").get("/taxii2/").status_code == 200
    here.engine.dispose()


def test_sizes_hold_also_where_nobody_told_them_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(envelope, "MOST_BYTES", 10_000)
    monkeypatch.setattr(envelope, "MOST_OBJECTS", 3)
    with serving(opened(tmp_path)) as port:
        headers = {"Authorization": f"Bearer {TOKENS['siem']}", "Content-Type": TAXII, "Accept": TAXII}
        url = f"http://127.0.0.1:{port}{OBJECTS}"
        parts = [b'{"objects": [', *[b" " * 1000] * 20, b"]}"]
        for body in (iter(parts), b'{"objects": [{}, {}, {}, {}]}'):
            answer = requests.post(url, data=body, headers=headers, timeout=30)
            assert (answer.status_code, answer.headers["content-type"]) == (413, TAXII)
        assert requests.post(url, data=iter(parts[:5] + parts[-1:]), headers=headers, timeout=30).status_code == 202


def test_guessing_tokens_is_slowed(siem: Ally) -> None:
    codes = [
        siem.ask("GET", "/taxii2/", headers={"Authorization": f"Bearer {number}"}).status_code for number in range(70)
    ]
    assert codes.count(401) < 70
    assert codes[-1] == 429
    assert siem.get("/taxii2/").status_code == 200


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_other_methods(siem: Ally, method: str) -> None:
    answer = siem.ask(method, OBJECTS)
    assert (answer.status_code, answer.headers["content-type"]) == (405, TAXII)


def test_a_fault_of_ours_is_told_without_what_it_was(siem: Ally, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tocsin.share.taxii.reading.page_of_objects", lambda *rest: 1 / 0)
    answer = siem.get(OBJECTS)
    assert (answer.status_code, answer.headers["content-type"]) == (500, TAXII)
    assert "division" not in answer.text


def test_alias_and_slash(siem: Ally) -> None:
    siem.post(indicator(1))
    assert siem.get("/allies/collections/five/objects").json() == siem.get(OBJECTS).json()
    assert siem.get(f"/allies/collections/{NOWHERE}/objects/").status_code == 404
    assert siem.get(f"/allies/collections/{OTHER}/objects/").json() == {}


def test_the_tables_are_those_that_the_migrations_make(fresh: Callable[[], str], tmp_path: Path) -> None:
    here = opened(tmp_path, fresh())
    with here.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, META) == []
    here.engine.dispose()
    opened(tmp_path, str(here.engine.url.render_as_string(hide_password=False))).engine.dispose()


def test_head_is_get_without_its_body(tmp_path: Path) -> None:
    with serving(opened(tmp_path)) as port:
        token = {"Authorization": f"Bearer {TOKENS['siem']}"}
        answer = requests.head(f"http://127.0.0.1:{port}/taxii2/", headers=token, timeout=30)
        assert (answer.status_code, answer.content, answer.headers["content-type"]) == (200, b"", TAXII)
