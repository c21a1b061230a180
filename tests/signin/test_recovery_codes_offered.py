"""Recovery codes are offered after a sign-in until somebody answers, and not at every sign-in from then on."""

from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine
from tests.fixtures.browsing import Browser
from tests.fixtures.crown import Account, Crown
from tests.signin.browser import in_house, signed_in
from tests.signin.people import code, root_with_app, sign_in_events, sign_in_root

from crownkeep import clock
from crownkeep.storage.database import Transaction
from crownkeep.storage.sign_in import recovery_codes
from crownkeep.storage.writer import Commit

OFFER, HOME = "Recovery codes", "Console home"


class Root:
    """A root user with an app, who signs in again and again, a minute later each time."""

    def __init__(self, crown: Crown) -> None:
        self.account, self.browser, self._seed = root_with_app(crown)
        self._times = 0

    def sign_in(self) -> Browser:
        """Sign in in a new browser and return it, at the page that it came to."""
        self._times += 1
        browser = Browser(self.account.crown)
        with time_machine.travel(clock.now() + timedelta(minutes=self._times)):
            sign_in_root(browser, self.account)
            browser.submit({"code": code(self._seed)}, form="code")
        return browser


@pytest.fixture
def root(crown: Crown) -> Root:
    """A root user who has not answered the offer yet."""
    return Root(crown)


def test_recovery_codes_are_offered_until_they_are_declined_and_then_no_more(root: Root):
    first, second = root.sign_in(), root.sign_in()
    offers = [browser.page.title for browser in (first, second)]

    page = second.submit({"decline": "1"}, form="Make recovery codes")

    assert [OFFER, OFFER] == offers
    assert (HOME, HOME) == (page.title, root.sign_in().page.title)
    assert 1 == len(sign_in_events(root.account, "RecoveryCodesDeclined"))


def test_recovery_codes_that_were_declined_can_be_made_later_and_are_offered_when_used_up(root: Root):
    browser = root.sign_in()
    browser.submit({"decline": "1"}, form="Make recovery codes")
    browser.get("/console/recovery-codes")
    browser.submit(form="Make recovery codes")
    made = root.sign_in().page.title

    def used_up(db: Transaction) -> Commit[None]:
        recovery_codes.remove_all(db, root.account.id, root.account.id)
        return Commit(None, [])

    in_house(root.account.crown, used_up)

    assert (HOME, OFFER) == (made, root.sign_in().page.title)


def test_the_menu_offers_root_no_role_to_switch_to_and_the_page_says_why(account: Account):
    account.client("iam").create_role(RoleName="reader", AssumeRolePolicyDocument=TRUST.replace("ACCOUNT", account.id))
    root, user = signed_in(account), signed_in(account, user="admin")

    menus = ["Switch role" in each.get("/console").text for each in (root, user)]
    roles = ["Switch to this role" in each.get("/console/roles/reader").text for each in (root, user)]

    assert ([False, True], [False, True]) == (menus, roles)
    assert "The root user can't take on roles" in root.get("/switchrole").text.replace("&#39;", "'")


TRUST = (
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::ACCOUNT:root"},'
    '"Action":"sts:AssumeRole"}]}'
)
