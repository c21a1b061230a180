"""Policies that are almost right: every door of the engine answers AWS's refusal or a result, and nothing else.

Documents are generated as policies and then broken somewhere: a value of another type, an element too many or missing, a text cut
or mixed up. `make nightly` tries many more of them.
"""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fixtures.patience import bounded
from tests.policy import building, strategies

from crownkeep import policy
from crownkeep.policy import Access, Applicable, Document, MalformedPolicy, PolicyKind, PolicySource
from crownkeep.services.accessanalyzer.known_actions import KnownActions

KNOWN_ACTIONS = KnownActions()
ODD_TEXTS = [
    "",
    "*",
    "**",
    "?",
    "${",
    "${}",
    "${aws:username",
    "${*}",
    "arn:",
    "arn:aws:iam::",
    ":",
    "::::::",
    "sts:",
    "é",
    "\u0000",
]
odd_texts = st.sampled_from([*ODD_TEXTS, "\ud800", "\U0001f600", "9" * 400, "2012-10-17", "Allow"]) | st.text(max_size=6)
odd_scalars = st.none() | st.booleans() | st.sampled_from([0, -1, 5, 10**40, 1.5, 1e300, float("inf")]) | odd_texts
odd_values = st.recursive(
    odd_scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(odd_texts, inner, max_size=3), max_leaves=6
)
ELEMENTS = ["Version", "Id", "Statement", "Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Principal"]
ELEMENTS += ["NotPrincipal", "Condition", "StringEquals", "ForAllValues:ArnLikeIfExists", "NullIfExists", "AWS", "Federated"]


def _places(tree, path=()):
    yield path
    for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ():
        yield from _places(value, (*path, key))


def _at(tree, path):
    for step in path:
        tree = tree[step]
    return tree


@st.composite
def broken_trees(draw):
    """A policy document's tree with up to three things wrong."""
    tree = copy.deepcopy(draw(strategies.documents(principals=draw(st.booleans()))))
    for _ in range(draw(st.integers(0, 3))):
        places = [path for path in _places(tree) if path]
        if not places:
            break
        *above, last = draw(st.sampled_from(places))
        held = _at(tree, above)
        match draw(st.sampled_from(["replace", "remove", "add"])):
            case "replace":
                held[last] = draw(odd_values)
            case "remove":
                del held[last]
            case "add" if isinstance(held, dict):
                held[draw(st.sampled_from(ELEMENTS) | odd_texts)] = draw(odd_values)
            case "add":
                held.append(draw(odd_values))
    return tree


@st.composite
def texts(draw):
    """A broken document as text, at times cut, doubled or mixed up."""
    text = json.dumps(draw(broken_trees()), ensure_ascii=draw(st.booleans()), indent=draw(st.sampled_from([None, 1])))
    match draw(st.sampled_from(["whole", "whole", "whole", "cut", "insert", "twice"])):
        case "cut":
            return text[: draw(st.integers(0, len(text)))]
        case "insert":
            at = draw(st.integers(0, len(text)))
            return (
                text[:at] + draw(st.sampled_from(['"', "{", "]", ",", "\\u", "\\ud800", "\0", "NaN", " ", "\ufeff"])) + text[at:]
            )
        case "twice":
            return text + text
    return text


def _parsed(text: str) -> Document | None:
    try:
        return policy.parse(text)
    except MalformedPolicy:
        return None


@pytest.mark.parametrize("value", [[], {}, [[]], 5, None, True, 1e400], ids=range(7))
@pytest.mark.parametrize(
    "element", ["Version", "Id", "Statement", "Sid", "Effect", "Action", "Resource", "Principal", "Condition"]
)
def test_an_element_of_another_type_is_a_syntax_error_or_kept_to_its_grammar(element, value):
    tree: dict[str, Any] = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "iam:GetUser", "Resource": "*"}]}
    (tree if element in ("Version", "Id", "Statement") else tree["Statement"][0])[element] = value

    found = _parsed(json.dumps(tree))

    assert found is None or value in ([], {})


@given(texts(), st.sampled_from(PolicyKind))
def test_no_text_is_answered_otherwise_than_by_a_refusal_or_a_policy(text, kind):
    with bounded():
        document = _parsed(text)
        remarks = policy.lint(text, kind, catalogue=KNOWN_ACTIONS)
        assert document is not None or remarks
        if document is None:
            return
        assert document.text == text
        answer = building.fault_of(policy.validate, document, kind)
        assert answer is None or answer


@given(texts(), strategies.contexts, strategies.actions, strategies.resources, st.sampled_from(sorted(building.CALLERS)))
def test_whatever_parses_can_be_compiled_decided_explained_and_simulated(text, context, action, resource, caller):
    document = _parsed(text)
    if document is None:
        return
    for kind in (PolicyKind.IDENTITY, PolicyKind.TRUST, PolicyKind.RESOURCE_CONTROL):
        compiled = policy.compile_set([policy.compile_policy(document, source=PolicySource(kind, "fuzzed"))])
        applicable = Applicable(compiled, boundary=compiled, service_control=(compiled,), resource=compiled)
        asked = building.request(caller, action, resource, context)
        decision = policy.authorize(asked, applicable)
        explained = policy.explain(asked, applicable)
        (simulated,) = policy.simulate(
            building.CALLERS[caller],
            [action],
            [resource],
            applicable,
            context={key: tuple(value) if isinstance(value, list) else value for key, value in context.items()},
        )
        assert decision.effect == explained.decision.effect == simulated.by_resource[0].decision.effect
        assert str(explained)
        assert simulated.as_member()
        assert decision.allowed or decision.denial_text()


@given(texts(), texts())
def test_access_checks_answer_for_whatever_parses(text, other):
    document, another = _parsed(text), _parsed(other)
    if document is None or another is None:
        return
    access = Access(("iam:*", "s3:GetObject"), ("arn:aws:s3:::b/*",))

    with bounded():
        granted = policy.check_access_not_granted(document, [access])
        new = policy.check_no_new_access(document, another, kind=PolicyKind.RESOURCE)
        same = policy.check_no_new_access(document, document)

    assert granted.as_member()["result"] in ("PASS", "FAIL")
    assert new.as_member()["result"] in ("PASS", "FAIL")
    assert same.result is not policy.CheckResult.FAIL


@given(texts())
def test_keys_and_principals_of_whatever_parses_are_found_and_bound(text):
    document = _parsed(text)
    if document is None:
        return

    assert policy.context_keys(document) == tuple(sorted(policy.context_keys(document), key=str.lower))
    bound = policy.bind_principals(document, lambda arn: "AIDAAAAAAAAAAAAAAAAAA")
    assert policy.parse(policy.show_principals(bound, lambda unique_id: None)).statements
