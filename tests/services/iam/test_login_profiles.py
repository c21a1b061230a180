"""Login profiles and ChangePassword: passwords of users, set by administrators and by themselves."""

from __future__ import annotations

import pytest
from tests.services.iam.asking import allow, refusal, status

FIRST, SECOND, THIRD, FOURTH = "First one 1!", "Second one 2!", "Third one 3!", "Fourth one 4!"
REUSED = "PasswordPolicyViolation: Password should not be the same as one of the previously used passwords"


@pytest.fixture
def bob(account):
    """A user with a password who may change it."""
    user = account.user("bob", policy=allow("iam:ChangePassword"))
    account.client("iam").create_login_profile(UserName="bob", Password=FIRST)
    return user.client("iam")


def test_a_profile_says_when_it_was_made_and_whether_the_password_must_change(account):
    iam = account.client("iam")
    iam.create_user(UserName="bob")

    created = iam.create_login_profile(UserName="bob", Password=FIRST, PasswordResetRequired=True)["LoginProfile"]

    assert {"UserName", "CreateDate", "PasswordResetRequired"} == created.keys()
    assert ("bob", True) == (created["UserName"], created["PasswordResetRequired"])
    assert created == iam.get_login_profile(UserName="BOB")["LoginProfile"]


def test_a_user_has_one_profile_or_none(account, bob):
    iam = account.client("iam")

    twice = refusal(iam.create_login_profile, UserName="bob", Password=SECOND)
    iam.delete_login_profile(UserName="bob")

    assert "EntityAlreadyExists: Login Profile for user bob already exists." == twice
    for operation, more in (
        (iam.get_login_profile, {}),
        (iam.delete_login_profile, {}),
        (iam.update_login_profile, {"Password": SECOND}),
    ):
        answer = refusal(operation, UserName="bob", **more)
        assert "NoSuchEntity: Login Profile for User bob cannot be found." == answer


def test_nobody_has_a_profile_without_being_a_user(account):
    iam = account.client("iam")

    answer = refusal(iam.create_login_profile, UserName="nobody", Password=FIRST)

    assert "NoSuchEntity: The user with name nobody cannot be found." == answer


def test_a_profile_wants_a_password(account):
    iam = account.client("iam")
    iam.create_user(UserName="bob")

    answer = refusal(iam.create_login_profile, UserName="bob")

    assert answer.startswith("ValidationError: 1 validation error detected: Value null at 'password'")


@pytest.mark.parametrize(
    ("password", "broken"),
    [
        ("Sh0rt!", "Password should have a minimum length of 8"),
        ("lowercase only", "2 more of the following requirements"),
        ("UPPERlower", "1 more of the following requirements"),
    ],
)
def test_without_a_policy_awss_default_rules_hold(account, password, broken):
    iam = account.client("iam")
    iam.create_user(UserName="bob")

    answer = refusal(iam.create_login_profile, UserName="bob", Password=password)

    assert answer.startswith("PasswordPolicyViolation: ")
    assert broken in answer
    assert 400 == status(iam.create_login_profile, UserName="bob", Password=password)


def test_every_rule_of_the_policy_that_a_password_breaks_is_named(account):
    iam = account.client("iam")
    iam.create_user(UserName="bob")
    iam.update_account_password_policy(MinimumPasswordLength=12, RequireSymbols=True, RequireNumbers=True)

    answer = refusal(iam.create_login_profile, UserName="bob", Password="lowercase")

    assert (
        "PasswordPolicyViolation: Password should have a minimum length of 12, Password should have at least one number, "
        "Password should have at least one symbol"
    ) == answer


def test_an_update_sets_the_flag_and_the_password_apart(account, bob):
    iam = account.client("iam")
    created = iam.get_login_profile(UserName="bob")["LoginProfile"]["CreateDate"]

    iam.update_login_profile(UserName="bob", PasswordResetRequired=True)
    flagged = iam.get_login_profile(UserName="bob")["LoginProfile"]
    iam.update_login_profile(UserName="bob", Password=SECOND)

    assert (True, created) == (flagged["PasswordResetRequired"], flagged["CreateDate"])
    assert flagged == iam.get_login_profile(UserName="bob")["LoginProfile"]
    assert "The old password was incorrect." in refusal(bob.change_password, OldPassword=FIRST, NewPassword=THIRD)
    bob.change_password(OldPassword=SECOND, NewPassword=THIRD)
    assert not iam.get_login_profile(UserName="bob")["LoginProfile"]["PasswordResetRequired"]


