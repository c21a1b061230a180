"""Forms of the console as a browser without a screen fills them in, and people with few permissions to do it."""

from __future__ import annotations

from typing import Any

from tests.fixtures.asgi import Response
from tests.fixtures.crown import Account
from tests.signin.browser import Browser, hidden, signed_in

ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
MARKUP = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
ALLOW = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
TRUST: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole", "Sid": "Anyone"}],
}


def reader(account: Account, *actions: str) -> Browser:
    """Return the browser of a user who may do only this."""
    statement = {"Effect": "Allow", "Action": [*actions, "sts:GetCallerIdentity"], "Resource": "*"}
    account.user("reader", policy={"Version": "2012-10-17", "Statement": [statement]})
    return signed_in(account, user="reader")


def send(browser: Browser, page: str, path: str, /, **fields: str | list[str]) -> Response:
    """Open a page and send one of its forms."""
    opened = browser.get(page)
    assert 200 == opened.status, opened.text
    token = hidden(opened)["csrf"]
    headers = {"origin": browser.crown.settings.url, "sec_fetch_site": "same-origin"}
    return browser.post(path, {"csrf": token, **fields}, **headers)


def follow(browser: Browser, answer: Response) -> str:
    """Go where an answer leads, and return the text of the page there."""
    assert 303 == answer.status, answer.text
    page = browser.get(answer.header("location") or "")
    assert 200 == page.status, page.text
    return page.text
