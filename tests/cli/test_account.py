"""`crownkeep account`: what it makes, what it prints where, and what it refuses."""

from __future__ import annotations

import re
import stat
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.cli.conftest import Terminal

from crownkeep.credentials import passwords
from crownkeep.credentials.secret import Secret
from crownkeep.storage.accounts import accounts
from crownkeep.storage.database import Database

FLAGS = ["--email", "root@acme.example", "--name", "acme"]


def test_an_account_is_made_without_a_server_in_a_directory_that_did_not_exist(crownkeep, data):
    ended = crownkeep("account", "create", *FLAGS, "--account-id", "111122223333", "--json")

    assert (0, ["note:"]) == (ended.code, [line.partition(" ")[0] for line in ended.err.splitlines()])
    answer = ended.json()
    link = answer.pop("set_password_url")
    assert {
        "account_id": "111122223333",
        "root_arn": "arn:aws:iam::111122223333:root",
        "root_email": "root@acme.example",
        "sign_in_url": "http://localhost:4747/signin?account=111122223333",
    } == answer
    assert re.fullmatch(r"http://localhost:4747/signin/set-password\?token=[A-Za-z0-9_-]{43}", link)
    assert 0o700 == stat.S_IMODE(data.stat().st_mode)


def test_keys_are_made_when_asked_for_and_roots_with_a_warning(made, crownkeep):
    ended = crownkeep("account", "create", *FLAGS, "--admin-user", "admin", "--root-access-key", "--json")

    answer = ended.json()
    assert {"user_name", "access_key_id", "secret_access_key"} == set(answer["admin"])
    assert {"access_key_id", "secret_access_key"} == set(answer["root"])
    assert ended.err.startswith("warning: this root access key may do everything in the account")


def test_what_people_read_says_the_same_as_the_json(crownkeep):
    ended = crownkeep("account", "create", *FLAGS, "--admin-user", "admin")

    assert 0 == ended.code
    assert re.match(r"Account \d{12} \(acme\) is made\.\n", ended.out)
    assert "http://localhost:4747/signin/set-password?token=" in ended.out
    assert re.search(r"^  user name +admin$", ended.out, re.MULTILINE)
    assert re.search(r"^  secret access key +[A-Za-z0-9+/]{40}$", ended.out, re.MULTILINE)


@pytest.mark.parametrize("name", ["data/crownkeep.toml", "keep.toml"])
def test_the_links_lead_to_the_public_url(crownkeep, data, name, monkeypatch):
    # What `--config` sets is forgotten with the test.
    monkeypatch.setenv("CROWNKEEP_CONFIG", "")
    data.mkdir(mode=0o700)
    (data.parent / name).write_text('public_url = "https://keep.acme.example/"\n')
    config = () if name.startswith("data") else ("--config", name)

    answer = crownkeep("account", "create", *FLAGS, *config, "--json").json()

    assert answer["sign_in_url"].startswith("https://keep.acme.example/signin?")
    assert answer["set_password_url"].startswith("https://keep.acme.example/signin/set-password?")


@pytest.mark.parametrize("ending", ["\n", "\r\n", ""])
def test_roots_password_is_read_from_standard_input(crownkeep, data, ending):
    ended = crownkeep("account", "create", *FLAGS, "--root-password-stdin", "--json", stdin=f" correct Horse 7 {ending}")

    assert 0 == ended.code
    assert "set_password_url" not in ended.json()
    database = Database(f"sqlite:///{data / 'crownkeep.db'}")
    with database.snapshot() as db:
        row = accounts.with_id(db, ended.json()["account_id"])
    assert row
    assert row.root_password_hash
    assert passwords.verify(Secret(" correct Horse 7 "), row.root_password_hash)


