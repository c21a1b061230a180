"""A browser without a screen: it keeps cookies, fills in forms and follows addresses, and the pages can't tell."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlencode

from tests.fixtures.asgi import Response
from tests.fixtures.crown import Account, Crown

from crownkeep import clock
from crownkeep.operations.call import Origin
from crownkeep.principals import Principal, PrincipalKind
from crownkeep.signin import sessions
from crownkeep.storage.database import Transaction
from crownkeep.storage.identities import users
from crownkeep.storage.writer import Commit

FORM = "application/x-www-form-urlencoded"


class Browser:
    """One browser at one server."""

    def __init__(self, crown: Crown) -> None:
        self.crown = crown
        self.cookies: dict[str, str] = {}

    def get(self, path: str, **headers: str) -> Response:
        """Open an address, as typed by its person unless the headers (with underscores) say otherwise."""
        return self._send("GET", path, headers)

    def post(self, path: str, fields: Mapping[str, str | list[str]], **headers: str) -> Response:
        """Send a form as it is given."""
        return self._send("POST", path, {"content_type": FORM, **headers}, urlencode(fields, doseq=True).encode())

    def submit(self, page: Response, path: str, **fields: str) -> Response:
        """Send the form of a page, its hidden fields and those that are filled in, as a browser does."""
        headers = {"origin": self.crown.settings.url, "sec_fetch_site": "same-origin"}
        return self.post(path, {**hidden(page), **fields}, **headers)

    def _send(self, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> Response:
        pairs = [(name.replace("_", "-"), value) for name, value in headers.items()]
        if self.cookies:
            pairs.append(("cookie", "; ".join(f"{name}={value}" for name, value in self.cookies.items())))
        answer = self.crown.request(method, path, headers=[*pairs, ("accept", "text/html")], body=body)
        for name, value in answer.headers:
            if name.lower() == "set-cookie":
                self._keep(value)
        return answer

    def _keep(self, header: str) -> None:
        name, _, value = header.partition(";")[0].partition("=")
        if value and "max-age=0" not in header.lower():
            self.cookies[name] = value
        else:
            self.cookies.pop(name, None)


def hidden(page: Response) -> dict[str, str]:
    """Return the hidden fields of a page."""
    inputs = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', page.text)
    return {name: html.unescape(value) for name, value in inputs}


def signed_in(account: Account, *, user: str | None = None, mfa: bool = True) -> Browser:
    """Return a browser in which root, or a user, has signed in just now; how people do that has its own tests."""
    browser = Browser(account.crown)

    def work(db: Transaction) -> Commit[str]:
        person = _person(db, account.id, user)
        serial = f"arn:aws:iam::{account.id}:mfa/of-a-test" if mfa else None
        origin = Origin("127.0.0.1", "browser", "us-east-1", "")
        opened = sessions.open_session(db, person, origin=origin, now=clock.now(), mfa_serial=serial)
        return Commit(opened.token.reveal(), [])

    browser.cookies["crownkeep-session"] = in_house(account.crown, work)
    return browser


def in_house(crown: Crown, work: Any) -> Any:
    """Carry work out through the running server's own door."""
    served = crown._served
    return served.run(served._app._house.door.carry_out(work))


def _person(db: Transaction, account_id: str, user: str | None) -> Principal:
    root = Principal(PrincipalKind.ROOT, account_id, account_id)
    if user is None:
        return root
    row = users.named(db, account_id, user)
    assert row is not None
    return replace(root, kind=PrincipalKind.USER, unique_id=row.user_id, name=row.name, path=row.path)
