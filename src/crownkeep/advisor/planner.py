"""Planning: from what fails to steps that a machine can take, the least dangerous first, and to what only people can do."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from crownkeep import arn
from crownkeep.advisor import calls, credential_report, findings, organization, password_policies
from crownkeep.advisor.check import CheckState
from crownkeep.advisor.evidence import Evidence
from crownkeep.advisor.findings import CheckFinding, Report
from crownkeep.advisor.plans import ForPeople, LockdownPlan, Lookup, PlannedCall, PlanStep, Reading
from crownkeep.advisor.view import View

GUARD_NAME = "crownkeep-guard-members"
GUARD: Mapping[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "NoRootUser",
            "Effect": "Deny",
            "Action": "*",
            "Resource": "*",
            "Condition": {"ArnLike": {"aws:PrincipalArn": "arn:*:iam::*:root"}, "Null": {"aws:AssumedRoot": "true"}},
        },
        {
            "Sid": "StayAndKeepTheTrail",
            "Effect": "Deny",
            "Action": ["organizations:LeaveOrganization", "cloudtrail:StopLogging", "cloudtrail:DeleteTrail"],
            "Resource": "*",
        },
    ],
}
"""What is attached to the organization's root: sessions of AssumeRoot stay possible, by the key that marks them."""

SUPPORT_ROLE = "support-cases"
_SUPPORT_ACCESS = "arn:aws:iam::aws:policy/AWSSupportAccess"
_LINKS = {
    "root": "https://console.aws.amazon.com/iam/home#/security_credentials",
    "contacts": "https://console.aws.amazon.com/billing/home#/account",
    "organization": "https://console.aws.amazon.com/organizations/v2/home",
    "trail": "https://console.aws.amazon.com/cloudtrail/home",
    "alarms": "https://console.aws.amazon.com/cloudwatch/home",
}
_IAM = "https://console.aws.amazon.com/iam/home"


@dataclass(frozen=True, slots=True)
class Wishes:
    """What no machine can know: the account's alias, and whom to call."""

    alias: str = ""
    contacts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


KeyIds = Callable[[str], list[Mapping[str, Any]]]
"""Lists a user's access keys as ListAccessKeys does."""


def plan(evidence: Evidence, wishes: Wishes, keys: KeyIds) -> LockdownPlan:
    """Make a plan of what fails."""
    report = findings.audit(evidence)
    failing = {each.check.name for each in report.findings if each.state is CheckState.FAIL}
    view = View(evidence)
    steps = [step for make in _MAKERS for step in make(view, failing, wishes)]
    steps += _unused_keys(view, failing, keys)
    # Sorting is stable: of equal danger, steps stay in the order in which one needs the other.
    ordered = sorted(steps, key=lambda step: step.danger)
    numbered = [replace(step, id=str(number)) for number, step in enumerate(ordered, start=1)]
    done = {step.check for step in numbered} | _implied(numbered)
    people = [_for_people(each) for each in report.findings if each.state is CheckState.FAIL and each.check.name not in done]
    return LockdownPlan(evidence.account_id, evidence.at, numbered, people, states(report))


def states(report: Report) -> dict[str, str]:
    """Return how each finding came out, to tell drift by."""
    return {" ".join(each.key): each.state.value for each in report.findings}


def _implied(steps: list[PlanStep]) -> set[str]:
    """Return the checks that a step sets right beside its own."""
    checks = {step.check for step in steps}
    implied = set()
    if "password-policy" in checks:
        implied |= {f"password-{each}" for each in ("length", "reuse", "age", "uppercase", "lowercase", "symbols", "numbers")}
        implied |= {"password-change", "password-lockout"}
    if "members-root-denied" in checks:
        implied |= {"members-cannot-leave", "members-trail-protected"}
    return implied


def _for_people(finding: CheckFinding) -> ForPeople:
    fix, topic = finding.check.fix, finding.check.topic
    return ForPeople(finding.check.name, finding.resource, f"{finding.detail} {fix.console}.", fix.cli, _LINKS.get(topic, _IAM))


