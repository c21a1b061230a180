"""Checks for access that is not granted and access that is new: what is proven is true, and what is true is often proven."""

import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fixtures.patience import bounded
from tests.policy import building, strategies
from tests.policy.building import document, statement

from crownkeep import policy
from crownkeep.policy import Access, PolicyKind
from crownkeep.policy.globs import arn_holds, arns_meet, example, holds, meets
from crownkeep.policy.patterns import read_pattern

BUCKET = "arn:aws:s3:::b"
SECURE = {"Bool": {"aws:SecureTransport": "true"}}


def parse(tree):
    return policy.parse(json.dumps(tree))


@pytest.mark.parametrize(
    ("tree", "access", "result"),
    [
        (document(statement(Action="s3:GetObject")), Access(("iam:GetUser",)), "PASS"),
        (document(statement(Action="s3:GetObject")), Access(("s3:GetObject",)), "FAIL"),
        (document(statement(Action="s3:GetObject")), Access(("S3:getobject",)), "FAIL"),
        (document(statement(Action="s3:*")), Access(("s3:GetObject",)), "FAIL"),
        (document(statement(Action="s3:Get*")), Access(("s3:*",)), "FAIL"),
        (document(statement(Action="s3:Get*")), Access(("s3:Put*",)), "PASS"),
        (document(statement(Action="s3:*", Resource=BUCKET)), Access(resources=("arn:aws:s3:::c",)), "PASS"),
        (document(statement(Action="s3:*", Resource=BUCKET + "/*")), Access(resources=(BUCKET + "/k",)), "FAIL"),
        (document(statement(Action="s3:*", Resource=BUCKET)), Access(("s3:GetObject",), ("arn:aws:s3:::c",)), "PASS"),
        (document(statement(NotAction="s3:*")), Access(("s3:GetObject",)), "PASS"),
        (document(statement(NotAction="s3:*")), Access(("iam:GetUser",)), "FAIL"),
        (document(statement(NotResource=BUCKET)), Access(("s3:GetObject",), (BUCKET,)), "PASS"),
        (document(statement(), statement("Deny", Action="s3:*")), Access(("s3:GetObject",)), "PASS"),
        (document(statement(), statement("Deny", Action="s3:*")), Access(("iam:GetUser",)), "FAIL"),
        (document(statement(), statement("Deny", Action="s3:*", Condition=SECURE)), Access(("s3:GetObject",)), "FAIL"),
        (document(statement(), statement("Deny", NotAction="s3:*")), Access(("iam:GetUser",)), "PASS"),
        (document(statement(Condition=SECURE)), Access(("s3:GetObject",)), "FAIL"),
        (
            document(statement(Condition={"StringNotLike": {"aws:PrincipalArn": "*"}, "Null": {"aws:PrincipalArn": "false"}})),
            Access(("s3:GetObject",)),
            "NOT_PROVEN",
        ),
        (document(statement("Deny")), Access(("*",)), "PASS"),
    ],
)
def test_access_is_found_granted_or_not(tree, access, result):
    check = policy.check_access_not_granted(parse(tree), [access])

    assert result == check.result.value
    assert ("PASS" == result) == (not check.reasons)


S3_GET = statement(Action="s3:GetObject", Resource=BUCKET + "/*")


def not_equal(values):
    return {"Condition": {"StringNotEquals": {"k:a": values}}}


RED = {"StringEquals": {"aws:PrincipalTag/team": "red"}}
TEAM = {"StringEquals": {"aws:PrincipalTag/team": ["red", "blue"]}}


