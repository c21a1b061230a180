"""What tests of recovery share: asking, reading the mail, and following the link."""

from __future__ import annotations

from tests.alerts.office import Mailbox, link_in
from tests.fixtures.browsing import Browser, Page
from tests.fixtures.crown import Account, Crown

NEW = "a new Horse with battery 7"
ASK = "Choose a new password"
LOST = "without its MFA devices"


def ask(browser: Browser, email: str) -> Page:
    """Ask for a link to choose root's password anew."""
    browser.get("/signin/recover/password")
    return browser.submit({"email": email})


def mailed_link(account: Account, subject: str = ASK) -> str:
    """Return the path of the link that went to root's mailbox last."""
    mailbox = Mailbox(account.crown, account.email)
    found = link_in(mailbox.wait(subject))
    for _ in range(sum(subject in each for each in mailbox.subjects()) - 1):
        found = link_in(mailbox.wait(subject))
    return found


def asked_link(crown: Crown, account: Account) -> str:
    """Ask for a link and return its path."""
    ask(Browser(crown), account.email)
    return mailed_link(account)


def choose(browser: Browser, link: str, password: str = NEW) -> Page:
    """Choose root's password by a link."""
    browser.get(link)
    if browser.page.status != 200:
        return browser.page
    return browser.submit({"new": password, "again": password})
