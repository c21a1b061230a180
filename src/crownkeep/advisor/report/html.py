"""The report as one HTML file that needs nothing beside it, for a screen by day and by night, and for paper."""

from __future__ import annotations

from functools import cache

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from crownkeep.advisor.catalogue import TOPICS
from crownkeep.advisor.check import CheckSeverity, CheckState
from crownkeep.advisor.findings import Report


def write(report: Report) -> str:
    """Return the page: what fails first, the worst on top, then everything by topic."""
    failing = report.failing()
    by_topic = [(topic, [each for each in report.findings if each.check.topic == topic]) for topic in TOPICS]
    counts = [(severity.value, sum(each.check.severity is severity for each in failing)) for severity in CheckSeverity]
    return _template().render(
        report=report,
        failing=failing,
        by_topic=[(topic, found) for topic, found in by_topic if found],
        counts=counts,
        states=[(state, report.count(state)) for state in CheckState],
    )


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("crownkeep.advisor.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html")
