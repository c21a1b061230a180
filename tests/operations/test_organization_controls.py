"""Organizations' policies in force: on the next request of every account below what they are attached to, and of no other."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from tests.fixtures.crown import Account, Crown
from tests.fixtures.organization import FULL, RCP, SCP, Organization, allow, deny, deny_to_all

from crownkeep import policy
from crownkeep.catalogue import organization_presets
from crownkeep.cli.main import main
from crownkeep.operations import organization_controls
from crownkeep.policy import Applicable, PolicyKind, PolicySource
from crownkeep.storage.accounts import accounts
from crownkeep.storage.database import Database

EVERYTHING = allow("*")
LIST = "iam:ListUsers"


@pytest.fixture
def organization(crown: Crown) -> Organization:
    return Organization(crown)


def said(call: Callable[..., Any], **parameters: Any) -> str:
    """Return the refusal's text, or `done`."""
    try:
        call(**parameters)
    except ClientError as error:
        return str(error.response["Error"]["Message"])
    return "done"


def test_a_deny_is_in_force_on_the_next_request_and_ends_with_the_next_at_every_level(organization: Organization):
    unit = organization.unit("unit")
    below = organization.unit("below", under=unit)
    member = organization.invited(under=below)
    policy_id = organization.policy(deny(LIST))
    iam, management = member.client("iam"), organization.management.id
    cited = f"arn:aws:organizations::{management}:policy/{organization.id}/service_control_policy/{policy_id}"
    refused = (
        f"User: arn:aws:iam::{member.id}:user/admin is not authorized to perform: iam:ListUsers on resource: "
        f"arn:aws:iam::{member.id}:user/ with an explicit deny in a service control policy: {cited}"
    )

    seen = []
    for target in (organization.root_id, unit, below, member.id):
        organization.attach(policy_id, target)
        seen.append(said(iam.list_users))
        organization.detach(policy_id, target)
        seen.append(said(iam.list_users))

    assert [refused, "done"] * 4 == seen


def test_a_policy_that_changes_is_in_force_as_it_is_now(organization: Organization):
    member = organization.invited()
    iam = member.client("iam")
    policy_id = organization.bind(deny("iam:ListRoles"), organization.root_id)
    before = said(iam.list_users)

    organization.client.update_policy(PolicyId=policy_id, Content=json.dumps(deny(LIST)))

    assert "done" == before
    assert "with an explicit deny in a service control policy" in said(iam.list_users)
    assert "done" == said(iam.list_roles)


def test_an_account_that_moves_leaves_the_policies_of_its_unit_behind(organization: Organization):
    strict = organization.unit("strict")
    member = organization.invited(under=strict)
    organization.bind(deny(LIST), strict)
    iam = member.client("iam")
    before = said(iam.list_users)

    organization.move(member.id, to=organization.root_id)

    assert "service control policy" in before
    assert "done" == said(iam.list_users)


def test_an_account_that_joins_is_bound_at_once_and_free_at_once_when_it_goes(organization: Organization):
    organization.bind(deny(LIST), organization.root_id)

    member = organization.invited()
    while_in = said(member.client("iam").list_users)
    organization.client.remove_account_from_organization(AccountId=member.id)

    assert "service control policy" in while_in
    assert "done" == said(member.client("iam").list_users)


def test_switching_the_type_off_frees_everybody(organization: Organization):
    member = organization.invited()
    organization.bind(deny(LIST), member.id)

    organization.client.disable_policy_type(RootId=organization.root_id, PolicyType=SCP)

    assert "done" == said(member.client("iam").list_users)


def test_the_root_user_of_a_member_is_bound(organization: Organization):
    member = organization.invited()
    condition = {"StringLike": {"aws:PrincipalArn": "arn:aws:iam::*:root"}}
    organization.bind(deny("*", **condition), organization.root_id)

    assert "with an explicit deny in a service control policy" in said(member.root("iam").list_users)
    assert "done" == said(member.client("iam").list_users)


def test_nobody_in_the_management_account_is_bound(organization: Organization):
    organization.bind(deny("*"), organization.root_id)
    organization.bind(deny("*"), organization.management.id)

    assert "done" == said(organization.management.client("iam").list_users)
    assert "done" == said(organization.management.root("iam").list_users)


def test_an_account_outside_is_bound_by_no_organization(organization: Organization, account: Account):
    organization.bind(deny("*"), organization.root_id)

    assert "done" == said(account.client("iam").list_users)


