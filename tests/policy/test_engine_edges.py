"""Edges of matching, indexing and deciding: exhaustive where that is small, one by one where it is not."""

# What mutmut leaves alive in authorize, compile, operators and patterns, and why no test can tell it from the original:
# - joins of literal pieces with another separator: read_template merges neighbours, so there is one piece to join;
# - shortcuts taken less or more often (`"*"`, exact resources, prefixes and their buckets, `code_units` of plain text, the
#   memory of actions and of expanded resources): the long way gives the same answer, only later;
# - an action pattern indexed `anywhere` instead of by its service: it is matched in full there;
# - a false flag given as None; -2 for -1 where any negative number says "nowhere"; other spellings of UTF-16;
# - bits past the last place a run may start at: they are masked off; more padding of a short ARN: a star matches either way;
# - no context for operators that take no variables (IpAddress and its negation);
# - wildcards told apart where only variables are looked for; the usual byte order left unsaid;
# - `|` for `&` where the lowest bit is found: the negative number that comes of it is as long.

import itertools

import pytest
from shared import policy_reference
from tests.policy import building
from tests.policy.building import document, statement

from crownkeep import policy
from crownkeep.policy import Applicable, DecidingKind, Naming, PolicyEffect, PolicyKind, Reason, ResourcePolicyRole
from crownkeep.policy.compile import MAX_REMEMBERED_ACTIONS
from crownkeep.policy.document import Condition
from crownkeep.policy.operators import compile_condition, condition_keys, is_arn
from crownkeep.policy.patterns import code_units, read_pattern

TEXTS = ["".join(letters) for length in range(6) for letters in itertools.product("ab", repeat=length)]


@pytest.mark.parametrize("length", range(6))
def test_every_short_pattern_matches_what_its_definition_says(length):
    for pattern in map("".join, itertools.product("ab*?", repeat=length)):
        matches = read_pattern(pattern)
        tokens = tuple(character if character in "*?" else (character,) for character in pattern)

        assert [text for text in TEXTS if policy_reference.wild(tokens, text)] == list(filter(matches, TEXTS)), pattern


@pytest.mark.parametrize(
    ("pattern", "text", "matches"),
    [
        ("*ab?ab*ab", "xxabxabyyab", True),
        ("*ab?ab*ab", "xxabxaab", False),
        ("x*b?c*d?e*y", "x--bbc---dde--y", True),
        ("x*b?c*d?e*y", "x--dde---bbc--y", False),
        ("*a??b*", "aaab", True),
        ("*a??b*", "aab", False),
        ("a*bc*bc*d", "abcbcd", True),
        ("a*bc*bc*d", "abcd", False),
        ("\uffff?", "\uffffa", True),
        ("?\U0001f600*", "a\U0001f600", True),
        ("??*\U0001f601", "\U0001f600\U0001f601", True),
        ("?\U0001f601", "\U0001f600\U0001f601", False),
        ("?", "\ud800", True),
        ("${x}?", "${x}a", True),
    ],
)
def test_a_longer_pattern_matches(pattern, text, matches):
    assert matches == read_pattern(pattern)(text)


def test_code_units_are_those_of_utf_16():
    assert "a\ud83d\ude00b" == code_units("a\U0001f600b")
    assert "\ud800\ud83d\ude00" == code_units("\ud800\U0001f600")
    assert "\uffff" == code_units("\uffff")


SEGMENTS = ["*", "a", "b", "?"]


def test_arns_match_segment_by_segment():
    arns = [f"arn:aws:{service}::{account}:{name}" for service, account, name in itertools.product("ab", "ab", ["a", "b:a"])]
    for service, account, name in itertools.product("ab", SEGMENTS, [*SEGMENTS, "b:*", "*:a", "?:?"]):
        pattern = f"arn:aws:{service}::{account}:{name}"
        policies = building.policy_set(document(statement(Resource=pattern)))

        for arn in arns:
            expected = policy_reference.resource_matches(pattern, arn, {}, True)
            assert expected == (policies.decide(building.request(resource=arn)) is not None), (pattern, arn)


