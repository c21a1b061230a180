"""People and groups imported in a batch: each told of, nobody taken over, and no farther than doing it one by one."""

from __future__ import annotations

import json
from typing import Any

import bcrypt
import pytest
from botocore.exceptions import ClientError
from tests.alerts.office import Mailbox, link_in
from tests.fixtures.browsing import Browser
from tests.fixtures.portal import PASSWORD, Portal
from tests.fixtures.single_sign_on import SingleSignOn, document

from crownkeep.signin import entry, sign_in_steps
from crownkeep.storage.database import Database
from crownkeep.storage.single_sign_on import person_credentials

WEAK = "summer"


def hashed(password: str) -> str:
    return bcrypt.hashpw(password.encode(), bcrypt.gensalt(10)).decode()


def someone(name: str, **members: Any) -> dict[str, Any]:
    return {"UserName": name, "GivenName": name.title(), "FamilyName": "Example", **members}


def imported(sso: SingleSignOn, *users: dict[str, Any], client: Any = None, **options: Any) -> dict[str, Any]:
    directory = client or sso.management.client("sso-directory")
    return dict(directory.import_users(**sso.store, Users=list(users), **options))


def members(sso: SingleSignOn, group_id: str) -> set[str]:
    found = sso.people.list_group_memberships(**sso.store, GroupId=group_id)["GroupMemberships"]
    return {each["MemberId"]["UserId"] for each in found}


def kept_hash(sso: SingleSignOn, user_id: str) -> str:
    database = Database(sso.management.crown.settings.database_url)
    with database.snapshot() as db:
        row = person_credentials.of_owner(db, sso.management.id, user_id.replace("-", ""))
    database.close()
    return row.password_hash if row is not None else ""


def test_people_and_groups_come_in_once_however_often_the_file_is_imported(sso: SingleSignOn):
    batch = [someone("ann", Email="ann@people.example", Groups=["ops", "OPS", "dev"]), someone("ben", Groups=["ops"])]

    first = imported(sso, *batch, Groups=[{"DisplayName": "ops", "Description": "on call"}])
    again = imported(sso, *batch, Groups=[{"DisplayName": "ops"}])

    assert ["CREATED", "CREATED"] == [each["Outcome"] for each in first["Users"]]
    assert [2, 1] == [each["AddedGroups"] for each in first["Users"]]
    assert [("EXISTING", 0), ("EXISTING", 0)] == [(each["Outcome"], each["AddedGroups"]) for each in again["Users"]]
    assert {each["UserId"] for each in first["Users"]} == members(sso, first["Groups"][0]["GroupId"])
    assert {"ops", "dev"} == {each["DisplayName"] for each in sso.people.list_groups(**sso.store)["Groups"]}


def test_names_that_differ_by_case_and_what_the_api_would_not_take_are_refused_by_row(sso: SingleSignOn):
    sso.user("carl", Emails=[{"Value": "carl@people.example", "Primary": True}])

    answer = imported(
        sso,
        someone("Dora", Email="CARL@people.example"),
        someone("two words"),
        {"UserName": "nameless"},
        someone("ELLA", Groups=["new"]),
        someone("ella"),
    )["Users"]

    assert ["REFUSED", "REFUSED", "REFUSED", "CREATED", "EXISTING"] == [each["Outcome"] for each in answer]
    assert "Duplicate Email" == answer[0]["Reason"]
    assert "regular expression pattern" in answer[1]["Reason"]
    assert answer[3]["UserId"] == answer[4]["UserId"]


def test_a_dry_run_tells_the_same_and_changes_nothing(sso: SingleSignOn):
    user = someone("fay", Email="fay@people.example", Groups=["ghosts"], PasswordHash=hashed(PASSWORD))

    answer = imported(sso, user, DryRun=True)["Users"][0]

    assert ("CREATED", "KEPT", 1) == (answer["Outcome"], answer["Password"], answer["AddedGroups"])
    assert [] == sso.people.list_users(**sso.store)["Users"]
    assert [] == sso.people.list_groups(**sso.store)["Groups"]


def test_an_import_takes_over_nobody_who_is_there(sso: SingleSignOn):
    user_id = imported(sso, someone("gus", PasswordHash=hashed(PASSWORD)))["Users"][0]["UserId"]
    before = kept_hash(sso, user_id)

    answer = imported(sso, someone("GUS", Email="evil@people.example", PasswordHash=hashed("other Horse 9!")))["Users"][0]

    assert ("EXISTING", "UNCHANGED") == (answer["Outcome"], answer["Password"])
    assert before == kept_hash(sso, user_id)
    assert "Emails" not in sso.people.describe_user(**sso.store, UserId=user_id)


