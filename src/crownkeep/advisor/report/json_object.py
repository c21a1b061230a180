"""The report as one JSON object."""

from __future__ import annotations

import json

from crownkeep.advisor import findings
from crownkeep.advisor.findings import Report


def write(report: Report) -> str:
    """Return what `crownkeep audit --json` prints."""
    return json.dumps(findings.as_object(report), indent=2, ensure_ascii=True)