@pytest.mark.parametrize(
    ("pattern", "resource", "matches"),
    [
        ("plain", "plain", True),
        ("plain", "plainer", False),
        ("plain*", "plainer", True),
        ("plain*er", "plainer", True),
        ("plain*er", "plain", False),
        ("a:b", "a:b", True),
        ("a:b", "a:c", False),
        ("arn:aws:s3:::", "arn:aws:s3:::", True),
        ("arn:aws:s3:::x", "arn:aws:s3:::x", True),
        ("arn:aws:s3:::x", "arn:aws:s3:::xy", False),
        ("arn:aws:s3:::x:*", "arn:aws:s3:::x:y", True),
    ],
)
def test_resources_that_no_store_of_aws_accepts_still_mean_what_they_say(pattern, resource, matches):
    policies = building.policy_set(document(statement(Resource=pattern)))

    assert matches == (policies.decide(building.request(resource=resource)) is not None)


@pytest.mark.parametrize("value", ["arn:aws:s3:::red", "red", "a:b"])
def test_a_resource_that_is_one_variable_is_its_value(value):
    policies = building.policy_set(document(statement(Resource="${app:x}")))

    assert policies.decide(building.request(resource=value, context={"app:x": value})) is not None
    assert policies.decide(building.request(resource=value + "2", context={"app:x": value})) is None


def test_a_star_after_a_variable_that_is_no_arn_still_matches():
    policies = building.policy_set(document(statement(Resource="${app:x}*")))

    assert policies.decide(building.request(resource="red", context={"app:x": "re"})) is not None
    assert policies.decide(building.request(resource="blue", context={"app:x": "re"})) is None


@pytest.mark.parametrize(("element", "matches"), [("Resource", True), ("NotResource", False)])
def test_a_variable_counts_in_either_element_and_in_every_way_to_ask(element, matches):
    found = {"Effect": "Allow", "Action": "*", element: "arn:aws:s3:::${aws:username}"}
    policies = building.policy_set(document(found))
    asked = building.request(resource="arn:aws:s3:::alice", context={"aws:username": "alice"})

    assert matches == (policies.decide(asked) is not None)
    assert matches == bool(policies.matching(asked))


def test_a_star_beside_a_variable_stays_in_its_segment():
    policies = building.policy_set(document(statement(Resource="arn:aws:iam::*:${app:x}")))

    assert policies.decide(building.request(resource="arn:aws:iam::1:user", context={"app:x": "user"})) is not None
    assert policies.decide(building.request(resource="arn:aws:iam::1:a:user", context={"app:x": "user"})) is None


def test_a_policy_shared_by_many_principals_keeps_matching_each_of_them():
    policies = building.policy_set(document(statement(Resource="arn:aws:s3:::home/${aws:username}/*")))
    people = [f"user-{number}" for number in range(200)] * 2

    for person in people:
        asked = building.request(resource=f"arn:aws:s3:::home/{person}/x", context={"aws:username": person})
        other = building.request(resource="arn:aws:s3:::home/nobody/x", context={"aws:username": person})
        assert policies.decide(asked) is not None
        assert policies.decide(other) is None


@pytest.mark.parametrize("count", [5, 11, 12, 13, 14, 40])
def test_prefixes_of_many_lengths_are_all_found(count):
    names = ["x" * length for length in range(1, count + 1)]
    patterns = [f"arn:aws:s3:::{name}{end}" for name in names for end in ("/*", "-*-y")]
    policies = building.policy_set(*(document(statement(Resource=pattern)) for pattern in patterns))

    for number, name in enumerate(names):
        slash = policies.decide(building.request(resource=f"arn:aws:s3:::{name}/k"))
        dash = policies.decide(building.request(resource=f"arn:aws:s3:::{name}-k-y"))

        assert (f"p{2 * number}", f"p{2 * number + 1}") == (slash.source.id, dash.source.id)
        assert policies.decide(building.request(resource=f"arn:aws:s3:::{name}~k")) is None
        assert policies.decide(building.request(resource=f"arn:aws:s3:::{name}-k-z")) is None


