"""The fast engine and the slow reference agree, and adding to a policy changes decisions only in one direction."""

import itertools
import json
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from shared import policy_reference
from tests.policy import building, strategies

from crownkeep import policy

REFERENCE_CALLERS = {
    "root": {"kind": "root", "arn": f"arn:aws:iam::{building.ACCOUNT}:root"},
    "user": {"kind": "user", "arn": building.USER_ARN},
    "session": {"kind": "session", "arn": building.SESSION_ARN, "issuer": building.ROLE_ARN},
    "federated": {"kind": "federated", "arn": building.FEDERATED_ARN, "issuer": building.USER_ARN},
}


# Every caller asks for every action on every resource: 168 questions for each generated set of policies.
EVERY_QUESTION = list(itertools.product(REFERENCE_CALLERS, strategies.ACTIONS, strategies.RESOURCES))


def decide(case, caller, action, resource, context):
    return answer(building.applicable(case), caller, action, resource, context)


def answer(applicable, caller, action, resource, context):
    return policy.authorize(building.request(caller, action, resource, context), applicable).effect.value


def expected(case, caller, action, resource, context):
    who = REFERENCE_CALLERS[caller] | {"account": building.ACCOUNT}
    lowered = {key.lower(): tuple(value) if isinstance(value, list) else value for key, value in context.items()}
    present = {key: value for key, value in lowered.items() if value != ()}
    return policy_reference.authorize(case, who, action, resource, present)


def check_agreement(case, context, asked=EVERY_QUESTION):
    applicable = building.applicable(case)
    for caller, action, resource in asked:
        question = (caller, action, resource, context)
        assert expected(case, *question) == answer(applicable, *question), question


def sized(examples):
    return settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))


@given(strategies.cases(), strategies.contexts)
@sized(60)
def test_engine_and_reference_agree_on_ten_thousand_questions(case, context):
    check_agreement(case, context)


@given(strategies.conditions(), st.sampled_from(["Allow", "Deny"]), st.lists(strategies.contexts, min_size=3, max_size=6))
@sized(500)
def test_engine_and_reference_agree_on_conditions(conditions, effect, contexts):
    everything = building.document(building.statement())
    asked = building.document(building.statement(effect, Condition=conditions))
    case = {"identity": [asked] if effect == "Allow" else [everything, asked]}

    for context in contexts:
        check_agreement(case, context, [("user", "s3:GetObject", "arn:aws:s3:::b/k")])


@given(strategies.statements(principals=True))
@sized(60)
def test_engine_and_reference_agree_on_principals_and_resources(statement):
    check_agreement({"resource": [building.document(statement)]}, {"aws:username": "alice"})


@pytest.mark.nightly
@given(strategies.cases(), strategies.contexts)
@sized(6_000)
def test_engine_and_reference_agree_on_a_million_questions(case, context):
    check_agreement(case, context)


questions = (strategies.callers, strategies.actions, strategies.resources, strategies.contexts)
quick = sized(60)


@given(strategies.cases(), strategies.statements(effects=("Deny",)), *questions)
@quick
def test_adding_a_deny_never_allows(case, deny, caller, action, resource, context):
    before = decide(case, caller, action, resource, context)

    after = decide(case | {"identity": [*case["identity"], building.document(deny)]}, caller, action, resource, context)

    assert before == "allowed" or after != "allowed"


@given(strategies.cases(), strategies.statements(effects=("Allow",)), *questions)
@quick
def test_adding_an_allow_never_denies(case, allow, caller, action, resource, context):
    before = decide(case, caller, action, resource, context)

    after = decide(case | {"identity": [*case["identity"], building.document(allow)]}, caller, action, resource, context)

    assert before != "allowed" or after == "allowed"


@given(strategies.cases(), st.sampled_from(["scp", "rcp"]), strategies.sets(), *questions)
@quick
def test_an_organization_policy_never_grants(case, kind, level, caller, action, resource, context):
    before = decide(case, caller, action, resource, context)

    after = decide(case | {kind: [*case.get(kind, []), level]}, caller, action, resource, context)

    assert before == "allowed" or after != "allowed"


@given(strategies.cases(), st.sampled_from(["boundary", "session"]), strategies.sets(), *questions)
@quick
def test_a_boundary_or_session_policy_never_grants(case, kind, limit, caller, action, resource, context):
    without = {name: documents for name, documents in case.items() if name != kind}
    before = decide(without, caller, action, resource, context)

    after = decide(without | {kind: limit}, caller, action, resource, context)

    assert before == "allowed" or after != "allowed"


@given(strategies.cases(), st.randoms(), *questions)
@quick
def test_the_order_of_policies_and_statements_is_irrelevant(case, chance, caller, action, resource, context):
    shuffled = shuffle(case, chance)

    assert decide(case, caller, action, resource, context) == decide(shuffled, caller, action, resource, context)


def shuffle(case, chance: random.Random):
    mixed = json.loads(json.dumps(case))
    for kind in ("identity", "boundary", "session", "resource"):
        chance.shuffle(mixed.get(kind, []))
        for tree in mixed.get(kind, []):
            chance.shuffle(tree["Statement"])
    for kind in ("scp", "rcp"):
        chance.shuffle(mixed.get(kind, []))
    return mixed


@given(strategies.documents(), strategies.actions, strategies.resources, strategies.contexts)
@quick
def test_whitespace_and_key_order_are_irrelevant(tree, action, resource, context):
    spread = json.dumps({key: reverse_keys(tree[key]) for key in reversed(tree)}, indent=3).replace("\n", "\r\n\t")
    asked = building.request("user", action, resource, context)

    answers = {
        bool(said and said.allows)
        for said in (building.policy_set(tree).decide(asked), building.policy_set(spread).decide(asked))
    }

    assert 1 == len(answers)


def reverse_keys(tree):
    if isinstance(tree, dict):
        return {key: reverse_keys(tree[key]) for key in reversed(tree)}
    return [reverse_keys(item) for item in tree] if isinstance(tree, list) else tree


@given(st.lists(strategies.documents(), min_size=2, max_size=4), *questions[1:])
@quick
def test_combined_sets_say_what_one_set_of_all_says(trees, action, resource, context):
    asked = building.request("user", action, resource, context)
    together = building.policy_set(*trees)

    combined = policy.combine(*(building.policy_set(tree) for tree in trees))

    assert effect_of(together.decide(asked)) == effect_of(combined.decide(asked))


def effect_of(said):
    return said and said.allows


@given(strategies.sets(), *questions[1:])
@quick
def test_what_decides_is_among_what_matches(trees, action, resource, context):
    asked = building.request("user", action, resource, context)
    policies = building.policy_set(*trees)

    decided, matching = policies.decide(asked), policies.matching(asked)

    assert (decided in matching) if decided else not matching
