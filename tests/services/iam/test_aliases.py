"""Account aliases: one for each account, and no two accounts with the same."""

from __future__ import annotations

from tests.services.iam.asking import refusal, status


def test_an_alias_is_set_listed_replaced_and_deleted(account):
    iam = account.client("iam")
    first, second = f"first-{account.id}", f"second-{account.id}"

    iam.create_account_alias(AccountAlias=first)
    listed = iam.list_account_aliases()
    iam.create_account_alias(AccountAlias=second)

    assert ([first], False) == (listed["AccountAliases"], listed["IsTruncated"])
    assert [second] == iam.list_account_aliases()["AccountAliases"]
    iam.delete_account_alias(AccountAlias=second)
    assert [] == iam.list_account_aliases()["AccountAliases"]


def test_an_alias_of_another_account_is_taken_until_it_is_given_up(account, crown):
    alias = f"mine-{account.id}"
    other = crown.account().client("iam")
    account.client("iam").create_account_alias(AccountAlias=alias)

    answer = refusal(other.create_account_alias, AccountAlias=alias)
    account.client("iam").delete_account_alias(AccountAlias=alias)
    other.create_account_alias(AccountAlias=alias)

    assert f"EntityAlreadyExists: The account alias {alias} already exists." == answer
    assert [alias] == other.list_account_aliases()["AccountAliases"]


def test_another_accounts_alias_cannot_be_deleted(account, crown):
    alias = f"theirs-{account.id}"
    crown.account().client("iam").create_account_alias(AccountAlias=alias)

    answer = refusal(account.root("iam").delete_account_alias, AccountAlias=alias)

    assert f"NoSuchEntity: The account alias with name {alias} cannot be found." == answer
    assert 404 == status(account.root("iam").delete_account_alias, AccountAlias=alias)


def test_an_alias_cannot_be_taken_for_an_account_id_or_break_the_pattern(account):
    iam = account.client("iam")

    for alias in ("123456789012", "-dash", "dash-", "double--dash", "Upper"):
        assert refusal(iam.create_account_alias, AccountAlias=alias).startswith("ValidationError: ")


def test_root_is_recorded_by_the_alias(account):
    alias = f"named-{account.id}"
    account.root("iam").create_account_alias(AccountAlias=alias)

    account.root("iam").list_account_aliases()

    assert alias == account.records(limit=1)[0]["userIdentity"]["userName"]
