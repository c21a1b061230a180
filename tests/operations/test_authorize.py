"""Who may do what: what is asked before any policy, what each kind of session is left, and what fails closed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from tests.fixtures.crown import Account
from tests.operations.inside import Inside, opened, operation, session
from tests.services.iam.asking import allow, refusal

from crownkeep import errors, policy
from crownkeep.operations import authorize
from crownkeep.operations.registry import Target
from crownkeep.principals import Anonymous, Operator, Principal, PrincipalKind

ACCOUNT = "111122223333"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
DENY_ALL = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}]}


@pytest.fixture
def inside(account: Account) -> Iterator[Inside]:
    """The door's view of a fresh account."""
    with opened(account) as found:
        yield found


def require(inside: Inside, caller: Any, service: str, name: str, **arguments: Any) -> None:
    with inside.call(caller) as call:
        authorize.require(call, operation(service, name), arguments)


# What is asked before any policy.


def test_what_needs_no_permission_is_open_to_whoever_is_denied_everything(inside: Inside):
    inside.account.user("bob", policy=DENY_ALL)

    require(inside, inside.user("bob"), "sts", "GetCallerIdentity")

    with pytest.raises(errors.AccessDenied, match="with an explicit deny in an identity-based policy"):
        require(inside, inside.user("bob"), "iam", "ListUsers")


def test_nobody_is_asked_for_a_signature_before_policies_are_looked_for(inside: Inside):
    with pytest.raises(errors.MissingAuthenticationToken):
        require(inside, Anonymous(), "iam", "ListUsers")


def test_the_operator_reaches_no_account_and_nobody_reaches_the_operators_service(inside: Inside):
    with pytest.raises(errors.AccessDenied, match="may call no other"):
        require(inside, Operator(), "iam", "ListUsers")
    with pytest.raises(errors.AccessDenied, match="the operator alone"):
        require(inside, inside.root, "operator", "ListAccounts")


# What sessions are left of IAM and STS (STS API reference, "GetSessionToken" and "GetFederationToken").


@pytest.mark.parametrize(
    ("kind", "changes", "service", "name", "expected"),
    [
        (PrincipalKind.USER, {}, "iam", "ListUsers", errors.InvalidClientTokenId),
        (PrincipalKind.USER, {}, "sts", "GetSessionToken", errors.AccessDenied),
        (PrincipalKind.USER, {"from_console": True}, "iam", "ListUsers", None),
        (PrincipalKind.USER, {"delegate": "222233334444"}, "iam", "ListUsers", None),
        (PrincipalKind.FEDERATED_USER, {"from_console": True, "has_policy": False}, "iam", "ListUsers", errors.AccessDenied),
        (PrincipalKind.FEDERATED_USER, {}, "iam", "ListUsers", errors.AccessDenied),
        (PrincipalKind.FEDERATED_USER, {}, "sts", "GetCallerIdentity", None),
        (PrincipalKind.ROOT, {}, "iam", "ListUsers", errors.InvalidClientTokenId),
    ],
)
def test_a_session_without_mfa_is_left_what_aws_leaves_it(
    inside: Inside, kind: PrincipalKind, changes: dict[str, Any], service: str, name: str, expected: type[Exception] | None
):
    inside.account.user("bob", arn=ADMINISTRATOR)
    known = inside.user("bob")
    unique_id = inside.account.id if kind is PrincipalKind.ROOT else known.unique_id
    caller = Principal(kind, inside.account.id, unique_id, known.name, "/", session=session(name="bob", **changes))

    if expected is None:
        require(inside, caller, service, name)
    else:
        with pytest.raises(expected):
            require(inside, caller, service, name)


def test_a_federated_user_without_a_session_policy_has_nothing_at_all(inside: Inside):
    inside.account.user("bob", arn=ADMINISTRATOR)
    bob = inside.user("bob")
    caller = Principal(PrincipalKind.FEDERATED_USER, inside.account.id, bob.unique_id, "bob", session=session(name="ann"))

    with inside.call(caller) as call:
        applicable = authorize.applicable(call, caller, "iam:ListUsers", Target("*"))

    assert policy.EMPTY is applicable.session


