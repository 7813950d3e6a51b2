"""Incidents in, pages that anybody can read out: files that ask nothing of the network."""

from __future__ import annotations

from tocsin.output.report.page import AUDIENCES, Audience, Report, write, write_overview

__all__ = ["AUDIENCES", "Audience", "Report", "write", "write_overview"]
