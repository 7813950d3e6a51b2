"""A request that is not answered as asked, with what is told instead: an error of TAXII (2.1, section 3.6.1)."""

from __future__ import annotations

from collections.abc import Mapping

import orjson


class Refused(Exception):
    """Not a fault of ours, and nothing a person at our side must mend: it is told to the one who asked."""

    def __init__(self, status: int, title: str, text: str = "", headers: Mapping[str, str] | None = None) -> None:
        super().__init__(title)
        self.status = status
        self.title = title
        self.text = text
        self.headers = headers or {}

    def body(self) -> bytes:
        told = {"title": self.title, "http_status": str(self.status)}
        return orjson.dumps(told | ({"description": self.text} if self.text else {}))


def nowhere() -> Refused:
    """One answer to all that is not there and to all that is not theirs."""
    return Refused(404, "There is nothing here for you", "It does not exist, or you have no part in it.")
