"""A signed file that allows a test (docs/schemas/permit-1.schema.json, in a DSSE envelope) in, the permit out.

Whoever can write a permit can hide behind it: one without a signature of a key that was named is an error, not a note.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec

from tocsin.errors import ListError, SealError
from tocsin.model.permit import Permit
from tocsin.seal import dsse, keys

# Of a permit, and of one that a drill made up.
KINDS: Final = ("application/vnd.tocsin.permit+json", "application/vnd.tocsin.drill.permit+json")
_MOST_BYTES: Final = 1 << 20
_HINT: Final = "docs/assets-and-people.md tells of permits, docs/schemas/permit-1.schema.json what they hold."
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

_Moment = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")]
_Text = Annotated[str, msgspec.Meta(max_length=2_000)]
_Texts = Annotated[list[_Text], msgspec.Meta(max_length=1_000)]


class _Permit(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename={"from_": "from"}):
    version: Literal[1]
    id: _Text
    title: _Text
    authority: _Text
    tester: _Text
    contact: _Text
    from_: _Moment
    until: _Moment
    hosts: _Texts
    addresses: _Texts
    accounts: _Texts
    allowed: _Texts
    forbidden: _Texts


def read_permit(path: Path, signers: Sequence[Path]) -> Permit:
    """The permit of a file.

    Args:
        signers: public keys, as OpenSSH writes them, of those who may allow a test.

    Raises:
        ListError: it cannot be read, is no permit, or is not signed by one of them.
    """
    known = [keys.load_public(one) for one in signers]
    try:
        with path.open("rb") as file:
            content = file.read(_MOST_BYTES + 1)
        if len(content) > _MOST_BYTES:
            raise ListError(f"{path}: larger than {_MOST_BYTES >> 20} MB", hint=_HINT)
        envelope = msgspec.json.decode(content, type=dict[str, object])
        kind = next((one for one in KINDS if one == envelope.get("payloadType")), KINDS[0])
        text, signed = dsse.opened(envelope, kind, known)
        told = msgspec.json.decode(text, type=_Permit)
        from_us, until_us = _us(told.from_), _us(told.until)
    except OSError as error:
        raise ListError(f"{path}: {error.strerror or error}", hint="Name a file that can be read.") from error
    except SealError as error:
        raise ListError(f"{path}: {error.message}", hint=error.hint or _HINT) from error
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        raise ListError(f"{path}: {error}", hint=_HINT) from error
    if until_us < from_us:
        raise ListError(f"{path}: it ends before it begins", hint=_HINT)
    return Permit(
        id=told.id,
        title=told.title,
        authority=told.authority,
        tester=told.tester,
        contact=told.contact,
        from_us=from_us,
        until_us=until_us,
        hosts=tuple(told.hosts),
        addresses=tuple(told.addresses),
        accounts=tuple(told.accounts),
        signed=tuple(sorted(signed)),
    )


def _us(moment: str) -> int:
    return (datetime.fromisoformat(moment) - _EPOCH) // timedelta(microseconds=1)
