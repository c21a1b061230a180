"""What whoever has no token, another token, or a token and ill will tries at the SCIM endpoint."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

import pytest
import time_machine
from tests.fixtures.crown import Crown, Crowns
from tests.services.scim.conftest import GROUP, PATCH, USER, Directory, person

from crownkeep import clock

Make = Callable[[Crown], Directory]


@pytest.fixture(scope="module")
def crown(crowns: Crowns) -> Crown:
    """One database is enough for what never reaches it."""
    return crowns.shared("sqlite")


def test_a_token_of_another_instance_and_one_that_is_deleted_open_nothing(directory: Directory, directory_of: Make):
    other = directory_of(directory.crown)
    attempts = [other.token, "", "x" * 4000, directory.token_id]

    answers = [directory.ask("GET", "/Users", token=token) for token in attempts]
    answers.append(directory.ask("GET", "/Users", store="d-0000000000"))
    answers.append(directory.ask("GET", "/Users", Authorization=f"Basic {directory.token}"))
    path = f"/accounts/{directory.sso.management.id}/scim-tokens"
    assert 404 == directory.crown.operator("DELETE", f"{path}/{other.token_id}").status
    assert 204 == directory.crown.operator("DELETE", f"{path}/{directory.token_id}").status
    answers.append(directory.ask("POST", "/Users", person("eve")))

    assert {401} == {each.status for each in answers}
    assert 1 == len({each.json()["detail"] for each in answers})


def test_a_token_ends_after_a_year_and_there_are_two_at_most(crowns: Crowns, directory_of: Make):
    crown = crowns.fresh("sqlite")
    directory = directory_of(crown)
    path = f"/accounts/{directory.sso.management.id}/scim-tokens"

    second = crown.operator("POST", path)
    third = crown.operator("POST", path)
    listed = crown.operator("GET", path)
    with time_machine.travel(datetime.now(UTC) + timedelta(days=366), tick=False):
        late = directory.ask("GET", "/Users")

    assert (201, 409, 401) == (second.status, third.status, late.status)
    assert 2 == len(listed.json()["tokens"])
    assert directory.token not in listed.text
    crown.close()


@pytest.mark.parametrize(
    "filter",
    [
        'userName eq "x" or userName eq "ann"',
        'userName sw ""',
        'userName eq "ann") or (userName pr',
        "userName eq ann",
        'userName eq "ann" and userName eq "ann"',
        'password eq "x"',
        'userName eq "\\u0000"',
        'userName eq "\ud83d"',
        'id eq "%" and manager',
        "",
        'userName eq "' + '\\"' * 1000 + '" and',
    ],
)
def test_injection_in_a_filter_finds_nobody(directory: Directory, filter: str):
    directory.user("ann")

    answer = directory.ask("GET", f"/Users?filter={quote(filter, errors='surrogatepass')}")

    assert 400 == answer.status, answer.text


def test_percent_signs_and_quotes_in_a_filter_are_letters(directory: Directory):
    directory.user("ann")

    for value in ("%", "an_", "' or 1=1 --", '\\"ann'):
        asked = quote(f'userName eq "{value}"')
        assert [] == directory.ask("GET", f"/Users?filter={asked}").json()["Resources"]


@pytest.mark.parametrize(
    "smuggled",
    [
        {"password": "a new Horse"},
        {"UserStatus": "ENABLED"},
        {"groups": [{"value": "admins"}]},
        {"roles": [{"value": "x", "groups": []}]},
        {"identity_store_id": "d-0"},
        {"Extensions": {}},
        {"name": {"givenName": "a", "familyName": "b", "Formatted": "c"}},
        {"active": 1},
        {"userName": "a\x00b"},
        {"userName": ["ann"]},
        {"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"isAdmin": "yes"}},
    ],
)
def test_mass_assignment_is_refused(directory: Directory, smuggled: dict[str, object]):
    made = directory.user("ann")["id"]
    patch = {"schemas": [PATCH], "Operations": [{"op": "add", "value": smuggled}]}

    answers = [directory.ask("POST", "/Users", person("eve") | smuggled), directory.ask("PATCH", f"/Users/{made}", patch)]

    assert [400, 400] == [each.status for each in answers]
    assert "eve" not in [each["userName"] for each in directory.ask("GET", "/Users").json()["Resources"]]


def test_ids_that_are_sent_choose_nobody(directory: Directory):
    ann, bob = (directory.user(name)["id"] for name in ("ann", "bob"))

    directory.ask("PUT", f"/Users/{ann}", person("ann", id=bob, title="changed", meta={"location": "x"}))

    assert "title" not in directory.ask("GET", f"/Users/{bob}").json()
    assert ann == directory.ask("GET", f"/Users/{ann}").json()["id"]


def test_oversized_bodies_and_deep_ones_are_refused_before_anything_is_done(directory: Directory):
    large = json.dumps(person("eve", title="x" * 70_000)).encode()
    deep = b'{"schemas": ["' + USER.encode() + b'"], "title": ' + b"[" * 20_000 + b"]" * 20_000 + b"}"

    answers = [directory.ask("POST", "/Users", body) for body in (large, deep, b"", b"[]", b"\xff", b'{"schemas": [7]}')]

    assert {400} == {each.status for each in answers}
    assert 413 == directory.ask("POST", "/Users", b"x" * 2_000_000).status


@pytest.mark.parametrize("schemas", [5, True, 1.5, USER, {USER: 1}, [[USER]]])
def test_schemas_of_another_type_are_refused_and_no_fault(directory: Directory, schemas: object):
    answers = [
        directory.ask("POST", "/Users", {"schemas": schemas, "userName": "ann"}),
        directory.ask("POST", "/Groups", {"schemas": schemas, "displayName": "ops"}),
    ]

    assert [400, 400] == [each.status for each in answers]


@pytest.mark.parametrize("depth", [100, 300, 450, 900])
def test_denial_of_service_a_body_that_nests_is_refused_and_no_fault(directory: Directory, depth: int):
    nested = b'{"schemas": ["' + USER.encode() + b'"], "userName": ' + b"[" * depth + b"]" * depth + b"}"

    assert 400 == directory.ask("POST", "/Users", nested).status


def test_a_patch_that_fails_half_way_leaves_nothing(directory: Directory):
    ann = directory.user("ann")["id"]
    group = directory.group("ops")
    add = {"op": "add", "path": "members", "value": [{"value": ann}]}

    refused = directory.patch(f"/Groups/{group}", add, {"op": "replace", "path": "displayName", "value": ""})

    assert 400 == refused.status
    assert [] == directory.sso.people.list_group_memberships(**directory.sso.store, GroupId=group)["GroupMemberships"]


def test_people_of_another_instance_come_into_no_group(directory: Directory, directory_of: Make):
    stranger = directory_of(directory.crown).user("eve")["id"]

    answer = directory.ask("POST", "/Groups", {"schemas": [GROUP], "displayName": "ops", "members": [{"value": stranger}]})

    assert 404 == answer.status
    assert [] == directory.ask("GET", "/Groups").json()["Resources"]


def test_a_directory_that_asks_without_end_is_told_to_come_again_later(
    crowns: Crowns, directory_of: Make, monkeypatch: pytest.MonkeyPatch
):
    crown = crowns.fresh("sqlite", requests_per_second_of_principal=2)
    directory, stopped = directory_of(crown), clock.monotonic()
    monkeypatch.setattr(clock, "monotonic", lambda: stopped)

    answers = [directory.ask("GET", "/Users") for _ in range(24)]
    stranger = directory.ask("GET", "/Users", token="another")
    records = [each for each in crown.records(directory.sso.management.id) if each["eventName"] == "ListUsers"]

    assert [200] * 20 + [429] * 4 == [each.status for each in answers]
    assert ("1", "429") == (answers[-1].header("retry-after"), answers[-1].json()["status"])
    assert 401 == stranger.status
    assert 20 == len(records)
    crown.close()
