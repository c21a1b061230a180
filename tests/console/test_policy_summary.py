"""What a policy grants at a glance: by service, access level, resource and condition; and nothing of it is slow or evaluated."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crownkeep.console.kit.policy_summary import MOST_ROWS, Summary, summarize


def summary(*statements: dict[str, Any]) -> Summary:
    """Summarize a policy of these statements."""
    found = summarize(json.dumps({"Version": "2012-10-17", "Statement": list(statements)}))
    assert found is not None
    return found


def test_levels_of_access_are_told_with_how_many_of_their_actions_are_granted():
    row = summary({"Effect": "Allow", "Action": ["iam:*", "iam:Nonsense"], "Resource": "*"}).allowed[0]

    assert ("iam", "AWS Identity and Access Management (IAM)") == (row.prefix, row.service)
    assert ["List", "Read", "Write", "Permissions management", "Tagging"] == [level.name for level in row.levels]
    assert all(level.is_full for level in row.levels)
    assert ("Nonsense",) == row.unknown


def test_an_action_is_found_whatever_its_case_and_its_wildcards():
    row = summary({"Effect": "Allow", "Action": "S3:getobject", "Resource": "*"}).allowed[0]
    wild = summary({"Effect": "Allow", "Action": "s3:Get?bject", "Resource": "*"}).allowed[0]

    assert [("Read", ("GetObject",), False)] == [(each.name, each.actions, each.is_full) for each in row.levels]
    assert row.levels == wild.levels


def test_a_bracket_is_no_wildcard():
    row = summary({"Effect": "Allow", "Action": "s3:[GP]etObject*", "Resource": "*"}).allowed[0]

    assert ((), ("[GP]etObject*",)) == (row.levels, row.unknown)


def test_resources_and_conditions_stand_beside_what_they_limit():
    statement = {
        "Sid": "Logs",
        "Effect": "Deny",
        "Action": "s3:GetObject",
        "NotResource": "arn:aws:s3:::logs/*",
        "Condition": {"StringNotLike": {"aws:PrincipalTag/team": ["red", "blue"]}, "Bool": {"aws:SecureTransport": False}},
    }

    row = summary(statement).denied[0]

    assert ("Logs", ("All but arn:aws:s3:::logs/*",)) == (row.statement, row.resources)
    assert ("aws:PrincipalTag/team StringNotLike red or blue", "aws:SecureTransport Bool false") == row.conditions


def test_what_speaks_of_all_services_is_not_taken_apart():
    found = summary(
        {"Effect": "Allow", "Action": "*", "Resource": "*"}, {"Effect": "Allow", "NotAction": ["iam:*"], "Resource": "*"}
    )

    assert ["Everything", "All but iam:*"] == [row.service for row in found.allowed]
    assert ["", ""] == [row.prefix for row in found.allowed]


@pytest.mark.parametrize(
    "document",
    ["", "[]", "null", "{", '{"Statement": 1}', '{"Statement": [{"Effect": "Maybe"}]}', "[" * 100_000, '{"Statement": ["x"]}'],
)
def test_what_is_no_policy_has_no_summary(document: str):
    assert summarize(document) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["*", "iam:*", "s3:Get*", "Allow", "Deny"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
STATEMENT = st.dictionaries(
    st.sampled_from(["Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"]), JSON
)


@given(st.lists(STATEMENT, max_size=4))
def test_hostile_documents_of_any_shape_raise_nothing(statements: list[Any]):
    summarize(json.dumps({"Statement": statements}))


def test_denial_of_service_a_document_of_many_wildcards_is_left_out():
    patterns = [f"ec2:{'*a' * 20}{number}" for number in range(2000)]

    found = summary({"Effect": "Allow", "Action": patterns, "Resource": "*"})

    assert ((), 1) == (found.allowed, found.left_out)


def test_a_document_of_many_services_shows_as_many_as_a_page_holds():
    actions = [f"service{number}:Do" for number in range(MOST_ROWS + 7)]

    found = summary({"Effect": "Allow", "Action": actions, "Resource": "*"})

    assert (MOST_ROWS, 7) == (len(found.allowed), found.left_out)