def test_a_delegated_administrator_imports_nobody_into_a_group_that_reaches_the_management_account(sso: SingleSignOn):
    group = sso.group("rulers")
    sso.assign(sso.permission_set("AdministratorAccess"), sso.management.id, group=group)
    member = sso.organization.invited()
    organizations = sso.organization.client
    organizations.enable_aws_service_access(ServicePrincipal="sso.amazonaws.com")
    organizations.register_delegated_administrator(AccountId=member.id, ServicePrincipal="sso.amazonaws.com")

    answer = imported(sso, someone("hal", Groups=["rulers"]), someone("ida"), client=member.client("sso-directory"))["Users"]

    assert ["REFUSED", "CREATED"] == [each["Outcome"] for each in answer]
    assert set() == members(sso, group)
    assert ["ida"] == [each["UserName"] for each in sso.people.list_users(**sso.store)["Users"]]


@pytest.mark.parametrize("denied", ["CreateUser", "CreateGroup", "CreateGroupMembership"])
def test_whoever_may_not_do_it_one_by_one_may_not_by_a_file(sso: SingleSignOn, denied: str):
    allowed = json.loads(document("sso-directory:*", "identitystore:*"))
    allowed["Statement"].append({"Effect": "Deny", "Action": f"identitystore:{denied}", "Resource": "*"})
    user = sso.management.user("importer", policy=allowed)

    answer = imported(sso, someone("jim", Groups=["team"]), client=user.client("sso-directory"))["Users"][0]

    assert "REFUSED" == answer["Outcome"]
    assert f"identitystore:{denied}" in answer["Reason"]
    assert [] == sso.people.list_groups(**sso.store)["Groups"]


def test_a_batch_is_bounded_and_another_accounts_store_is_not_there(sso: SingleSignOn):
    with pytest.raises(ClientError, match="100"):
        imported(sso, *(someone(f"u{number}") for number in range(101)))
    with pytest.raises(ClientError, match="IDENTITY_STORE not found"):
        imported(sso, someone("kim"), client=sso.organization.invited().client("sso-directory"))


def test_denial_of_service_a_batch_of_people_in_many_groups_is_refused_unread(sso: SingleSignOn):
    groups = [f"g{number}" for number in range(101)]

    with pytest.raises(ClientError) as caught:
        imported(sso, *(someone(f"u{number}", Groups=groups) for number in range(10)))

    assert "ValidationException" == caught.value.response["Error"]["Code"]
    assert [] == sso.people.list_groups(**sso.store)["Groups"]


def test_hashes_and_names_are_in_no_record(sso: SingleSignOn):
    secret = hashed(PASSWORD)

    imported(sso, someone("lou-secret", PasswordHash=secret))

    record = next(each for each in sso.management.records() if each["eventName"] == "ImportUsers")
    assert secret not in json.dumps(record)
    assert "lou-secret" not in json.dumps(record)
    assert {"CREATED": 1, "EXISTING": 0, "REFUSED": 0} == record["additionalEventData"]["Outcomes"]


def test_whoever_brings_a_sound_hash_signs_in_with_it_and_it_is_replaced(portal: Portal):
    answer = imported(portal.sso, someone("mia", PasswordHash=hashed(PASSWORD)))["Users"][0]
    before = kept_hash(portal.sso, answer["UserId"])

    wrong = portal.sign_in(Browser(portal.crown), name="mia", password=PASSWORD + "x")
    right = portal.sign_in(Browser(portal.crown), name="mia")
    after = kept_hash(portal.sso, answer["UserId"])
    again = portal.sign_in(Browser(portal.crown), name="mia")

    assert ("KEPT", True) == (answer["Password"], before.startswith("imported:$2b$"))
    assert "information is incorrect" in wrong.text
    assert after.startswith("$argon2id$")
    assert "Accounts" == right.title == again.title


def test_a_weak_password_that_was_imported_is_changed_at_the_first_sign_in(portal: Portal):
    imported(portal.sso, someone("ned", PasswordHash=hashed(WEAK)))

    page = portal.sign_in(Browser(portal.crown), name="ned", password=WEAK)

    assert "You must change your password to continue" == page.title


def test_whoever_brings_an_unsound_hash_is_invited_and_told_apart(portal: Portal):
    mailbox = Mailbox(portal.crown, "oda@people.example")

    answer = imported(portal.sso, someone("oda", Email="oda@people.example", PasswordHash="{SSHA}aGVsbG8gd29ybGQ="))["Users"][0]

    browser = Browser(portal.crown)
    browser.get(link_in(mailbox.wait("Choose a password")))
    page = browser.submit({"new": PASSWORD, "again": PASSWORD})
    assert ("INVITED", "the password hash is SHA-1, which is not sound") == (answer["Password"], answer["Reason"])
    assert "Accounts" == page.title


def test_the_time_of_an_answer_does_not_tell_who_was_imported(portal: Portal, monkeypatch: pytest.MonkeyPatch):
    waited: list[float] = []

    async def wait_since(_began: float, seconds: float) -> None:
        waited.append(seconds)

    imported(portal.sso, someone("pia", PasswordHash=hashed(PASSWORD)))
    monkeypatch.setattr(sign_in_steps, "wait_since", wait_since)
    portal.sign_in(Browser(portal.crown), name="pia", password="wrong")
    portal.sign_in(Browser(portal.crown), name="nobody", password="wrong")

    assert [entry.WRONG_AFTER_SECONDS] * 2 == waited
