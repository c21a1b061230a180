"""Last access: a report is made on request, shown when it is ready, waited for while it is not, and belongs to whoever asked."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from tests.console.forms import TRUST, follow, reader, send
from tests.fixtures.crown import Account
from tests.signin.browser import Browser

from crownkeep.console.kit import rendering
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.kit.parts import Part
from crownkeep.console.pages.identities.access_report import LastAccessReport

MAKE = "/console/last-access"
CALL = Equivalent("iam", "GetServiceLastAccessedDetails", {"JobId": "job"})


def test_a_report_is_made_and_shows_what_was_used_and_what_was_not(account: Account, browser: Browser):
    here = "/console/users/admin?tab=access"
    account.client("sts").get_caller_identity()

    page = follow(browser, send(browser, here, MAKE, arn=f"arn:aws:iam::{account.id}:user/admin"))

    assert "No report yet" in browser.get(here).text
    assert "iam:GenerateServiceLastAccessedDetails" in page
    assert "AWS Identity and Access Management (IAM)" in page
    assert "Allowed, but not used in 400 days" in page


@pytest.mark.parametrize("who", ["groups/staff", "roles/auditor"])
def test_groups_and_roles_have_reports_too(account: Account, iam: Any, browser: Browser, who: str):
    iam.create_group(GroupName="staff")
    iam.create_role(RoleName="auditor", AssumeRolePolicyDocument=json.dumps(TRUST), Path="/team/")
    arn = {
        "groups/staff": f"arn:aws:iam::{account.id}:group/staff",
        "roles/auditor": f"arn:aws:iam::{account.id}:role/team/auditor",
    }[who]

    answer = send(browser, f"/console/{who}?tab=access", MAKE, arn=arn)

    assert (answer.header("location") or "").startswith(f"/console/{who}?tab=access&job=")
    assert "Nothing is open" in follow(browser, answer)


def test_a_report_of_somebody_else_is_not_shown(account: Account, browser: Browser):
    answer = send(browser, "/console/users/admin?tab=access", MAKE, arn=f"arn:aws:iam::{account.id}:user/admin")
    address = answer.header("location") or ""

    page = reader(account, "iam:*").get(address)

    assert "Allowed, but not used" not in page.text
    assert "NoSuchEntity" in page.text


@pytest.mark.parametrize("arn", ["", "nonsense", "arn:aws:iam::1:user/nobody", "arn:aws:iam::1:policy/x", "arn:aws:iam::1:user/"])
def test_an_arn_of_nobody_is_refused(browser: Browser, arn: str):
    answer = send(browser, "/console/users", MAKE, arn=arn)

    assert 403 == answer.status
    assert "Nothing was changed" in answer.text


SECTION = """
{% import "last_access.html" as access %}
{{ access.waiting(report) }}{{ access.section(none, about, "", report, "/here") }}
"""


@pytest.mark.parametrize(("status", "says"), [("IN_PROGRESS", "making the report"), ("FAILED", "could not make the report")])
def test_a_report_that_is_not_ready_is_waited_for_without_scripts(status: str, says: str):
    report = LastAccessReport(Part(CALL, {"JobStatus": status, "JobCreationDate": datetime(2026, 1, 1, tzinfo=UTC)}))

    page = rendering._environment().from_string(SECTION).render(report=report, about=Part(CALL, {}))

    assert says in page
    assert ('http-equiv="refresh"' in page) == report.is_in_progress
    assert ("Look again" in page) == report.is_in_progress
