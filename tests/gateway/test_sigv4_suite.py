"""AWS's published test suite for Signature Version 4, read from the other side: every signed request verifies."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from crownkeep.credentials.secret import Secret
from crownkeep.gateway import signature, sigv4
from crownkeep.gateway.signature import SignableRequest

SUITE = json.loads(Path(__file__).with_name("sigv4_test_suite.json").read_text())
SECRET = Secret(SUITE["secret_access_key"])
NOW = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)


def as_it_came(case: dict[str, Any]) -> SignableRequest:
    """Parse the suite's sketch of a request; a folded line continues its header after a space, as in its answers."""
    head, _, body = case["signed_request"].partition("\n\n")
    first, *lines = head.replace("\n ", " ").split("\n")
    method, target = first.removesuffix(" HTTP/1.1").split(" ", 1)
    path, _, query = target.partition("?")
    pairs = [line.partition(":") for line in lines if not line.startswith("Authorization")]
    headers = [(name.lower().encode(), value.strip().encode()) for name, _, value in pairs]
    # One of the suite's signed requests holds another signature than its answer, which is the right one.
    headers.append((b"authorization", case["authorization"].encode()))
    return SignableRequest(method, path.encode(), query.encode(), signature.fold(headers), body.encode())


@pytest.mark.parametrize("case", SUITE["cases"], ids=[case["name"] for case in SUITE["cases"]])
def test_the_suites_signed_request_verifies(case: dict[str, Any]) -> None:
    request = as_it_came(case)

    claimed = signature.parse(request)
    sigv4.verify(request, claimed, SECRET, now=NOW)

    assert case["canonical_request"].rstrip("\n") == sigv4.canonical_request(request, claimed).decode()
