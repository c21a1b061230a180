"""Access from outside is looked for in every Region."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import calls
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, cis, failed, passed
from crownkeep.advisor.view import CannotTell, View

KINDS = ("ACCOUNT", "ORGANIZATION")


@check(
    "analyzer-external",
    title="Access Analyzer watches every Region",
    topic="permissions",
    severity=CheckSeverity.MEDIUM,
    why="It says which bucket, role or key strangers can use, before they do.",
    fix=Fix(
        "IAM, Access Analyzer, Create analyzer, in each Region",
        "aws accessanalyzer create-analyzer --analyzer-name NAME --type ACCOUNT",
        'resource "aws_accessanalyzer_analyzer"',
    ),
    maps={**cis(v1="1.20", v5="1.19", v6="2.19", v7="2.18"), "security-hub": ("IAM.28",)},
)
def analyzer_external(view: View) -> Iterator[Verdict]:
    """Ask in each Region that is switched on."""
    regions = [each["RegionName"] for each in view.get(calls.REGIONS)["Regions"]]
    # No Region at all would pass every one of none.
    if not regions:
        raise CannotTell("ec2:DescribeRegions told of no Region")
    bare = [region for region in regions if not _is_watched(view, region)]
    yield failed(f"{len(bare)} of {len(regions)} Regions have none, such as {bare[0]}.") if bare else passed("It does.")


def _is_watched(view: View, region: str) -> bool:
    found = view.get(calls.analyzers(region)).get("analyzers", [])
    return any(each["type"] in KINDS and each.get("status") == "ACTIVE" for each in found)
