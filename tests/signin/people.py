"""People of tests: root by its link, users with passwords, and devices whose codes the test knows."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from tests.fixtures.browsing import Browser, Page
from tests.fixtures.crown import Account, Crown

from crownkeep import clock
from crownkeep.credentials import totp

PASSWORD = "correct Horse battery 9"


def code(seed: bytes, *, ahead: int = 0, now: datetime | None = None) -> str:
    """Return the code that a device shows, or will show so many steps ahead."""
    return totp.code_at(seed, int((now or clock.now()).timestamp()) // totp.STEP + ahead)


def set_password_path(account: Account) -> str:
    """Return the path of the link by which root chooses its password."""
    parts = urlsplit(account.created["set_password_url"])
    return f"{parts.path}?{parts.query}"


def choose_root_password(browser: Browser, account: Account, password: str = PASSWORD) -> Page:
    """Let root choose its password by the link."""
    browser.get(set_password_path(account))
    return browser.submit({"new": password, "again": password})


def enrol_app(browser: Browser, name: str = "phone") -> bytes:
    """Enrol an authenticator app where the browser is asked to, and return its seed."""
    browser.submit({"name": name, "app": "1"}, form="Set up an authenticator app")
    seed = browser.page.seed
    browser.submit({"code1": code(seed, ahead=-1), "code2": code(seed)})
    return seed


def root_with_app(crown: Crown) -> tuple[Account, Browser, bytes]:
    """Make an account whose root has signed in for the first time, with an authenticator app."""
    account = crown.account()
    browser = Browser(crown)
    choose_root_password(browser, account)
    return account, browser, enrol_app(browser)


def sign_in_root(browser: Browser, account: Account, password: str = PASSWORD) -> Page:
    """Present root's e-mail address and password."""
    browser.get("/signin?choose")
    browser.submit({"kind": "root", "email": account.email})
    return browser.submit({"password": password})


def sign_in_user(browser: Browser, account: str, name: str, password: str = PASSWORD) -> Page:
    """Present a user's name and password."""
    browser.get(f"/signin/{account}")
    return browser.submit({"account": account, "name": name, "password": password})


def user_with_password(account: Account, name: str = "bob", **options: Any) -> None:
    """Make a user with a password, which may change it."""
    account.user(name, arn="arn:aws:iam::aws:policy/IAMUserChangePassword")
    account.client("iam").create_login_profile(UserName=name, Password=PASSWORD, **options)


def sign_in_events(account: Account, name: str) -> list[dict[str, Any]]:
    """Return the account's records of this event, the newest first."""
    return [record for record in account.records() if record["eventName"] == name]
