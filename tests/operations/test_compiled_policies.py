"""Compiled policies are kept as far as their size goes: session policies of any length can't fill the memory."""

import json

from crownkeep.operations import permissions
from crownkeep.policy import PolicyKind, PolicySource


def _text(number, patterns):
    resources = [f"arn:aws:s3:::bucket-{number}-{each}/*" for each in range(patterns)]
    statement = {"Effect": "Allow", "Action": "s3:*", "Resource": resources}
    source = PolicySource(PolicyKind.SESSION, "session policy")
    return permissions.Text(json.dumps({"Version": "2012-10-17", "Statement": statement}), source)


def test_session_policies_are_kept_by_size_and_not_by_number(monkeypatch):
    monkeypatch.setattr(permissions, "MOST_BYTES", 2_000_000)

    for number in range(40):
        permissions.compiled([_text(number, 300)])
        assert permissions.bytes_held() <= 2_000_000

    newest = permissions.compiled([_text(39, 300)])
    assert newest is permissions.compiled([_text(39, 300)])


def test_a_document_larger_than_the_memory_for_all_is_compiled_and_not_kept(monkeypatch):
    monkeypatch.setattr(permissions, "MOST_BYTES", 10_000)

    first = permissions.compiled([_text(0, 200)])

    assert first.policies
    assert first is not permissions.compiled([_text(0, 200)])
    assert permissions.bytes_held() <= 10_000
