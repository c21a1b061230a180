"""`crownkeep audit --organization`: every account of an organization, each by a role in it or as root for the audit task."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from crownkeep.cli import output

if TYPE_CHECKING:
    from crownkeep.advisor.findings import Acceptance, Report
    from crownkeep.advisor.member_audits import AuditedMember
    from crownkeep.advisor.reader import Clients, Progress


def audited(
    profile: str | None,
    endpoint_url: str | None,
    accepted: Sequence[Acceptance],
    *,
    role: str | None,
    as_root: bool,
    on_progress: Progress | None,
) -> list[AuditedMember]:
    """Audit every account that the management account can enter."""
    from crownkeep.advisor import reader
    from crownkeep.advisor.member_audits import ROLE, MemberAudits, MemberEntry

    def session(credentials: Mapping[str, Any]) -> Clients:
        return reader.clients_of(None, endpoint_url, credentials)

    entry = MemberEntry.ROOT if as_root else MemberEntry.ROLE
    audits = MemberAudits(reader.clients_of(profile, endpoint_url), session, entry, role or ROLE)
    return audits.audit(accepted, on_progress=on_progress)


def show(found: Sequence[AuditedMember], *, as_json: bool) -> None:
    """Print a row for each account, or as JSON each account's whole report."""
    from crownkeep.advisor import findings
    from crownkeep.advisor.check import CheckState

    if as_json:
        output.print_json(
            {
                "accounts": [findings.as_object(each.report) for each in found if each.report is not None],
                "unreachable": [_unreachable(each) for each in found if each.report is None],
            }
        )
        return
    rows = [(each.account_id, each.name, *_counts(each.report), each.reason) for each in found]
    output.print_table(("Account", "Name", "Critical", "High", "Medium", "Low", "Unknown", "Not audited because"), rows)
    reports = [each.report for each in found if each.report is not None]
    failing = sum(each.count(CheckState.FAIL) > 0 for each in reports)
    click.echo(f"\n{len(reports)} of {output.counted(len(found), 'account')} audited; something fails in {failing}.")


def _unreachable(each: AuditedMember) -> Mapping[str, str]:
    return {"account_id": each.account_id, "name": each.name, "reason": each.reason}


def _counts(report: Report | None) -> tuple[str, str, str, str, str]:
    from crownkeep.advisor.check import CheckSeverity, CheckState

    if report is None:
        return ("-", "-", "-", "-", "-")
    failing = [each.check.severity for each in report.findings if each.state is CheckState.FAIL]
    critical, high, medium, low = (str(failing.count(severity)) for severity in CheckSeverity)
    return critical, high, medium, low, str(report.count(CheckState.UNKNOWN))