@pytest.mark.parametrize("resource", ["arn:aws:s3:::b/k", "arn:aws:s3:::b/*", "arn:aws:s3:::b/*k", "*"])
@pytest.mark.parametrize(("value", "matches"), [("true", True), ("false", False)])
def test_a_condition_counts_wherever_the_resource_is_indexed(resource, value, matches):
    secure = {"Bool": {"aws:SecureTransport": "true"}}
    policies = building.policy_set(document(statement(Resource=resource, Condition=secure)))
    asked = building.request(context={"aws:SecureTransport": value})

    assert matches == (policies.decide(asked) is not None)
    assert matches == bool(policies.matching(asked))


@pytest.mark.parametrize("pattern", ["s?:GetObject", "?3:*", "s*", "*3:GetObject", "s3*", "s3:GetObject"])
def test_an_action_pattern_matches_wherever_it_is_indexed(pattern):
    policies = building.policy_set(document(statement(Action=[pattern, "iam:GetUser"])))

    assert policies.decide(building.request(action="s3:GetObject")) is not None
    assert policies.decide(building.request(action="iam:GetUser")) is not None
    assert policies.decide(building.request(action="ec2:Run")) is None


def test_an_action_with_two_colons_is_one_string_like_another():
    policies = building.policy_set(document(statement(Action=["a:b:c", "d:e*:f"])))

    assert policies.decide(building.request(action="a:b:c")) is not None
    assert policies.decide(building.request(action="d:ex:f")) is not None
    assert policies.decide(building.request(action="a:b:d")) is None


def test_what_an_action_matches_is_worked_out_once_and_forgotten_in_bounds():
    policies = building.policy_set(document(statement(Action="s3:*")))

    first = policies.for_action("s3:GetObject")
    again = policies.for_action("s3:GetObject")
    for number in range(MAX_REMEMBERED_ACTIONS):
        policies.for_action(f"s3:Made{number}")

    assert first is again
    assert first is not policies.for_action("s3:GetObject")


def test_a_statement_named_by_two_patterns_is_there_once():
    policies = building.policy_set(document(statement(Action=["s3:*", "s3:Get*", "s3:GetObject"])))

    assert 1 == len(policies.for_action("s3:GetObject").statements)


def test_combined_sets_keep_the_order_and_the_policies_of_their_parts():
    own, group = (building.policy_set(document(statement(Action=action))) for action in ("s3:GetObject", "s3:*"))

    combined = policy.combine(own, group)

    assert own.policies + group.policies == combined.policies
    assert [own.policies[0].statements[0], group.policies[0].statements[0]] == combined.matching(building.request())
    assert own is policy.combine(own)
    assert combined.decide(building.request(action="s3:PutObject")) is group.policies[0].statements[0]


def test_a_compiled_policy_keeps_its_source_and_document():
    compiled = building.compiled(document(statement()), name="mine")

    assert ("mine", "2012-10-17") == (compiled.source.id, compiled.document.version)
    assert compiled.statements[0].is_unconditional
    assert Naming.DIRECT is compiled.statements[0].naming(building.request())
    assert compiled.statements[0].holds(building.request())


NO = document(statement(Action="ec2:*"))


@pytest.mark.parametrize("kind", ["scp", "rcp", "endpoint"])
def test_a_gate_that_does_not_allow_is_a_full_answer(kind):
    case = {"identity": [document(statement())], kind: [NO] if kind == "endpoint" else [[NO]], "trust": True}

    decision = policy.authorize(building.request(), building.applicable(case))

    assert decision.allowed is False
    assert (Reason.NO_ALLOW, ResourcePolicyRole.TRUST) == (decision.reason, decision.role)
    assert decision.deciding is decision.findings[0]
    assert 2 == len(decision.findings)


@pytest.mark.parametrize("caller", list(building.CALLERS))
def test_a_resource_control_policy_speaks_of_whoever_calls(caller):
    everybody = document(statement("Deny", Principal="*", Action="sts:*", Resource="*"))
    denies = building.policy_set(everybody, kind=PolicyKind.RESOURCE_CONTROL)

    said = denies.decide(building.request(caller, action="sts:AssumeRoleWithWebIdentity"))

    assert said is not None
    assert not said.allows