def test_every_layer_of_a_scoped_session_must_allow(inside: Inside):
    inside.account.user("bob", arn=ADMINISTRATOR)
    layers = tuple(
        f'{{"Version": "2012-10-17", "Statement": {{"Effect": "Allow", "Action": {actions}, "Resource": "*"}}}}'
        for actions in ('["iam:ListUsers", "iam:ListRoles"]', '"iam:ListUsers"')
    )
    caller = inside.user("bob", session=session(from_console=True, scopes=layers, is_scoped=True))

    require(inside, caller, "iam", "ListUsers")

    with pytest.raises(errors.AccessDenied):
        require(inside, caller, "iam", "ListRoles")


def test_a_ceiling_that_is_not_known_is_not_taken_for_one_that_denies_nothing(inside: Inside):
    taken = session(assumed_root=True, task_policy_arn="arn:aws:iam::aws:policy/root-task/NoSuchTask")
    caller = Principal(PrincipalKind.ROOT, inside.account.id, inside.account.id, session=taken)

    with pytest.raises(errors.AccessDenied, match="NoSuchTask` is not known"):
        require(inside, caller, "iam", "ListUsers")


# What one operation asks for beyond itself.


def test_who_makes_a_tagged_user_needs_the_permission_to_tag_too(account: Account):
    maker = account.user("maker", policy=allow("iam:CreateUser")).client("iam")

    maker.create_user(UserName="plain")
    answer = refusal(maker.create_user, UserName="tagged", Tags=[{"Key": "team", "Value": "red"}])

    assert "not authorized to perform: iam:TagUser" in answer
    assert {"tagged"} & {each["UserName"] for each in account.client("iam").list_users()["Users"]} == set()


def test_what_an_operation_asks_for_beyond_itself_is_refused_in_the_same_words(inside: Inside):
    inside.account.user("bob", policy=allow("iam:CreateRole"))
    target = Target(f"arn:aws:iam::{inside.account.id}:role/x")

    with inside.call(inside.user("bob")) as call, pytest.raises(errors.AccessDenied) as caught:
        authorize.require_action(call, "iam:PassRole", target)

    assert "iam:PassRole on resource: arn:aws:iam::" in caught.value.message
    assert caught.value.message.endswith("because no identity-based policy allows the iam:PassRole action")


def test_a_known_condition_key_decides_with_the_arguments(inside: Inside):
    condition = {"StringEquals": {"iam:FIDO-certification": "L2"}}
    inside.account.user("bob", policy=allow("iam:EnableMFADevice", **condition))
    arguments: Any = {"user_name": "bob", "serial_number": "x", "authentication_code1": "1", "authentication_code2": "2"}
    enable = operation("iam", "EnableMFADevice")

    with inside.call(inside.user("bob")) as call:
        authorize.require(call, enable, arguments, known={"iam:fido-certification": "L2"})
        with pytest.raises(errors.AccessDenied):
            authorize.require(call, enable, arguments, known={"iam:fido-certification": "L1"})


# How policies can name a caller.


@pytest.mark.parametrize(
    ("kind", "named"),
    [
        (PrincipalKind.USER, (policy.PolicyPrincipalKind.USER, f"arn:aws:iam::{ACCOUNT}:user/team/bob", "AIDAX", None)),
        (
            PrincipalKind.ROLE,
            (policy.PolicyPrincipalKind.ROLE_SESSION, f"arn:aws:sts::{ACCOUNT}:assumed-role/bob/visit", None, "AIDAX"),
        ),
        (
            PrincipalKind.FEDERATED_USER,
            (policy.PolicyPrincipalKind.FEDERATED_USER, f"arn:aws:sts::{ACCOUNT}:federated-user/visit", None, "AIDAX"),
        ),
    ],
)
def test_a_session_is_named_by_itself_and_by_what_stands_behind_it(kind: PrincipalKind, named: tuple[object, ...]):
    caller = Principal(kind, ACCOUNT, "AIDAX", "bob", "/team/", session=session(name="visit"))

    found = authorize.policy_principal(caller, has_boundary=True)

    assert named == (found.kind, found.arn, found.unique_id, found.issuer_unique_id)
    assert found.has_permissions_boundary
