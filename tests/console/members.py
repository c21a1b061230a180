"""Members of an account: users with passwords who sign in to the console of a server in this process, or of a served one."""

from __future__ import annotations

import itertools
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Page
from tests.fixtures.browsing import Browser
from tests.fixtures.clicks import send
from tests.fixtures.crown import Account, Crown
from tests.fixtures.process import Process
from tests.signin import people
from tests.signin.people import PASSWORD

ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
READER = {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": ["iam:Get*", "iam:List*"], "Resource": "*"}}
NOTHING = {"Version": "2012-10-17", "Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}}
MARKUP = "<img src=x onerror=alert(1)>'\"&"
_numbers = itertools.count(1)


def member(account: Account, name: str = "carol", *, policy: Mapping[str, Any] | None = None, arn: str | None = None) -> Browser:
    """Make a user who may do what a policy says, and sign in with a browser of its own."""
    account.user(name, policy=policy, arn=arn)
    account.client("iam").create_login_profile(UserName=name, Password=PASSWORD)
    browser = Browser(account.crown)
    people.sign_in_user(browser, account.id, name)
    assert browser.cookies, browser.page.text
    return browser


def administrator(crown: Crown) -> tuple[Account, Browser]:
    """Make an account and sign in as an administrator of it."""
    account = crown.account()
    return account, member(account, arn=ADMINISTRATOR)


class Served:
    """An account of a served app, for real browsers."""

    def __init__(self, served: Process) -> None:
        name = f"acme-{next(_numbers)}"
        self.email = f"{name}@acme.example"
        self.created: dict[str, Any] = served.account(email=self.email, name=name, admin_user="admin")
        self.id: str = self.created["account_id"]
        self.iam = served.client("iam", self.created["admin"])
        self.contacts = served.client("account", self.created["admin"])

    def enter(self, page: Page, name: str = "carol", *, policy: Mapping[str, Any] | None = None) -> None:
        """Make a user, an administrator where no policy is given, and sign in."""
        self.iam.create_user(UserName=name)
        if policy is None:
            self.iam.attach_user_policy(UserName=name, PolicyArn=ADMINISTRATOR)
        else:
            self.iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=json.dumps(policy))
        self.iam.create_login_profile(UserName=name, Password=PASSWORD)
        page.goto(f"/signin/{self.id}")
        page.get_by_label("IAM username").fill(name)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url("**/console")

    def enter_as_root(self, page: Page) -> None:
        """Choose root's password by its link, without a second factor."""
        link = urlsplit(self.created["set_password_url"])
        page.goto(f"{link.path}?{link.query}")
        page.get_by_label("New password").fill(PASSWORD)
        page.get_by_label("Retype the password").fill(PASSWORD)
        send(page, "Set the password")
