"""A client that follows a stream of an app in this process, and says when it goes away."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as Signing
from tests.fixtures.clients import Credentials
from tests.fixtures.crown import Crown
from tests.fixtures.patience import until

TYPE = "text/event-stream"


def signed(crown: Crown, credentials: Credentials, query: str = "", **headers: str) -> tuple[str, dict[str, str]]:
    """Return the address of a stream and the headers of a signed request for it."""
    return signing(crown.settings.url, credentials, query, **headers)


def signing(base: str, credentials: Credentials, query: str = "", **headers: str) -> tuple[str, dict[str, str]]:
    """Return the same, of a server at an address."""
    request = AWSRequest("GET", f"{base}/events{query}", headers={"Accept": TYPE, **headers})
    keys = Signing(credentials.access_key_id, credentials.secret_access_key, credentials.session_token)
    SigV4Auth(keys, "trail", "us-east-1").add_auth(request)
    return request.url, dict(request.headers.items())


class Following:
    """One stream: what has come of it so far."""

    def __init__(self, crown: Crown, url: str, headers: Mapping[str, str]) -> None:
        served = crown._served  # the client's side of its loop
        self._served = served
        self._app = served._app
        self._messages: list[dict[str, Any]] = []
        self._incoming: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.is_over = False
        scope = served.scope("GET", url, headers)
        asyncio.run_coroutine_threadsafe(
            self._incoming.put({"type": "http.request", "body": b"", "more_body": False}), served._loop
        )
        self._run = asyncio.run_coroutine_threadsafe(self._ask(scope), served._loop)
        until(lambda: len(self._messages) > 1)

    async def _ask(self, scope: dict[str, Any]) -> None:
        async def send(message: dict[str, Any]) -> None:
            self._messages.append(message)

        await self._app(scope, self._incoming.get, send)
        self.is_over = True

    @property
    def status(self) -> int:
        """The status of the answer."""
        return int(self._messages[0]["status"])

    @property
    def text(self) -> str:
        """All that has come."""
        return b"".join(each.get("body", b"") for each in [*self._messages][1:]).decode()

    @property
    def events(self) -> list[tuple[int, dict[str, Any]]]:
        """The events that have come, each with its index."""
        blocks = [dict(line.split(": ", 1) for line in block.split("\n") if ": " in line) for block in self.text.split("\n\n")]
        return [(int(each["id"]), json.loads(each["data"])) for each in blocks if "data" in each and "event" not in each]

    @property
    def names(self) -> list[str]:
        """The names of the events that have come."""
        return [record["eventName"] for _, record in self.events]

    @property
    def ending(self) -> str:
        """The code that the stream has ended with, empty where it has not been said."""
        _, found, rest = self.text.partition("event: end\ndata: ")
        return str(json.loads(rest)["code"]) if found else ""

    def leave(self) -> None:
        """Go away, and wait until the server has let go of the stream."""
        asyncio.run_coroutine_threadsafe(self._incoming.put({"type": "http.disconnect"}), self._served._loop)
        self._run.result(60)
