"""Tries that come at the same moment, over two nodes on one database: none is counted less than it was made, none spent twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.alerts.office import Mailbox, link_in
from tests.fixtures.browsing import Browser
from tests.fixtures.crown import DATABASES, Account, Crown, Crowns
from tests.signin.browser import in_house
from tests.signin.people import choose_root_password, code, root_with_app, sign_in_events, sign_in_root
from tests.signin.recovering import LOST, ask, mailed_link

from crownkeep import clock
from crownkeep.signin import mfa_recovery, recovery, throttle
from crownkeep.storage.database import Transaction
from crownkeep.storage.sign_in import recovery_codes, tallies
from crownkeep.storage.writer import Commit

AT_ONCE = 12
INVALID = "This link is not valid"


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, "ANSWERED_AFTER_SECONDS", 0.0)


@pytest.fixture(scope="module", params=DATABASES)
def pair(request: pytest.FixtureRequest, crowns: Crowns) -> Iterator[tuple[Crown, Crown]]:
    """Two servers on one database."""
    one = crowns.fresh(request.param)
    two = crowns.fresh(request.param, data=one.settings.data, database=one.settings.database)
    yield one, two
    two.close()
    one.close()


def test_code_guessing_by_many_at_once_on_two_nodes_is_five_codes_by_the_custodians_link(pair: tuple[Crown, Crown]):
    account, shown, link = waiting_for_custodian(pair[0])
    browsers = [at(crown, link) for crown in nodes(pair)]

    pages = at_once([lambda each=each: each.submit({"code": "0000-0000"}) for each in browsers])

    tried = [record for record in sign_in_events(account, "MfaRecoveryConfirmed") if record["errorMessage"] == "Wrong code"]
    assert (mfa_recovery.MOST_ATTEMPTS, {403}) == (len(tried), {page.status for page in pages})
    assert INVALID == at(pair[1], link).page.title
    assert 409 == pair[0].operator("POST", f"/accounts/{account.id}/root/confirm-recovery", {"code": shown}).status


def test_code_guessing_by_many_at_once_on_two_nodes_is_five_codes_by_the_operators_api(pair: tuple[Crown, Crown]):
    account, _, _ = waiting_for_custodian(pair[0])
    path = f"/accounts/{account.id}/root/confirm-recovery"

    answers = at_once([lambda crown=crown: crown.operator("POST", path, {"code": "0000-0000"}) for crown in nodes(pair)])

    assert mfa_recovery.MOST_ATTEMPTS == sum("not the code" in answer.text for answer in answers)


def test_guessing_passwords_by_many_at_once_on_two_nodes_is_as_many_tries_as_one_by_one(
    pair: tuple[Crown, Crown], monkeypatch: pytest.MonkeyPatch
):
    # The first wait must not end while a slow machine still computes the tries.
    monkeypatch.setattr(throttle, "_FIRST_WAIT_SECONDS", 60)
    account = pair[0].account()
    choose_root_password(Browser(pair[0]), account)
    browsers = [Browser(crown) for crown in nodes(pair)]
    for each in browsers:
        each.get("/signin?choose")
        each.submit({"kind": "root", "email": account.email})

    pages = at_once([lambda each=each: each.submit({"password": "wrong"}) for each in browsers])

    assert sorted([403] * pair[0].settings.sign_in_attempts + [429] * (AT_ONCE - 5)) == sorted(page.status for page in pages)


def test_code_guessing_by_many_at_once_on_two_nodes_is_as_many_tries_as_one_by_one(
    pair: tuple[Crown, Crown], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(throttle, "_FIRST_WAIT_SECONDS", 60)
    account, _, _ = root_with_app(pair[0])
    asked = Browser(pair[0])
    sign_in_root(asked, account)
    browsers = [Browser(crown) for crown in nodes(pair)]
    for each in browsers:
        each.cookies, each.page = dict(asked.cookies), asked.page

    pages = at_once([lambda each=each: each.submit({"code": "000000"}) for each in browsers])

    assert sorted([403] * pair[0].settings.sign_in_attempts + [429] * (AT_ONCE - 5)) == sorted(page.status for page in pages)


def test_mail_bombing_by_many_at_once_on_two_nodes_sends_five_links(pair: tuple[Crown, Crown]):
    account = pair[0].account()

    at_once([lambda crown=crown: ask(Browser(crown), account.email) for crown in nodes(pair)])

    subjects = Mailbox(pair[0], account.email).subjects()
    assert recovery.MOST_FOR_EMAIL == sum("Choose a new password" in each for each in subjects)


def test_what_is_counted_at_once_is_counted_once_each(pair: tuple[Crown, Crown]):
    def count(crown: Crown) -> int:
        def work(db: Transaction) -> Commit[int]:
            return Commit(tallies.count_up(db, b"c" * 32, "", now=clock.now(), span=recovery.SPAN), [])

        counted: int = in_house(crown, work)
        return counted

    counts = at_once([lambda crown=crown: count(crown) for crown in nodes(pair)])

    assert list(range(1, AT_ONCE + 1)) == sorted(counts)


def test_a_recovery_is_opened_once_by_many_at_once_on_two_nodes(pair: tuple[Crown, Crown]):
    account, custodian = with_custodian(pair[0])
    link = report_lost(pair[0], account)
    browsers = [at(crown, link) for crown in nodes(pair)]

    at_once([lambda each=each: each.submit() for each in browsers])

    assert 1 == sum("Confirm the recovery" in each for each in Mailbox(pair[0], custodian).subjects())


def test_recovery_codes_made_by_two_at_once_are_one_set(pair: tuple[Crown, Crown]):
    account, browser, _ = root_with_app(pair[0])
    forms = []
    for crown in nodes(pair)[:4]:
        each = Browser(crown)
        each.cookies = dict(browser.cookies)
        each.get("/console/recovery-codes")
        forms.append(each)

    at_once([lambda each=each: each.submit(form="Make") for each in forms])

    def work(db: Transaction) -> Commit[int]:
        return Commit(recovery_codes.count(db, account.id, account.id), [])

    assert 10 == in_house(pair[0], work)


def test_a_one_time_code_is_good_once_for_many_at_once_on_two_nodes(pair: tuple[Crown, Crown]):
    account, _, seed = root_with_app(pair[0])
    serial = f"arn:aws:iam::{account.id}:mfa/phone"
    shown = code(seed, ahead=1)

    def ask_sts(crown: Crown) -> str:
        sts = crown.session(account.created["root"], "sts")
        try:
            sts.get_session_token(SerialNumber=serial, TokenCode=shown)
        except ClientError as refused:
            return str(refused.response["Error"]["Code"])
        return ""

    came_to = at_once([lambda crown=crown: ask_sts(crown) for crown in nodes(pair)])

    assert ["", *["AccessDenied"] * (AT_ONCE - 1)] == sorted(came_to)


def nodes(pair: tuple[Crown, Crown]) -> list[Crown]:
    """Return the two nodes in turn, one for each try."""
    return [pair[number % 2] for number in range(AT_ONCE)]


def at(crown: Crown, link: str) -> Browser:
    """Return a browser that shows a link's page."""
    browser = Browser(crown)
    browser.get(link)
    return browser


