"""Another directory provisions people and groups, as Okta and Entra ID do, and finds them again."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from botocore.exceptions import ClientError
from tests.fixtures.browsing import Browser
from tests.fixtures.crown import Crown
from tests.fixtures.portal import Portal
from tests.services.scim.conftest import PATCH, Directory, person

ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


def test_a_person_comes_changes_and_goes(directory: Directory):
    extension = {ENTERPRISE: {"costCenter": "42", "manager": {"value": "boss"}}}
    made = directory.user("ann", externalId="ext-1", title="Engineer", **extension)
    place = f"/Users/{made['id']}"

    directory.patch(
        place,
        {"op": "Replace", "path": "name.familyName", "value": "Lee"},
        {"op": "add", "path": 'emails[type eq "work"].value', "value": "ann.lee@scim.example"},
        {"op": "replace", "path": f"{ENTERPRISE}:department", "value": "ops"},
        {"op": "remove", "path": "title"},
        {"op": "replace", "value": {"nickName": "annie", "name.givenName": "Anne"}},
    )
    found = directory.ask("GET", place).json()
    described = directory.sso.people.describe_user(
        **directory.sso.store, UserId=made["id"], Extensions=["aws:identitystore:enterprise"]
    )

    assert {"familyName": "Lee", "givenName": "Anne"} == found["name"]
    assert [{"value": "ann.lee@scim.example", "type": "work", "primary": True}] == found["emails"]
    assert {"costCenter": "42", "manager": {"value": "boss"}, "department": "ops"} == found[ENTERPRISE]
    assert ("ext-1", "annie", True, False) == (found["externalId"], found["nickName"], found["active"], "title" in found)
    assert ("Anne", "ENABLED") == (described["Name"]["GivenName"], described["UserStatus"])
    assert 200 == directory.ask("PUT", place, person("ann", externalId="ext-1", id=made["id"], groups=[])).status
    assert "nickName" not in directory.ask("GET", place).json()
    assert 204 == directory.ask("DELETE", place).status
    assert 404 == directory.ask("GET", place).status


def test_a_group_gains_and_loses_people(directory: Directory):
    ann, bob = (directory.user(name)["id"] for name in ("ann", "bob"))
    group = directory.group("ops", members=[{"value": ann}])
    place = f"/Groups/{group}"

    added = directory.patch(place, {"op": "add", "path": "members", "value": [{"value": bob}, {"value": ann}]})
    taken = directory.patch(place, {"op": "remove", "path": f'members[value eq "{ann}"]'})
    renamed = directory.patch(place, {"op": "replace", "value": {"id": group, "displayName": "operators"}})

    assert [204, 204, 204] == [added.status, taken.status, renamed.status]
    members = directory.sso.people.list_group_memberships(**directory.sso.store, GroupId=group)["GroupMemberships"]
    assert [bob] == [each["MemberId"]["UserId"] for each in members]
    shown = directory.ask("GET", place).json()
    assert ("operators", []) == (shown["displayName"], shown["members"])
    assert 204 == directory.ask("DELETE", place).status


def test_people_and_groups_are_found_by_filters_and_by_pages(directory: Directory):
    made = [directory.user(name, externalId=f"id of {name}") for name in ("ann", "bob", "eve")]
    ann = made[0]["id"]
    group = directory.group("ops", members=[{"value": ann}])

    def found(path: str, filter: str) -> list[str]:
        answer = directory.ask("GET", f"{path}?filter={quote(filter)}").json()
        return [each["id"] for each in answer["Resources"]]

    assert [ann] == found("/Users", 'userName eq "ANN"') == found("/Users", 'externalId eq "id of ann"')
    assert [group] == found("/Groups", 'displayName eq "ops"') == found("/Groups", f'id eq "{group}" and members eq "{ann}"')
    assert [] == found("/Groups", f'id eq "{group}" and members eq "{made[1]["id"]}"')
    whole = directory.ask("GET", "/Users").json()
    assert (3, 3, 1) == (whole["totalResults"], whole["itemsPerPage"], whole["startIndex"])
    first = directory.ask("GET", "/Users?count=2&cursor=").json()
    second = directory.ask("GET", f"/Users?count=2&cursor={first['nextCursor']}").json()
    assert {each["id"] for each in made} == {each["id"] for each in (*first["Resources"], *second["Resources"])}
    assert "nextCursor" not in second


def test_whoever_is_switched_off_loses_everything_at_once_and_for_good(crown: Crown):
    portal = Portal(crown)
    answer = crown.operator("POST", f"/accounts/{portal.sso.management.id}/scim-tokens").json()
    directory = Directory(crown, portal.sso, answer["token"], answer["token_id"])
    tokens = portal.tokens(portal.browser(), portal.program())
    keys = portal.role(tokens["accessToken"])

    off = directory.patch(f"/Users/{portal.ann}", {"op": "replace", "path": "active", "value": "False"})

    assert (200, False) == (off.status, off.json()["active"])
    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        crown.session(keys, "sts").get_caller_identity()
    with pytest.raises(ClientError, match="Unauthorized"):
        portal.role(tokens["accessToken"])
    assert "There was an error" in portal.sign_in(Browser(crown)).text
    directory.patch(f"/Users/{portal.ann}", {"op": "replace", "value": {"active": True}})
    with pytest.raises(ClientError, match="InvalidClientTokenId"):
        crown.session(keys, "sts").get_caller_identity()
    assert "Accounts" == portal.sign_in(Browser(crown)).title


def test_what_is_supported_is_told(directory: Directory):
    config = directory.ask("GET", "/ServiceProviderConfig").json()
    schemas = directory.ask("GET", "/Schemas").json()["Resources"]
    kinds = directory.ask("GET", "/ResourceTypes").json()["Resources"]

    assert (True, False, 100) == (config["patch"]["supported"], config["bulk"]["supported"], config["filter"]["maxResults"])
    assert ENTERPRISE == directory.ask("GET", f"/Schemas/{ENTERPRISE}").json()["id"]
    assert (3, ["User", "Group"]) == (len(schemas), [each["id"] for each in kinds])


def test_records_name_the_token_and_hide_the_person(directory: Directory):
    made = directory.user("ann")

    answer = next(
        each for each in directory.sso.management.records() if each["eventSource"] == "identitystore-scim.amazonaws.com"
    )

    identity = {"type": "WebIdentityUser", "accountId": directory.sso.management.id, "accessKeyId": directory.token_id}
    assert ("CreateUser", identity) == (answer["eventName"], answer["userIdentity"])
    assert made["id"] == answer["responseElements"]["id"]
    assert "ann" not in str(answer["requestParameters"])
    assert directory.token not in str(answer)


CASES: list[tuple[str, str, Any]] = [
    ("POST", "/Users", person("x", emails=[{"value": "a@b.example"}])),
    ("POST", "/Users", person("x", emails=[{"value": f"{i}@b.example", "primary": True} for i in range(2)])),
    ("POST", "/Users", {**person("x"), "displayName": None}),
    ("PATCH", "/Users/ID", {"schemas": [PATCH], "Operations": [{"op": "remove", "path": "userName"}]}),
    ("PATCH", "/Users/ID", {"schemas": [PATCH], "Operations": [{"op": "move", "path": "title", "value": "x"}]}),
    ("PATCH", "/Users/ID", {"schemas": [PATCH], "Operations": [{"op": "add", "value": {"emails": "x", "emails.value": "y"}}]}),
    ("PATCH", "/Users/ID", {"schemas": [PATCH], "Operations": [{"op": "add", "value": {"name": "x", "name.givenName": {}}}]}),
    ("PATCH", "/Groups/ID", {"schemas": [PATCH], "Operations": [{"op": "replace", "path": "members", "value": []}]}),
    ("PATCH", "/Groups/ID", {"schemas": [PATCH], "Operations": [{"op": "remove", "path": "members"}]}),
    (
        "PATCH",
        "/Groups/ID",
        {"schemas": [PATCH], "Operations": [{"op": "add", "path": "members", "value": [{"value": "x"}] * 101}]},
    ),
    ("PATCH", "/Groups/ID", {"schemas": [PATCH], "Operations": [{"op": "add", "value": 7}]}),
    ("GET", "/Users?count=101", None),
    ("GET", "/Users?cursor=forged", None),
]


def test_what_identity_center_does_not_take_is_refused_in_scims_words(directory: Directory):
    user, group = directory.user("ann")["id"], directory.group("ops")

    for method, path, body in CASES:
        there = path.replace("Users/ID", f"Users/{user}").replace("Groups/ID", f"Groups/{group}")
        answer = directory.ask(method, there, body)
        assert 400 == answer.status, (path, body, answer.text)
        assert ["urn:ietf:params:scim:api:messages:2.0:Error"] == answer.json()["schemas"]
        assert "400" == answer.json()["status"]
    twice = directory.ask("POST", "/Users", person("ANN", emails=[]))
    assert (409, "uniqueness") == (twice.status, twice.json()["scimType"])
    assert 404 == directory.patch(f"/Groups/{group}", {"op": "add", "path": "members", "value": [{"value": "gone"}]}).status
    assert 404 == directory.ask("GET", "/Me").status
