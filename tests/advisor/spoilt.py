"""What goes wrong in an account, by the check that has to notice, and what makes a check not applicable."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tests.advisor.accounts import (
    BUCKET,
    ID,
    MEMBER,
    REGION,
    ROOT,
    STRANGER,
    SUPPORT,
    TRAIL,
    Account,
    event,
    key,
    policy,
)

from crownkeep.advisor import calls
from crownkeep.advisor.evidence import question

Spoil = Callable[[Account], Any]


def allow(*actions: str, resource: Any = "*", **members: Any) -> dict[str, Any]:
    """A document with one statement."""
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": resource, **members}
    return {"Version": "2012-10-17", "Statement": [statement]}


def without(asked: Any, member: str) -> Spoil:
    """Empty a list of an answer."""
    return lambda a: a[asked].update({member: []})


def put(asked: Any, value: Any) -> Spoil:
    """Put another answer in the place of one."""
    return lambda a: a.answers.update({asked: value})


def password(**fields: Any) -> Spoil:
    """Change fields of the password policy."""
    return lambda a: a[calls.PASSWORD_POLICY]["PasswordPolicy"].update(fields)


def summary(**numbers: int) -> Spoil:
    """Change numbers of the account's summary."""
    return lambda a: a.summary.update(numbers)


def person(**report: str) -> Spoil:
    """Add a user with this in the credential report."""
    return lambda a: a.add_user("cat", report=report)


def trail(**members: Any) -> Spoil:
    """Change the trail."""
    return lambda a: a[calls.TRAILS]["trailList"][0].update(members)


def unwatched(name: str) -> Spoil:
    """Take the actions from an alarm."""
    return lambda a: [each.update(AlarmActions=[]) for each in a[calls.ALARMS]["MetricAlarms"] if each["AlarmName"] == name]


def member(a: Account) -> None:
    """Make the account a member of its organization."""
    a[calls.ORGANIZATION]["Organization"]["MasterAccountId"] = MEMBER


def guard_is_gone(a: Account) -> None:
    """Detach the control policy."""
    a[calls.policy_targets("p-guard")]["Targets"] = []


def no_trail(a: Account) -> None:
    """Delete the trail."""
    a[calls.TRAILS]["trailList"] = []


def no_organization(a: Account) -> None:
    """Take the account out of its organization."""
    a[calls.ORGANIZATION] = None


def six_administrators(a: Account) -> None:
    """Add administrators."""
    for number in range(4):
        a.add_user(f"extra{number}", groups=("admins",))


def nobody_is_administrator(a: Account) -> None:
    """Empty the group."""
    a.details["GroupDetailList"][0]["AttachedManagedPolicies"] = []


def everything_inline(a: Account) -> None:
    """Give a user everything by an inline policy."""
    a.add_user("cat", inline=allow("*"))


def public(a: Account) -> None:
    """Open the trail's bucket."""
    a[calls.of_bucket("GetPublicAccessBlock", BUCKET)] = None
    a[calls.of_bucket("GetBucketPolicyStatus", BUCKET)]["PolicyStatus"]["IsPublic"] = True


def many_people(a: Account) -> None:
    """Add eleven users with passwords."""
    for number in range(11):
        a.add_user(f"person{number}")


def a_federated_role(condition: Any) -> Spoil:
    """Add a role for tokens of GitHub."""
    provider = f"arn:aws:iam::{ID}:oidc-provider/token.actions.githubusercontent.com"
    return lambda a: a.add_role("deploy", {"Federated": provider}, condition=condition)


def a_provider(clients: list[str]) -> Spoil:
    """Add an OpenID Connect provider."""
    arn = f"arn:aws:iam::{ID}:oidc-provider/idp.example"

    def add(a: Account) -> None:
        a[calls.OIDC_PROVIDERS]["OpenIDConnectProviderList"] = [{"Arn": arn}]
        a[question("iam", "GetOpenIDConnectProvider", OpenIDConnectProviderArn=arn)] = {"ClientIDList": clients}

    return add


