"""`crownkeep lockdown` over the wire: from a bad account to what its steps promise, killed, resumed, undone, and refused."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from contextlib import chdir
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Terminal
from tests.fixtures.process import Process

from crownkeep.advisor import journal as journals
from crownkeep.advisor.journal import Journal

WISHES = {
    "alias": "quiet-harbour",
    "contacts": {
        kind: {"Name": name, "Title": "-", "EmailAddress": f"{name}@acme.example", "PhoneNumber": f"+49 {number}"}
        for number, (kind, name) in enumerate({"security": "sue", "billing": "bo", "operations": "ole"}.items())
    },
}


_numbers = itertools.count(1)


class Desk:
    """Somebody with an administrator's keys of a fresh account, and a directory for plans."""

    def __init__(self, served: Process, directory: Path, number: int) -> None:
        self.directory = directory
        self.created = served.account(email=f"root-{number}@lockdown.example", name=f"lockdown {number}", admin_user="admin")
        self.alias = f"quiet-harbour-{self.created['account_id']}"
        (directory / "wishes.json").write_text(json.dumps(WISHES | {"alias": self.alias}))
        self.plan = directory / "plan.json"
        self._served = served

    def client(self, service: str) -> Any:
        return self._served.client(service, self.created["admin"])

    def run(self, *words: str, code: int = 0, stdin: str = "", home: str = "config") -> Any:
        keys = self.created["admin"]
        aws = {"AWS_ACCESS_KEY_ID": keys["access_key_id"], "AWS_SECRET_ACCESS_KEY": keys["secret_access_key"]}
        environment = self._served.environment | aws | {"XDG_CONFIG_HOME": str(self.directory / home)}
        with chdir(self.directory):
            done = Terminal(environment)("lockdown", *words, "--json", stdin=stdin)
        assert code == done.code, done.err
        return done.json() if done.out.startswith("{") else done.err

    def planned(self) -> Any:
        return self.run("plan", "--out", str(self.plan), "--wishes", "wishes.json")


@pytest.fixture
def desk(served: Process, tmp_path: Path) -> Callable[[], Desk]:
    return lambda: Desk(served, tmp_path, next(_numbers))


def states(told: Any) -> list[str]:
    return [each["state"] for each in told["steps"]]


def test_a_bad_account_is_locked_down_verified_and_undone(desk: Callable[[], Desk]):
    here = desk()
    plan = here.planned()
    before = here.client("iam").list_account_aliases()["AccountAliases"]

    applied = here.run("apply", str(here.plan), "--yes")
    proof = here.run("verify", str(here.plan))
    policy = here.client("iam").get_account_password_policy()["PasswordPolicy"]
    again = here.run("apply", str(here.plan), "--yes")
    undone = here.run("undo", str(here.plan))

    assert sha256(here.plan.read_bytes()).hexdigest() == proof["plan_sha256"]
    assert [each["danger"] for each in plan["steps"]] == sorted(each["danger"] for each in plan["steps"])
    assert {"account-alias", "contact-security", "password-policy", "support-role"} <= {each["check"] for each in plan["steps"]}
    assert {"root-mfa", "account-in-organization"} <= {each["check"] for each in plan["people"]}
    assert ([], {"done"}) == (before, set(states(applied)))
    assert (14, 24) == (policy["MinimumPasswordLength"], policy["PasswordReusePrevention"])
    assert {"holds"} == set(states(proof))
    assert not {each["check"] for each in plan["steps"]} & set(proof["open"])
    assert {"holds already"} == set(states(again))
    assert {"undone"} == set(states(undone))
    assert [] == here.client("iam").list_account_aliases()["AccountAliases"]
    assert {"NoSuchEntity"} == {_refusal(here.client("iam").get_account_password_policy)}


def test_what_was_killed_goes_on_and_what_somebody_changed_is_refused(desk: Callable[[], Desk]):
    here = desk()
    plan = here.planned()
    alias = next(each for each in plan["steps"] if each["check"] == "account-alias")
    # Killed after the call and before the line that says so.
    digest = sha256(here.plan.read_bytes()).hexdigest()
    Journal(here.directory / "plan.json.journal", digest).write(alias["id"], journals.BEGUN)
    here.client("iam").create_account_alias(AccountAlias=here.alias)
    here.client("iam").update_account_password_policy(MinimumPasswordLength=9)

    stopped = here.run("apply", str(here.plan), "--yes", code=1)
    verified = here.run("verify", str(here.plan))

    said = {each["check"]: each["state"] for each in stopped["steps"]}
    assert "was done before the interruption" == said["account-alias"]
    assert "was changed since the plan was made" in stopped["stopped"]
    assert "password-policy" not in said
    assert 9 == here.client("iam").get_account_password_policy()["PasswordPolicy"]["MinimumPasswordLength"]
    assert {"holds"} == set(states(verified))


def test_a_step_that_no_longer_holds_is_proven_so_and_left_to_who_changed_it(desk: Callable[[], Desk]):
    here = desk()
    here.planned()
    here.run("apply", str(here.plan), "--yes")
    here.client("iam").delete_account_alias(AccountAlias=here.alias)
    here.client("iam").create_account_alias(AccountAlias=f"other-{here.alias}")

    proof = here.run("verify", str(here.plan), code=1)
    undone = here.run("undo", str(here.plan), code=1)

    assert ["account-alias"] == [each["check"] for each in proof["steps"] if each["state"] == "does not hold"]
    assert "was changed by somebody since" in undone["stopped"]
    assert [f"other-{here.alias}"] == here.client("iam").list_account_aliases()["AccountAliases"]


def test_drift_that_no_step_is_about_is_told_and_blocks_nothing(desk: Callable[[], Desk]):
    here = desk()
    here.planned()
    here.client("iam").create_user(UserName="root")

    applied = here.run("apply", str(here.plan), "--yes")

    assert any("user-named-root" in each for each in applied["drift"])
    assert {"done"} == set(states(applied))


def test_a_plan_that_was_changed_or_comes_from_elsewhere_is_refused(desk: Callable[[], Desk]):
    here = desk()
    here.planned()
    text = here.plan.read_text()
    forged = here.directory / "forged.json"
    forged.write_text(text.replace('"Status": "Inactive"', '"Status": "Active"').replace(here.alias, f"x{here.alias}"))

    changed = here.run("apply", str(forged), "--yes", code=1)
    elsewhere = here.run("apply", str(here.plan), "--yes", code=1, home="another")
    key = json.loads(text)["signature"]["key"]
    trusted = here.run("apply", str(here.plan), "--yes", "--key", key, home="another")

    assert "was changed since it was signed" in changed
    assert "was signed on another machine" in elsewhere
    assert {"done"} == set(states(trusted))


def test_a_plan_for_another_account_is_refused(desk: Callable[[], Desk], served: Process, tmp_path: Path):
    here = desk()
    here.planned()
    here.created = served.account(email="another@lockdown.example", name="another", admin_user="admin")

    assert "the plan is for account" in here.run("apply", str(here.plan), "--yes", code=1)


def test_each_step_is_asked_about_and_may_be_left_out(desk: Callable[[], Desk]):
    here = desk()
    plan = here.planned()

    answer = here.run("apply", str(here.plan), stdin="n\n" * len(plan["steps"]))

    assert {"left out"} == set(states(answer))
    assert [] == here.client("iam").list_account_aliases()["AccountAliases"]


def _refusal(call: Callable[[], Any]) -> str:
    from botocore.exceptions import ClientError

    with pytest.raises(ClientError) as raised:
        call()
    return str(raised.value.response["Error"]["Code"])
