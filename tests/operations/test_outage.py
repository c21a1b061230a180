"""PostgreSQL goes away and comes back: whoever asks meanwhile hears so, and afterwards everything works at the first try."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError
from shared.postgresql import Cluster
from tests.fixtures.asgi import Response
from tests.fixtures.browsing import Browser
from tests.fixtures.crown import Account, Crown, Crowns
from tests.signin import people
from tests.signin.people import PASSWORD

AT_ONCE = 8


class Outage:
    """A server whose PostgreSQL this test stops and starts, with an account and somebody who is signed in."""

    def __init__(self, crown: Crown, cluster: Cluster) -> None:
        self.crown = crown
        self.cluster = cluster
        self.account = crown.account()
        self.invited = crown.account()
        people.user_with_password(self.account, "dora")
        self.browser = Browser(crown)
        people.sign_in_user(self.browser, self.account.id, "dora")

    def clients(self) -> list[Any]:
        return [self.account.client("iam") for _ in range(AT_ONCE)]


@pytest.fixture(scope="module")
def outage(crowns: Crowns) -> Iterator[Outage]:
    cluster = Cluster("fsync=off")
    crown = crowns.fresh("postgres", database=cluster.database(), argon2_threads=4)
    yield Outage(crown, cluster)
    crown.close()
    cluster.stop()


@pytest.fixture
def stopped(outage: Outage) -> Iterator[Outage]:
    """The server while PostgreSQL is away, with every thread connected before."""
    set_passwords(outage)
    outage.cluster.pause()
    yield outage
    outage.cluster.resume()


def set_passwords(outage: Outage) -> None:
    """Let every thread of the small pool read from the database; raises ClientError where one can't."""
    number = len(outage.account.client("iam").list_users()["Users"])
    for client, name in zip(outage.clients(), (f"u{number + each}" for each in range(AT_ONCE)), strict=True):
        client.create_user(UserName=name)

    def choose(place: int) -> None:
        outage.account.client("iam").create_login_profile(UserName=f"u{number + place}", Password=PASSWORD)

    with ThreadPoolExecutor(AT_ONCE) as threads:
        list(threads.map(choose, range(AT_ONCE)))


CALLS: dict[str, Callable[[Account], Any]] = {
    "read": lambda account: account.client("iam").list_users(),
    "read of another protocol": lambda account: account.client("account").get_account_information(),
    "long read": lambda account: account.client("iam").simulate_custom_policy(
        PolicyInputList=['{"Version": "2012-10-17", "Statement": []}'], ActionNames=["iam:GetUser"]
    ),
    "write": lambda account: account.client("iam").create_user(UserName="new"),
    "prepared write": lambda account: account.client("iam").create_login_profile(UserName="admin", Password=PASSWORD),
    "session": lambda account: account.client("sts").get_session_token(),
}


def test_whoever_calls_during_an_outage_hears_that_the_service_is_unavailable(stopped: Outage) -> None:
    for name, call in CALLS.items():
        with pytest.raises(ClientError) as refused:
            call(stopped.account)

        answer = refused.value.response
        assert (503, True) == (
            answer["ResponseMetadata"]["HTTPStatusCode"],
            answer["Error"]["Code"] in {"ServiceUnavailable", "ServiceUnavailableException"},
        ), (name, answer)


def test_pages_and_mailed_links_during_an_outage_are_one_clear_page_and_touch_no_cookie(stopped: Outage) -> None:
    link = people.set_password_path(stopped.invited)
    signed_in, stranger = stopped.browser, Browser(stopped.crown)
    before = dict(signed_in.cookies)
    asked = [
        (signed_in, "/console"),
        (signed_in, "/console/users"),
        (signed_in, link),
        (stranger, link),
        (stranger, f"/signin/recover/reset?token={'x' * 43}"),
        (stranger, f"/signin/recover/mfa/link?token={'x' * 43}"),
        (stranger, f"/signin/recover/confirm?token={'x' * 43}"),
    ]

    answers = {(place, path): each.send("GET", path, {}) for place, (each, path) in enumerate(asked)}

    for where, answer in answers.items():
        assert_is_one_clear_page(where, answer)
    assert before == signed_in.cookies


def assert_is_one_clear_page(where: object, answer: Response) -> None:
    assert 503 == answer.status, (where, answer.text)
    assert "It can&#39;t reach its database at the moment" in answer.text, (where, answer.text)
    assert (answer.header("content-security-policy") or "").startswith("default-src")
    assert ("no-store", "5") == (answer.header("cache-control"), answer.header("retry-after"))


def test_a_form_sent_during_an_outage_is_answered_by_the_same_page_and_works_afterwards(outage: Outage) -> None:
    browser = Browser(outage.crown)
    browser.get(people.set_password_path(outage.invited))
    opened, chosen = browser.page, {"new": PASSWORD, "again": PASSWORD}
    outage.cluster.pause()

    during = browser.submit(chosen)

    assert 503 == during.status
    outage.cluster.resume()
    browser.page = opened
    assert 200 == browser.submit(chosen).status
    assert "crownkeep-sign-in" in browser.cookies


def test_a_server_says_that_it_is_not_ready_during_an_outage(stopped: Outage) -> None:
    assert (503, 200) == (stopped.crown.request("GET", "/ready").status, stopped.crown.request("GET", "/health").status)


def test_everything_works_at_the_first_try_after_an_outage(outage: Outage) -> None:
    set_passwords(outage)
    outage.cluster.pause()
    outage.cluster.resume()

    page = outage.browser.get("/console")
    set_passwords(outage)

    assert 200 == page.status
    assert "dora" in page.text
