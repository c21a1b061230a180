"""Every check, in every state that it can come to, and what others are known to get wrong."""

from __future__ import annotations

import inspect
import json

import pytest
from tests.advisor.accounts import ID, MEMBER, ROOT, Account, event, line
from tests.advisor.spoilt import FAILING, NOT_APPLICABLE, PASSING, a_policy, allow, member, no_organization

from crownkeep.advisor import calls, catalogue, findings
from crownkeep.advisor.check import CheckState
from crownkeep.advisor.findings import CheckFinding

CHECKS = {check.name: check for check in catalogue.load()}


def judged(account: Account, name: str) -> list[CheckFinding]:
    return list(findings.judge(CHECKS[name], account.evidence()))


def states(account: Account, name: str) -> set[CheckState]:
    return {finding.state for finding in judged(account, name)}


def test_there_are_at_least_sixty_checks_each_with_a_reason_and_a_way_to_set_it_right():
    assert len(CHECKS) >= 60
    assert [] == [check.name for check in CHECKS.values() if not (check.why and check.fix.console and check.title)]


def test_nothing_fails_in_an_account_in_which_nothing_is_open():
    report = findings.audit(Account().evidence())

    assert [] == [
        (each.check.name, each.detail) for each in report.findings if each.state in (CheckState.FAIL, CheckState.UNKNOWN)
    ]


@pytest.mark.parametrize(
    ("name", "number"), [(name, number) for name, spoils in FAILING.items() for number in range(len(spoils))]
)
def test_a_check_fails_where_its_own_thing_is_spoilt(name: str, number: int):
    account = Account()
    FAILING[name][number](account)

    assert CheckState.FAIL in states(account, name)


@pytest.mark.parametrize("name", CHECKS)
def test_a_check_passes_where_all_is_well(name: str):
    account = Account()
    PASSING.get(name, lambda a: None)(account)

    assert {CheckState.PASS} == states(account, name)


@pytest.mark.parametrize("name", NOT_APPLICABLE)
def test_a_check_does_not_apply_where_there_is_nothing_to_judge(name: str):
    account = Account()
    NOT_APPLICABLE[name](account)

    assert {CheckState.NOT_APPLICABLE} == states(account, name)


@pytest.mark.parametrize("name", CHECKS)
def test_a_check_that_may_not_ask_cannot_tell_and_says_what_it_needs(name: str):
    account = Account()
    account.denied = dict.fromkeys([*account.answers, calls.CREDENTIAL_REPORT], "AccessDenied")

    (finding,) = judged(account, name)

    assert (CheckState.UNKNOWN, True) == (finding.state, "needs " in finding.detail)


def test_every_check_has_a_case_for_each_state_that_its_code_can_come_to():
    says_no = {name for name, check in CHECKS.items() if "DoesNotApply(" in inspect.getsource(check.judge)}

    assert set() == CHECKS.keys() - FAILING.keys()
    assert set() == says_no - NOT_APPLICABLE.keys()


@pytest.mark.parametrize("name", CHECKS)
def test_a_finding_names_the_calls_that_it_is_known_from(name: str):
    account = Account()
    for spoil in FAILING[name][:1]:
        spoil(account)

    assert all(finding.evidence for finding in judged(account, name))


# What scanners are known to get wrong.


def test_existing_root_keys_are_found_also_where_root_is_managed_centrally():
    account = Account()
    member(account)
    account.summary.update(AccountAccessKeysPresent=1)

    assert {CheckState.FAIL} == states(account, "root-access-keys") == states(account, "member-root-credentials")


def test_the_line_of_root_is_no_user():
    account = Account()
    account.lines["<root_account>"].update(mfa_active="false", password_last_used="2020-01-01T00:00:00+00:00")

    assert {CheckState.PASS} == states(account, "users-mfa") == states(account, "unused-passwords")


def test_an_app_beside_a_security_key_is_still_an_app():
    account = Account()
    app = {"SerialNumber": f"arn:aws:iam::{ID}:mfa/any-name-at-all", "User": {"Arn": ROOT}}
    of_ann = {"SerialNumber": f"arn:aws:iam::{ID}:mfa/root-account-mfa-device", "User": {"Arn": f"arn:aws:iam::{ID}:user/ann"}}

    account[calls.VIRTUAL_DEVICES] = {"VirtualMFADevices": [of_ann]}
    assert {CheckState.PASS} == states(account, "root-hardware-mfa")

    account[calls.VIRTUAL_DEVICES] = {"VirtualMFADevices": [of_ann, app]}
    assert {CheckState.FAIL} == states(account, "root-hardware-mfa")


def test_a_stale_credential_report_does_not_decide_about_the_mfa_of_root():
    account = Account()
    account.lines["<root_account>"]["mfa_active"] = "false"

    assert {CheckState.PASS} == states(account, "root-mfa")


def test_a_session_of_assume_root_is_no_use_of_root():
    account = Account()
    central = {"type": "Root", "arn": ROOT, "sessionContext": {"assumedRoot": "true"}}
    by_service = {"type": "Root", "arn": ROOT, "invokedBy": "support.amazonaws.com"}
    a_user = {"type": "IAMUser", "userName": "root"}
    acts = [
        event("DeleteLoginProfile", userIdentity=central),
        event("X", userIdentity=by_service),
        event("Y", userIdentity=a_user),
    ]
    account[calls.ROOT_EVENTS] = {"Events": acts}

    assert {CheckState.PASS} == states(account, "root-use")


