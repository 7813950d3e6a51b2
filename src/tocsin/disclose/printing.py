"""A template of ours by name, and data, in; a page or a sheet out: data stays text, and equal data are equal bytes.

HTML by Jinja with everything escaped, under a policy that loads and runs nothing. PDF by a fixed typst template that
reads its data as JSON, with the fonts that typst brings and no date in it.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from functools import cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from jinja2 import DictLoader, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

if TYPE_CHECKING:
    import typst

_FILES: Final = tuple(f"{name}.{suffix}" for name in ("letter", "advisory") for suffix in ("html", "css", "typ"))


def html(name: str, **data: Any) -> str:
    style = _sources()[f"{name}.css"]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    template = _environment().get_template(f"{name}.html")
    return template.render(**data, style=Markup(style), style_hash=f"sha256-{digest}")  # noqa: S704 - ours


def pdf(name: str, data: Mapping[str, Any], *, fonts: Path | None = None) -> bytes:
    """A sheet of paper (PDF/UA-1).

    Args:
        fonts: a folder of more fonts than typst brings.

    Raises:
        RuntimeError: typst cannot set it, or, as a ValueError, does not take it.
    """
    import typst

    made = typst.compile(
        _sources()[f"{name}.typ"].encode(),
        format="pdf",
        font_paths=_fonts(fonts),
        sys_inputs={name: json.dumps(data, ensure_ascii=True)},
        pdf_standards="ua-1",
    )
    assert isinstance(made, bytes)
    return made


@cache
def _fonts(more: Path | None) -> typst.Fonts:
    import typst

    return typst.Fonts(include_system_fonts=False, font_paths=[more] if more else [])


@cache
def _sources() -> dict[str, str]:
    folder = resources.files("tocsin.disclose")
    return {name: (folder / name).read_text(encoding="utf-8") for name in _FILES}


@cache
def _environment() -> ImmutableSandboxedEnvironment:
    return ImmutableSandboxedEnvironment(
        loader=DictLoader(_sources()), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
