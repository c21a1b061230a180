"""Every format by its name, and the function that writes a report in it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from crownkeep.advisor.findings import Report
from crownkeep.advisor.report import html, json_object, junit, ocsf, oscal, sarif, spreadsheet

FORMATS: Mapping[str, Callable[[Report], str]] = {
    "json": json_object.write,
    "csv": spreadsheet.write,
    "sarif": sarif.write,
    "junit": junit.write,
    "ocsf": ocsf.write,
    "oscal": oscal.write,
    "html": html.write,
}
"""Beside `table`, which is for a terminal."""
