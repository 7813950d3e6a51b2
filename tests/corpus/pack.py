"""Windows rules ready to be matched, with the texts they were compiled from."""

from __future__ import annotations

from dataclasses import dataclass

from tocsin.detect import Detector
from tocsin.model.kind import ENVELOPE
from tocsin.model.rule import RuleText


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    texts: tuple[RuleText, ...]
    detector: Detector

    @property
    def projection(self) -> frozenset[str]:
        """What the pipeline reads."""
        return self.detector.projection | ENVELOPE
