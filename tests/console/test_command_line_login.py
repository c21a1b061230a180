"""`crownkeep login` with a real browser, and then the stock AWS CLI, which has no access key anywhere."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from tests.fixtures.process import COMMAND, Process
from tests.signin.people import PASSWORD

DEVELOPER = "arn:aws:iam::aws:policy/SignInLocalDevelopmentAccess"
Visit = Callable[..., Page]
_numbers = itertools.count(1)


@pytest.fixture
def account(served: Process) -> dict[str, Any]:
    """An account with the user `ann`, who may sign in at a browser and from there at a command line."""
    number = next(_numbers)
    answer = served.account(email=f"login-{number}@acme.example", name=f"login {number}", admin_user="admin")
    iam = served.client("iam", answer["admin"])
    iam.create_user(UserName="ann")
    iam.create_login_profile(UserName="ann", Password=PASSWORD)
    iam.attach_user_policy(UserName="ann", PolicyArn=DEVELOPER)
    return answer


@pytest.fixture
def login(served: Process) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Start `crownkeep login` and leave it waiting."""
    started: list[subprocess.Popen[str]] = []

    def start(*options: str) -> subprocess.Popen[str]:
        pipes: Any = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        command = [str(COMMAND), "login", "--no-browser", *options]
        started.append(subprocess.Popen(command, cwd=served.directory, env=served.environment, text=True, **pipes))
        return started[-1]

    yield start
    for each in started:
        each.kill()
        each.communicate()


def test_a_user_signs_in_with_a_browser_and_the_stock_cli_works(
    served: Process, account: dict[str, Any], visit: Visit, login: Callable[..., subprocess.Popen[str]], faults: Any
):
    waiting = login("--profile", "dev")
    page = visit("/")
    page.goto(_address(waiting))
    _sign_in(page, account["account_id"])
    expect(page.get_by_role("heading", name="Sign in a command line?")).to_be_visible()
    assert [] == faults(page)
    page.get_by_role("button", name="Allow").click()
    expect(page.get_by_text("go back to the command line")).to_be_visible()

    assert 0 == waiting.wait(20)
    identity = served.aws("sts", "get-caller-identity", "--profile", "dev", AWS_ENDPOINT_URL="")
    assert f"arn:aws:iam::{account['account_id']}:user/ann" == identity["Arn"]


def test_credentials_that_ran_out_are_renewed_by_the_profiles_own_command(
    served: Process, account: dict[str, Any], visit: Visit, login: Callable[..., subprocess.Popen[str]]
):
    waiting = login("--profile", "old")
    page = visit("/")
    page.goto(_address(waiting))
    _sign_in(page, account["account_id"])
    page.get_by_role("button", name="Allow").click()
    assert 0 == waiting.wait(20)
    entry = max((served.directory / ".aws/login/cache").glob("*.json"), key=lambda path: path.stat().st_mtime)
    token = json.loads(entry.read_text())
    token["accessToken"]["expiresAt"] = "2020-01-01T00:00:00Z"
    entry.write_text(json.dumps(token))

    identity = served.aws("sts", "get-caller-identity", "--profile", "old")

    assert identity["Arn"].endswith(":user/ann")
    renewed = json.loads(entry.read_text())
    assert token["refreshToken"] != renewed["refreshToken"]


def test_a_browser_on_another_computer_shows_a_code_to_paste(
    served: Process, account: dict[str, Any], visit: Visit, login: Callable[..., subprocess.Popen[str]], faults: Any
):
    waiting = login("--cross-device", "--login-session", "--json")
    page = visit("/")
    page.goto(_address(waiting))
    _sign_in(page, account["account_id"])
    expect(page.get_by_text("Did you start this yourself?")).to_be_visible()
    page.get_by_role("button", name="Allow").click()
    shown = page.locator("#code").inner_text()
    assert [] == faults(page)

    out, _ = waiting.communicate(f"{shown}\n", timeout=20)

    arn = f"arn:aws:iam::{account['account_id']}:user/ann"
    assert arn == json.loads(out)["session"]
    assert f"login_session = {arn}" in (served.directory / ".aws/config").read_text()


def test_refusing_in_the_browser_ends_the_command_with_a_reason(
    account: dict[str, Any], visit: Visit, login: Callable[..., subprocess.Popen[str]]
):
    waiting = login("--profile", "none")
    page = visit("/")
    page.goto(_address(waiting))
    _sign_in(page, account["account_id"])

    page.get_by_role("button", name="Refuse").click()

    assert "refused in the browser" in (waiting.communicate(timeout=20)[1])
    assert 1 == waiting.returncode


def _address(waiting: subprocess.Popen[str]) -> str:
    assert waiting.stderr is not None
    for line in waiting.stderr:
        found = re.search(r"http\S+/v1/authorize\S+", line)
        if found:
            return found[0]
    raise AssertionError("no address was printed")


def _sign_in(page: Page, account_id: str) -> None:
    page.get_by_text("IAM user", exact=True).click()
    page.get_by_label("Account ID").fill(account_id)
    page.get_by_role("button", name="Next").click()
    page.get_by_label("IAM username").fill("ann")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
