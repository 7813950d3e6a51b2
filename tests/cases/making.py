"""Cases and people for tests."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tocsin import cases
from tocsin.model.incident import Citation, Cited, Incident, Seen
from tocsin.seal import signers

# The same in every process, as the tests that kill one need it.
KEYS = {name: Ed25519PrivateKey.from_private_bytes(sha256(name.encode()).digest()) for name in ("Aroha Ngata", "Ben")}
PEOPLE = {name: signers.of(name, key) for name, key in KEYS.items()}
SHA = "ab" * 32


def incident(name: str = "inc-1", title: str = "Credentials dumped on WS1", host: str = "WS1") -> Incident:
    at = Citation(src=SHA, path="logs/a.evtx", rec=7, chunk=0, ts_us=1_700_000_000_000_000)
    cited = Cited(
        rule_id="r1",
        title="LSASS dumped",
        level="high",
        techniques=("T1003.001",),
        tactics=("credential-access",),
        host=host,
        kind="windows",
        at=at,
        fields={"Image": "C:\\x.exe"},
    )
    return Incident(
        id=name,
        title=title,
        rank="act now",
        score=1.5,
        because=("one finding is high",),
        level="high",
        first_us=at.ts_us,
        last_us=at.ts_us,
        findings=(cited,),
        hosts=(Seen(name=host, first_us=at.ts_us, last_us=at.ts_us, findings=1),),
    )


def small_case(root: Path, *, decided: bool = True) -> Path:
    """Four entries: opened, a note that is not of ASCII, a person and the signed decision of that person."""
    folder = root / cases.new_case(root, "A case", by="Ben").id
    with cases.writing(folder) as log:
        cases.note(log, "kōrero \u2028 \x1b[31m", by="Ben")
        if decided:
            decide(log)
    return folder


def decide(
    log: cases.Writer, by: str = "Aroha Ngata", subject: str = "close", choice: str = "yes", seen: str = ""
) -> None:
    signer, key = PEOPLE[by], KEYS[by]
    cases.decide(log, signer, key, subject=subject, choice=choice, role="lead", reason="All is done.", seen=seen)
