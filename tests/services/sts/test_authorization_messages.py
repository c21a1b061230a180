"""Encoded authorization messages: opened by the account they were made for, and by nobody else."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError
from tests.fixtures.crown import Account, Crown

from crownkeep import policy
from crownkeep.credentials import sealing
from crownkeep.domain import authorization_messages


def refusal_for(crown: Crown, account: Account) -> str:
    """Make a message as a service of the house would, with the house's own key."""
    keyring = sealing.read_key_file((crown.settings.data_directory / "sealing.key").read_text())
    caller = policy.Principal(policy.PrincipalKind.USER, f"arn:aws:iam::{account.id}:user/bob", account.id, "AIDABOB")
    document = policy.parse(
        '{"Version": "2012-10-17", "Statement": {"Sid": "No", "Effect": "Deny", "Action": "ec2:*", "Resource": "*"}}'
    )
    source = policy.PolicySource(policy.PolicyKind.IDENTITY, "p")
    denies = policy.compile_set([policy.compile_policy(document, source=source)])
    request = policy.Request(caller, "ec2:RunInstances", "*", policy.Context({"aws:SourceIp": "192.0.2.1"}))
    decision = policy.authorize(request, policy.Applicable(identity=denies))
    return authorization_messages.encode(keyring, decision, account_id=account.id, name="bob")


def test_a_message_tells_who_was_refused_what_and_by_which_statement(crown: Crown):
    account = crown.account()
    message = refusal_for(crown, account)

    decoded = json.loads(account.client("sts").decode_authorization_message(EncodedMessage=message)["DecodedMessage"])

    assert (False, True) == (decoded["allowed"], decoded["explicitDeny"])
    assert "No" == decoded["matchedStatements"]["items"][0]["statementId"]
    context = decoded["context"]
    assert {"id": "AIDABOB", "name": "bob", "arn": f"arn:aws:iam::{account.id}:user/bob"} == context["principal"]
    assert ("ec2:RunInstances", "*") == (context["action"], context["resource"])
    condition = {"key": "aws:sourceip", "values": {"items": [{"value": "192.0.2.1"}]}}
    assert [condition] == context["conditions"]["items"]


@pytest.mark.parametrize("tampered", ["", "A", "ä"])
def test_another_accounts_or_a_tampered_message_is_not_valid(crown: Crown, tampered: str):
    account, other = crown.account(), crown.account()
    message = tampered + refusal_for(crown, account)

    with pytest.raises(ClientError) as refusal:
        (account if tampered else other).client("sts").decode_authorization_message(EncodedMessage=message)

    error = refusal.value.response["Error"]
    assert ("InvalidAuthorizationMessageException", "Message is not valid") == (error["Code"], error["Message"])


def test_decoding_needs_permission(account: Account):
    bob = account.user("bob")

    with pytest.raises(ClientError) as refusal:
        bob.client("sts").decode_authorization_message(EncodedMessage="AAAA")

    assert "AccessDenied" == refusal.value.response["Error"]["Code"]
