"""The guard of the last way in: every kind of act by which an account could lose its last administrator."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.fixtures.browsing import Browser
from tests.fixtures.crown import Account, Crown
from tests.services.iam.asking import enrol
from tests.signin.people import sign_in_user, user_with_password

ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
READER = "arn:aws:iam::aws:policy/ReadOnlyAccess"
Act = Callable[[Account], object]


def document(effect: str, action: str = "*", **more: object) -> str:
    """Return a policy of one statement."""
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": effect, "Action": action, "Resource": "*", **more}]})


def key_of(account: Account) -> str:
    """Return the administrator's access key id."""
    return str(account.created["admin"]["access_key_id"])


def own_policy(account: Account, name: str, text: str) -> str:
    """Make a policy of the account's own, and return its ARN."""
    return str(account.client("iam").create_policy(PolicyName=name, PolicyDocument=text)["Policy"]["Arn"])


def deny_in_group(account: Account) -> None:
    iam = account.client("iam")
    iam.create_group(GroupName="denied")
    iam.put_group_policy(GroupName="denied", PolicyName="no", PolicyDocument=document("Deny"))
    iam.add_user_to_group(GroupName="denied", UserName="admin")


def by_group(account: Account) -> None:
    """Give the administrator its power by a group's attached policy alone."""
    iam = account.client("iam")
    iam.create_group(GroupName="admins")
    iam.attach_group_policy(GroupName="admins", PolicyArn=ADMINISTRATOR)
    iam.add_user_to_group(GroupName="admins", UserName="admin")
    iam.detach_user_policy(UserName="admin", PolicyArn=ADMINISTRATOR)


def by_own_policy(account: Account) -> str:
    """Give it by a policy of the account's own alone, which has a version that allows nothing of use."""
    arn = own_policy(account, "all", document("Allow"))
    iam = account.client("iam")
    iam.attach_user_policy(UserName="admin", PolicyArn=arn)
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=document("Allow", "s3:*"), SetAsDefault=False)
    iam.detach_user_policy(UserName="admin", PolicyArn=ADMINISTRATOR)
    return arn


def by_inline_policy(account: Account) -> None:
    """Give it by an inline policy alone."""
    iam = account.client("iam")
    iam.put_user_policy(UserName="admin", PolicyName="all", PolicyDocument=document("Allow"))
    iam.detach_user_policy(UserName="admin", PolicyArn=ADMINISTRATOR)


def as_admin(operation: str, **parameters: Any) -> Act:
    return lambda account: getattr(account.client("iam"), operation)(**parameters)


ACTS: dict[str, tuple[Callable[[Account], object] | None, Act]] = {
    "a policy detached": (None, as_admin("detach_user_policy", UserName="admin", PolicyArn=ADMINISTRATOR)),
    "a deny attached": (
        None,
        lambda a: a.client("iam").attach_user_policy(UserName="admin", PolicyArn=own_policy(a, "no", document("Deny"))),
    ),
    "a deny inline": (None, as_admin("put_user_policy", UserName="admin", PolicyName="no", PolicyDocument=document("Deny"))),
    "a deny by a group": (None, deny_in_group),
    "a boundary": (None, as_admin("put_user_permissions_boundary", UserName="admin", PermissionsBoundary=READER)),
    "a key switched off": (
        None,
        lambda a: a.client("iam").update_access_key(UserName="admin", AccessKeyId=key_of(a), Status="Inactive"),
    ),
    "a key deleted": (None, lambda a: a.client("iam").delete_access_key(UserName="admin", AccessKeyId=key_of(a))),
    "a group's policy detached": (by_group, as_admin("detach_group_policy", GroupName="admins", PolicyArn=ADMINISTRATOR)),
    "a member removed from a group": (by_group, as_admin("remove_user_from_group", GroupName="admins", UserName="admin")),
    "an inline policy deleted": (by_inline_policy, as_admin("delete_user_policy", UserName="admin", PolicyName="all")),
    "an inline policy narrowed": (
        by_inline_policy,
        as_admin("put_user_policy", UserName="admin", PolicyName="all", PolicyDocument=document("Allow", "s3:*")),
    ),
    "a version of a policy made": (
        by_own_policy,
        lambda a: a.client("iam").create_policy_version(
            PolicyArn=f"arn:aws:iam::{a.id}:policy/all", PolicyDocument=document("Allow", "ec2:*"), SetAsDefault=True
        ),
    ),
    "another version made the default": (
        by_own_policy,
        lambda a: a.client("iam").set_default_policy_version(PolicyArn=f"arn:aws:iam::{a.id}:policy/all", VersionId="v2"),
    ),
    "root does it": (None, lambda a: a.root("iam").detach_user_policy(UserName="admin", PolicyArn=ADMINISTRATOR)),
}


