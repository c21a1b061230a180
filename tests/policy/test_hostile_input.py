"""Policies made to hurt: the answer is AWS's refusal, or a right decision, in bounded time and memory."""

import json
import tracemalloc

import pytest
from tests.fixtures.patience import bounded
from tests.policy import building

from crownkeep import policy
from crownkeep.policy import MalformedPolicy
from crownkeep.policy.parse import MAX_CHARACTERS
from crownkeep.policy.patterns import code_units, read_pattern

WRAPPED = '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":%s}}'


def hostile(resource):
    return WRAPPED % resource


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"a":' * 25_000,
        hostile("[" * 50_000 + "]" * 50_000),
        hostile('{"a":' * 20_000 + "1" + "}" * 20_000),
        hostile("1" * 100_000),
        hostile("-" + "9" * 100_000 + ".5e999999999"),
        hostile('"\\ud800"'),
        hostile('"\ud800"'),
        hostile('"\\u0000"'),
        hostile('"a\0b"'),
        '\0{"Version":"2012-10-17"}',
        hostile("NaN"),
        hostile("Infinity"),
        hostile('"x"') * 2,
        "{" + ",".join(f'"k{n}":1' for n in range(10_000)) + "}",
        " " * (MAX_CHARACTERS + 1),
    ],
    ids=range(16),
)
def test_an_attacker_s_document_is_refused_quickly(text):
    with bounded(), pytest.raises(MalformedPolicy) as refusal:
        policy.parse(text)

    assert "Syntax errors in policy." == refusal.value.message


def test_a_duplicate_key_cannot_hide_a_deny_from_a_reviewer():
    text = '{"Version":"2012-10-17","Statement":{"Effect":"Deny","Effect":"Allow","Action":"*","Resource":"*"}}'

    with pytest.raises(MalformedPolicy):
        policy.parse(text)


@pytest.mark.parametrize("number", ["1" * 5_000, "1e999999999", "-" + "9" * 4_000, "1e-999999999", "0x10", "1_000", "١"])
def test_a_huge_or_odd_number_in_a_condition_matches_nothing_and_costs_nothing(number):
    tree = building.document(building.statement(Condition={"NumericLessThanEquals": {"app:n": number}}))

    with bounded():
        said = building.policy_set(tree).decide(building.request(context={"app:n": number}))

    assert said is None


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("*a" * 2_000 + "*b", "a" * 2_048),
        ("*a?" * 1_000 + "b", "a" * 2_048),
        ("*" + "a?" * 500 + "b*", "a" * 2_048),
        ("*" + "?" * 1_000 + "b*", "a" * 2_048),
        ("*" * 3_000 + "b", "a" * 2_048),
        ("*ab" * 600 + "*c", "ab" * 1_024),
        ("*?" * 1_500 + "b", "a" * 1_499),
    ],
    ids=range(7),
)
def test_wildcards_made_to_backtrack_take_linear_time(pattern, text):
    matches = read_pattern(pattern)

    with bounded():
        found = matches(text)

    assert not found


def test_thousands_of_statements_are_compiled_and_decided_in_bounded_time():
    one = '{"Effect":"Allow","Action":"s3:Get*","Resource":"arn:aws:s3:::bucket-%d/*"}'
    text = '{"Version":"2012-10-17","Statement":[' + ",".join(one % number for number in range(1_400)) + "]}"

    with bounded():
        policies = building.policy_set(text)
        said = policies.decide(building.request(resource="arn:aws:s3:::bucket-1399/key"))

    assert said is not None


def test_a_caller_asking_for_ever_new_actions_does_not_grow_the_memory():
    policies = building.policy_set(building.document(building.statement(Action="s3:*")))
    tracemalloc.start()

    for number in range(12_000):
        policies.decide(building.request(action=f"s3:Made{number}"))

    assert 8_000_000 > tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()


def test_a_tag_with_wildcards_does_not_widen_a_policy():
    tree = building.document(building.statement(Resource="arn:aws:s3:::home/${aws:PrincipalTag/team}/*"))
    asked = building.request(resource="arn:aws:s3:::home/red/x", context={"aws:PrincipalTag/team": "*"})

    said = building.policy_set(tree).decide(asked)

    assert said is None


def test_positions_of_a_deeply_spaced_document_are_found_without_recursion():
    tree = building.document(building.statement(Resource=["arn:aws:s3:::b"] * 1_500))
    document = policy.parse(json.dumps(tree, indent=15))

    span = document.spans["Statement", 0, "Resource", 1_499]

    assert '"arn:aws:s3:::b"' == document.text[span.start.offset : span.end.offset]


def test_code_units_count_as_aws_counts():
    assert 2 == len(code_units("\U0001f600"))
    assert "a\uffff" == code_units("a\uffff")
