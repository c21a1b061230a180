"""Context keys: looked up without regard to case, only when asked for, and once."""

from tests.policy import building
from tests.policy.building import document, statement

from crownkeep import policy
from crownkeep.policy import Applicable, Context


class Resolver:
    """Returns two keys and remembers which were asked for."""

    def __init__(self):
        self.asked = []

    def __call__(self, key):
        self.asked.append(key)
        return {"aws:resourcetag/team": "red", "aws:tagkeys": ()}.get(key)


def test_given_keys_ignore_case_and_are_not_resolved():
    resolver = Resolver()
    context = Context({"AWS:UserName": "alice"}, resolver)

    assert "alice" == context.get("aws:username")
    assert [] == resolver.asked


def test_a_key_is_resolved_once_even_when_it_is_absent():
    resolver = Resolver()
    context = Context(resolve=resolver)

    found = [context.get(key) for key in ("aws:resourcetag/team", "aws:resourcetag/team", "x:y", "x:y")]

    assert ["red", "red", None, None] == found
    assert ["aws:resourcetag/team", "x:y"] == resolver.asked


def test_a_multivalued_key_without_values_is_absent():
    assert Context({"aws:TagKeys": ()}).get("aws:tagkeys") is None
    assert Context(resolve=Resolver()).get("aws:tagkeys") is None
    assert "" == Context({"a:b": ""}).get("a:b")


def test_a_context_without_anything_has_no_key():
    assert Context().get("aws:username") is None


def test_a_key_that_no_matching_policy_mentions_costs_nothing():
    resolver = Resolver()
    tree = document(
        statement(Action="s3:GetObject"),
        statement(Action="s3:PutObject", Condition={"StringEquals": {"aws:ResourceTag/team": "red"}}),
        statement("Deny", Resource="arn:aws:s3:::other", Condition={"StringEquals": {"aws:ResourceTag/team": "red"}}),
    )
    asked = policy.PolicyRequest(building.CALLERS["user"], "s3:GetObject", "arn:aws:s3:::b/k", Context(resolve=resolver))

    decision = policy.authorize(asked, Applicable(identity=building.policy_set(tree)))

    assert decision.allowed
    assert [] == resolver.asked


def test_a_key_that_a_matching_policy_mentions_is_asked_for_in_lower_case():
    resolver = Resolver()
    tree = document(statement(Condition={"StringEquals": {"aws:ResourceTag/Team": "red"}}))
    asked = policy.PolicyRequest(building.CALLERS["user"], "s3:GetObject", "arn:aws:s3:::b/k", Context(resolve=resolver))

    decision = policy.authorize(asked, Applicable(identity=building.policy_set(tree)))

    assert decision.allowed
    assert ["aws:resourcetag/team"] == resolver.asked
