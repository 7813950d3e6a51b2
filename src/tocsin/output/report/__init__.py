"""Incidents in, pages that anybody can read out: files that ask nothing of the network."""

from __future__ import annotations

from tocsin.output.report.page import AUDIENCES, Audience, Report, Who, write, write_overview, write_who

__all__ = ["AUDIENCES", "Audience", "Report", "Who", "write", "write_overview", "write_who"]