def _password_policy(view: View, failing: set[str], _wishes: Wishes) -> Iterator[PlanStep]:
    if not any(name.startswith("password-") for name in failing):
        return
    now = dict(password_policies.of(view))
    wanted = _stronger(now)
    before = _settable(now) if now else None
    undo = (
        PlannedCall("iam", "UpdateAccountPasswordPolicy", before) if before else PlannedCall("iam", "DeleteAccountPasswordPolicy")
    )
    # What is off may be absent from the answer, so that it is not compared.
    read = {name: value for name, value in wanted.items() if value is not False}
    pick = f"PasswordPolicy.{{{', '.join(f'{name}: {name}' for name in read)}}}"
    yield PlanStep(
        id="",
        check="password-policy",
        title="Ask for passwords worth the name",
        danger=2,
        breaks=_outdated(view, wanted["MaxPasswordAge"]),
        call=PlannedCall("iam", "UpdateAccountPasswordPolicy", wanted),
        undo=undo,
        reading=Reading(
            PlannedCall("iam", "GetAccountPasswordPolicy"), pick, {name: now.get(name) for name in read} if now else None, read
        ),
        cli=password_policies.CLI,
        terraform=password_policies.TERRAFORM,
    )


def _stronger(now: Mapping[str, Any]) -> dict[str, Any]:
    """Return the policy that the checks ask for, and nothing of it weaker than it is now."""
    wanted = dict(password_policies.STRONG)
    wanted["MinimumPasswordLength"] = max(wanted["MinimumPasswordLength"], now.get("MinimumPasswordLength", 0))
    # An age of 0 or none means that passwords never expire, which is the weakest and not the strongest.
    wanted["MaxPasswordAge"] = min(wanted["MaxPasswordAge"], now.get("MaxPasswordAge") or wanted["MaxPasswordAge"])
    return wanted


def _settable(policy: Mapping[str, Any]) -> dict[str, Any]:
    """Return the members that can be set, leaving out those that are off by their absence."""
    return {name: policy[name] for name in password_policies.STRONG if policy.get(name) is not None and policy.get(name) != 0}


def _outdated(view: View, days: int) -> list[str]:
    old = [
        line.name
        for line in credential_report.users(view)
        if line.has_password and line.password_changed_at and view.at - line.password_changed_at > timedelta(days=days)
    ]
    if not old:
        return ["Nobody's password is so old that it expires by this. Passwords that are set stay good until they are changed."]
    return [
        f"The passwords of {len(old)} users expire by this, and have to be changed at the next sign-in: {', '.join(old[:5])}."
    ]


def _alias(_view: View, failing: set[str], wishes: Wishes) -> Iterator[PlanStep]:
    if "account-alias" not in failing or not wishes.alias:
        return
    yield PlanStep(
        id="",
        check="account-alias",
        title=f"Name the account {wishes.alias}",
        danger=1,
        breaks=["Nothing: the sign-in address with the account's number stays good."],
        call=PlannedCall("iam", "CreateAccountAlias", {"AccountAlias": wishes.alias}),
        undo=PlannedCall("iam", "DeleteAccountAlias", {"AccountAlias": wishes.alias}),
        reading=Reading(PlannedCall("iam", "ListAccountAliases"), "AccountAliases", [], [wishes.alias]),
        cli=f"aws iam create-account-alias --account-alias {wishes.alias}",
        terraform='resource "aws_iam_account_alias"',
    )


def _contacts(_view: View, failing: set[str], wishes: Wishes) -> Iterator[PlanStep]:
    for kind, contact in wishes.contacts.items():
        if f"contact-{kind.lower()}" not in failing:
            continue
        named = {"AlternateContactType": kind}
        members = {name: str(contact[name]) for name in ("Name", "Title", "EmailAddress", "PhoneNumber")}
        yield PlanStep(
            id="",
            check=f"contact-{kind.lower()}",
            title=f"Name a {kind.lower()} contact",
            danger=1,
            breaks=["Nothing."],
            call=PlannedCall("account", "PutAlternateContact", {**named, **members}),
            undo=PlannedCall("account", "DeleteAlternateContact", named),
            reading=Reading(
                PlannedCall("account", "GetAlternateContact", named),
                "AlternateContact.{Name: Name, Title: Title, EmailAddress: EmailAddress, PhoneNumber: PhoneNumber}",
                None,
                members,
            ),
            cli="aws account put-alternate-contact "
            + " ".join(f"--{_dashed(name)} {json.dumps(value)}" for name, value in members.items()),
            terraform='resource "aws_account_alternate_contact"',
        )


def _dashed(name: str) -> str:
    return "".join(f"-{each.lower()}" if each.isupper() else each for each in name).lstrip("-")


