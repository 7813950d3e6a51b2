"""What was taken, whose machines these are and whom it touches, made: with values that try to be more than text."""

from __future__ import annotations

from collections.abc import Sequence

from tocsin.model.citation import Citation
from tocsin.model.concern import Held, Touched
from tocsin.model.impact import Bounds, Claim, Impact, Unanswered

THERE = "203.0.113.9"


def network(amount: Bounds, at: Sequence[Citation] = ()) -> Claim:
    return Claim(
        stage="left",
        sort="network",
        what=f"left for {THERE}",
        subject=THERE,
        unit="bytes",
        amount=amount,
        back=Bounds(lower=70, upper=None),
        confidence="moderate",
        because="a finding names the destination; counted by zeek conn conn.log",
        records=7,
        evidence=tuple(at),
        would_tell="" if amount.upper is not None else "Zeek's conn.log",
    )


def impact(word: str, at: Sequence[Citation]) -> Impact:
    return Impact(
        claims=(
            network(Bounds(lower=1_234_567_890, upper=3_399_999_999), at),
            Claim(
                stage="staged",
                sort="archive",
                what=f"packed on file-02 {word}",
                subject="file-02",
                unit="archives",
                amount=Bounds(),
                confidence="low",
                because=f"commands that pack files were started {word}",
                names=(f"C:\\t\\out.7z {word}",),
                unnamed=3,
                would_tell="the archives themselves",
                records=1,
                evidence=tuple(at[:1]),
            ),
            Claim(
                stage="accessed",
                sort="mail",
                what="opened in the mailbox m.tane@assembly.example",
                subject="m.tane@assembly.example",
                unit="messages",
                amount=Bounds(lower=6, upper=6),
                confidence="high",
                because="each is named by its record (Bind)",
                content="content",
                names=tuple(f"<{number}@assembly.example>" for number in range(6)),
                records=1,
                evidence=tuple(at[:1]),
                findings=(0,),
            ),
        ),
        unanswered=(Unanswered(question=f"whether databases were read {word}", would_tell="their audit logs"),),
    )


def held(word: str) -> tuple[Held, ...]:
    return (
        Held(
            name="dc-01",
            asset=f"DC01 {word}".strip(),
            by="name",
            owner=f"Directory team {word}".strip(),
            authority="Assembly",
            sensitivity="secret",
            protected=True,
            criticality="critical",
            services=(f"sign-on: everything {word}",),
        ),
        Held(name="ws-017", asset="Laptops", by="address", one_of=2),
    )


def touched(word: str, at: Sequence[Citation]) -> tuple[Touched, ...]:
    """Two of one name, who are two people."""
    return tuple(
        Touched(
            id=number,
            name=f"John Smith {word}".strip(),
            how="reached" if number == "1002" else "possibly reached",
            through=(f"ASSEMBLY\\jsmith{number}",),
            because=(f"the account appears {word}",),
            role="clerk",
            contact="room 2.14",
            shared_with=("1004",),
            evidence=tuple(at[:1]),
        )
        for number in ("1002", "1003")
    )
