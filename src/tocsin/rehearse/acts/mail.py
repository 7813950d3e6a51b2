"""A message from one mailbox to another in, what servers and networks on its way wrote out."""

from __future__ import annotations

from typing import Final

from tocsin.rehearse.acts.network import connect
from tocsin.rehearse.dice import digest
from tocsin.rehearse.scene import Scene
from tocsin.rehearse.sensors import mail
from tocsin.rehearse.sensors.mail import Message
from tocsin.rehearse.world import Body

# Where the cloud takes and sends mail.
_CLOUD: Final = ("inbound.mail.cloud.example", "203.0.113.120")


def message(scene: Scene, sender: str, recipient: str, subject: str, size: int) -> Message:
    host = sender.rpartition("@")[2]
    return Message(
        id=f"<{scene.dice.hexes(16)}.{scene.dice.below(9999)}@{host}>",
        sender=sender,
        recipient=recipient,
        subject=subject,
        size=size,
    )


def arrives(
    scene: Scene, body: Body, ts_us: int, sent: Message, client: tuple[str, str], *, status: str = "sent"
) -> int:
    """A message comes from outside; returns when it lies in the mailbox. `client` is name and address."""
    gate = body.one("mx")
    machine = scene.machine(gate)
    # Base64 and headers are in the size; SMTP and TLS come on top.
    connect(scene, ts_us, client[1], gate, 25, sent=sent.size + 2900, received=4600, lasts_s=0.9, service="smtp,ssl")
    delay = 0.8 + scene.dice.random() * 2
    done = ts_us + int(delay * 1e6)
    if body.cloud:
        relay = _CLOUD
        connect(
            scene,
            ts_us + 400_000,
            gate,
            relay[1],
            25,
            sent=sent.size + 3100,
            received=4700,
            lasts_s=delay - 0.4,
            service="smtp,ssl",
        )
    else:
        exchange = body.one("exchange")
        relay = (exchange.fqdn, exchange.address)
        connect(
            scene,
            ts_us + 400_000,
            gate,
            exchange,
            25,
            sent=sent.size + 1100,
            received=1900,
            lasts_s=delay - 0.4,
            service="smtp",
        )
        if status == "sent":
            server = scene.machine(exchange)
            came = (gate.fqdn, gate.address)
            mail.tracked(scene, server, done - 200_000, sent, "RECEIVE", client=came, inward=True)
            mail.tracked(scene, server, done + 600_000, sent, "DELIVER", client=("", ""), inward=True)
    mail.relayed(scene, machine, ts_us, sent, client=client, relay=relay, status=status, delay_s=delay)
    return done + 1_000_000


def leaves(scene: Scene, body: Body, ts_us: int, sent: Message, relay: tuple[str, str]) -> None:
    """A message goes outside, by the gate of its body."""
    gate = body.one("mx")
    delay = 0.7 + scene.dice.random() * 3
    if body.cloud:
        client = _CLOUD
        connect(
            scene, ts_us, client[1], gate, 25, sent=sent.size + 2900, received=4600, lasts_s=0.9, service="smtp,ssl"
        )
    else:
        exchange = body.one("exchange")
        client = (exchange.fqdn, exchange.address)
        server = scene.machine(exchange)
        mail.tracked(scene, server, ts_us - 300_000, sent, "RECEIVE", client=("", ""), inward=False)
        mail.tracked(scene, server, ts_us + 900_000, sent, "SEND", client=client, inward=False)
        connect(scene, ts_us, exchange, gate, 25, sent=sent.size + 1100, received=1900, lasts_s=0.7, service="smtp")
    connect(
        scene,
        ts_us + 500_000,
        gate,
        relay[1],
        25,
        sent=sent.size + 3100,
        received=4700,
        lasts_s=delay,
        service="smtp,ssl",
    )
    mail.relayed(scene, scene.machine(gate), ts_us, sent, client=client, relay=relay, delay_s=delay)


def server_of(domain: str) -> tuple[str, str]:
    """Name and address of a mail server of the outside."""
    return f"mail.{domain}", f"203.0.113.{2 + int(digest('mx', domain)[:4], 16) % 110}"
