"""`GET /events`: events as they come, for whoever may see them and for as long as they may."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import time_machine
from tests.console import members
from tests.fixtures.clients import Credentials
from tests.fixtures.crown import Account, Crown
from tests.fixtures.patience import until
from tests.fixtures.process import Process
from tests.services.iam.asking import allow
from tests.services.trail.following import TYPE, Following, signed, signing

from crownkeep.operations import streams

Follow = Callable[..., Following]


@pytest.fixture
def crown(crowns: object) -> Crown:
    """The shared server on SQLite: a stream looks at the database by one query, which is tested on each."""
    return crowns.shared("sqlite")  # type: ignore[attr-defined]  # a fixture's own class


@pytest.fixture
def follow(crown: Crown) -> Iterator[Follow]:
    """Follow a stream by somebody's credentials; all are left in the end."""
    opened: list[Following] = []

    def open_stream(credentials: Credentials, query: str = "", **headers: str) -> Following:
        opened.append(Following(crown, *signed(crown, credentials, query, **headers)))
        return opened[-1]

    yield open_stream
    for each in opened:
        each.leave()


def administrator(account: Account) -> Credentials:
    return Credentials.of(account.created["admin"])


def test_events_come_as_they_are_recorded_and_none_of_another_account(crown: Crown, account: Account, follow: Follow):
    stream = follow(administrator(account))

    account.client("iam").create_user(UserName="bob")
    crown.account().client("iam").create_user(UserName="theirs")
    account.client("iam").create_user(UserName="carol")
    until(lambda: stream.names.count("CreateUser") >= 2)

    kept = {each["eventID"]: each for each in account.records()}
    assert 200 == stream.status
    assert all(kept[record["eventID"]] == record for _, record in stream.events)
    assert "theirs" not in stream.text


def test_a_stream_goes_on_where_another_ended(account: Account, follow: Follow):
    account.client("iam").create_user(UserName="bob")
    first = follow(administrator(account), "?after=-1")
    until(lambda: "CreateUser" in first.names)
    index = max(number for number, _ in first.events)
    first.leave()
    account.client("iam").create_user(UserName="carol")

    second = follow(administrator(account), "?after=-1", **{"Last-Event-ID": str(index)})
    until(lambda: "CreateUser" in second.names)

    made = [record["requestParameters"] for _, record in second.events if record["eventName"] == "CreateUser"]
    assert [{"userName": "carol"}] == made
    assert all(number > index for number, _ in second.events)


def test_all_of_a_trail_comes_page_by_page_and_nothing_twice(account: Account, follow: Follow):
    iam = account.client("iam")
    for number in range(110):
        iam.tag_user(UserName="admin", Tags=[{"Key": "n", "Value": str(number)}])
    wanted = {each["eventID"] for each in account.records()}

    stream = follow(administrator(account), "?after=-1&max-results=1")
    until(lambda: wanted <= {record["eventID"] for _, record in stream.events})

    indexes = [index for index, _ in stream.events]
    assert sorted(set(indexes)) == indexes


def test_the_start_of_a_stream_is_one_record_however_long_it_goes_on(account: Account, follow: Follow):
    stream = follow(administrator(account))
    for name in ("bob", "carol"):
        account.client("iam").create_user(UserName=name)
        until(lambda wanted=name: wanted in stream.text)

    assert 1 == [each["eventName"] for each in account.records()].count("StreamEvents")


def test_a_stream_ends_when_its_key_is_deactivated(account: Account, follow: Follow):
    user = account.user("carol", policy=allow("trail:StreamEvents"))
    stream = follow(user.credentials)

    account.client("iam").update_access_key(UserName="carol", AccessKeyId=user.credentials.access_key_id, Status="Inactive")
    until(lambda: stream.is_over)

    assert "InvalidClientTokenId" == stream.ending


def test_a_stream_ends_when_its_permission_goes(account: Account, follow: Follow):
    stream = follow(account.user("carol", policy=allow("trail:StreamEvents")).credentials)

    account.client("iam").delete_user_policy(UserName="carol", PolicyName="inline")
    until(lambda: stream.is_over)

    assert "AccessDenied" == stream.ending
    assert "DeleteUserPolicy" not in stream.names


def test_a_stream_ends_with_the_temporary_credentials_that_began_it(account: Account, follow: Follow):
    answer = account.client("sts").get_federation_token(
        Name="siem", DurationSeconds=900, Policy=json.dumps(allow("trail:StreamEvents"))
    )
    stream = follow(Credentials.of(answer["Credentials"]))

    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=901)):
        until(lambda: stream.is_over)

    assert "ExpiredToken" == stream.ending


def test_who_may_not_follow_events_is_refused_before_any_comes(account: Account, follow: Follow):
    stream = follow(account.user("carol", policy=allow("iam:ListUsers")).credentials, "?after=-1")

    assert 403 == stream.status
    assert [] == stream.events
    assert "is not authorized to perform: trail:StreamEvents" in stream.text


def test_an_account_has_so_many_streams_and_no_more(account: Account, follow: Follow):
    opened = [follow(administrator(account)) for _ in range(streams.MOST_OF_ACCOUNT)]

    refused = follow(administrator(account))
    opened[0].leave()
    again = follow(administrator(account))

    assert [200] * streams.MOST_OF_ACCOUNT == [each.status for each in opened]
    assert (503, 200) == (refused.status, again.status)


def test_a_browser_follows_events_by_its_session_until_that_ends(crown: Crown):
    account, browser = members.administrator(crown)
    cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
    headers = {"Host": browser.host, "Accept": TYPE, "Cookie": cookies, "Sec-Fetch-Site": "same-origin"}

    stream = Following(crown, f"{browser.base}/events", headers)
    account.client("iam").create_user(UserName="bob")
    until(lambda: "CreateUser" in stream.names)
    browser.get("/console")
    browser.submit(form="Sign out")
    until(lambda: stream.is_over)

    assert "ExpiredToken" == stream.ending
    started = next(each for each in account.records() if each["eventName"] == "StreamEvents")
    assert "carol" == started["userIdentity"]["userName"]


def test_no_other_site_begins_a_stream_and_nobody_without_a_session(crown: Crown):
    account, browser = members.administrator(crown)

    elsewhere = browser.send("GET", "/events", {"Accept": TYPE, "Sec-Fetch-Site": "cross-site"})
    nobody = crown.request("GET", "/events", headers={"Accept": TYPE, "Host": browser.host})

    assert (403, 401) == (elsewhere.status, nobody.status)
    assert "StreamEvents" not in [each["eventName"] for each in account.records()]


def test_a_server_that_stops_ends_its_streams_and_not_in_their_middle(tmp_path: Path):
    server = Process(tmp_path)
    server.start()
    reply = server.account(admin_user="admin")
    url, headers = signing(server.url, Credentials.of(reply["admin"]))
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    connection.request("GET", urlsplit(url).path, headers=headers)
    answer = connection.getresponse()
    beginning = answer.readline()

    server.stop()

    assert b"retry: 2000\n" == beginning
    # A chunked body that was cut off raises IncompleteRead.
    assert b"id: " in answer.read()