def a_policy(document: Any) -> Spoil:
    """Attach a policy of the account's own to a user."""

    def attach(a: Account) -> None:
        a.details["Policies"].append(policy("own", document))
        a.add_user("cat", AttachedManagedPolicies=[{"PolicyName": "own", "PolicyArn": f"arn:aws:iam::{ID}:policy/own"}])

    return attach


def same_contacts(a: Account) -> None:
    """Give all contacts one telephone."""
    for asked in calls.ALTERNATE_CONTACTS.values():
        a[asked]["AlternateContact"]["PhoneNumber"] = "+1"


def cloudshell(a: Account) -> None:
    """Give somebody CloudShell."""
    arn = "arn:aws:iam::aws:policy/AWSCloudShellFullAccess"
    a.add_user("cat", AttachedManagedPolicies=[{"PolicyName": "AWSCloudShellFullAccess", "PolicyArn": arn}])


_CONTACT = calls.ALTERNATE_CONTACTS
FAILING: Mapping[str, tuple[Spoil, ...]] = {
    "root-mfa": (summary(AccountMFAEnabled=0),),
    "root-hardware-mfa": (
        summary(AccountMFAEnabled=0),
        put(
            calls.VIRTUAL_DEVICES,
            {"VirtualMFADevices": [{"SerialNumber": f"arn:aws:iam::{ID}:mfa/phone", "User": {"Arn": ROOT}}]},
        ),
    ),
    "root-access-keys": (summary(AccountAccessKeysPresent=1),),
    "root-use": (put(calls.ROOT_EVENTS, {"Events": [event("CreateUser")]}),),
    "root-key-use": (lambda a: a.lines["<root_account>"].update(key(1)),),
    "root-sign-in-without-mfa": (
        put(
            calls.SIGN_INS,
            {
                "Events": [
                    event("ConsoleLogin", responseElements={"ConsoleLogin": "Success"}, additionalEventData={"MFAUsed": "No"})
                ]
            },
        ),
    ),
    "root-password-age": (lambda a: a.lines["<root_account>"].update(password_last_changed="2024-01-01T00:00:00+00:00"),),
    "root-signing-certificates": (summary(AccountSigningCertificatesPresent=1),),
    "central-root-credentials": (without(calls.CENTRAL_ROOT, "EnabledFeatures"), put(calls.CENTRAL_ROOT, None)),
    "central-root-sessions": (without(calls.CENTRAL_ROOT, "EnabledFeatures"), put(calls.CENTRAL_ROOT, None)),
    "member-root-credentials": (member,),
    "password-policy": (put(calls.PASSWORD_POLICY, None),),
    "password-length": (password(MinimumPasswordLength=13), put(calls.PASSWORD_POLICY, None)),
    "password-reuse": (password(PasswordReusePrevention=5), put(calls.PASSWORD_POLICY, None)),
    "password-age": (password(MaxPasswordAge=365), password(MaxPasswordAge=0)),
    "password-uppercase": (password(RequireUppercaseCharacters=False),),
    "password-lowercase": (password(RequireLowercaseCharacters=False),),
    "password-symbols": (password(RequireSymbols=False),),
    "password-numbers": (password(RequireNumbers=False),),
    "password-change": (password(AllowUsersToChangePassword=False),),
    "password-lockout": (password(HardExpiry=True),),
    "administrator-exists": (nobody_is_administrator,),
    "administrators-few": (six_administrators,),
    "administrators-mfa": (lambda a: a.lines["ann"].update(mfa_active="false"),),
    "users-mfa": (person(mfa_active="false"),),
    "unused-passwords": (
        person(password_last_used="2026-05-01T00:00:00+00:00", password_last_changed="2026-02-01T00:00:00+00:00"),
    ),
    "unused-keys": (person(**key(1, "2026-05-01", "2026-06-01")), person(**key(2, "2026-05-01", ""))),
    "old-keys": (person(**key(2, "2026-05-01")),),
    "two-keys": (person(**key(1), **key(2)),),
    "keys-at-setup": (person(**key(1, "2026-01-01", "")),),
    "keys-and-passwords": (person(**key(1)),),
    "policies-through-groups": (everything_inline,),
    "central-users": (many_people,),
    "user-named-root": (lambda a: a.add_user("root"),),
    "break-glass": (lambda a: [a.lines[each].update(mfa_active="false") for each in ("ann", "<root_account>")],),
    "contact-primary": (put(calls.PRIMARY_CONTACT, None),),
    "contact-security": (put(_CONTACT["SECURITY"], None),),
    "contact-billing": (put(_CONTACT["BILLING"], None),),
    "contact-operations": (put(_CONTACT["OPERATIONS"], None),),
    "contacts-differ": (same_contacts,),
    "contacts-not-root": (lambda a: a[_CONTACT["SECURITY"]]["AlternateContact"].update(EmailAddress="Root@acme.example"),),
    "account-alias": (put(calls.ALIASES, {"AccountAliases": []}),),
    "account-name": (put(calls.ALIASES, {"AccountAliases": ["prod-01"]}),),
    "account-in-organization": (no_organization,),
    "organization-features": (lambda a: a[calls.ORGANIZATION]["Organization"].update(FeatureSet="CONSOLIDATED_BILLING"),),
    "control-policies-on": (lambda a: a[calls.ORGANIZATION_ROOTS]["Roots"][0].update(PolicyTypes=[]),),
    "members-root-denied": (guard_is_gone,),
    "members-cannot-leave": (guard_is_gone,),
    "members-trail-protected": (guard_is_gone,),
    "management-account-quiet": (summary(Users=50), summary(InstanceProfiles=1)),
    "delegated-administrator": (without(calls.DELEGATED, "DelegatedAdministrators"),),
    "trail-on": (
        no_trail,
        trail(IsMultiRegionTrail=False),
        put(calls.trail_status(TRAIL, REGION), {"IsLogging": False}),
        put(
            calls.event_selectors(TRAIL, REGION),
            {"EventSelectors": [{"ReadWriteType": "WriteOnly", "IncludeManagementEvents": True}]},
        ),
    ),
    "trail-validation": (trail(LogFileValidationEnabled=False),),
    "trail-encryption": (trail(KmsKeyId=""),),
    "trail-delivery": (put(calls.trail_status(TRAIL, REGION), {"IsLogging": True, "LatestDeliveryError": "AccessDenied"}),),
    "trail-bucket-private": (public,),
    "trail-bucket-logging": (put(calls.of_bucket("GetBucketLogging", BUCKET), {}),),
    "trail-bucket-versions": (put(calls.of_bucket("GetBucketVersioning", BUCKET), {}),),
    "trail-of-organization": (trail(IsOrganizationTrail=False),),
    "alarm-root-use": (unwatched("root"), without(calls.METRIC_FILTERS, "metricFilters")),
    "alarm-sign-in-without-mfa": (unwatched("mfa"),),
    "alarm-failed-sign-ins": (unwatched("failed"),),
    "alarm-iam-changes": (unwatched("iam"),),
    "alarm-trail-changes": (unwatched("trail"),),
    "alarm-organization-changes": (unwatched("organization"),),
    "policies-everything": (a_policy(allow("*")), a_policy(allow("*:*")), everything_inline),
    "policies-wildcards": (a_policy(allow("s3:*")),),
    "policies-not-action": (a_policy({"Statement": {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}}),),
    "cloudshell-full": (cloudshell,),
    "support-role": (lambda a: a.details.update(RoleDetailList=[]),),
    "escalation-paths": (a_policy(allow("iam:AttachUserPolicy")), a_policy(allow("iam:CreatePolicyVersion"))),
    "analyzer-external": (put(calls.analyzers(REGION), {"analyzers": []}),),
    "server-certificates": (
        lambda a: a[calls.CERTIFICATES]["ServerCertificateMetadataList"][0].update(Expiration="2026-10-01T00:00:00Z"),
    ),
    "oidc-audiences": (a_provider([]),),
    "trust-anybody": (lambda a: a.add_role("open", "*"), lambda a: a.add_role("open", {"AWS": "*"})),
    "trust-unknown-accounts": (lambda a: a.add_role("vendor", {"AWS": f"arn:aws:iam::{STRANGER}:root"}),),
    "trust-external-id": (lambda a: a.add_role("vendor", {"AWS": STRANGER}),),
    "trust-federated": (
        a_federated_role(None),
        a_federated_role({"StringEquals": {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"}}),
        a_federated_role({"StringLike": {"token.actions.githubusercontent.com:sub": "*"}}),
    ),
    "roles-unused": (
        lambda a: a.add_role("old", {"AWS": ROOT}, used="2026-03-01"),
        lambda a: a.add_role("old", {"AWS": ROOT}, used=""),
    ),
}

PASSING: Mapping[str, Spoil] = {
    "member-root-credentials": lambda a: [member(a), a.summary.update(AccountMFAEnabled=0, AccountPasswordPresent=0)],
    "oidc-audiences": a_provider(["sts.amazonaws.com"]),
    "trust-external-id": lambda a: a.add_role("vendor", {"AWS": STRANGER}, condition={"StringEquals": {"sts:ExternalId": "x"}}),
    "trust-federated": a_federated_role({"StringLike": {"token.actions.githubusercontent.com:sub": "repo:acme/*"}}),
    "support-role": lambda a: a.add_role("help", {"AWS": ROOT}, arns=(SUPPORT,)),
    "policies-not-action": a_policy({"Statement": {"Effect": "Deny", "NotAction": "iam:*", "Resource": "*"}}),
    "policies-wildcards": a_policy(allow("s3:*", resource="arn:aws:s3:::mine")),
    "trust-anybody": lambda a: a.add_role("ours", "*", condition={"StringEquals": {"aws:PrincipalOrgID": "o-1"}}),
    "trust-unknown-accounts": lambda a: a.add_role("sister", {"AWS": MEMBER}),
}
"""Where the account with nothing open has nothing of the kind, or where something looks bad and is not."""

NOT_APPLICABLE: Mapping[str, Spoil] = {
    "root-mfa": summary(AccountMFAEnabled=0, AccountPasswordPresent=0),
    "root-hardware-mfa": summary(AccountMFAEnabled=0, AccountPasswordPresent=0),
    "root-password-age": lambda a: a.lines["<root_account>"].update(password_enabled="false", password_last_changed="N/A"),
    "administrators-mfa": nobody_is_administrator,
    "users-mfa": lambda a: [a.lines[each].update(password_enabled="false") for each in ("ann", "ben")],
    "account-name": put(calls.ALIASES, {"AccountAliases": []}),
    "contacts-differ": lambda a: a.answers.update(dict.fromkeys(_CONTACT.values())),
    "contacts-not-root": lambda a: a.answers.update(dict.fromkeys(_CONTACT.values())),
    "server-certificates": without(calls.CERTIFICATES, "ServerCertificateMetadataList"),
    "member-root-credentials": lambda a: None,
    "oidc-audiences": lambda a: None,
    "trust-external-id": lambda a: None,
    "trust-federated": lambda a: None,
    **dict.fromkeys(
        (
            "central-root-credentials",
            "central-root-sessions",
            "control-policies-on",
            "management-account-quiet",
            "delegated-administrator",
            "members-root-denied",
            "members-cannot-leave",
            "members-trail-protected",
            "alarm-organization-changes",
            "trail-of-organization",
        ),
        member,
    ),
    "organization-features": no_organization,
    **dict.fromkeys(
        (
            "trail-validation",
            "trail-encryption",
            "trail-delivery",
            "trail-bucket-private",
            "trail-bucket-logging",
            "trail-bucket-versions",
        ),
        no_trail,
    ),
}
