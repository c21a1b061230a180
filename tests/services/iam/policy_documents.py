"""What the tests of policies share: documents as texts, and the code and text of a refusal."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"


def document(action: str = "s3:GetObject", effect: str = "Allow", **elements: Any) -> str:
    """A policy of one statement on every resource."""
    statement = {"Effect": effect, "Action": action, "Resource": "*"} | elements
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def document_of_size(size: int) -> str:
    """A policy that has this many characters beside white space."""
    empty = document(Resource="arn:aws:s3:::").replace(" ", "")
    return document(Resource="arn:aws:s3:::" + "b" * (size - len(empty)))


def refusal(call: Callable[..., Any], **parameters: Any) -> tuple[str, str]:
    """Return the code and the message of what a call is refused with."""
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    error = refused.value.response["Error"]
    return error["Code"], error["Message"]
