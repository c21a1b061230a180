"""Records of what nobody signs: directories with a SCIM token, programs with a person's, operators with theirs, and strangers."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

import pytest
from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError
from tests.audit.test_identities import SHAPES, shape
from tests.fixtures.crown import Crown, Crowns
from tests.fixtures.single_sign_on import SingleSignOn
from tests.house import valid
from tests.house.test_operations import OPERATIONS
from tests.operations.test_complete_records import faults_of, name_of
from tests.operations.test_record_corpus import CORPUS, unlike
from tests.services.scim.conftest import GROUP, PATCH, USER, Directory, person

from crownkeep.audit.redact import HIDDEN
from crownkeep.operations.registry import Operation

UNSIGNED = [each for each in OPERATIONS if each.model.auth == "none"]
SCIM = [each for each in UNSIGNED if each.service.name == "scim"]
BY_CODE = {"CreateOAuth2Token"}
"""What takes a code that a browser was given, and answers nobody else (tests/signin has it)."""


@pytest.fixture
def crown(crowns: Crowns) -> Crown:
    """The shared server on SQLite: what a record holds does not depend on the database."""
    return crowns.shared("sqlite")


@pytest.fixture
def directory(crown: Crown) -> Directory:
    """Another directory with a token of an instance."""
    sso = SingleSignOn(crown)
    made = crown.operator("POST", f"/accounts/{sso.management.id}/scim-tokens").json()
    return Directory(crown, sso, made["token"], made["token_id"])


def whole(operations: Iterable[Operation], records: list[dict[str, Any]], account_id: str) -> Mapping[str, list[str]]:
    """Return what is wrong with the records of operations, of whose callers nothing is expected here."""
    faults = {}
    for operation in operations:
        found = [each for each in records if (each["eventSource"], each["eventName"]) == name_of(operation)]
        wrong = [[fault for fault in faults_of(operation, each, account_id) if fault != "identity"] for each in found]
        faults[f"{operation.service.name}:{operation.name}"] = min(wrong, key=len, default=["there is none"])
    return {name: each for name, each in faults.items() if each}


def test_each_operation_that_a_stranger_asks_for_leaves_a_whole_record(crown: Crown):
    asked = [each for each in UNSIGNED if each.service.name != "scim" and each.name not in BY_CODE]
    for operation in asked:
        client = crown.session(None, operation.service.name, parameter_validation=False)
        try:
            getattr(client, xform_name(operation.name))(**valid.parameters(operation.model))
        except (ClientError, BotoCoreError):
            continue

    records = [each for each in crown.records("") if each["userIdentity"]["type"] == "AWSAccount"]

    assert {} == whole(asked, records, "")
    assert [] == [each["userIdentity"] for each in records if shape(each["userIdentity"]) != SHAPES["nobody"]]


def test_each_operation_of_a_directory_leaves_a_whole_record(directory: Directory):
    bea, things = directory.user("bea")["id"], directory.group("things")
    directory.patch(f"/Groups/{things}", {"op": "add", "path": "members", "value": [{"value": bea}]})
    directory.patch(f"/Users/{bea}", {"op": "replace", "path": "title", "value": "Chief of bees"})
    directory.ask("PUT", f"/Users/{bea}", person("bea"))
    for path in (f"/Users/{bea}", "/Users", f"/Groups/{things}", "/Groups", "/Schemas", f"/Schemas/{USER}", "/ResourceTypes"):
        assert 200 == directory.ask("GET", path).status
    directory.ask("GET", "/ServiceProviderConfig")
    directory.ask("DELETE", f"/Users/{bea}")
    directory.ask("DELETE", f"/Groups/{things}")

    records = [each for each in directory.sso.management.records() if "scim" in each["eventSource"]]

    assert {} == whole(SCIM, records, directory.sso.management.id)
    assert [] == [each for each in records if "errorCode" in each]
    assert [SHAPES["a directory, by its SCIM token"]] * len(records) == [shape(each["userIdentity"]) for each in records]


def test_what_a_directory_changes_is_recorded_as_aws_records_it(directory: Directory):
    directory.ask("POST", "/Users", {key: value for key, value in person("bea").items() if key != "emails"})
    group = directory.group("things")
    directory.patch(f"/Groups/{group}", {"op": "remove", "value": [{"value": "x"}]})

    records = {each["eventName"]: each for each in directory.sso.management.records()}
    made, refused = records["CreateUser"], records["PatchGroup"]

    ours = {"+.responseElements.urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"}
    assert set() == unlike(CORPUS["guides"]["identitystore-scim CreateUser"], made) - ours
    assert set() == unlike(CORPUS["guides"]["identitystore-scim PatchGroup (refused)"], refused)
    body = {"schemas": [PATCH], "operations": [{"op": "REMOVE", "value": HIDDEN}]}
    assert {"tenantId": directory.sso.store["IdentityStoreId"], "id": group, "httpBody": body} == refused["requestParameters"]


def test_a_record_shows_which_attributes_a_directory_sent_and_no_person(directory: Directory):
    bea = directory.user("bea")["id"]
    path = 'emails[type eq "at bea\'s"].value'
    sent = {"op": "replace", "path": path, "value": "bea@home.example"}
    directory.patch(f"/Users/{bea}", sent, {"op": "bea", "path": "bea bea", "value": "bea"})
    directory.ask("GET", "/Users?filter=userName%20eq%20%22bea%22")
    directory.ask("POST", "/Groups", {"schemas": [GROUP, "bea"], "displayName": "bea", "bea": "bea", "active": "bea"})

    records = {each["eventName"]: each for each in directory.sso.management.records() if "scim" in each["eventSource"]}

    assert {"CreateGroup", "ListUsers", "PatchUser", "CreateUser"} == records.keys()
    assert [] == [each for each in records.values() if "bea" in json.dumps([each["requestParameters"], each["responseElements"]])]
    group = {"schemas": [GROUP, HIDDEN], "displayName": HIDDEN, "active": HIDDEN}
    assert group == records["CreateGroup"]["requestParameters"]["httpBody"]
    operations = [{"op": "REPLACE", "path": "emails.value", "value": HIDDEN}, {"op": HIDDEN, "path": HIDDEN, "value": HIDDEN}]
    assert operations == records["PatchUser"]["requestParameters"]["httpBody"]["operations"]


def test_an_operator_with_a_token_of_their_own_is_named_in_the_record(crown: Crown):
    added = crown.operator("POST", "/operators", {"name": "olga", "scopes": ["accounts"]}).json()

    answer = crown.request(
        "GET", f"{crown.settings.url}/operator/v1/accounts", headers={"Authorization": f"Bearer {added['token']}"}
    )

    identity = crown.records("")[0]["userIdentity"]
    assert 200 == answer.status
    assert SHAPES["an operator with a token of their own"] == shape(identity)
    assert ("olga", added["token_id"]) == (identity["userName"], identity["credentialId"])
