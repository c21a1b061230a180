"""What IAM's tests ask with: refusals as text, small policies, and an authenticator app."""

from __future__ import annotations

import hashlib
import hmac
import time
from base64 import b32decode
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError


def refusal(operation: Callable[..., Any], **parameters: Any) -> str:
    """Call and return what the refusal says: `Code: message`."""
    with pytest.raises(ClientError) as caught:
        operation(**parameters)
    error = caught.value.response["Error"]
    return f"{error['Code']}: {error['Message']}"


def status(operation: Callable[..., Any], **parameters: Any) -> int:
    """Call and return the refusal's HTTP status."""
    with pytest.raises(ClientError) as caught:
        operation(**parameters)
    return int(caught.value.response["ResponseMetadata"]["HTTPStatusCode"])


def allow(*actions: str, on: Any = "*", **condition: Any) -> dict[str, Any]:
    """Return a policy that allows actions on resources, under conditions."""
    statement: dict[str, Any] = {"Effect": "Allow", "Action": list(actions), "Resource": on}
    if condition:
        statement["Condition"] = condition
    return {"Version": "2012-10-17", "Statement": [statement]}


class Authenticator:
    """An authenticator app of its own make (RFC 6238), so that the server is not tested against itself."""

    def __init__(self, seed: bytes) -> None:
        """Scan the answer's Base32StringSeed."""
        self._key = b32decode(seed)

    def code(self, steps: int = 0) -> str:
        """Show the code of now, or of some steps of 30 seconds later."""
        step = int(time.time()) // 30 + steps
        digest = hmac.new(self._key, step.to_bytes(8, "big"), hashlib.sha1).digest()
        offset = digest[-1] & 15
        return f"{(int.from_bytes(digest[offset : offset + 4], 'big') & 0x7FFFFFFF) % 10**6:06}"


def enrol(iam: Any, user_name: str, device_name: str) -> tuple[str, Authenticator]:
    """Make a virtual device and enable it for a user; answers its serial number and the app that has its seed."""
    device = iam.create_virtual_mfa_device(VirtualMFADeviceName=device_name)["VirtualMFADevice"]
    app = Authenticator(device["Base32StringSeed"])
    enable(iam, user_name, device["SerialNumber"], app)
    return device["SerialNumber"], app


def enable(iam: Any, user_name: str, serial: str, app: Authenticator) -> None:
    """Enable a device with its codes of the step before and of now."""
    iam.enable_mfa_device(
        UserName=user_name, SerialNumber=serial, AuthenticationCode1=app.code(-1), AuthenticationCode2=app.code()
    )