def _support(view: View, failing: set[str], _wishes: Wishes) -> Iterator[PlanStep]:
    if "support-role" not in failing:
        return
    root = arn.root(view.account_id)
    statement = {"Effect": "Allow", "Principal": {"AWS": root}, "Action": "sts:AssumeRole"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    named = {"RoleName": SUPPORT_ROLE}
    yield PlanStep(
        id="",
        check="support-role",
        title=f"Make the role {SUPPORT_ROLE}",
        danger=1,
        breaks=["Nothing: whoever is to take it on needs a permission for it."],
        call=PlannedCall("iam", "CreateRole", {**named, "AssumeRolePolicyDocument": trust}),
        undo=PlannedCall("iam", "DeleteRole", named),
        reading=Reading(PlannedCall("iam", "GetRole", named), "Role.RoleName", None, SUPPORT_ROLE),
        cli=f"aws iam create-role --role-name {SUPPORT_ROLE} --assume-role-policy-document file://trust.json",
        terraform='resource "aws_iam_role"',
    )
    yield PlanStep(
        id="",
        check="support-role",
        title=f"Let {SUPPORT_ROLE} open support cases",
        danger=1,
        breaks=["Nothing."],
        call=PlannedCall("iam", "AttachRolePolicy", {**named, "PolicyArn": _SUPPORT_ACCESS}),
        undo=PlannedCall("iam", "DetachRolePolicy", {**named, "PolicyArn": _SUPPORT_ACCESS}),
        reading=Reading(
            PlannedCall("iam", "ListAttachedRolePolicies", named), "AttachedPolicies[].PolicyArn", [], [_SUPPORT_ACCESS]
        ),
        cli=f"aws iam attach-role-policy --role-name {SUPPORT_ROLE} --policy-arn {_SUPPORT_ACCESS}",
        terraform='resource "aws_iam_role_policy_attachment"',
    )


def _central_root(_view: View, failing: set[str], _wishes: Wishes) -> Iterator[PlanStep]:
    features = (
        ("central-root-credentials", "RootCredentialsManagement", "enable-organizations-root-credentials-management"),
        ("central-root-sessions", "RootSessions", "enable-organizations-root-sessions"),
    )
    if failing & {check for check, _, _ in features}:
        service = "iam.amazonaws.com"
        yield PlanStep(
            id="",
            check="central-root-credentials",
            title="Let IAM act for the organization",
            danger=1,
            breaks=["Nothing."],
            call=PlannedCall("organizations", "EnableAWSServiceAccess", {"ServicePrincipal": service}),
            undo=PlannedCall("organizations", "DisableAWSServiceAccess", {"ServicePrincipal": service}),
            reading=_presence(
                PlannedCall("organizations", "ListAWSServiceAccessForOrganization"),
                "EnabledServicePrincipals",
                "ServicePrincipal",
                service,
            ),
            cli=f"aws organizations enable-aws-service-access --service-principal {service}",
            terraform='resource "aws_organizations_organization", aws_service_access_principals',
        )
    for check, feature, command in features:
        if check in failing:
            yield _feature(check, feature, command)


def _feature(check: str, feature: str, command: str) -> PlanStep:
    whole = "OrganizationsRootSessions" if feature == "RootSessions" else "OrganizationsRootCredentialsManagement"
    return PlanStep(
        id="",
        check=check,
        title=f"Switch {feature} on",
        danger=2,
        breaks=["Nothing: members' credentials of root stay until somebody deletes them."],
        call=PlannedCall("iam", f"Enable{whole}"),
        undo=PlannedCall("iam", f"Disable{whole}"),
        reading=Reading(
            PlannedCall("iam", "ListOrganizationsFeatures"), f"contains(EnabledFeatures || `[]`, '{feature}')", False, True
        ),
        cli=f"aws iam {command}",
        terraform='resource "aws_iam_organizations_features"',
    )


def _presence(call: PlannedCall, member: str, key: str, value: str) -> Reading:
    return Reading(call, f"({member} || `[]`)[?{key}=='{value}'].{key}", [], [value])


def _guard(view: View, failing: set[str], _wishes: Wishes) -> Iterator[PlanStep]:
    guards = {"members-root-denied", "members-cannot-leave", "members-trail-protected"}
    if not failing & guards:
        return
    # An organization has one root (API_ListRoots).
    root_id = view.get(calls.ORGANIZATION_ROOTS)["Roots"][0]["Id"]
    listing = PlannedCall("organizations", "ListPolicies", {"Filter": "SERVICE_CONTROL_POLICY"})
    lookup = Lookup(listing, f"(Policies || `[]`)[?Name=='{GUARD_NAME}'].Id | [0]")
    if "control-policies-on" in failing:
        yield _policies_on(root_id)
    yield PlanStep(
        id="",
        check="members-root-denied",
        title=f"Write the control policy {GUARD_NAME}",
        danger=2,
        breaks=["Nothing, until it is attached."],
        call=PlannedCall(
            "organizations",
            "CreatePolicy",
            {
                "Name": GUARD_NAME,
                "Description": "Members' root users, leaving the organization, and stopping the trail",
                "Type": "SERVICE_CONTROL_POLICY",
                "Content": json.dumps(GUARD),
            },
        ),
        undo=PlannedCall("organizations", "DeletePolicy", {"PolicyId": "${0}"}),
        reading=_presence(listing, "Policies", "Name", GUARD_NAME),
        cli=f"aws organizations create-policy --type SERVICE_CONTROL_POLICY --name {GUARD_NAME} --description ... --content ...",
        terraform='resource "aws_organizations_policy"',
        lookups=(lookup,),
    )
    yield _attach(root_id, lookup, len(organization.members(view)))


def _policies_on(root_id: str) -> PlanStep:
    of_type = {"RootId": root_id, "PolicyType": "SERVICE_CONTROL_POLICY"}
    pick = "(Roots[].PolicyTypes[] || `[]`)[?Type=='SERVICE_CONTROL_POLICY' && Status=='ENABLED'].Type"
    return PlanStep(
        id="",
        check="control-policies-on",
        title="Switch service control policies on",
        danger=1,
        breaks=["Nothing: FullAWSAccess is attached everywhere."],
        call=PlannedCall("organizations", "EnablePolicyType", of_type),
        undo=PlannedCall("organizations", "DisablePolicyType", of_type),
        reading=Reading(PlannedCall("organizations", "ListRoots"), pick, [], ["SERVICE_CONTROL_POLICY"]),
        cli=f"aws organizations enable-policy-type --root-id {root_id} --policy-type SERVICE_CONTROL_POLICY",
        terraform='resource "aws_organizations_organization", enabled_policy_types',
    )


def _attach(root_id: str, lookup: Lookup, members: int) -> PlanStep:
    reading = PlannedCall("organizations", "ListTargetsForPolicy", {"PolicyId": "${0}"})
    attached = {"PolicyId": "${0}", "TargetId": root_id}
    return PlanStep(
        id="",
        check="members-root-denied",
        title=f"Bind all members by {GUARD_NAME}",
        danger=4,
        breaks=[
            f"The root users of {members} members can do nothing any more. Audit each member for what its root does.",
            "Members can't leave the organization, nor stop or delete a trail.",
        ],
        call=PlannedCall("organizations", "AttachPolicy", attached),
        undo=PlannedCall("organizations", "DetachPolicy", attached),
        reading=_presence(reading, "Targets", "TargetId", root_id),
        cli=f"aws organizations attach-policy --policy-id ID --target-id {root_id}",
        terraform='resource "aws_organizations_policy_attachment"',
        lookups=(lookup,),
    )


def _unused_keys(view: View, failing: set[str], keys: KeyIds) -> Iterator[PlanStep]:
    if "unused-keys" not in failing:
        return
    for line in credential_report.users(view):
        idle = line.unused_keys(view.at)
        # The report numbers keys and names none, so a key is known by the minute in which it was made. Where one that is in use
        # was made in the same minute, which of the two is unused can't be told: that is left to people.
        in_use = {_minute(key) for key in line.active_keys if key not in idle}
        made = {_minute(key) for key in idle} - in_use
        for answer in keys(line.name) if idle else []:
            if answer.get("Status") == "Active" and str(answer.get("CreateDate", ""))[:16] in made:
                yield _deactivate(line, str(answer["AccessKeyId"]))


def _minute(key: credential_report.ReportedKey) -> str:
    return f"{key.made_at:%Y-%m-%dT%H:%M}"


def _deactivate(line: credential_report.Line, key_id: str) -> PlanStep:
    named = {"UserName": line.name, "AccessKeyId": key_id}
    listed = PlannedCall("iam", "ListAccessKeys", {"UserName": line.name})
    used = max((key.used_at for key in line.active_keys if key.used_at), default=None)
    last = f"It was last used {used:%Y-%m-%d}" if used else "It was never used"
    return PlanStep(
        id="",
        check="unused-keys",
        title=f"Switch off the key {key_id} of {line.name}",
        danger=3,
        breaks=[f"Whatever still signs with this key is refused. {last}, as far as the credential report knows."],
        call=PlannedCall("iam", "UpdateAccessKey", {**named, "Status": "Inactive"}),
        undo=PlannedCall("iam", "UpdateAccessKey", {**named, "Status": "Active"}),
        reading=Reading(listed, f"AccessKeyMetadata[?AccessKeyId=='{key_id}'].Status", ["Active"], ["Inactive"]),
        cli=f"aws iam update-access-key --user-name {line.name} --access-key-id {key_id} --status Inactive",
    )


_MAKERS = (_alias, _contacts, _support, _password_policy, _central_root, _guard)
