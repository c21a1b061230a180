"""Bodies, paths and filters that no directory would send: refused in SCIM's words, and quickly."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.credentials.hostile import changed, documents, edited, json_values
from tests.services.scim.conftest import person

from crownkeep import canonical_json, errors
from crownkeep.services.scim import bodies, filters, memberships, patches, resources, users

PATHS = st.one_of(
    st.sampled_from(
        [
            "userName",
            "name.givenName",
            'emails[type eq "work"].value',
            "emails[primary eq true]",
            'members[value eq "x"]',
            f"{bodies.ENTERPRISE}:manager",
            f"{bodies.ENTERPRISE}:manager.value",
            f"{bodies.USER}:active",
            "urn:" + "a:" * 3_000 + "b",
            "schemas",
            "$ref",
            "",
        ]
    ),
    edited(b'emails[type eq "work"].value').map(lambda text: text.decode("latin-1")),
)
OPERATIONS = st.lists(
    st.fixed_dictionaries({"op": st.sampled_from(["add", "Replace", "remove"]), "path": PATHS, "value": json_values}), max_size=4
)


def patched(content: Any) -> None:
    with suppress(errors.ServiceValidation):
        wanted = patches.read(bodies.read(json.dumps(content).encode(), bodies.PATCH))
        found = resources.person_in(patches.patched(person("ann"), wanted))
        # What is kept can be kept: by PostgreSQL, and as JSON.
        assert canonical_json.is_storable(found.held)


@given(OPERATIONS)
def test_hostile_operations_are_refused_as_such_or_leave_a_person(operations: list[dict[str, Any]]) -> None:
    patched({"schemas": [bodies.PATCH], "Operations": operations})
    for each in operations:
        patched({"schemas": [bodies.PATCH], "Operations": [{"op": each["op"], "value": {each["path"]: each["value"]}}]})


@given(changed({"schemas": [bodies.PATCH], "Operations": [{"op": "add", "path": "title", "value": "x"}]}))
def test_a_hostile_request_to_patch_is_refused_as_such(content: dict[str, Any]) -> None:
    patched(content)


@given(
    documents(person("ann", **{bodies.ENTERPRISE: {"manager": {"value": "x"}}, "addresses": [{"country": "CH"}]})), json_values
)
def test_a_hostile_person_is_refused_as_such(body: bytes, value: Any) -> None:
    with suppress(errors.ServiceValidation):
        assert canonical_json.is_storable(resources.person_in(bodies.read(body, bodies.USER)).held)
    with suppress(errors.ServiceValidation):
        assert all(isinstance(each, str) for each in memberships.ids_in(value))


@given(edited(b'userName eq "ann" and manager eq "x\\"y"'))
def test_a_hostile_filter_is_refused_as_such(text: bytes) -> None:
    with suppress(errors.ServiceValidation):
        found = filters.read(text.decode("latin-1"), known=users._KNOWN, together=users._TOGETHER)
        assert canonical_json.is_storable(found)


@pytest.mark.parametrize(
    "value",
    [[{"a": number} for number in range(3_600)], [{} for _ in range(15_000)], [[] for _ in range(101)]],
    ids=["different", "empty", "none"],
)
def test_denial_of_service_operations_on_a_list_of_thousands_are_refused_at_the_first(value: list[Any]) -> None:
    # Each of a hundred operations would compare thousands of values with one another: a minute of everybody's time.
    walking = [{"op": "add", "path": 'emails[type eq "x"].b', "value": 1}] * 90
    operations = [{"op": "add", "path": "emails", "value": value}, *walking]
    body = json.dumps({"schemas": [bodies.PATCH], "Operations": operations}, separators=(",", ":")).encode()
    assert len(body) <= bodies.LARGEST

    with pytest.raises(errors.ServiceValidation, match="at most 100 values"):
        patches.patched({}, patches.read(bodies.read(body, bodies.PATCH)))
