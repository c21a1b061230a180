"""Invitations and the agreement to all features: what is asked, who may see it, and who may answer."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import time_machine
from botocore.exceptions import ClientError
from tests.alerts.office import Mailbox, text_of
from tests.fixtures.crown import Crown
from tests.fixtures.organization import Organization
from tests.services.iam.asking import allow, refusal
from tests.services.organizations.asking import service_events

from crownkeep import clock

NOT_FOUND = "HandshakeNotFoundException: We can't find a handshake with the HandshakeId that you specified."
WRONG_STATE = "InvalidHandshakeTransitionException: You can't perform the operation on the handshake in its current state."
DENIED = "AccessDeniedException: You don't have permissions to access this resource."


def test_an_invitation_says_who_asks_whom_and_until_when(organization: Organization):
    target = {"Type": "ACCOUNT", "Id": "000000000001"}

    made = organization.client.invite_account_to_organization(Target=target, Notes="come in")["Handshake"]

    account = organization.management
    named = account.client("account").get_account_information()["AccountName"]
    arn = f"arn:aws:organizations::{account.id}:handshake/{organization.id}/invite/{made['Id']}"
    details = [
        {"Value": account.email, "Type": "MASTER_EMAIL"},
        {"Value": named, "Type": "MASTER_NAME"},
        {"Value": "ALL", "Type": "ORGANIZATION_FEATURE_SET"},
    ]
    assert {
        "Id": made["Id"],
        "Arn": arn,
        "Parties": [{"Id": organization.id, "Type": "ORGANIZATION"}, {"Id": "000000000001", "Type": "ACCOUNT"}],
        "State": "OPEN",
        "RequestedTimestamp": made["RequestedTimestamp"],
        "ExpirationTimestamp": made["RequestedTimestamp"] + timedelta(days=15),
        "Action": "INVITE",
        "Resources": [
            {"Value": organization.id, "Type": "ORGANIZATION", "Resources": details},
            {"Value": "000000000001", "Type": "ACCOUNT"},
            {"Value": "come in", "Type": "NOTES"},
        ],
    } == made
    assert made == organization.client.describe_handshake(HandshakeId=made["Id"])["Handshake"]


def test_whoever_accepts_an_invitation_is_a_member_with_the_tags_it_was_to_have(organization: Organization, crown: Crown):
    account = crown.account()
    invitation = organization.invite(account, Tags=[{"Key": "team", "Value": "blue"}])
    client = account.client("organizations")

    (seen,) = client.list_handshakes_for_account()["Handshakes"]
    accepted = client.accept_handshake(HandshakeId=invitation)["Handshake"]

    assert (invitation, "OPEN", "ACCEPTED") == (seen["Id"], seen["State"], accepted["State"])
    joined = organization.client.describe_account(AccountId=account.id)["Account"]
    assert ("INVITED", account.email) == (joined["JoinedMethod"], joined["Email"])
    assert [{"Key": "team", "Value": "blue"}] == organization.client.list_tags_for_resource(ResourceId=account.id)["Tags"]
    roles = [role["RoleName"] for role in account.client("iam").list_roles()["Roles"]]
    assert ["AWSServiceRoleForOrganizations"] == roles
    assert account.id in [event["accountId"] for event in service_events(organization.management, "AccountJoinedOrganization")]


def test_root_of_an_invited_account_hears_of_it_and_not_in_the_inviters_words(organization: Organization, crown: Crown):
    account = crown.account()

    invitation = organization.invite(account, Notes="visit https://mischief.example")

    message = Mailbox(crown, account.email).wait(f"Account {account.id} is invited")
    assert invitation in text_of(message)
    assert organization.id in text_of(message)
    assert "mischief" not in message.as_string()


def test_an_invitation_accepted_and_canceled_at_the_same_moment_ends_in_one_way(organization: Organization, crown: Crown):
    account = crown.account()
    invitation = organization.invite(account)

    def answer(number: int) -> str:
        asker, operation = (account, "accept_handshake") if number % 2 else (organization.management, "cancel_handshake")
        try:
            made = getattr(asker.client("organizations"), operation)(HandshakeId=invitation)
        except ClientError as error:
            return str(error.response["Error"]["Code"])
        return str(made["Handshake"]["State"])

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(answer, range(8)))

    (ended,) = {"ACCEPTED", "CANCELED"} & set(answers)
    assert 1 == answers.count(ended)
    assert ended == organization.client.describe_handshake(HandshakeId=invitation)["Handshake"]["State"]
    members = [each["Id"] for each in organization.client.list_accounts()["Accounts"]]
    assert (ended == "ACCEPTED") == (account.id in members)


def test_an_invitation_by_address_reaches_whoever_has_it(organization: Organization, crown: Crown):
    account = crown.account()
    target = {"Type": "EMAIL", "Id": account.email.upper()}
    invitation = organization.client.invite_account_to_organization(Target=target)["Handshake"]["Id"]

    accepted = account.client("organizations").accept_handshake(HandshakeId=invitation)["Handshake"]

    assert {"Id": account.email.upper(), "Type": "EMAIL"} in accepted["Parties"]
    assert account.id in [each["Id"] for each in organization.client.list_accounts()["Accounts"]]


def test_an_invitation_cannot_be_seen_or_answered_by_a_stranger(organization: Organization, crown: Crown):
    invited, stranger, member = crown.account(), crown.account(), organization.invited()
    invitation = organization.invite(invited)

    for other in (stranger, member):
        client = other.client("organizations")
        for operation in (
            client.describe_handshake,
            client.accept_handshake,
            client.decline_handshake,
            client.cancel_handshake,
        ):
            assert NOT_FOUND == refusal(operation, HandshakeId=invitation)
    assert [] == stranger.client("organizations").list_handshakes_for_account()["Handshakes"]
    assert "OPEN" == organization.client.describe_handshake(HandshakeId=invitation)["Handshake"]["State"]


def test_ids_of_handshakes_are_not_guessable(organization: Organization, crown: Crown):
    ids = {organization.invite(crown.account()) for _ in range(5)}

    assert 5 == len(ids)
    assert {2 + 32} == {len(each) for each in ids}


def test_an_invitation_does_not_tell_whether_there_is_such_an_account(organization: Organization, crown: Crown):
    elsewhere = Organization(crown).management
    invite = organization.client.invite_account_to_organization

    answers = [invite(Target={"Type": "ACCOUNT", "Id": each})["Handshake"] for each in (elsewhere.id, "000000000002")]
    answers += [invite(Target={"Type": "EMAIL", "Id": each})["Handshake"] for each in (elsewhere.email, "nobody@test.example")]

    assert {"OPEN"} == {answer["State"] for answer in answers}
    assert 1 == len({len(answer["Resources"]) for answer in answers})


def test_only_the_two_sides_answer_each_in_its_own_way(organization: Organization, crown: Crown):
    account = crown.account()
    client = account.client("organizations")
    invitation = organization.invite(account)

    assert DENIED == refusal(organization.client.accept_handshake, HandshakeId=invitation)
    assert DENIED == refusal(organization.client.decline_handshake, HandshakeId=invitation)
    assert DENIED == refusal(client.cancel_handshake, HandshakeId=invitation)


@pytest.mark.parametrize("ending", ["CANCELED", "DECLINED"])
def test_what_has_ended_is_not_answered_any_more(organization: Organization, crown: Crown, ending: str):
    account = crown.account()
    client = account.client("organizations")
    invitation = organization.invite(account)
    end = organization.client.cancel_handshake if ending == "CANCELED" else client.decline_handshake

    ended = end(HandshakeId=invitation)["Handshake"]

    assert ending == ended["State"]
    assert WRONG_STATE == refusal(client.accept_handshake, HandshakeId=invitation)
    assert "HandshakeAlreadyInStateException" in refusal(end, HandshakeId=invitation)
    organization.invite(account)


def test_an_invitation_expires_and_is_forgotten_after_a_month(organization: Organization, crown: Crown):
    account = crown.account()
    client = account.client("organizations")
    invitation = organization.invite(account)

    with time_machine.travel(clock.now() + timedelta(days=16), tick=True):
        late = refusal(client.accept_handshake, HandshakeId=invitation)
        state = client.describe_handshake(HandshakeId=invitation)["Handshake"]["State"]
        second = organization.invite(account)
    with time_machine.travel(clock.now() + timedelta(days=46), tick=True):
        forgotten = refusal(client.describe_handshake, HandshakeId=invitation)
        listed = [(each["Id"], each["State"]) for each in client.list_handshakes_for_account()["Handshakes"]]

    assert (WRONG_STATE, "EXPIRED", NOT_FOUND) == (late, state, forgotten)
    assert [(second, "EXPIRED")] == listed


def test_nobody_is_invited_twice_nor_where_he_is(organization: Organization, crown: Crown):
    account, member = crown.account(), organization.invited()
    organization.invite(account)

    assert "DuplicateHandshakeException: A handshake with the same action and target already exists." == refusal(
        organization.invite, account=account
    )
    assert "HandshakeConstraintViolationException: The handshake request is invalid" in refusal(
        organization.invite, account=member
    )


def test_a_member_of_one_organization_joins_no_other(organization: Organization, crown: Crown):
    other = Organization(crown)
    member = organization.invited()
    invitation = other.invite(member)
    client = member.client("organizations")

    said = refusal(client.accept_handshake, HandshakeId=invitation)

    assert said.startswith(
        "HandshakeConstraintViolationException: The handshake request is invalid because the invited account is"
    )
    assert organization.id == client.describe_organization()["Organization"]["Id"]


def test_a_target_must_be_an_account_or_an_address(organization: Organization):
    invite = organization.client.invite_account_to_organization

    refused = [
        refusal(invite, Target={"Type": kind, "Id": recipient})
        for kind, recipient in (("ACCOUNT", "me"), ("EMAIL", "me"), ("ORGANIZATION", "o-0123456789"))
    ]

    assert [
        "InvalidInputException: You provided a value that does not match the required pattern.",
        "InvalidInputException: You specified an invalid email address for the invited account owner.",
        "InvalidInputException: You specified the wrong type of entity (account, organization, or email) as a party.",
    ] == refused


def test_no_more_accounts_are_invited_in_a_day_than_the_quota_allows(fresh_crown: Callable[..., Crown]):
    organization = Organization(fresh_crown())
    for number in range(20):
        target = {"Type": "ACCOUNT", "Id": f"{number:012}"}
        invitation = organization.client.invite_account_to_organization(Target=target)["Handshake"]["Id"]
        organization.client.cancel_handshake(HandshakeId=invitation)

    said = refusal(organization.client.invite_account_to_organization, Target={"Type": "ACCOUNT", "Id": "000000000020"})

    assert said.startswith("HandshakeConstraintViolationException: You attempted to exceed the number of handshakes")


def test_whoever_may_not_link_the_service_joins_nothing(organization: Organization, crown: Crown):
    account = crown.account()
    invitation = organization.invite(account)
    user = account.user("joiner", policy=allow("organizations:AcceptHandshake")).client("organizations")

    said = refusal(user.accept_handshake, HandshakeId=invitation)

    assert said.startswith("AccessDeniedForDependencyException")
    assert "OPEN" == organization.client.describe_handshake(HandshakeId=invitation)["Handshake"]["State"]


def test_handshakes_are_listed_by_what_they_are_about(organization: Organization, crown: Crown):
    ids = sorted(organization.invite(crown.account()) for _ in range(3))
    listed = organization.client.get_paginator("list_handshakes_for_organization")

    pages = listed.paginate(Filter={"ActionType": "INVITE"}, PaginationConfig={"PageSize": 2})
    others = organization.client.list_handshakes_for_organization(Filter={"ActionType": "ENABLE_ALL_FEATURES"})

    assert ids == [each["Id"] for page in pages for each in page["Handshakes"]]
    assert [] == others["Handshakes"]


# All features.


def billing_only(crown: Crown) -> Organization:
    """Make an organization that only consolidates bills."""
    return Organization(crown, FeatureSet="CONSOLIDATED_BILLING")


def test_all_features_come_once_every_invited_account_has_agreed(crown: Crown):
    organization = billing_only(crown)
    members = [organization.invited() for _ in range(2)]
    created = organization.created()
    whole = organization.client.enable_all_features()["Handshake"]

    too_early = refusal(organization.client.accept_handshake, HandshakeId=whole["Id"])
    for member in members:
        (part,) = member.client("organizations").list_handshakes_for_account(Filter={"ParentHandshakeId": whole["Id"]})[
            "Handshakes"
        ]
        member.client("organizations").accept_handshake(HandshakeId=part["Id"])
    agreed = organization.client.describe_handshake(HandshakeId=whole["Id"])["Handshake"]
    organization.client.accept_handshake(HandshakeId=whole["Id"])

    assert ("REQUESTED", "ENABLE_ALL_FEATURES", "OPEN") == (whole["State"], whole["Action"], agreed["State"])
    assert WRONG_STATE == too_early
    assert "ALL" == organization.client.describe_organization()["Organization"]["FeatureSet"]
    entered = organization.administrator_of(created, "organizations")
    assert [] == entered.list_handshakes_for_account()["Handshakes"]


def test_an_organization_of_created_accounts_asks_nobody(crown: Crown):
    organization = billing_only(crown)
    organization.created()

    whole = organization.client.enable_all_features()["Handshake"]
    organization.client.accept_handshake(HandshakeId=whole["Id"])

    assert "OPEN" == whole["State"]
    assert refusal(organization.client.enable_all_features).startswith(
        "HandshakeConstraintViolationException: The handshake request is invalid because the organization has already enabled"
    )


def test_nobody_joins_while_all_features_are_being_agreed_on(crown: Crown):
    organization = billing_only(crown)
    organization.invited()
    late = crown.account()
    invitation = organization.invite(late)
    whole = organization.client.enable_all_features()["Handshake"]

    invited = refusal(organization.invite, account=crown.account())
    accepted = refusal(late.client("organizations").accept_handshake, HandshakeId=invitation)
    again = refusal(organization.client.enable_all_features)
    organization.client.cancel_handshake(HandshakeId=whole["Id"])

    assert invited == accepted
    assert invited.startswith("HandshakeConstraintViolationException: You can't issue new invitations")
    assert again.startswith("HandshakeConstraintViolationException: The handshake request is invalid")
    late.client("organizations").accept_handshake(HandshakeId=invitation)


def test_a_member_that_declines_keeps_all_features_away(crown: Crown):
    organization = billing_only(crown)
    member = organization.invited()
    whole = organization.client.enable_all_features()["Handshake"]
    client = member.client("organizations")
    (part,) = client.list_handshakes_for_account(Filter={"ActionType": "APPROVE_ALL_FEATURES"})["Handshakes"]

    client.decline_handshake(HandshakeId=part["Id"])

    assert {"Value": whole["Id"], "Type": "PARENT_HANDSHAKE"} in part["Resources"]
    assert WRONG_STATE == refusal(organization.client.accept_handshake, HandshakeId=whole["Id"])
    assert "CONSOLIDATED_BILLING" == organization.client.describe_organization()["Organization"]["FeatureSet"]
    assert WRONG_STATE == refusal(organization.client.decline_handshake, HandshakeId=whole["Id"])


def test_whoever_leaves_need_not_agree(crown: Crown):
    organization = billing_only(crown)
    member = organization.invited()
    whole = organization.client.enable_all_features()["Handshake"]

    member.client("organizations").leave_organization()
    organization.client.accept_handshake(HandshakeId=whole["Id"])

    assert "ALL" == organization.client.describe_organization()["Organization"]["FeatureSet"]


def test_canceling_the_whole_cancels_what_members_were_asked(crown: Crown):
    organization = billing_only(crown)
    member = organization.invited()
    whole = organization.client.enable_all_features()["Handshake"]
    client = member.client("organizations")
    (part,) = client.list_handshakes_for_account(Filter={"ActionType": "APPROVE_ALL_FEATURES"})["Handshakes"]
    assert WRONG_STATE == refusal(organization.client.cancel_handshake, HandshakeId=part["Id"])

    organization.client.cancel_handshake(HandshakeId=whole["Id"])

    assert WRONG_STATE == refusal(client.accept_handshake, HandshakeId=part["Id"])
    assert "CANCELED" == client.describe_handshake(HandshakeId=part["Id"])["Handshake"]["State"]
