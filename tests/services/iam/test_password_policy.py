"""The account's password policy: replaced as a whole, obeyed by every new password, and a grant where it says so."""

from __future__ import annotations

import pytest
from tests.services.iam.asking import refusal, status

STRICT = {
    "MinimumPasswordLength": 12,
    "RequireSymbols": True,
    "RequireNumbers": True,
    "RequireUppercaseCharacters": True,
    "RequireLowercaseCharacters": True,
    "AllowUsersToChangePassword": True,
    "MaxPasswordAge": 90,
    "PasswordReusePrevention": 3,
}


def test_without_a_policy_none_is_found_and_none_can_be_deleted(account):
    iam = account.client("iam")

    found = refusal(iam.get_account_password_policy)
    deleted = refusal(iam.delete_account_password_policy)

    assert f"NoSuchEntity: The Password Policy with domain name {account.id} cannot be found." == found
    assert "NoSuchEntity: The account policy with name PasswordPolicy cannot be found." == deleted
    assert 404 == status(iam.get_account_password_policy)


def test_a_policy_is_answered_as_it_was_set(account):
    iam = account.client("iam")

    iam.update_account_password_policy(**STRICT)

    found = iam.get_account_password_policy()["PasswordPolicy"]
    assert STRICT | {"ExpirePasswords": True, "HardExpiry": False} == found


def test_an_update_replaces_all_of_it_by_defaults_where_it_is_silent(account):
    iam = account.client("iam")
    iam.update_account_password_policy(**STRICT, HardExpiry=True)

    iam.update_account_password_policy()

    assert {
        "MinimumPasswordLength": 6,
        "RequireSymbols": False,
        "RequireNumbers": False,
        "RequireUppercaseCharacters": False,
        "RequireLowercaseCharacters": False,
        "AllowUsersToChangePassword": False,
        "ExpirePasswords": False,
    } == iam.get_account_password_policy()["PasswordPolicy"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"MinimumPasswordLength": 5}, "at 'minimumPasswordLength'"),
        ({"MaxPasswordAge": 0}, "at 'maxPasswordAge'"),
        ({"MaxPasswordAge": 1096}, "at 'maxPasswordAge'"),
        ({"PasswordReusePrevention": 25}, "at 'passwordReusePrevention'"),
    ],
)
def test_what_is_out_of_range_is_refused_in_awss_words(account, changes, told):
    iam = account.client("iam", parameter_validation=False)

    text = refusal(iam.update_account_password_policy, **changes)

    assert text.startswith("ValidationError: 1 validation error detected: Value ")
    assert told in text


def test_after_its_deletion_the_default_rules_hold(account):
    iam = account.client("iam")
    iam.update_account_password_policy()
    iam.create_user(UserName="bob")
    iam.create_login_profile(UserName="bob", Password="simple")

    iam.delete_account_password_policy()

    assert refusal(iam.update_login_profile, UserName="bob", Password="simple").startswith("PasswordPolicyViolation: ")


def test_users_may_change_their_password_by_the_policys_grant_alone(account):
    iam = account.client("iam")
    bob = account.user("bob").client("iam")
    iam.create_login_profile(UserName="bob", Password="First one 1!")
    change = {"OldPassword": "First one 1!", "NewPassword": "Second one 2!"}

    before = status(bob.change_password, **change)
    iam.update_account_password_policy(AllowUsersToChangePassword=True)
    bob.change_password(**change)

    assert 403 == before
    bob.get_account_password_policy()


def test_a_deny_wins_over_the_policys_grant(account):
    iam = account.client("iam")
    deny = {"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "iam:ChangePassword", "Resource": "*"}}
    bob = account.user("bob", policy=deny).client("iam")
    iam.create_login_profile(UserName="bob", Password="First one 1!")
    iam.update_account_password_policy(AllowUsersToChangePassword=True)

    answer = refusal(bob.change_password, OldPassword="First one 1!", NewPassword="Second one 2!")

    assert "with an explicit deny in an identity-based policy" in answer
