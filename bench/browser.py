"""A browser for benchmarks: one connection that stays open, cookies, and forms that are filled in."""

from __future__ import annotations

import http.client
import re
from collections.abc import Callable
from urllib.parse import urlencode, urlsplit

PASSWORD = "correct Horse battery 9"

_TOKEN = re.compile(r'name="csrf" value="([0-9a-f]+)"')
_SEED = re.compile(r'<p class="seed">([A-Z2-7]+)</p>')


class Browser:
    """One connection with its `cookies`."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("localhost", port)
        self._origin = f"http://localhost:{port}"
        self.cookies: dict[str, str] = {}

    def ask(self, path: str, form: dict[str, str] | None = None) -> tuple[int, str]:
        """Send one request and follow nothing."""
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        body = None if form is None else urlencode(form)
        if body is not None:
            headers |= {"Content-Type": "application/x-www-form-urlencoded", "Origin": self._origin}
        self._connection.request("GET" if body is None else "POST", path, body, headers)
        answer = self._connection.getresponse()
        text = answer.read().decode()
        for cookie in answer.headers.get_all("set-cookie") or ():
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer.status, text

    def forget(self) -> None:
        """Forget every cookie: the next visitor has another browser."""
        self.cookies.clear()

    def sign_in(self, account: str, name: str, *, code: str = "") -> None:
        """Sign a user in: the page, the password and, where one is given, the code of an authenticator app."""
        _, page = self.ask(f"/signin/{account}")
        form = {"csrf": token_in(page), "account": account, "name": name, "password": PASSWORD}
        status, _ = self.ask(f"/signin/{account}", form)
        if code:
            _, page = self.ask("/signin/step/mfa")
            found = re.search(r'name="serial" value="([^"]+)"', page)
            given = {"csrf": token_in(page), "serial": found[1] if found else "", "code": code}
            status, _ = self.ask("/signin/step/mfa", given)
        if status != 303 or not self.cookies.get("crownkeep-session"):
            raise RuntimeError(f"`{name}` can't sign in: {status}")

    def choose_password(self, link: str) -> None:
        """Let root choose its password by a one-time link."""
        parts = urlsplit(link)
        _, page = self.ask(f"{parts.path}?{parts.query}")
        token = parts.query.partition("token=")[2]
        self._send("/signin/set-password", page, {"token": token, "new": PASSWORD, "again": PASSWORD})

    def enrol_app(self, name: str, codes: Callable[[str], tuple[str, str]]) -> str:
        """Enrol an authenticator app in the middle of a sign-in, and return its seed; `codes` makes two codes of a seed."""
        _, page = self.ask("/signin/step/enrol")
        self._send("/signin/step/enrol", page, {"name": name, "app": "1"})
        _, page = self.ask("/signin/step/app")
        seed = _SEED.search(page)
        if seed is None:
            raise RuntimeError("the page shows no seed")
        before, current = codes(seed[1])
        self._send("/signin/step/app", page, {"code1": before, "code2": current})
        return seed[1]

    def _send(self, path: str, page: str, form: dict[str, str]) -> None:
        status, _ = self.ask(path, {"csrf": token_in(page), **form})
        if status != 303:
            raise RuntimeError(f"`{path}` refuses the form: {status}")


def token_in(page: str) -> str:
    """Return the token that a page's forms must bring."""
    found = _TOKEN.search(page)
    return found[1] if found else ""
