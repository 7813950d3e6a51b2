"""Where indicators are looked for fits what readers give: no address, hash, URL or mailbox is in an odd field."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tocsin.detect.observed_fields import FIELDS
from tocsin.observe.addresses import address

GOLDEN = sorted((Path(__file__).parents[1] / "collect" / "formats").glob("*/golden.jsonl"))
HASH = re.compile(r"[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}", re.IGNORECASE)
MAIL = re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+")
URL = re.compile(r"https?://\S+", re.IGNORECASE)

# What looks like an observable and is none that anybody would look for.
NONE = {
    "_BOOT_ID": "a number of systemd's",
    "_MACHINE_ID": "a number of systemd's",
    "network_message_id": "a number of Exchange's",
    "message-id": "the id of a message, which looks like a mailbox",
    "message_id": "as above",
    "messageId": "as above",
    "tracker": "the number that a packet filter gives a rule",
    "id": "a number that GuardDuty gives a finding",
    "service.detectorId": "as above",
    "fw": "the firewall that wrote the log",
    "xmlns": "the name of a schema",
    "UserData.LogFileCleared.xmlns": "as above",
    "system": "the server that wrote the log",
}


def _looks(text: str) -> bool:
    return bool(address(text) or HASH.fullmatch(text) or MAIL.fullmatch(text) or URL.fullmatch(text))


def _unseen(path: Path) -> Iterator[tuple[str, str]]:
    for line in path.read_text(encoding="utf-8").splitlines():
        fields = json.loads(line)["fields"]
        texts = {name: value if isinstance(value, list) else [value] for name, value in fields.items()}
        covered = {text for name, some in texts.items() if name in FIELDS for text in some}
        for name, some in texts.items():
            if name not in FIELDS and name not in NONE:
                yield from ((name, text) for text in some if text and text not in covered and _looks(text))


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.parent.name)
def test_observables_of_samples_stand_in_fields_that_are_searched(path: Path) -> None:
    assert sorted(set(_unseen(path))) == []