def test_every_level_must_allow(organization: Organization):
    unit = organization.unit("unit")
    member = organization.invited(under=unit)
    iam = member.client("iam")
    only_lists = organization.policy(allow("iam:List*"))

    seen = []
    for target in (organization.root_id, unit, member.id):
        organization.attach(only_lists, target)
        organization.detach(FULL, target)
        seen.append((said(iam.list_users), said(iam.get_account_summary)))
        organization.attach(FULL, target)
        organization.detach(only_lists, target)

    refused = (
        f"User: arn:aws:iam::{member.id}:user/admin is not authorized to perform: iam:GetAccountSummary because no service "
        "control policy allows the iam:GetAccountSummary action"
    )
    assert [("done", refused)] * 3 == seen


def test_what_a_service_control_policy_allows_is_granted_to_nobody(organization: Organization):
    member = organization.invited()
    organization.bind(EVERYTHING, member.id)
    user = member.user("powerless")

    assert "because no identity-based policy allows" in said(user.client("iam").list_users)


def test_a_policy_asks_for_the_callers_organization_and_path(organization: Organization):
    unit = organization.unit("unit")
    member = organization.invited(under=unit)
    organization.bind(deny(LIST, StringNotEquals={"aws:PrincipalOrgID": organization.id}), organization.root_id)
    iam = member.client("iam")
    same_organization = said(iam.list_users)

    path = f"{organization.id}/{organization.root_id}/{unit}/"
    organization.bind(deny(LIST, **{"ForAnyValue:StringEquals": {"aws:PrincipalOrgPaths": path}}), organization.root_id)

    assert "done" == same_organization
    assert "service control policy" in said(iam.list_users)
    organization.move(member.id, to=organization.root_id)
    assert "done" == said(iam.list_users)


def test_a_policy_asks_for_the_resources_organization(organization: Organization, account: Account):
    member = organization.invited()
    trust_both = trusting(f"arn:aws:iam::{member.id}:root")
    for owner in (account, organization.management):
        owner.client("iam").create_role(RoleName="R", AssumeRolePolicyDocument=trust_both)
    away = deny("sts:AssumeRole", StringNotEqualsIfExists={"aws:ResourceOrgID": "${aws:PrincipalOrgID}"})
    away["Statement"][0]["Condition"]["StringNotEquals"] = {"aws:ResourceAccount": member.id}
    organization.bind(away, organization.root_id)
    sts = member.client("sts")

    assert "done" == said(sts.assume_role, RoleArn=role_of(organization.management), RoleSessionName="inside")
    assert "service control policy" in said(sts.assume_role, RoleArn=role_of(account), RoleSessionName="outside")


def test_who_is_calling_can_be_asked_whatever_policies_say(organization: Organization):
    member = organization.invited()
    organization.bind(deny("*"), member.id)

    assert "done" == said(member.client("sts").get_caller_identity)


def trusting(principal: str, **condition: Any) -> str:
    statement: dict[str, Any] = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"}
    if condition:
        statement["Condition"] = condition
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def role_of(account: Account) -> str:
    return f"arn:aws:iam::{account.id}:role/R"


def test_a_trust_policy_may_open_a_role_to_the_organization(organization: Organization, account: Account):
    member = organization.invited()
    document = trusting("*", StringEquals={"aws:PrincipalOrgID": organization.id})
    organization.management.client("iam").create_role(RoleName="R", AssumeRolePolicyDocument=document)
    role_arn = role_of(organization.management)

    assert "done" == said(member.client("sts").assume_role, RoleArn=role_arn, RoleSessionName="inside")
    assert "not authorized" in said(account.client("sts").assume_role, RoleArn=role_arn, RoleSessionName="outside")