def test_a_weak_root_password_makes_no_account_and_is_not_repeated(crownkeep):
    ended = crownkeep("account", "create", *FLAGS, "--root-password-stdin", stdin="weakling\n")

    assert (1, "") == (ended.code, ended.out)
    assert ended.err.startswith("Error: the root password is refused: Password should meet 2 more of the following")
    assert "weakling" not in ended.err
    assert {"accounts": []} == crownkeep("account", "list", "--json").json()


def test_an_empty_standard_input_holds_no_password(crownkeep):
    ended = crownkeep("account", "create", *FLAGS, "--root-password-stdin", stdin="\n")

    assert 2 == ended.code
    assert "standard input holds no password" in ended.err


def test_a_password_is_never_an_argument(crownkeep):
    assert 2 == crownkeep("account", "create", *FLAGS, "--root-password", "correct Horse 7").code


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--email", "nobody"], "such as `root@acme.example`"),
        (["--email", f"{'x' * 60}@acme.example"], "may have 64 characters"),
        (["--name", ""], "a name has 1 to 50 characters"),
        (["--name", "<acme>"], "a name has 1 to 50 characters"),
        (["--account-id", "12"], "an account id has 12 digits"),
        (["--account-id", "١٢٣٤٥٦٧٨٩٠١٢"], "an account id has 12 digits"),
        (["--admin-user", "no spaces"], "a user's name has 1 to 64"),
        (["--admin-user", "\x1b[2J"], "`?[2J` does not fit"),
    ],
)
def test_what_does_not_fit_is_said_in_plain_words(crownkeep, data, options, reason):
    ended = crownkeep("account", "create", *FLAGS, *options)

    assert (2, "") == (ended.code, ended.out)
    assert reason in ended.err
    assert not data.exists()


def test_an_email_address_that_is_taken_is_refused_in_one_sentence(made, crownkeep):
    made("--email", "root@acme.example")

    ended = crownkeep("account", "create", "--email", "ROOT@acme.example", "--name", "second")

    expected = "Error: another account has the e-mail address `ROOT@acme.example`; give this one an address of its own\n"
    assert (1, "", expected) == (ended.code, ended.out, ended.err)


def test_accounts_are_listed_in_columns_that_cut_nothing_off(made, crownkeep):
    made("--account-id", "222200000000", "--name", "second account with quite a long name of fifty ...")
    made("--account-id", "111100000000", "--name", "first")
    crownkeep("account", "close", "111100000000")

    lines = crownkeep("account", "list").out.splitlines()

    assert ["ACCOUNT", "NAME", "STATE", "ROOT", "E-MAIL", "CREATED"] == lines[0].split()
    assert re.match(r"111100000000  first +SUSPENDED  root-2@cli\.example  \d{4}-\d\d-\d\d$", lines[1])
    assert "second account with quite a long name of fifty ..." in lines[2]


def test_a_list_of_more_than_a_page_is_whole(crownkeep, data):
    with_accounts(data, crownkeep, count=1003)

    listed = crownkeep("account", "list", "--json").json()["accounts"]

    assert 1004 == len({account["account_id"] for account in listed})


def with_accounts(data: Any, crownkeep: Terminal, *, count: int) -> None:
    crownkeep("account", "create", *FLAGS)
    database = Database(f"sqlite:///{data / 'crownkeep.db'}")

    def copy(db: Any) -> None:
        row = accounts.page(db, after="", limit=1)[0]
        for number in range(count):
            values = {name: getattr(row, name) for name in row.__slots__}
            email = f"{number}@acme.example"
            accounts.add(db, type(row)(**values | {"account_id": f"{number:012}", "email": email, "email_key": email}))

    database.write(copy)
    database.close()


def test_an_account_is_shown_closed_reopened_and_purged(made, crownkeep):
    account_id = made()["account_id"]

    states = [crownkeep("account", verb, account_id, "--json").json()["state"] for verb in ("show", "close", "reopen")]
    purged = crownkeep("account", "purge", account_id, "--yes", "--json")
    shown = crownkeep("account", "show", account_id)

    assert ["ACTIVE", "SUSPENDED", "ACTIVE"] == states
    assert (0, {"account_id": account_id, "purged": True}) == (purged.code, purged.json())
    assert 1 == shown.code
    assert f"Error: there is no account `{account_id}`; `crownkeep account list` shows them all\n" == shown.err