@pytest.mark.parametrize("name", ACTS)
def test_the_last_administrator_is_not_lost_where_the_guard_is_on(name: str, shared: Crown):
    prepared, act = ACTS[name]
    account = shared.account()
    if prepared is not None:
        prepared(account)
    account.client("account-security").update_last_way_in_guard(Enabled=True)

    with pytest.raises(ClientError, match=f"nobody could administer account {account.id}") as refused:
        act(account)

    assert "AccessDenied" == refused.value.response["Error"]["Code"]
    assert "admin" == account.client("sts").get_caller_identity()["Arn"].rpartition("/")[2]
    account.client("iam").create_user(UserName="still-an-administrator")


def test_a_password_is_not_lost_where_it_is_the_last_way_in(shared: Crown):
    account = shared.account()
    iam = account.root("iam")
    iam.create_login_profile(UserName="admin", Password="a-Long-enough-passw0rd!")
    iam.delete_access_key(UserName="admin", AccessKeyId=key_of(account))
    account.root("account-security").update_last_way_in_guard(Enabled=True)

    with pytest.raises(ClientError, match="nobody could administer"):
        iam.delete_login_profile(UserName="admin")


def test_an_mfa_device_is_not_lost_where_policies_ask_for_it(shared: Crown):
    account = shared.account()
    iam = account.root("iam")
    needs_mfa = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
    iam.put_user_policy(UserName="admin", PolicyName="all", PolicyDocument=document("Allow", Condition=needs_mfa))
    serial, _ = enrol(iam, "admin", "phone")
    iam.detach_user_policy(UserName="admin", PolicyArn=ADMINISTRATOR)
    account.root("account-security").update_last_way_in_guard(Enabled=True)

    with pytest.raises(ClientError, match="nobody could administer"):
        iam.deactivate_mfa_device(UserName="admin", SerialNumber=serial)


def test_an_administrators_role_is_not_lost_with_the_trust_in_whoever_takes_it_on(shared: Crown):
    account = shared.account()
    iam = account.root("iam")
    carol = account.user("carol", policy=json.loads(document("Allow", "sts:AssumeRole")))
    iam.create_role(RoleName="admins", AssumeRolePolicyDocument=trust(carol.arn))
    iam.attach_role_policy(RoleName="admins", PolicyArn=ADMINISTRATOR)
    iam.detach_user_policy(UserName="admin", PolicyArn=ADMINISTRATOR)
    account.root("account-security").update_last_way_in_guard(Enabled=True)

    for act in (
        lambda: iam.update_assume_role_policy(RoleName="admins", PolicyDocument=trust("ec2.amazonaws.com", kind="Service")),
        lambda: iam.detach_role_policy(RoleName="admins", PolicyArn=ADMINISTRATOR),
        lambda: iam.delete_access_key(UserName="carol", AccessKeyId=carol.credentials.access_key_id),
    ):
        with pytest.raises(ClientError, match="nobody could administer"):
            act()


def test_a_user_is_deleted_while_another_administrator_is_left(shared: Crown):
    account = shared.account()
    account.user("second", arn=ADMINISTRATOR)
    account.client("account-security").update_last_way_in_guard(Enabled=True)

    account.client("iam").detach_user_policy(UserName="admin", PolicyArn=ADMINISTRATOR)

    assert [] == account.root("iam").list_attached_user_policies(UserName="admin")["AttachedPolicies"]


def test_without_the_guard_the_act_passes_as_on_aws(account: Account):
    account.client("iam").detach_user_policy(UserName="admin", PolicyArn=ADMINISTRATOR)

    assert [] == account.root("iam").list_attached_user_policies(UserName="admin")["AttachedPolicies"]


