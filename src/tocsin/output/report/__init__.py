"""An incident in, a page that anybody can read out: one file that asks nothing of the network."""

from __future__ import annotations

from tocsin.output.report.page import AUDIENCES, Audience, Report, write

__all__ = ["AUDIENCES", "Audience", "Report", "write"]
