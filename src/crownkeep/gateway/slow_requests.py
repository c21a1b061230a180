"""The log of requests that took long: which, and for how long; never who asked, or for what."""

from __future__ import annotations

import logging

from crownkeep.gateway.responses import Response
from crownkeep.logs import SLOW

_log = logging.getLogger(SLOW)
_REQUEST_IDS = (b"x-amzn-requestid", b"x-amz-request-id")


def request_id(response: Response) -> str:
    """Return the id that an answer says its request has, empty where it says none."""
    return next((value.decode("latin-1") for name, value in response.headers if name.lower() in _REQUEST_IDS), "")


def tell(response: Response, seconds: float) -> None:
    """Log a request that took long. Its id leads to its record in the trail, which says who asked for what."""
    its_id = request_id(response)
    milliseconds = round(seconds * 1_000)
    about = {
        "request_id": its_id,
        "service": response.service,
        "operation": response.operation,
        "code": response.code,
        "milliseconds": milliseconds,
    }
    called = f"{response.service} {response.operation}".strip() or "a request"
    _log.warning("slow: %s took %d ms (request %s)", called, milliseconds, its_id or "without an id", extra=about)
