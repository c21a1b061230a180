"""What the tests of Organizations ask with: refusals with their reasons, and the service's own events."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.fixtures.crown import Account


def refusal(operation: Callable[..., Any], **parameters: Any) -> str:
    """Call and return the refusal's code and, where it has one, its reason: `Code REASON`."""
    with pytest.raises(ClientError) as caught:
        operation(**parameters)
    code, reason = caught.value.response["Error"]["Code"], caught.value.response.get("Reason")
    return f"{code} {reason}" if reason else code


def message(operation: Callable[..., Any], **parameters: Any) -> str:
    """Call and return what the refusal says."""
    with pytest.raises(ClientError) as caught:
        operation(**parameters)
    return str(caught.value.response["Error"]["Message"])


def service_events(account: Account, name: str) -> list[dict[str, Any]]:
    """Return the details of the events with this name that Organizations itself made in an account's trail."""
    found = [each for each in account.records() if each["eventName"] == name and each["eventType"] == "AwsServiceEvent"]
    return [each["serviceEventDetails"] for each in found]