@pytest.mark.parametrize(
    ("existing", "new", "result"),
    [
        ([S3_GET], [S3_GET], "PASS"),
        ([S3_GET], [statement(Action="s3:getobject", Resource=BUCKET + "/k")], "PASS"),
        ([statement(Action="s3:*")], [S3_GET], "PASS"),
        ([S3_GET], [statement(Action="s3:*", Resource=BUCKET + "/*")], "FAIL"),
        ([S3_GET], [statement(Action="s3:GetObject")], "FAIL"),
        ([S3_GET], [S3_GET | {"Condition": SECURE}], "PASS"),
        ([S3_GET | {"Condition": SECURE}], [S3_GET], "FAIL"),
        ([S3_GET | {"Condition": TEAM}], [S3_GET | {"Condition": RED}], "PASS"),
        (
            [S3_GET | {"Condition": RED}],
            [S3_GET | {"Condition": TEAM}],
            "NOT_PROVEN",
        ),
        (
            [S3_GET | {"Condition": {"StringNotEquals": {"k:a": []}}}],
            [S3_GET | {"Condition": {"StringNotEquals": {"k:a": "x"}}}],
            "FAIL",
        ),
        ([statement(), statement("Deny", Action="s3:*")], [statement()], "FAIL"),
        ([statement(), statement("Deny", Action="s3:*")], [statement(), statement("Deny", Action="s3:*")], "PASS"),
        ([statement(), statement("Deny", Action="s3:Get*")], [statement(), statement("Deny", Action="s3:*")], "PASS"),
        ([statement(), statement("Deny", Action="s3:*")], [statement(Action="iam:*")], "PASS"),
        ([statement(NotAction="s3:*")], [statement(Action="iam:*")], "PASS"),
        ([statement(NotAction="s3:*")], [statement(NotAction=["s3:*", "iam:*"])], "PASS"),
        ([statement(NotAction=["s3:*", "iam:*"])], [statement(NotAction="s3:*")], "FAIL"),
        ([statement(NotResource=BUCKET)], [statement(Resource="arn:aws:s3:::c")], "PASS"),
        ([S3_GET], [statement("Deny")], "PASS"),
        ([statement(Resource=BUCKET + "/${aws:username}")], [statement(Resource=BUCKET + "/${aws:username}")], "PASS"),
        ([statement(Resource=BUCKET + "/*")], [statement(Resource=BUCKET + "/${aws:username}")], "PASS"),
    ],
)
def test_new_access_is_found_or_ruled_out(existing, new, result):
    check = policy.check_no_new_access(parse(document(*existing)), parse(document(*new)))

    assert result == check.result.value


def resource_statement(names, effect="Allow"):
    return statement(effect, Principal=names, Resource=BUCKET)


@pytest.mark.parametrize(
    ("existing", "new", "result"),
    [
        ("*", {"AWS": "111122223333"}, "PASS"),
        ({"AWS": ["111122223333", "444455556666"]}, {"AWS": "111122223333"}, "PASS"),
        ({"AWS": "111122223333"}, {"AWS": ["111122223333", "444455556666"]}, "FAIL"),
        ({"AWS": "111122223333"}, "*", "FAIL"),
        ({"Service": "ec2.amazonaws.com"}, {"Service": "s3.amazonaws.com"}, "FAIL"),
        ("*", {"Federated": "accounts.google.com"}, "FAIL"),
    ],
)
def test_new_principals_are_new_access(existing, new, result):
    check = policy.check_no_new_access(
        parse(document(resource_statement(existing))),
        parse(document(resource_statement(new))),
        kind=PolicyKind.RESOURCE,
    )

    assert result == check.result.value


def test_on_the_wire_what_is_not_proven_is_a_fail_with_reasons():
    tree = document(statement(Sid="Odd", Condition={"StringNotLike": {"k:a": "*"}, "Null": {"k:a": "false"}}))

    member = policy.check_access_not_granted(parse(tree), [Access(("s3:GetObject",))]).as_member()

    assert "FAIL" == member["result"]
    assert "It cannot be proven that the policy document does not grant the listed access." == member["message"]
    assert {"statementIndex": 0, "statementId": "Odd"}.items() <= member["reasons"][0].items()


@given(strategies.documents(), strategies.documents(), strategies.contexts)
def test_when_no_new_access_is_proven_no_request_is_newly_allowed(existing, new, context):
    if "PASS" != policy.check_no_new_access(parse(existing), parse(new)).result.value:
        return
    before, after = building.policy_set(existing), building.policy_set(new)

    for action in strategies.ACTIONS:
        for resource in strategies.RESOURCES:
            asked = building.request("user", action, resource, context)
            assert not allows(after, asked) or allows(before, asked)


def allows(policies, asked):
    said = policies.decide(asked)
    return said is not None and said.allows