def at_once(calls: Sequence[Callable[[], Any]]) -> list[Any]:
    """Let calls go off at the same moment, and return what each came to."""
    barrier = Barrier(len(calls))

    def go(call: Callable[[], Any]) -> Any:
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(go, calls))


def with_custodian(crown: Crown) -> tuple[Account, str]:
    """Make an account whose root has an app and a custodian, and return it with the custodian's address."""
    account, _, _ = root_with_app(crown)
    custodian = f"custodian-{account.id}@acme.example"
    crown.operator("PUT", f"/accounts/{account.id}/root/custodian", {"email": custodian})
    return account, custodian


def report_lost(crown: Crown, account: Account) -> str:
    """Report root's device as lost, and return the link that goes to its mailbox."""
    browser = Browser(crown)
    sign_in_root(browser, account)
    browser.get("/signin/recover/mfa")
    browser.submit()
    return mailed_link(account, LOST)


def waiting_for_custodian(crown: Crown) -> tuple[Account, str, str]:
    """Return an account whose recovery waits to be confirmed, with the code and the custodian's link."""
    account, custodian = with_custodian(crown)
    browser = at(crown, report_lost(crown, account))
    page = browser.submit()
    shown = page.response.text.partition('id="code">')[2].partition("<")[0]
    return account, shown, link_in(Mailbox(crown, custodian).wait("Confirm the recovery"))
