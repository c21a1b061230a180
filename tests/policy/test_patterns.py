"""Wildcards: each pattern matches what a slow, obvious reading of it matches, and costs pattern times text at most."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shared.policy_reference import wild
from tests.fixtures.patience import bounded
from tests.policy import building

from crownkeep.policy import Decision, Reason, authorize, work
from crownkeep.policy.authorize import Applicable
from crownkeep.policy.patterns import code_units, read_pattern

# Few characters, so that things meet; one is two UTF-16 units, one is not ASCII, and one is a surrogate's neighbour.
ALPHABET = "aab:é\U0001f600\ud7ff"
patterns = st.text(st.sampled_from(ALPHABET + "***???"), max_size=14)
texts = st.text(st.sampled_from(ALPHABET), max_size=14)
COST_MUCH = [f"*{number:04}?x*" for number in range(2_000)]


@given(patterns, texts)
def test_a_pattern_matches_what_an_obvious_reading_of_it_matches(pattern, text):
    tokens = tuple(unit if unit in "*?" else (unit,) for unit in code_units(pattern))

    assert wild(tokens, code_units(text)) is read_pattern(pattern)(text)


@given(st.data())
def test_a_pattern_made_from_a_text_matches_it(data):
    text = data.draw(st.text(st.sampled_from(ALPHABET), min_size=1, max_size=200))
    pieces = [data.draw(st.sampled_from([each, each, "?" * len(code_units(each)), "*"])) for each in text]

    assert read_pattern("".join(pieces))(text)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("*a?" * 2_000 + "b*c", "a" * 65_536 + "c"),
        ("*é?" * 2_000 + "b*c", "é" * 65_536 + "c"),
        ("*" + "ab?d" * 1_500 + "*e", "abcd" * 16_384 + "e"),
        ("*" + "?a" * 3_000 + "*?*b", "a" * 65_536 + "b"),
        ("".join(f"*?{chr(0x4E00 + number)}" for number in range(2_000)) + "*", "".join(map(chr, range(0x4E00, 0x7000))) * 6),
    ],
    ids=range(5),
)
def test_many_question_marks_on_a_header_of_64_kib_stop_nobody(pattern, text):
    matches = read_pattern(pattern)

    with bounded():
        for _ in range(20):
            matches(text)


def _decide(*, condition=None, effect="Allow", resource="*", context=None) -> Decision:
    held = building.statement(Effect="Allow", Action="*", Resource="*")
    asked = building.statement(Effect=effect, Action="*", Resource=resource, **({"Condition": condition} if condition else {}))
    policies = building.policy_set(building.document(held, asked))
    return authorize(building.request(context=context or {}), Applicable(policies))


def test_policies_that_ask_for_too_much_work_allow_nothing():
    found = _decide(condition={"StringLike": {"aws:UserAgent": COST_MUCH}}, context={"aws:UserAgent": "x" * 1_024})

    assert (False, Reason.TOO_MUCH_WORK) == (found.allowed, found.reason)
    assert found.denial_text().endswith("because the policies ask for more comparing than one decision may take")


def test_a_deny_that_asks_for_too_much_work_is_not_passed():
    context = {"tags": tuple(f"{number:04}" for number in range(400))}
    found = _decide(effect="Deny", condition={"ForAnyValue:StringLike": {"tags": COST_MUCH[:50]}}, context=context)

    assert not found.allowed


def test_a_resource_s_patterns_count_as_work():
    found = _decide(resource=[f"arn:aws:s3:::*{each}" for each in COST_MUCH])

    assert Reason.TOO_MUCH_WORK is found.reason


def test_the_largest_honest_policies_are_within_a_decision_s_work():
    prefixes = [f"arn:aws:s3:::team-{number:05}-*/logs/*" for number in range(2_000)]
    context = {"aws:PrincipalTag/team": "red", "tags": tuple(f"tag-{number}" for number in range(50))}
    condition = {"ForAllValues:StringLike": {"tags": ["tag-*", "cost-*"]}, "StringNotLike": {"aws:PrincipalTag/team": "blue-*"}}

    found = _decide(resource=prefixes, condition=condition, context=context)

    assert found.allowed


def test_variables_of_long_values_cost_no_more_than_the_text_they_are_compared_with():
    pattern = "${aws:UserAgent}" * 5_000
    context = {"aws:UserAgent": "x" * 100_000, "k:s": "x" * 64}

    with bounded():
        found = _decide(effect="Deny", condition={"StringEquals": {"k:s": pattern}}, context=context)

    assert found.allowed


def test_the_work_of_statements_adds_up_by_key():
    statements = [building.policy_set(building.document(each)).policies[0].statements[0] for each in _two_statements()]

    found = work.together(each.work for each in statements)

    assert set(found.by_key) == {"k:s", "k:n"}
    assert found.total == sum(each.work.total for each in statements)


def _two_statements():
    return (
        building.statement(Condition={"StringLike": {"k:s": "a*"}}),
        building.statement(Condition={"StringLike": {"K:S": "b*"}, "NumericEquals": {"k:n": ["1", "2"]}}),
    )