@given(
    strategies.documents(),
    st.sampled_from(strategies.ACTION_PATTERNS),
    st.sampled_from(strategies.RESOURCE_PATTERNS),
    strategies.contexts,
)
def test_when_access_is_proven_not_granted_no_request_gets_it(tree, action, resource, context):
    result = policy.check_access_not_granted(parse(tree), [Access((action,), (resource,))]).result.value
    policies = building.policy_set(tree)
    matches = read_pattern(action.lower())

    got = [
        (name, arn)
        for name in strategies.ACTIONS
        for arn in strategies.RESOURCES
        if matches(name.lower()) and arn_holds(resource, arn) and allows(policies, building.request("user", name, arn, context))
    ]

    assert "PASS" != result or not got


patterns = st.text("ab*?", max_size=6)


@given(patterns, patterns, st.text("ab", max_size=6))
def test_sets_of_strings_meet_and_hold_as_their_strings_do(one, other, text):
    in_one, in_other = read_pattern(one)(text), read_pattern(other)(text)

    assert meets(one, other) or not (in_one and in_other)
    assert not holds(one, other) or in_one or not in_other
    assert meets(one, other) == meets(other, one)
    assert read_pattern(one)(example(one, "x"))


SHORT = ["".join(letters) for length in range(4) for letters in itertools.product("ab*?", repeat=length)]
TEXTS = ["".join(letters) for length in range(7) for letters in itertools.product("ab", repeat=length)]


def test_short_patterns_meet_exactly_when_a_string_matches_both():
    matched = {pattern: frozenset(filter(read_pattern(pattern), TEXTS)) for pattern in SHORT}

    for one, other in itertools.product(SHORT, repeat=2):
        assert meets(one, other) == (not matched[one].isdisjoint(matched[other])), (one, other)
        assert not holds(one, other) or matched[one] >= matched[other], (one, other)


@pytest.mark.parametrize(
    ("pattern", "inner"),
    [("*", "a*?"), ("a*", "ab*"), ("*b", "a*b"), ("a?c", "abc"), ("a?c", "a?c"), ("a*c", "a?c"), ("a*b*c", "a*bx*c"), ("", "")],
)
def test_a_pattern_that_plainly_holds_another_is_proven_to(pattern, inner):
    assert holds(pattern, inner)


def big(patterns, length=20):
    return document(statement(Action=[f"s3:{'a' * length}{number}*" for number in range(patterns)]))


@pytest.mark.parametrize(("patterns", "length"), [(3_000, 20), (1, 100_000), (200, 400)])
def test_an_attacker_s_documents_are_compared_in_bounded_time(patterns, length):
    first, second = parse(big(patterns, length)), parse(big(patterns, length + 1))
    access = [Access(tuple(f"s3:*{number}" for number in range(100)), tuple(f"{BUCKET}{n}" for n in range(100)))]

    with bounded():
        results = policy.check_no_new_access(first, second), policy.check_access_not_granted(first, access)

    assert {"PASS", "FAIL", "NOT_PROVEN"} >= {each.result.value for each in results}


def test_documents_too_large_to_compare_are_not_proven():
    check = policy.check_no_new_access(parse(big(300)), parse(big(300)))
    other = policy.check_access_not_granted(parse(big(1_000)), [Access(tuple(f"s3:a{n}" for n in range(100)))])

    assert ["NOT_PROVEN", "NOT_PROVEN"] == [check.result.value, other.result.value]
    assert "The two policy documents are too large to be compared." == check.message


def test_more_pairs_than_are_looked_at_are_not_proven():
    tree = document(statement(), statement("Deny"))
    access = Access(tuple(f"s3:A{n}" for n in range(30)), tuple(f"{BUCKET}{n}" for n in range(30)))

    assert "NOT_PROVEN" == policy.check_access_not_granted(parse(tree), [access]).result.value


def test_a_question_mark_holds_no_character_of_two_units():
    assert not holds("?", "\U0001f600")
    assert holds("??", "\U0001f600")


def test_arns_are_compared_segment_by_segment():
    assert arns_meet("arn:aws:iam::*:user/a", "arn:aws:iam::1*:user/*")
    assert not arns_meet("arn:aws:iam::1:user/a", "arn:aws:iam::2:user/a")
    assert not arn_holds("arn:aws:s3*", "arn:aws:sns:::b")
    assert not arn_holds("arn:aws:s3:::${aws:username}", "arn:aws:s3:::x")
