"""Clients of servers that speak AWS's APIs and may be anybody's: what they answer is bounded, and so is the time that it takes.

The SDK reads an answer to its end, however large, and waits anew for each of its bytes.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import Any

from crownkeep import clock
from crownkeep.arn import GLOBAL_REGION

LARGEST = 4 << 20
"""Bytes of an answer that is no stream: a page of a list of a thousand objects with names as long as they may be."""
SLOWEST = 16 << 10
"""Bytes a second that a server must take, or give of a stream, beyond the seconds that it has for an answer."""
_AT_ONCE = 1 << 20
_FROM_PARSERS = (ValueError, LookupError, TypeError, AttributeError, RecursionError)
"""What the SDK's parsers raise for what is not as its model says."""


class UnboundedAnswer(Exception):
    """An answer takes too long, or is too large; the message says which."""


class UnreadableAnswer(Exception):
    """A server has refused, or answers what nobody can read.

    The message is the code of a refusal, or the kind of what is wrong: of one line, and without what was sent.
    """

    def __init__(self, code: str, *, said: str = "", is_refusal: bool = False) -> None:
        super().__init__(code)
        self.said = said
        """What a server that refuses says beside its code; it may repeat what it was sent."""
        self.is_refusal = is_refusal


def create(service: str, *, region: str, endpoint: str, config: Any, seconds: float) -> Any:
    """Return a client; within `seconds` an answer must have begun, and be whole where it is no stream. Use it in `reading`."""
    import botocore.session
    from botocore.awsrequest import AWSResponse
    from botocore.httpsession import URLLib3Session
    from botocore.utils import get_environ_proxies

    session = botocore.session.get_session()
    named = region or session.get_config_variable("region") or GLOBAL_REGION
    client = session.create_client(service, region_name=named, endpoint_url=endpoint or None, config=config)
    verify = session.get_config_variable("ca_bundle") or os.environ.get("REQUESTS_CA_BUNDLE") or True
    http = URLLib3Session(
        verify=verify,
        proxies=get_environ_proxies(client.meta.endpoint_url),
        timeout=(config.connect_timeout, config.read_timeout),
    )

    def send(request: Any, **_: object) -> Any:
        is_stream, request.stream_output = request.stream_output, True
        sent = int(request.headers.get("Content-Length") or 0)
        answer = _within(seconds + sent / SLOWEST, lambda: http.send(request))
        is_stream = is_stream and answer.status_code < 300
        raw = _Bounded(answer.raw, seconds, is_stream=is_stream)
        bounded = AWSResponse(answer.url, answer.status_code, answer.headers, raw)
        if not is_stream:
            # Read here, where the SDK takes what goes wrong for a fault of the connection.
            bool(bounded.content)
        return bounded

    client.meta.events.register("before-send", send)
    return client


@contextmanager
def reading() -> Iterator[None]:
    """Raise UnreadableAnswer for whatever goes wrong with a client in the block: with its server, or on the way to it."""
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError
    from urllib3.exceptions import HTTPError

    try:
        yield
    except ClientError as error:
        answered = error.response.get("Error", {})
        code, said = answered.get("Code") or "an unknown error", answered.get("Message") or ""
        raise UnreadableAnswer(_one_line(str(code), 64), said=_one_line(str(said), 300), is_refusal=True) from error
    except UnboundedAnswer as error:
        raise UnreadableAnswer(str(error)) from error
    except (BotoCoreError, ResponseParserError, HTTPError, *_FROM_PARSERS) as error:
        # Only the kind: its text may hold what was sent.
        raise UnreadableAnswer(type(error).__name__) from error


def _one_line(text: str, longest: int) -> str:
    return "".join(each if each.isprintable() else " " for each in text[:longest]).strip()


class _Bounded:
    """What comes behind an answer's head, as far as it is read."""

    def __init__(self, raw: Any, seconds: float, *, is_stream: bool) -> None:
        self._raw = raw
        self._seconds = seconds
        self._is_stream = is_stream
        self._began = clock.monotonic()
        self._count = 0

    def stream(self) -> Iterator[bytes]:
        """Yield what comes; raises UnboundedAnswer."""
        while content := self.read(_AT_ONCE):
            yield content

    def read(self, amount: int | None = None) -> bytes:
        """Return up to so many bytes, and fewer only at the end; raises UnboundedAnswer."""
        found, wanted = bytearray(), amount if amount is not None else LARGEST + 1
        # Each step takes what one read of the socket gives, so that the clock is looked at between two.
        while len(found) < wanted and (content := self._raw.read1(wanted - len(found))):
            found += content
            self._count += len(content)
            self._require()
        return bytes(found)

    def _require(self) -> None:
        if not self._is_stream and self._count > LARGEST:
            raise UnboundedAnswer(f"an answer has more than {LARGEST} bytes")
        if clock.monotonic() - self._began > self._seconds + (self._count / SLOWEST if self._is_stream else 0):
            raise UnboundedAnswer("an answer comes too slowly")

    def close(self) -> None:
        """End the connection."""
        self._raw.close()


def _within(seconds: float, work: Callable[[], Any]) -> Any:
    """Return what work comes to; raises UnboundedAnswer where it takes longer, and lets it end by itself."""
    came: list[Any] = []
    failed: list[BaseException] = []

    def run() -> None:
        try:
            came.append(work())
        except BaseException as error:  # noqa: BLE001 - raised below, where somebody waits for it
            failed.append(error)

    thread = Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if failed:
        raise failed[0]
    if not came:
        raise UnboundedAnswer("no answer has begun in time")
    return came[0]