def test_a_resource_control_policy_keeps_strangers_from_a_members_roles(organization: Organization, account: Account):
    organization.enable(RCP)
    member = organization.invited()
    member.client("iam").create_role(RoleName="R", AssumeRolePolicyDocument=trusting("*"))
    stranger = account.client("sts")
    before = said(stranger.assume_role, RoleArn=role_of(member), RoleSessionName="before")

    condition = {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": organization.id}}
    policy_id = organization.bind(deny_to_all("sts:AssumeRole", **condition), organization.root_id, type=RCP)

    arn = f"arn:aws:organizations::{organization.management.id}:policy/{organization.id}/resource_control_policy/{policy_id}"
    after = said(stranger.assume_role, RoleArn=role_of(member), RoleSessionName="after")
    assert "done" == before
    assert after.endswith(f"with an explicit deny in a resource control policy: {arn}")
    own = organization.management.client("sts")
    assert "done" == said(own.assume_role, RoleArn=role_of(member), RoleSessionName="inside")


def test_a_resource_control_policy_binds_the_members_own_callers_too(organization: Organization):
    organization.enable(RCP)
    member = organization.invited()
    member.client("iam").create_role(RoleName="R", AssumeRolePolicyDocument=trusting(f"arn:aws:iam::{member.id}:root"))

    organization.bind(deny_to_all("sts:AssumeRole"), member.id, type=RCP)

    text = said(member.client("sts").assume_role, RoleArn=role_of(member), RoleSessionName="own")
    assert "with an explicit deny in a resource control policy" in text


def test_a_resource_control_policy_leaves_the_management_accounts_resources_alone(organization: Organization):
    organization.enable(RCP)
    member = organization.invited()
    document = trusting(f"arn:aws:iam::{member.id}:root")
    organization.management.client("iam").create_role(RoleName="R", AssumeRolePolicyDocument=document)

    organization.bind(deny_to_all("sts:AssumeRole"), organization.root_id, type=RCP)

    role_arn = role_of(organization.management)
    assert "done" == said(member.client("sts").assume_role, RoleArn=role_arn, RoleSessionName="session")


def test_a_resource_control_policy_is_no_matter_to_a_service_that_has_none(organization: Organization):
    organization.enable(RCP)
    member = organization.invited()

    organization.bind(deny_to_all("sts:*"), member.id, type=RCP)

    assert "done" == said(member.client("iam").list_users)
    with pytest.raises(ClientError, match="does not meet the requirements"):
        organization.policy(deny_to_all("iam:*"), type=RCP)


def test_a_session_that_was_open_before_is_bound_as_well(organization: Organization):
    member = organization.created()
    iam = organization.administrator_of(member, "iam")
    before = said(iam.list_users)

    organization.bind(deny(LIST), member)

    assert "done" == before
    assert "service control policy" in said(iam.list_users)


def test_the_simulator_says_whether_the_organization_allows(organization: Organization):
    member = organization.invited()
    organization.bind(deny(LIST), member.id)
    arn = f"arn:aws:iam::{member.id}:user/admin"

    answer = member.client("iam").simulate_principal_policy(PolicySourceArn=arn, ActionNames=[LIST, "iam:ListRoles"])

    results = {each["EvalActionName"]: each for each in answer["EvaluationResults"]}
    assert "explicitDeny" == results[LIST]["EvalDecision"]
    assert {"AllowedByOrganizations": False} == results[LIST]["OrganizationsDecisionDetail"]
    assert [] == results[LIST]["MatchedStatements"]
    assert "allowed" == results["iam:ListRoles"]["EvalDecision"]
    assert {"AllowedByOrganizations": True} == results["iam:ListRoles"]["OrganizationsDecisionDetail"]


def test_the_simulator_is_silent_of_organizations_where_none_binds(organization: Organization):
    arn = f"arn:aws:iam::{organization.management.id}:user/admin"

    answer = organization.management.client("iam").simulate_principal_policy(PolicySourceArn=arn, ActionNames=[LIST])

    assert "OrganizationsDecisionDetail" not in answer["EvaluationResults"][0]


def test_an_accounts_place_is_read_once_for_each_of_its_revisions(account: Account, monkeypatch: pytest.MonkeyPatch):
    iam, load, loaded = account.client("iam"), organization_controls.load, []
    iam.list_users()
    monkeypatch.setattr(organization_controls, "load", lambda db, account_id: loaded.append(account_id) or load(db, account_id))

    for _ in range(3):
        iam.list_users()
    once = list(loaded)
    account.user("bob", policy=EVERYTHING)
    iam.list_users()

    assert [] == once
    assert 0 < len(loaded)


def test_the_command_that_explains_asks_the_same_levels(organization: Organization):
    member = organization.invited()
    policy_id = organization.bind(deny(LIST), organization.root_id)
    settings = organization.crown.settings
    terminal = CliRunner(env={"CROWNKEEP_DATA": str(settings.data_directory), "CROWNKEEP_DATABASE": settings.database_url})
    words = ["policy", "explain", "--principal", f"arn:aws:iam::{member.id}:user/admin", "--resource", "*", "--action"]

    denied, left = (terminal.invoke(main, [*words, action], prog_name="crownkeep") for action in (LIST, "iam:ListRoles"))

    assert (1, 0) == (denied.exit_code, left.exit_code)
    assert "service control policy" in denied.stdout
    assert f"service_control_policy/{policy_id}" in denied.stdout


def test_all_ready_made_policies_fit_on_one_root_and_do_together_what_each_says(organization: Organization):
    member, made = organization.invited(), organization.created()
    for each in organization_presets.presets():
        organization.bind(json.loads(each.content), organization.root_id)
    app = organization.administrator_of(made, "iam")
    contact = {"AlternateContactType": "SECURITY", "Name": "a", "Title": "b", "EmailAddress": "a@b.example", "PhoneNumber": "1"}

    forbidden = [
        said(member.root("iam").list_users),
        said(member.client("iam").list_users),
        said(app.create_user, UserName="bob"),
        said(app.create_access_key, UserName="bob"),
        said(organization.administrator_of(made, "organizations").leave_organization),
        said(organization.administrator_of(made, "account").put_alternate_contact, **contact),
        said(organization.administrator_of(made, "cloudtrail").lookup_events),
    ]
    left = [
        said(member.client("iam").list_mfa_devices),
        said(member.client("sts").get_session_token),
        said(app.list_users),
        said(organization.administrator_of(made, "organizations").describe_organization),
        said(organization.management.client("iam").create_user, UserName="bob"),
    ]

    assert [] == [each for each in forbidden if "with an explicit deny in a service control policy" not in each]
    assert ["done"] * 5 == left


def revisions(organization: Organization, account_ids: list[str]) -> list[int | None]:
    database = Database(organization.crown.settings.database_url)
    with database.snapshot() as db:
        found = [accounts.revision(db, each) for each in account_ids]
    database.close()
    return found


def test_a_change_voids_the_caches_of_every_account_below_and_of_no_other(organization: Organization):
    unit, beside = organization.unit("unit"), organization.unit("beside")
    below = organization.unit("below", under=organization.unit("between", under=unit))
    members = [organization.created() for _ in range(4)]
    for member, parent in zip(members, (unit, below, beside), strict=False):
        organization.move(member, to=parent)
    policy_id = organization.policy(deny(LIST))
    changes: list[Callable[[], Any]] = [
        lambda: organization.attach(policy_id, unit),
        lambda: organization.client.update_policy(PolicyId=policy_id, Content=json.dumps(deny("s3:*"))),
        lambda: organization.detach(policy_id, unit),
        lambda: organization.attach(policy_id, members[3]),
        lambda: organization.attach(policy_id, organization.root_id),
        lambda: organization.enable(RCP),
        lambda: organization.enable("TAG_POLICY"),
    ]

    seen = []
    for change in changes:
        before = revisions(organization, members)
        change()
        seen.append([now != earlier for now, earlier in zip(revisions(organization, members), before, strict=True)])

    in_unit, alone, everybody, nobody = [True, True, False, False], [False, False, False, True], [True] * 4, [False] * 4
    assert [in_unit, in_unit, in_unit, alone, everybody, everybody, nobody] == seen


# A service control policy never grants.

ACTIONS = st.sampled_from(["iam:ListUsers", "iam:CreateUser", "sts:AssumeRole", "s3:GetObject"])
PATTERNS = st.sampled_from(["*", "iam:*", "iam:List*", "sts:AssumeRole", "s3:Get?bject"])
DOCUMENTS = st.lists(st.tuples(st.sampled_from(["Allow", "Deny"]), PATTERNS), min_size=1, max_size=3)
KINDS = st.sampled_from(
    [policy.PolicyPrincipalKind.USER, policy.PolicyPrincipalKind.ROOT, policy.PolicyPrincipalKind.ROLE_SESSION]
)


def compiled(statements: list[tuple[str, str]], kind: PolicyKind) -> policy.PolicySet:
    content: list[Mapping[str, Any]] = [{"Effect": effect, "Action": action, "Resource": "*"} for effect, action in statements]
    document = policy.parse(json.dumps({"Version": "2012-10-17", "Statement": content}))
    return policy.compile_set([policy.compile_policy(document, source=PolicySource(kind, "x"))])


@given(KINDS, ACTIONS, DOCUMENTS, st.lists(DOCUMENTS, max_size=3))
def test_whatever_organizations_say_nobody_gains_by_it(
    kind: policy.PolicyPrincipalKind,
    action: str,
    identity: list[tuple[str, str]],
    levels: list[list[tuple[str, str]]],
):
    caller = policy.PolicyPrincipal(kind, "arn:aws:iam::111122223333:user/x", "111122223333")
    request = policy.PolicyRequest(caller, action)
    alone = Applicable(compiled(identity, PolicyKind.IDENTITY))
    controls = tuple(compiled(level, PolicyKind.SERVICE_CONTROL) for level in levels)
    bound = Applicable(alone.identity, service_control=controls)

    assert not policy.authorize(request, bound).allowed or policy.authorize(request, alone).allowed
