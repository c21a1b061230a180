"""The credential report: one line for root and for each user, saying which credentials they have and how old they are.

It is made in a fixed number of queries, outside any transaction that changes things, and kept for four hours.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from crownkeep import errors
from crownkeep.domain.credentials import reported_credentials
from crownkeep.operations import registry
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import Effect
from crownkeep.services.iam.service import iam
from crownkeep.storage.reports import credential_reports
from crownkeep.storage.reports.credential_reports import CredentialReportRow

LIFETIME = timedelta(hours=4)
"""How long a report is reused, and may be fetched (IAM user guide, "Get credential reports for your AWS account")."""


@dataclass(frozen=True, slots=True)
class CredentialReport:
    """A report that was made for a call; None where the latest is young enough."""

    content: bytes | None


def prepare_report(call: Call) -> CredentialReport:
    """Make the report, unless there is one that is young enough."""
    if _is_young(call, credential_reports.generated_at(call.db, call.account_id)):
        return CredentialReport(None)
    return CredentialReport(reported_credentials.content(call.db, call.account_id))


@iam.operation("GenerateCredentialReport", resource=registry.everything, effect=Effect.STATE, prepare=prepare_report)
def generate_credential_report(call: Call) -> Result:
    """Start a report; as on AWS, the next call says that it is complete."""
    if _is_young(call, credential_reports.generated_at(call.db, call.account_id)):
        return {"State": "COMPLETE"}
    report = call.prepared
    # None was made where there was one that has grown too old since. Then it is made here, in the transaction.
    made = report.content if isinstance(report, CredentialReport) else None
    content = made if made is not None else reported_credentials.content(call.db, call.account_id)
    credential_reports.put(call.db, CredentialReportRow(call.account_id, call.now, content))
    return {"State": "STARTED", "Description": "No report exists. Starting a new report generation task"}


@iam.operation("GetCredentialReport", resource=registry.everything)
def get_credential_report(call: Call) -> Result:
    """Return the latest report, as long as it is young enough."""
    report = credential_reports.of_account(call.db, call.account_id)
    if report is None:
        raise errors.CredentialReportNotPresent("")
    if not _is_young(call, report.generated_at):
        raise errors.CredentialReportExpired("Report has expired. Use GenerateCredentialReport to generate a new report.")
    return {"Content": report.content, "ReportFormat": "text/csv", "GeneratedTime": report.generated_at}


def _is_young(call: Call, generated_at: datetime | None) -> bool:
    return generated_at is not None and call.now - generated_at < LIFETIME
