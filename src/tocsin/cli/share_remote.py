"""Words of the command line in, a partner's server and the proofs of who asks it out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from tocsin.errors import SettingsError
from tocsin.output.screen import shown

if TYPE_CHECKING:
    from tocsin.share.taxii.asking import Remote

TOKEN: Final = "TOCSIN_TAXII_TOKEN_FILE"  # noqa: S105 - the name of a variable
_MOST_TOKEN_BYTES: Final = 4096

Url = Annotated[str, typer.Argument(metavar="URL", help="Of their collection: https://HOST/ROOT/collections/ID/.")]
TokenFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", envvar=TOKEN, show_envvar=True, help="The file with the token that they gave."),
]
User = Annotated[str, typer.Option(metavar="NAME", help="Where they want a name and a password, the name.")]
Authority = Annotated[Path | None, typer.Option(metavar="PEM", help="The authority that certificates must be of.")]
Certificate = Annotated[Path | None, typer.Option(metavar="PEM", help="The certificate of this side.")]
Key = Annotated[Path | None, typer.Option(metavar="PEM", help="Its key.")]


def remote(
    url: str, token_file: Path | None, user: str, authority: Path | None, certificate: Path | None, key: Path | None
) -> Remote:
    """Where to ask, and how to prove who asks.

    Raises:
        SettingsError: the file of the token cannot be read.
    """
    from tocsin.share.taxii.asking import Remote

    secret = ""
    if token_file is not None:
        try:
            with token_file.open("rb") as file:
                secret = file.read(_MOST_TOKEN_BYTES).decode("ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"{token_file}: cannot be read", hint="A file with the token as one line.") from error
        if token_file.stat().st_mode & 0o077:
            typer.echo(f"note: others may read {shown(str(token_file))}; chmod 600 it", err=True)
    return Remote(url=url, token=secret, user=user, authority=authority, certificate=certificate, key=key)
