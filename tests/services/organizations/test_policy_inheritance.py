"""Merging policies on the way down: AWS's examples, and what must hold of every merge."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crownkeep.services.organizations.policy_inheritance import InheritedPolicy, MalformedInheritance, merge, parse


def policy(**settings: Any) -> InheritedPolicy:
    return parse(json.dumps({"tags": settings}))


def key(**operators: Any) -> dict[str, Any]:
    return {f"@@{name}": value for name, value in operators.items()}


def merged(*levels: InheritedPolicy) -> Any:
    return merge([[level] for level in levels]).get("tags", {})


def limited(*operators: str, **settings: Any) -> dict[str, Any]:
    return {"@@operators_allowed_for_child_policies": list(operators), **settings}


def test_a_child_overwrites_what_it_assigns_and_leaves_the_rest():
    root = policy(
        team={"tag_key": key(assign="Team"), "tag_value": key(assign=["red", "blue"])}, cost={"tag_key": key(assign="c")}
    )

    found = merged(root, policy(team={"tag_value": key(assign=["green"])}))

    assert {"team": {"tag_key": "Team", "tag_value": ["green"]}, "cost": {"tag_key": "c"}} == found


def test_a_child_adds_to_a_list_without_saying_anything_twice():
    found = merged(
        policy(team={"tag_value": key(assign=["red", "blue"])}), policy(team={"tag_value": key(append=["blue", "green"])})
    )

    assert ["red", "blue", "green"] == found["team"]["tag_value"]


def test_a_child_takes_from_a_list_what_is_in_it():
    found = merged(
        policy(team={"tag_value": key(assign=["red", "blue"])}), policy(team={"tag_value": key(remove=["blue", "pink"])})
    )

    assert ["red"] == found["team"]["tag_value"]


def test_adding_to_nothing_begins_a_list_and_taking_from_nothing_leaves_nothing():
    found = merged(policy(team={"tag_value": key(append=["red"])}, cost={"tag_value": key(remove=["red"])}))

    assert {"team": {"tag_value": ["red"]}} == found


def test_what_a_parent_forbids_its_children_is_left_out():
    root = policy(team={"tag_key": {**key(assign="Team"), **limited("@@none")}})

    found = merged(root, policy(team={"tag_key": key(assign="other")}), policy(team={"tag_key": key(assign="third")}))

    assert {"team": {"tag_key": "Team"}} == found


def test_a_parent_allows_some_operators():
    root = policy(team={"tag_value": {**key(assign=["red"]), **limited("@@append")}})

    found = merged(root, policy(team={"tag_value": {**key(append=["blue"]), **key(remove=["red"])}}))

    assert ["red", "blue"] == found["team"]["tag_value"]


def test_what_is_forbidden_at_a_key_is_forbidden_below_it():
    root = policy(**limited("@@none", team={"tag_key": key(assign="Team")}))

    found = merged(
        root, policy(team={"tag_key": key(assign="x"), "tag_value": key(assign=["y"])}, new={"tag_key": key(assign="z")})
    )

    assert {"team": {"tag_key": "Team"}} == found


def test_a_child_cannot_give_back_what_its_parent_took():
    root = policy(team={"tag_key": {**key(assign="Team"), **limited("@@none")}})
    unit = policy(team={"tag_key": limited("@@all")})

    found = merged(root, unit, policy(team={"tag_key": key(assign="other")}))

    assert {"team": {"tag_key": "Team"}} == found


def test_a_parents_exception_below_a_key_ends_where_a_child_forbids_the_key():
    root = policy(**limited("@@none", team=limited("@@all", tag_key=key(assign="Team"))))
    unit = policy(**limited("@@none"))

    found = [
        merged(root, policy(team={"tag_key": key(assign="other")})),
        merged(root, unit, policy(team={"tag_key": key(assign="other")})),
    ]

    assert [{"team": {"tag_key": "other"}}, {"team": {"tag_key": "Team"}}] == found


def test_policies_of_one_level_do_not_limit_each_other_and_the_stricter_limit_holds_below():
    first = policy(team={"tag_value": {**key(append=["red"]), **limited("@@append")}})
    second = policy(team={"tag_value": {**key(append=["blue"]), **limited("@@remove", "@@append")}})
    account = policy(team={"tag_value": {**key(append=["green"]), **key(remove=["red"])}})

    found = merge([[first, second], [account]])

    assert {"tags": {"team": {"tag_value": ["red", "blue", "green"]}}} == found


MALFORMED = [
    "[]",
    "{}",
    '{"a": 1}',
    '{"a": {"@@assign": 1, "@@assign": 2}}',
    '{"a": {"@@assign": {"b": 1}}}',
    '{"a": {"@@append": "x"}}',
    '{"a": {"@@assign": 1, "b": {"@@assign": 2}}}',
    '{"@@assign": 1}',
    '{"a": {"@@operators_allowed_for_child_policies": ["@@all", "@@assign"]}}',
    '{"a": {"@@operators_allowed_for_child_policies": []}}',
    '{"a": {"@@operators_allowed_for_child_policies": "@@all"}}',
    '{"a": {"@@assign": [["x"]]}}',
    '{"a": {"@@assign": null}}',
    '{"a":' * 30 + '{"@@assign": 1}' + "}" * 30,
    '{"a":' * 20_000,
]


@pytest.mark.parametrize("number", range(len(MALFORMED)))
def test_what_is_no_policy_that_can_be_merged_is_refused(number: int):
    with pytest.raises(MalformedInheritance):
        parse(MALFORMED[number])


LISTS = st.lists(st.sampled_from("abcdef"), max_size=4)
OPERATIONS = st.dictionaries(st.sampled_from(["assign", "append", "remove"]), LISTS, min_size=1)
POLICIES = st.dictionaries(st.sampled_from(["team", "cost"]), OPERATIONS, min_size=1)


@given(st.lists(POLICIES, max_size=4))
def test_what_is_forbidden_at_the_top_never_changes_below(below: list[dict[str, Any]]):
    root = policy(**limited("@@none", team={"tag_value": key(assign=["a", "b"])}))
    levels = [policy(**{name: {"tag_value": key(**each)} for name, each in level.items()}) for level in below]

    assert {"team": {"tag_value": ["a", "b"]}} == merged(root, *levels)


@given(st.lists(POLICIES, min_size=1, max_size=4))
def test_a_level_that_assigns_everything_makes_what_is_above_it_of_no_account(levels: list[dict[str, Any]]):
    parsed = [policy(**{name: {"tag_value": key(**each)} for name, each in level.items()}) for level in levels]
    last = policy(team={"tag_value": key(assign=["a"])}, cost={"tag_value": key(assign=["b"])})

    assert merged(last) == merged(*parsed, last)


@given(st.lists(POLICIES, min_size=1, max_size=4))
def test_lists_hold_nothing_twice_that_was_added(levels: list[dict[str, Any]]):
    only_added = [{name: {"append": [*each.get("append", ()), "z"]} for name, each in level.items()} for level in levels]
    parsed = [policy(**{name: {"tag_value": key(**each)} for name, each in level.items()}) for level in only_added]

    found = merged(*parsed)

    assert all(each["tag_value"].count("z") == 1 for each in found.values())