def test_a_control_policy_counts_however_it_is_written():
    account = Account()
    written = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Deny",
            "NotAction": "sts:GetCallerIdentity",
            "Resource": "*",
            "Condition": {"StringLike": {"aws:PrincipalArn": ["arn:aws:iam::*:root"]}},
        },
    }
    account[calls.policy_document("p-guard")]["Policy"]["Content"] = json.dumps(written, indent=4)

    assert {CheckState.PASS} == states(account, "members-root-denied")


def test_a_control_policy_at_a_unit_is_no_failure_and_no_pass():
    account = Account()
    account[calls.policy_targets("p-guard")] = {"Targets": [{"TargetId": "ou-1-prod"}]}

    assert {CheckState.UNKNOWN} == states(account, "members-root-denied")


def test_a_control_policy_that_only_looks_like_one_does_not_count():
    account = Account()
    written = {
        "Version": "2012-10-17",
        "Statement": {
            "Sid": "DenyRoot",
            "Effect": "Deny",
            "Action": "*",
            "Resource": "*",
            "Condition": {"StringLike": {"aws:PrincipalArn": f"arn:aws:iam::{ID}:root"}},
        },
    }
    account[calls.policy_document("p-guard")]["Policy"]["Content"] = json.dumps(written)

    (finding,) = judged(account, "members-root-denied")
    assert (CheckState.FAIL, f"arn:aws:iam::{MEMBER}:root") == (finding.state, finding.resource)


def test_the_way_to_remove_root_keys_prefers_a_central_session_and_never_names_a_user():
    fix = CHECKS["root-access-keys"].fix

    assert "AssumeRoot" in fix.console
    assert "--user-name" not in fix.cli


def test_an_administrator_by_a_policy_of_another_name_is_one():
    account = Account()
    account.details["GroupDetailList"][0]["AttachedManagedPolicies"] = []
    a_policy(allow("*"))(account)

    assert {CheckState.PASS} == states(account, "administrator-exists")


def test_an_administrator_behind_a_boundary_is_none():
    account = Account()
    account.details["GroupDetailList"][0]["AttachedManagedPolicies"] = []
    a_policy(allow("*"))(account)
    account.details["Policies"].append({**account.details["Policies"][1], "Arn": "arn:aws:iam::aws:policy/Narrow"})
    account.details["UserDetailList"][-1]["PermissionsBoundary"] = {"PermissionsBoundaryArn": "arn:aws:iam::aws:policy/Narrow"}

    assert {CheckState.FAIL} == states(account, "administrator-exists")


def test_a_user_that_was_made_today_has_no_unused_password():
    account = Account()
    account.lines["dan"] = line("dan", password_last_used="no_information", password_last_changed="2026-10-31T00:00:00+00:00")

    assert {CheckState.PASS} == states(account, "unused-passwords")


@pytest.mark.parametrize(
    ("actions", "resource", "said"),
    [
        (("iam:CreateAccessKey",), f"arn:aws:iam::{ID}:user/ann", "iam:CreateAccessKey of ann"),
        (("iam:AddUserToGroup",), f"arn:aws:iam::{ID}:group/admins", "iam:AddUserToGroup into admins"),
        (("sts:AssumeRole",), f"arn:aws:iam::{ID}:role/power", "sts:AssumeRole of power"),
        (("iam:UpdateAssumeRolePolicy",), "*", "iam:UpdateAssumeRolePolicy of power"),
        (
            ("iam:PassRole", "lambda:CreateFunction", "lambda:InvokeFunction"),
            "*",
            "iam:PassRole of runner with lambda:CreateFunction",
        ),
        (("iam:CreateAccessKey",), f"arn:aws:iam::{ID}:user/dora", "iam:CreateAccessKey of dora; then sts:AssumeRole of power"),
    ],
)
def test_a_way_to_become_administrator_is_found_and_shown(actions: tuple[str, ...], resource: str, said: str):
    account = Account()
    account.add_role("power", {"AWS": ROOT}, arns=("arn:aws:iam::aws:policy/AdministratorAccess",))
    account.add_role("runner", {"Service": "lambda.amazonaws.com"}, arns=("arn:aws:iam::aws:policy/AdministratorAccess",))
    account.add_user("dora", inline=allow("sts:AssumeRole"))
    account.add_user("cat", inline=allow(*actions, resource=resource))

    found = {each.resource: each.detail for each in judged(account, "escalation-paths")}

    assert f"cat: {said}." == found[f"arn:aws:iam::{ID}:user/cat"]


def test_who_may_change_only_its_own_keys_does_not_escalate():
    account = Account()
    account.add_user("cat", inline=allow("iam:CreateAccessKey", resource="arn:aws:iam::*:user/${aws:username}"))

    assert {CheckState.PASS} == states(account, "escalation-paths")


def test_a_boundary_stops_who_changes_its_own_policies():
    account = Account()
    account.add_user(
        "cat", inline=allow("iam:*"), PermissionsBoundary={"PermissionsBoundaryArn": "arn:aws:iam::aws:policy/AWSSupportAccess"}
    )

    assert {CheckState.PASS} == states(account, "escalation-paths")


def test_a_member_is_told_where_its_organization_is_judged():
    account = Account()
    member(account)

    (finding,) = judged(account, "control-policies-on")
    assert MEMBER in finding.detail


def test_an_account_alone_cannot_learn_the_address_of_root():
    account = Account()
    no_organization(account)

    assert {CheckState.UNKNOWN} == states(account, "contacts-not-root")
