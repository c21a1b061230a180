"""Certificates that have run out are gone."""

from __future__ import annotations

from collections.abc import Iterator

from crownkeep.advisor import calls
from crownkeep.advisor.check import CheckSeverity, Fix, Verdict, check, cis, failed, passed
from crownkeep.advisor.evidence import moment
from crownkeep.advisor.view import DoesNotApply, View


@check(
    "server-certificates",
    title="No server certificate has run out",
    topic="permissions",
    severity=CheckSeverity.LOW,
    why="One that is put to use by mistake takes a site down.",
    fix=Fix(
        "With the command line alone; keep new ones in Certificate Manager",
        "aws iam delete-server-certificate --server-certificate-name NAME",
    ),
    maps={**cis(v1="1.19", v5="1.18", v6="2.18", v7="2.17"), "security-hub": ("IAM.26",)},
)
def server_certificates(view: View) -> Iterator[Verdict]:
    """Compare each one's end with the time of the evidence."""
    found = view.get(calls.CERTIFICATES)["ServerCertificateMetadataList"]
    if not found:
        raise DoesNotApply("There is none.")
    for each in found:
        ends = moment(each["Expiration"])
        said = f"{each['ServerCertificateName']} is good until {ends:%Y-%m-%d}."
        yield failed(said, each["Arn"]) if ends <= view.at else passed(said, each["Arn"])