def test_an_action_without_need_of_permission_answers_its_request_and_findings():
    always, free = (building.request(action=action) for action in ("sts:GetCallerIdentity", "sts:GetSessionToken"))
    applicable = Applicable(identity=building.policy_set(document(statement())))

    decisions = policy.authorize(always, applicable), policy.authorize(free, applicable)

    assert [always, free] == [decision.request for decision in decisions]
    assert [(), (DecidingKind.IDENTITY,)] == [tuple(finding.kind for finding in one.findings) for one in decisions]


def test_a_task_policy_s_deny_is_cited():
    task = building.policy_set(document(statement("Deny", Sid="Task")))

    decision = policy.authorize(building.request("root"), Applicable(root_task=task))

    assert decision.deciding is not None
    assert (DecidingKind.SESSION, "Task") == (decision.deciding.kind, decision.deciding.statement.statement.sid)


def test_a_task_policy_that_does_not_deny_is_no_session_policy():
    task = building.policy_set(document(statement("Deny", Action="iam:*")))

    decision = policy.authorize(building.request("root"), Applicable(root_task=task))

    assert decision.allowed
    assert [(DecidingKind.SESSION, PolicyEffect.ALLOW)] == [(finding.kind, finding.effect) for finding in decision.findings]


@pytest.mark.parametrize("effect", ["Allow", "Deny"])
def test_a_resource_policy_s_statement_is_cited(effect):
    tree = document(
        statement(effect, Sid="Mine", Principal="*"), statement(Sid="Other", Principal="*", Resource="arn:aws:s3:::x")
    )
    applicable = Applicable(resource=building.policy_set(tree, kind=PolicyKind.RESOURCE))

    decision = policy.authorize(building.request(), applicable)

    assert decision.deciding is not None
    expected = PolicyEffect.ALLOW if effect == "Allow" else PolicyEffect.EXPLICIT_DENY
    assert (expected, "Mine") == (decision.deciding.effect, decision.deciding.statement.statement.sid)


def test_only_allows_that_apply_say_how_a_caller_is_named():
    tree = document(
        statement(Principal={"AWS": building.ACCOUNT}),
        statement(Principal="*", Resource="arn:aws:s3:::other"),
        statement(Principal="*", Condition={"Bool": {"aws:SecureTransport": "true"}}),
        statement("Deny", Principal="*", Condition={"Bool": {"aws:SecureTransport": "true"}}),
    )
    applicable = Applicable(resource=building.policy_set(tree, kind=PolicyKind.RESOURCE))

    decision = policy.authorize(building.request(), applicable)

    assert (False, Naming.ACCOUNT) == (decision.allowed, decision.findings[0].naming)


def condition_holds(operator, values, context, effect="Allow"):
    test = compile_condition(Condition(operator, "app:k", values), effect=effect, variables=True)
    return test(building.context_of(context).get)


@pytest.mark.parametrize(
    ("operator", "values", "context", "holds"),
    [
        ("ForAllValues:StringEquals", ("${app:v}",), {"app:k": ["a"], "app:v": "a"}, True),
        ("ForAllValues:StringEquals", ("${app:v}",), {"app:k": "a", "app:v": "a"}, True),
        ("ForAnyValue:StringEquals", ("${app:v}",), {"app:k": ["a"], "app:v": "a"}, True),
        ("ForAnyValue:StringEquals", ("${app:v}",), {"app:k": "a", "app:v": "a"}, True),
        ("StringLike", ("x*", "${app:v}*"), {"app:k": "ab", "app:v": "a"}, True),
        ("StringLike", ("a*", "${app:v}*"), {"app:k": "ab"}, True),
        ("StringEqualsIgnoreCase", ("${app:v}",), {"app:k": "A"}, False),
        ("StringEqualsIgnoreCase", ("${app:v}", "a?*"), {"app:k": "A?*", "app:v": "x"}, True),
        ("StringEqualsIgnoreCase", ("a*b?",), {"app:k": "A*B?"}, True),
        ("StringEqualsIgnoreCase", ("a*b",), {"app:k": "AB"}, False),
        ("StringEquals", ("a*b", "c?"), {"app:k": "a*b"}, True),
        ("StringEquals", ("${*}x${?}",), {"app:k": "*x?"}, True),
        ("ArnLike", ("${app:v}",), {"app:k": "arn:aws:s3:::b", "app:v": "not an arn"}, False),
        ("ArnNotLike", ("${app:v}",), {"app:k": "arn:aws:s3:::b", "app:v": "not an arn"}, False),
        ("ArnNotLike", ("arn:aws:s3:::${app:v}",), {"app:k": "arn:aws:s3:::b", "app:v": "c"}, True),
        ("ArnLike", ("xrn:aws:s3:::*",), {"app:k": "xrn:aws:s3:::b"}, False),
        ("ArnLike", ("*",), {"app:k": "xrn:aws:s3:::b"}, False),
        ("ArnLike", ("arn:*",), {"app:k": "arn:aws:s3:::b"}, False),
        ("ArnLike", ("*:aws:s3:::b",), {"app:k": "arn:aws:s3:::b"}, False),
    ],
)
def test_a_condition_with_variables_holds(operator, values, context, holds):
    assert holds == condition_holds(operator, values, context)


