"""A message in, mail out: RFC 5321 over TLS whose certificate is checked, never without.

What was refused did not go out. Where the connection breaks after the text began, nobody here knows, and that is said.
"""

from __future__ import annotations

import smtplib
import ssl
from email.errors import MessageError
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Final

from tocsin.act.channel import Outcome
from tocsin.model.letter import Message
from tocsin.model.notification import Channel

NAME: Final = "smtp"
REPEATS: Final = False
_AT_MOST_S: Final = 30.0
_LONGEST: Final = 1_000


def send(channel: Channel, message: Message) -> Outcome:
    try:
        mail = _mail(channel, message)
        context = ssl.create_default_context(cafile=channel.trust or None)
    except (MessageError, ValueError, UnicodeError, OSError) as error:
        return Outcome(went="failed", said=f"cannot be written as mail: {error}"[:_LONGEST])
    try:
        server = _opened(channel, context)
    except smtplib.SMTPResponseException as error:
        return Outcome(went="failed", said=_said(error.smtp_code, error.smtp_error))
    except (OSError, smtplib.SMTPException, UnicodeError, ValueError) as error:
        return Outcome(went="failed", said=f"{channel.host}: {error}"[:_LONGEST])
    try:
        return _handed(server, channel, message.to, mail.as_bytes(policy=SMTP))
    finally:
        server.close()  # what a server says to QUIT changes nothing of what it took


def _handed(server: smtplib.SMTP, channel: Channel, to: str, text: bytes) -> Outcome:
    began = False
    try:
        server.ehlo_or_helo_if_needed()  # what was said before TLS does not count (RFC 3207 §4.2)
        if channel.user:
            server.login(channel.user, Path(channel.password_file).read_text(encoding="utf-8").strip())
        code, said = server.mail(channel.sender)
        if code == 250:
            code, said = server.rcpt(to)
        if code not in {250, 251}:
            return Outcome(went="failed", said=_said(code, said))
        began = True
        code, said = server.data(text)
    except smtplib.SMTPResponseException as error:  # it answered, and took nothing
        return Outcome(went="failed", said=_said(error.smtp_code, error.smtp_error))
    except (OSError, smtplib.SMTPException, UnicodeError, ValueError) as error:
        return Outcome(went="uncertain" if began else "failed", said=f"{channel.host}: {error}"[:_LONGEST])
    return Outcome(went="sent" if code == 250 else "failed", said=_said(code, said))


def _opened(channel: Channel, context: ssl.SSLContext) -> smtplib.SMTP:
    if channel.wrapped:
        return smtplib.SMTP_SSL(channel.host, channel.port or 465, timeout=_AT_MOST_S, context=context)
    server = smtplib.SMTP(channel.host, channel.port or 587, timeout=_AT_MOST_S)
    try:
        server.starttls(context=context)
    except BaseException:
        server.close()
        raise
    return server


def _mail(channel: Channel, message: Message) -> EmailMessage:
    """RFC 5322; a line end in an address or a subject is refused by the policy."""
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"], mail["Subject"] = channel.sender, message.to, message.title
    mail["Message-ID"] = f"<{message.id}@{channel.sender.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834 §5: no answering machine should answer
    mail.set_content(message.text)
    mail.add_alternative(message.html, subtype="html")
    if message.pdf:
        mail.add_attachment(message.pdf, maintype="application", subtype="pdf", filename="letter.pdf")
    return mail


def _said(code: int, text: bytes | str) -> str:
    words = text.decode("utf-8", "replace") if isinstance(text, bytes) else text
    return f"{code} {' '.join(words.split())}"[:_LONGEST]