def test_a_wrong_old_password_changes_nothing(bob):
    answer = refusal(bob.change_password, OldPassword="Wrong one 0!", NewPassword=SECOND)

    assert "AccessDenied: The old password was incorrect." == answer
    bob.change_password(OldPassword=FIRST, NewPassword=SECOND)


def test_the_latest_passwords_cannot_be_used_again_and_older_ones_can(account, bob):
    account.client("iam").update_account_password_policy(MinimumPasswordLength=8, PasswordReusePrevention=3)
    bob.change_password(OldPassword=FIRST, NewPassword=SECOND)
    bob.change_password(OldPassword=SECOND, NewPassword=THIRD)

    for password in (FIRST, SECOND, THIRD):
        assert REUSED == refusal(bob.change_password, OldPassword=THIRD, NewPassword=password)

    bob.change_password(OldPassword=THIRD, NewPassword=FOURTH)
    bob.change_password(OldPassword=FOURTH, NewPassword=FIRST)


def test_an_administrator_cannot_set_a_password_that_was_used_either(account, bob):
    iam = account.client("iam")
    iam.update_account_password_policy(MinimumPasswordLength=8, PasswordReusePrevention=1)

    assert REUSED == refusal(iam.update_login_profile, UserName="bob", Password=FIRST)


def test_a_longer_memory_reaches_back_to_passwords_from_before_it(account, bob):
    bob.change_password(OldPassword=FIRST, NewPassword=SECOND)

    account.client("iam").update_account_password_policy(MinimumPasswordLength=8, PasswordReusePrevention=24)

    assert REUSED == refusal(bob.change_password, OldPassword=SECOND, NewPassword=FIRST)


def test_only_users_can_change_their_password(account):
    answer = refusal(account.root("iam").change_password, OldPassword=FIRST, NewPassword=SECOND)

    assert "InvalidUserType: Only IAM Users can change their own password" == answer
    assert 400 == status(account.root("iam").change_password, OldPassword=FIRST, NewPassword=SECOND)


def test_root_has_no_login_profile(account):
    answer = refusal(account.root("iam").get_login_profile)

    assert "ValidationError: Must specify userName when calling with non-User credentials" == answer


def test_no_password_is_in_any_record(account, bob):
    iam = account.client("iam")
    bob.change_password(OldPassword=FIRST, NewPassword=SECOND)
    refusal(bob.change_password, OldPassword=FIRST, NewPassword=THIRD)
    iam.update_login_profile(UserName="bob", Password=FOURTH)

    records = account.records()

    assert {"CreateLoginProfile", "ChangePassword", "UpdateLoginProfile"} <= {record["eventName"] for record in records}
    for password in (FIRST, SECOND, THIRD, FOURTH):
        assert password not in str(records)


def test_permission_is_asked_for_before_a_password_is_looked_at(account, bob):
    mallory = account.user("mallory").client("iam")

    answer = refusal(mallory.update_login_profile, UserName="bob", Password="x")

    assert answer.startswith("AccessDenied: User: ")


def test_the_longest_console_session_is_set_shown_changed_and_unset(account):
    iam = account.client("iam")
    iam.create_user(UserName="bob")
    created = iam.create_login_profile(UserName="bob", Password=FIRST, MaxSigninSessionDuration=7200)["LoginProfile"]

    iam.update_login_profile(UserName="bob", PasswordResetRequired=True)
    kept = iam.get_login_profile(UserName="bob")["LoginProfile"]
    iam.update_login_profile(UserName="bob", MaxSigninSessionDuration=86_400)
    changed = iam.get_login_profile(UserName="bob")["LoginProfile"]
    iam.update_login_profile(UserName="bob", ResetMaxSigninSessionDuration=True)
    unset = iam.get_login_profile(UserName="bob")["LoginProfile"]

    shown = [each["MaxSigninSessionDuration"] for each in (created, kept, changed)]
    assert [7200, 7200, 86_400] == shown
    assert "MaxSigninSessionDuration" not in unset
    both = refusal(iam.update_login_profile, UserName="bob", MaxSigninSessionDuration=3600, ResetMaxSigninSessionDuration=True)
    assert both.startswith("InvalidInput: ")
    assert "ValidationError" in refusal(iam.update_login_profile, UserName="bob", MaxSigninSessionDuration=7_776_001)
