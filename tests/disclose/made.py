"""Registers, desks and incidents for tests of telling people; `CANARY` stands wherever a source of ours could."""

from __future__ import annotations

from dataclasses import replace

from output import incidents
from tocsin.disclose import letters
from tocsin.model.concern import Held, How, Touched
from tocsin.model.incident import Incident, Seen
from tocsin.model.notification import Notification, Telling

CANARY = "CANARY-7f3a"
HOSTILE = (
    "{{ 7*7 }}{% for x in ().__class__.__mro__ %}{{ x }}{% endfor %}",
    '#read("/etc/passwd") #pagebreak() $ 1/0 $ *bold* _em_ @ref <label> [x] \\ `raw`',
    "<script>alert(1)</script><img src=x onerror=alert(1)>&lt;",
    "Ar\u202eoha\u2066\x1b[31m\r\nBcc: everybody@evil.example",
    "Tā\u0304mati Te Whānau 张伟 محمد \U0001f600",
    '"}], "key": "x',
)
TELLING = Telling(
    centre="National Cyber Security Centre",
    call="+64 4 555 0199",
    hours="day and night",
    site="ncsc.example",
    zone="Pacific/Auckland",
    jurisdictions=("nz", "eu"),
)
FACTS = letters.Facts(secret="ab" * 32, first_us=1_788_419_237_000_000, last_us=1_789_419_237_000_000)


def touched(id_: str, name: str, how: How = "reached", **more: object) -> Touched:
    mailbox = f"{id_}@parliament.example"
    words = {"through": (mailbox,), "because": (f"mail opened in {CANARY}",), "contact": "+64 4 555 0101", **more}
    return Touched(id=id_, name=name, how=how, **words)  # type: ignore[arg-type]


def entry(name: str = "Aroha Ngata", extent: str = "reached", **more: object) -> Notification:
    words = {"key": "person:1001", "kind": "person", "id": "1001", "because": (f"because of {CANARY}",), **more}
    return Notification(name=name, extent=extent, **words)  # type: ignore[arg-type]


def incident(*people: Touched, words: tuple[str, ...] = (), assets: tuple[Held, ...] = ()) -> Incident:
    """With a canary in all that comes from records, rules and lists of intelligence."""
    made = incidents.incident(8, words=words or (CANARY,))
    held = assets or (
        Held(
            name="web-01",
            asset="WEB-01",
            by="name",
            owner="Web team",
            authority="Parliamentary Service",
            sensitivity="secret",
            criticality="critical",
        ),
    )
    account = Seen(name=f"ASSEMBLY\\{CANARY}", first_us=None, last_us=None, findings=1)
    return replace(made, id="inc-1", people=people, assets=held, accounts=(*made.accounts, account))
