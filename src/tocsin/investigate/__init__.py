"""Findings and the events around them in, Incidents out: what belongs together, in what order, how far it reaches."""

from __future__ import annotations

from tocsin.investigate.gather import gather
from tocsin.investigate.kept import frames
from tocsin.investigate.queue import Queue, queue, queued
from tocsin.investigate.roles import FIELDS
from tocsin.investigate.traces import Traces, read

__all__ = ["FIELDS", "Queue", "Traces", "frames", "gather", "queue", "queued", "read"]
