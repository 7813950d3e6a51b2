"""A message on its way in, lines of Postfix and of Exchange's message tracking out.

Postfix: the manuals of its programs, with `header_checks` that note the subject. Exchange: "Message tracking" of
Exchange Server 2019.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from typing import Final

from tocsin.rehearse.dice import digest
from tocsin.rehearse.machine import Machine
from tocsin.rehearse.rhythm import clock
from tocsin.rehearse.scene import Scene
from tocsin.rehearse.sensors import linux

_TRACKED: Final = (
    "date-time,client-ip,client-hostname,server-ip,server-hostname,source-context,connector-id,source,event-id,"
    "internal-message-id,message-id,network-message-id,recipient-address,recipient-status,total-bytes,recipient-count,"
    "related-recipient-address,reference,message-subject,sender-address,return-path,message-info,directionality,"
    "tenant-id,original-client-ip,original-server-ip,custom-data,transport-traffic-type,log-id,schema-version"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    id: str
    sender: str
    recipient: str
    subject: str
    size: int


def relayed(
    scene: Scene,
    machine: Machine,
    ts_us: int,
    message: Message,
    *,
    client: tuple[str, str],
    relay: tuple[str, str],
    status: str = "sent",
    delay_s: float = 1.2,
) -> None:
    """Postfix takes a message from a client and hands it on; client and relay are name and address."""
    number = digest(message.id, "queue")[:10].upper()
    pid = 20_000 + int(number[:3], 16)
    came, (to, at) = f"{client[0]}[{client[1]}]", relay
    done = ts_us + int(delay_s * 1e6)

    def line(moment: int, program: str, text: str, process: int) -> None:
        linux.logged(scene, machine, moment, f"postfix/{program}", process, text, "mail")

    line(ts_us, "smtpd", f"connect from {came}", pid)
    line(ts_us + 150_000, "smtpd", f"{number}: client={came}", pid)
    line(ts_us + 190_000, "cleanup", f"{number}: message-id={message.id}", pid + 7)
    envelope = f"from=<{message.sender}> to=<{message.recipient}> proto=ESMTP helo=<{client[0]}>"
    line(
        ts_us + 191_000,
        "cleanup",
        f"{number}: warning: header Subject: {message.subject} from {came}; {envelope}",
        pid + 7,
    )
    line(
        ts_us + 240_000, "qmgr", f"{number}: from=<{message.sender}>, size={message.size}, nrcpt=1 (queue active)", 911
    )
    line(
        ts_us + 260_000,
        "smtpd",
        f"disconnect from {came} ehlo=2 starttls=1 mail=1 rcpt=1 data=1 quit=1 commands=7",
        pid,
    )
    dsn, answer = (
        ("2.0.0", "250 2.6.0 Queued mail for delivery") if status == "sent" else ("5.1.1", "550 5.1.1 no such user")
    )
    line(
        done,
        "smtp",
        f"{number}: to=<{message.recipient}>, relay={to}[{at}]:25, delay={delay_s:.2f}, "
        f"delays=0.2/0.01/0.3/{max(0.1, delay_s - 0.5):.2f}, dsn={dsn}, status={status} ({answer})",
        pid + 21,
    )
    line(done + 1000, "qmgr", f"{number}: removed", 911)


def rejected(scene: Scene, machine: Machine, ts_us: int, client: str, sender: str, recipient: str) -> None:
    """Postfix turns somebody away."""
    text = (
        f"NOQUEUE: reject: RCPT from unknown[{client}]: 554 5.7.1 <{recipient}>: Relay access denied; "
        f"from=<{sender}> to=<{recipient}> proto=ESMTP helo=<{client}>"
    )
    linux.logged(scene, machine, ts_us, "postfix/smtpd", 20_000 + int(digest(client)[:3], 16), text, "mail")


def _head(ts_us: int) -> bytes:
    at = clock(ts_us) + "Z"
    return (
        "#Software: Microsoft Exchange Server\r\n#Version: 15.02.1748.010\r\n#Log-type: Message Tracking Log\r\n"
        f"#Date: {at}\r\n#Fields: {_TRACKED}\r\n"
    ).encode()


def tracked(
    scene: Scene, machine: Machine, ts_us: int, message: Message, event: str, *, client: tuple[str, str], inward: bool
) -> None:
    """Exchange's word for what it did: RECEIVE, DELIVER or SEND."""
    at = clock(machine.clock(ts_us)) + "Z"
    server = machine.host
    source = "STOREDRIVER" if event == "DELIVER" or (event == "RECEIVE" and not inward) else "SMTP"
    number = str(40_000_000 + int(digest(message.id)[:6], 16))
    context = f"08DD{digest(message.id)[:12].upper()};{at};0"
    network = digest(message.id, "network")
    cells = (
        *(at, client[1], client[0], server.address, server.name, context, f"{server.name}\\Default {server.name}"),
        *(source, event, number, message.id),
        f"{network[:8]}-{network[8:12]}-{network[12:16]}-{network[16:20]}-{network[20:32]}",
        *(message.recipient, "", str(message.size), "1", "", "", message.subject, message.sender, message.sender),
        *("", "Incoming" if inward else "Originating", "", client[1], server.address, "", "Email"),
        *(digest(message.id, event)[:32], "15.02.1748.010"),
    )
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerow(cells)
    stream = scene.tape.stream(f"mail/{server.name}/MSGTRK{{day}}-1.LOG", head=_head)
    scene.tape.put(stream, ts_us, text.getvalue(), scene.mark)
