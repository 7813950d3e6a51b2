"""A template of ours or of a centre, and values, in; one line of text out. No value is read as a template."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from tocsin.errors import SettingsError


class Filler:
    """Fills words in, in a sandbox."""

    def __init__(self, values: Mapping[str, str | bool], shown: Callable[[str], str]) -> None:
        self._values = values
        # What is filled in is no HTML yet, and is escaped where it becomes that (disclose/pages.py).
        self._environment = ImmutableSandboxedEnvironment(
            undefined=StrictUndefined,
            autoescape=False,
            finalize=lambda value: shown(value) if type(value) is str else value,
        )

    def fill(self, text: str) -> str:
        try:
            return " ".join(self._environment.from_string(text).render(self._values).split())
        except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
            hint = f"It may name {', '.join(sorted(self._values))}."
            raise SettingsError(f"words of a letter: {error}: {text[:100]}", hint=hint) from error
