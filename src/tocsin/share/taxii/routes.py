"""A request of a guest in, the answer of its route out: what TAXII 2.1 (sections 4 and 5) has, one function each.

And one that it has not, for messages of nodes.

`ROUTES` is all there is; the server and its OpenAPI description are both made of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

import orjson

from tocsin.model.guest import Guest
from tocsin.share.taxii import envelope, exchange, intake, media, reading, rights
from tocsin.share.taxii.place import Place
from tocsin.share.taxii.reading import Page
from tocsin.share.taxii.refused import nowhere

DISCOVERY: Final = "/taxii2/"
ROOT: Final = "/allies/"
MEDIA: Final = media.TAXII


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked: the parts of the address by their names, what stands behind its question mark, and the body."""

    path: str
    parts: Mapping[str, str]
    asked: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


Work = Callable[[Place, Guest, Request], Answer]


@dataclass(frozen=True, slots=True)
class Route:
    method: str
    path: str
    work: Work
    says: str
    speaks: str = MEDIA  # the media type of what is answered, and of what is sent

    def match(self, path: str) -> Mapping[str, str] | None:
        found = re.fullmatch(re.sub(r"{(\w+)}", r"(?P<\1>[^/]+)", self.path), path)
        return found.groupdict() if found else None


def _discovery(place: Place, guest: Guest, request: Request) -> Answer:
    site = place.site
    told = {"title": site.title, "default": ROOT, "api_roots": [ROOT]}
    told |= {"description": site.description} if site.description else {}
    return _json(told | ({"contact": site.contact} if site.contact else {}))


def _root(place: Place, guest: Guest, request: Request) -> Answer:
    told = {"title": place.site.title, "versions": [MEDIA], "max_content_length": envelope.MOST_BYTES}
    return _json(told | ({"description": place.site.description} if place.site.description else {}))


def _status(place: Place, guest: Guest, request: Request) -> Answer:
    return Answer(200, intake.status(place, guest, request.parts["status"]))


def _collections(place: Place, guest: Guest, request: Request) -> Answer:
    found = [_told(place, guest, one.id) for one in place.site.collections if guest.rights.get(one.id)]
    return _json({"collections": found} if found else {})


def _collection(place: Place, guest: Guest, request: Request) -> Answer:
    return _json(_told(place, guest, _named(place, guest, request)))


def _told(place: Place, guest: Guest, named: str) -> dict[str, object]:
    one = next(each for each in place.site.collections if each.id == named)
    may = guest.rights[named]
    told = {"id": one.id, "title": one.title, "can_read": "read" in may, "can_write": "write" in may}
    told |= {"description": one.description} if one.description else {}
    return told | ({"alias": one.alias} if one.alias else {}) | {"media_types": [reading.MEDIA]}


def _objects(place: Place, guest: Guest, request: Request) -> Answer:
    named = _readable(place, guest, request)
    asked = reading.question(place, guest, "objects", request.path, request.asked)
    return _page(reading.page_of_objects(place, guest, named, request.path, asked))


def _manifest(place: Place, guest: Guest, request: Request) -> Answer:
    named = _readable(place, guest, request)
    asked = reading.question(place, guest, "manifest", request.path, request.asked)
    return _page(reading.page_of_manifest(place, guest, named, request.path, asked))


def _add(place: Place, guest: Guest, request: Request) -> Answer:
    named = _named(place, guest, request)
    rights.need(guest, named, "write")
    told = intake.post(place, guest, named, envelope.divided(request.body))
    return Answer(202, orjson.dumps(told))


def _object(place: Place, guest: Guest, request: Request) -> Answer:
    named = _readable(place, guest, request)
    asked = _of_one(reading.question(place, guest, "object", request.path, request.asked), request)
    return _page(reading.page_of_objects(place, guest, named, request.path, asked))


def _versions(place: Place, guest: Guest, request: Request) -> Answer:
    named = _readable(place, guest, request)
    asked = _of_one(reading.question(place, guest, "versions", request.path, request.asked), request, every=True)
    return _page(reading.page_of_versions(place, guest, named, request.path, asked))


def _remove(place: Place, guest: Guest, request: Request) -> Answer:
    named = _readable(place, guest, request)
    rights.need(guest, named, "delete")
    asked = reading.question(place, guest, "delete", request.path, request.asked)
    versions = asked.versions if "match[version]" in asked.said else frozenset({"all"})
    if not asked.of_this_standard:
        raise nowhere()
    intake.remove(place, guest, named, request.parts["object"], versions)
    return Answer(200, b"{}")


def _node(place: Place, guest: Guest, request: Request) -> Answer:
    return Answer(200, exchange.take(place, guest, request.body))


def _named(place: Place, guest: Guest, request: Request) -> str:
    named = rights.by_name(place.site).get(request.parts["collection"])
    if named is None or not guest.rights.get(named):
        raise nowhere()
    return named


def _readable(place: Place, guest: Guest, request: Request) -> str:
    named = _named(place, guest, request)
    rights.need(guest, named, "read")
    return named


def _of_one(asked: reading.Question, request: Request, *, every: bool = False) -> reading.Question:
    named = request.parts["object"]
    if "\0" in named or len(named) > 320:
        raise nowhere()
    return replace(asked, ids=(named,), versions=frozenset({"all"}) if every else asked.versions)


def _page(page: Page) -> Answer:
    headers = {"X-TAXII-Date-Added-First": page.first, "X-TAXII-Date-Added-Last": page.last} if page.first else {}
    return Answer(200, page.body, headers)


def _json(told: object) -> Answer:
    return Answer(200, orjson.dumps(told))


_HELD: Final = ROOT + "collections/{collection}/"
ROUTES: Final = (
    Route("GET", DISCOVERY, _discovery, "What this server has"),
    Route("GET", ROOT, _root, "The one root of its interface"),
    Route("GET", ROOT + "status/{status}/", _status, "What became of a post of yours"),
    Route("GET", ROOT + "collections/", _collections, "The collections you have a part in"),
    Route("GET", _HELD, _collection, "One of them"),
    Route("GET", _HELD + "manifest/", _manifest, "What there is, without what it says"),
    Route("GET", _HELD + "objects/", _objects, "What there is"),
    Route("POST", _HELD + "objects/", _add, "Add objects"),
    Route("GET", _HELD + "objects/{object}/", _object, "One object"),
    Route("DELETE", _HELD + "objects/{object}/", _remove, "Delete an object, or versions of it"),
    Route("GET", _HELD + "objects/{object}/versions/", _versions, "The versions of one object"),
    Route("POST", ROOT + media.NODE_RESOURCE, _node, "Hand over a message of your node, and get ours", media.NODE),
)