def test_a_malformed_arn_made_by_a_variable_fails_safe():
    context = {"app:k": "arn:aws:s3:::b", "app:v": "not an arn"}

    assert condition_holds("ArnLike", ("${app:v}",), context, effect="Deny")
    assert condition_holds("ArnLike", ("arn:aws:s3:::b", "bad"), context, effect="Allow")


@pytest.mark.parametrize(
    ("text", "yes"), [("arn:aws:s3:::b", True), ("arn:aws:s3::b", False), ("a:b:c:d:e:f", False), ("arn:a:b:c:d:e:f", True)]
)
def test_an_arn_has_six_segments(text, yes):
    assert yes == is_arn(text)


def test_an_unknown_operator_is_refused_by_name():
    with pytest.raises(ValueError, match="unknown condition operator `StringSame`; see is_operator"):
        compile_condition(Condition("StringSame", "app:k", ("x",)), effect="Allow", variables=True)


def test_a_condition_of_an_unknown_operator_asks_for_its_own_key_only():
    condition = Condition("StringGuesses", "aws:username", ("${aws:userid}",))

    assert ("aws:username",) == condition_keys(condition, variables=True)


@pytest.mark.parametrize(
    ("operator", "wanted"),
    [
        ("NotIpAddress", "10.0.0/8"),
        ("NotIpAddress", ["10.0.0.0/8", "10.0.0.0/99"]),
        ("NumericNotEquals", "ten"),
        ("DateNotEquals", "never"),
        ("ForAnyValue:NotIpAddress", "everywhere"),
    ],
)
@pytest.mark.parametrize("value", ["192.168.0.7", "5", "2026-01-01T00:00:00Z", None])
def test_an_allow_with_an_inverted_operator_and_a_value_that_can_not_be_read_lets_nobody_in(operator, wanted, value):
    context = {} if value is None else {"k:v": value}
    allow = building.document(building.statement(Condition={operator: {"k:v": wanted}}))
    deny = building.document(building.statement(), building.statement("Deny", Condition={operator: {"k:v": wanted}}))

    assert building.policy_set(allow).decide(building.request(context=context)) is None
    if value is not None and operator == "NotIpAddress" and "." in value:
        assert not building.policy_set(deny).decide(building.request(context=context)).allows


def test_a_short_arn_is_padded_in_not_resource_too():
    others = building.policy_set(building.document({"Effect": "Allow", "Action": "*", "NotResource": "arn:aws:s3"}))

    assert others.decide(building.request(resource="arn:aws:s3:::b/k")) is None
    assert others.decide(building.request(resource="arn:aws:sqs:eu-west-1:111122223333:q")) is not None


def test_an_action_of_every_service_is_denied_in_every_service():
    tree = building.document(building.statement(), building.statement("Deny", Action="*:GetUser"))

    assert [False, False, True] == [
        building.policy_set(tree).decide(building.request(action=action)).allows
        for action in ("iam:GetUser", "cognito-idp:GetUser", "iam:GetRole")
    ]