def test_a_closed_account_shows_since_when(made, crownkeep):
    account_id = made()["account_id"]

    ended = crownkeep("account", "close", account_id)

    assert re.search(r"^  state +SUSPENDED\n  created +\S+\n  closed +\d{4}-\d\d-\d\d$", ended.out, re.MULTILINE)


def test_nothing_is_purged_by_a_slip_of_the_hand(made, crownkeep):
    account_id = made()["account_id"]

    ended = crownkeep("account", "purge", account_id)

    assert 2 == ended.code
    assert "add `--yes` if you mean it" in ended.err
    assert 0 == crownkeep("account", "show", account_id).code


def test_commands_work_beside_a_running_server_and_are_in_force_at_once(crown):
    terminal = Terminal({"CROWNKEEP_DATA": crown.settings.data, "CROWNKEEP_DATABASE": crown.settings.database_url})

    answer = terminal(
        "account", "create", "--email", "beside@cli.example", "--name", "beside", "--admin-user", "a", "--json"
    ).json()
    client = crown.session(answer["admin"], "account")
    name = client.get_account_information()["AccountName"]
    closed = terminal("account", "close", answer["account_id"])

    assert ("beside", 0) == (name, closed.code)
    with pytest.raises(ClientError):
        client.get_account_information()
    assert 0 == terminal("account", "purge", answer["account_id"], "--yes").code


def test_every_member_that_a_command_answers_is_documented(made, crownkeep):
    text = (Path(__file__).parents[2] / "docs/reference/command-line.md").read_text()
    answer = made("--admin-user", "admin", "--root-access-key")
    shown = crownkeep("account", "close", answer["account_id"], "--json").json()
    rotated = crownkeep("keys", "rotate", "--wait", "0", "--json").json()
    services = crownkeep("operations", "--service", "sts", "--json").json()

    answered = {*answer, *answer["admin"], *answer["root"], *shown, *rotated, *services, *services["services"][0]}

    assert [] == [member for member in answered if f"`{member}`" not in text]


def test_a_quota_is_shown_set_and_given_its_default_again(made, crownkeep):
    account_id = made()["account_id"]

    changed = crownkeep("account", "quota", account_id, "UsersQuota", "20000", "--json").json()["quotas"]
    shown = crownkeep("account", "quota", account_id, "UsersQuota").out
    every = crownkeep("account", "quota", account_id, "--json").json()["quotas"]
    reset = crownkeep("account", "quota", account_id, "UsersQuota", "--default", "--json").json()["quotas"]

    assert [(20_000, 5000, True)] == [(each["value"], each["default"], each["is_set"]) for each in changed]
    assert re.search(r"UsersQuota +20000 +5000 +0 to 100000", shown)
    assert {"UsersQuota", "TagsPerResourceQuota", "PolicySizeQuota"} <= {each["name"] for each in every}
    assert [(5000, False)] == [(each["value"], each["is_set"]) for each in reset]


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("UsersQuota", "100001"), 1, "give a number from 0 to 100000"),
        (("NoQuota", "1"), 1, "there is no quota `NoQuota`"),
        (("NoQuota",), 2, "there is no quota `NoQuota`"),
        (("UsersQuota", "5", "--default"), 2, "`--default` takes the name of a quota"),
        (("--default",), 2, "`--default` takes the name of a quota"),
    ],
)
def test_what_no_quota_can_be_is_refused(made, crownkeep, words, code, told):
    ended = crownkeep("account", "quota", made()["account_id"], *words)

    assert (code, True) == (ended.code, told in ended.err)
