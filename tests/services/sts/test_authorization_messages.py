"""DecodeAuthorizationMessage: no refusal of ours is encoded, so that no message is one of ours."""

from __future__ import annotations

import base64

import pytest
from botocore.exceptions import ClientError
from tests.fixtures.crown import Account


@pytest.mark.parametrize("message", ["AAAA", base64.urlsafe_b64encode(bytes(200)).decode(), "ä"])
def test_a_message_that_was_never_issued_is_not_valid(account: Account, message: str):
    with pytest.raises(ClientError) as refusal:
        account.client("sts").decode_authorization_message(EncodedMessage=message)

    error = refusal.value.response["Error"]
    assert ("InvalidAuthorizationMessageException", "Message is not valid") == (error["Code"], error["Message"])


def test_a_refusal_says_in_plain_words_what_decided_and_brings_no_encoded_message(account: Account):
    bob = account.user("bob")

    with pytest.raises(ClientError) as refusal:
        bob.client("iam").list_users()

    message = refusal.value.response["Error"]["Message"]
    assert "because no identity-based policy allows the iam:ListUsers action" in message
    assert "Encoded authorization failure message" not in message


def test_decoding_needs_permission(account: Account):
    bob = account.user("bob")

    with pytest.raises(ClientError) as refusal:
        bob.client("sts").decode_authorization_message(EncodedMessage="AAAA")

    assert "AccessDenied" == refusal.value.response["Error"]["Code"]
