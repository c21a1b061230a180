"""Standings are kept as far as their size goes, the least recently asked for forgotten first."""

import json

from crownkeep.credentials.sealing import Keyring
from crownkeep.operations import permissions, standing
from crownkeep.operations.standing import Standings
from crownkeep.policy import PolicyKind, PolicySource
from crownkeep.principals import Principal, PrincipalKind
from crownkeep.storage.accounts import accounts


def _large(_db, principal):
    statement = {"Effect": "Allow", "Action": [f"s3:Get{principal.unique_id}{n}" for n in range(200)], "Resource": "*"}
    text = json.dumps({"Version": "2012-10-17", "Statement": statement})
    return permissions.Permissions(permissions.compiled([permissions.Text(text, PolicySource(PolicyKind.IDENTITY, "p"))]))


def _asked(standings, account_id, users=1):
    for number in range(users):
        found = standings.of_account(None, account_id)
        found.permissions(None, Principal(PrincipalKind.USER, account_id, f"AIDA{number}", "bob", "/"))
    return standings.of_account(None, account_id)


def test_many_accounts_permissions_do_not_fill_the_memory(monkeypatch):
    monkeypatch.setattr(accounts, "revision", lambda _db, account_id: 1)
    monkeypatch.setattr(permissions, "load", _large)
    monkeypatch.setattr(standing, "MOST_BYTES", 2_000_000)
    standings = Standings(Keyring.__new__(Keyring))

    for number in range(60):
        newest = _asked(standings, f"{number:012}")
        assert standings.bytes <= 2_000_000

    assert newest is _asked(standings, f"{59:012}", users=0)
    assert 0 < newest.bytes <= standings.bytes


def test_one_account_s_permissions_are_bounded_too(monkeypatch):
    monkeypatch.setattr(accounts, "revision", lambda _db, account_id: 1)
    monkeypatch.setattr(permissions, "load", _large)
    monkeypatch.setattr(standing, "_MOST_BYTES_OF_ACCOUNT", 1_000_000)

    found = _asked(Standings(Keyring.__new__(Keyring)), "111122223333", users=40)

    assert found.bytes <= 1_001_000
