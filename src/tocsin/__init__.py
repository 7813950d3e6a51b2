"""Tocsin: raw logs in; intrusions found, contained, attributed with honesty, and told to those they concern."""

from __future__ import annotations

__all__: list[str] = []