def test_the_account_can_not_switch_off_what_the_operator_has_switched_on(account: Account, crown: Crown):
    crown.operator("PUT", f"/accounts/{account.id}/last-way-in-guard", {"enabled": True})

    answer = account.client("account-security").update_last_way_in_guard(Enabled=False)

    assert (True, False, True) == (answer["Enabled"], answer["ByAccount"], answer["ByOperator"])
    with pytest.raises(ClientError, match="nobody could administer"):
        account.client("iam").detach_user_policy(UserName="admin", PolicyArn=ADMINISTRATOR)
    crown.operator("PUT", f"/accounts/{account.id}/last-way-in-guard", {"enabled": False})
    account.client("iam").detach_user_policy(UserName="admin", PolicyArn=ADMINISTRATOR)


def test_a_policy_of_the_organization_that_shuts_a_guarded_member_out_is_refused(shared: Crown):
    manager = shared.account()
    organizations = manager.client("organizations")
    organizations.create_organization(FeatureSet="ALL")
    root = organizations.list_roots()["Roots"][0]["Id"]
    organizations.enable_policy_type(RootId=root, PolicyType="SERVICE_CONTROL_POLICY")
    member = shared.account()
    invited = organizations.invite_account_to_organization(Target={"Id": member.id, "Type": "ACCOUNT"})["Handshake"]
    member.client("organizations").accept_handshake(HandshakeId=invited["Id"])
    member.client("account-security").update_last_way_in_guard(Enabled=True)
    made = organizations.create_policy(
        Name="nothing", Description="", Type="SERVICE_CONTROL_POLICY", Content=document("Deny", "iam:*")
    )["Policy"]["PolicySummary"]["Id"]

    with pytest.raises(ClientError, match=f"nobody could administer account {member.id}"):
        organizations.attach_policy(PolicyId=made, TargetId=member.id)

    member.client("iam").create_user(UserName="still-an-administrator")


def test_an_account_that_nobody_could_administer_before_is_left_alone(shared: Crown):
    account = shared.account()
    account.root("iam").detach_user_policy(UserName="admin", PolicyArn=ADMINISTRATOR)
    account.root("account-security").update_last_way_in_guard(Enabled=True)

    account.root("iam").delete_access_key(UserName="admin", AccessKeyId=key_of(account))
    account.root("iam").delete_user(UserName="admin")


def test_the_pages_ask_for_the_accounts_name_before_nobody_is_left(account: Account, crown: Crown):
    user_with_password(account, "dora")
    iam = account.root("iam")
    iam.attach_user_policy(UserName="dora", PolicyArn=ADMINISTRATOR)
    iam.detach_user_policy(UserName="admin", PolicyArn=ADMINISTRATOR)
    browser = Browser(crown)
    sign_in_user(browser, account.id, "dora")
    detach = {"arn": ADMINISTRATOR}
    browser.get("/console/users/dora")

    asked = browser.submit(detach, form="AdministratorAccess", path="/console/users/dora/detach")
    wrong = browser.submit({"confirmed_account_name": "another"}, form="Leave nobody")
    held = [each["PolicyName"] for each in iam.list_attached_user_policies(UserName="dora")["AttachedPolicies"]]
    done = browser.submit(
        {"confirmed_account_name": account.root("account").get_account_information()["AccountName"]}, form="Leave nobody"
    )

    assert (409, 409, True) == (asked.status, wrong.status, "AdministratorAccess" in held)
    assert "left with credentials: dora, admin, none of whom could; root has no password" in asked.text
    assert 200 == done.status
    left = iam.list_attached_user_policies(UserName="dora")["AttachedPolicies"]
    assert ["IAMUserChangePassword"] == [each["PolicyName"] for each in left]


@pytest.fixture(scope="module")
def shared(crowns: Any) -> Crown:
    """One server for the module: what is refused does not depend on the database."""
    found: Crown = crowns.shared("sqlite")
    return found


def trust(name: str, *, kind: str = "AWS") -> str:
    """Return a trust policy that names one principal."""
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {kind: name}}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
