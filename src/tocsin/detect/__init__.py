"""Compiled rules and Events in, Findings out; per distinct value, never per event."""

from __future__ import annotations

from tocsin.detect.matcher import Detector
from tocsin.model.rule import RuleSet

__all__ = ["Detector", "prepare"]


def prepare(rules: RuleSet) -> Detector:
    """Make rules ready to be matched."""
    return Detector(rules)
