"""Recovery with a real browser: a forgotten password by mail through a real SMTP server, a lost device by two people."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect
from tests.alerts.office import Mailbox, MailServer, link_in, text_of
from tests.console.test_sign_in import People
from tests.fixtures.clicks import send
from tests.fixtures.process import Process
from tests.signin.people import code
from tests.signin.recovering import ASK, LOST, NEW

Visit = Callable[..., Page]
PATIENCE = 20


@pytest.fixture
def people(served: Process) -> People:
    return People(served)


@pytest.fixture
def posted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Process, MailServer]]:
    """A served app that sends its mail to a real SMTP server."""
    mail = MailServer()
    process = Process(
        tmp_path_factory.mktemp("posted"),
        smtp_host="127.0.0.1",
        smtp_port=mail.port,
        smtp_security="none",
        mail_from="no-reply@acme.example",
    )
    process.start()
    yield process, mail
    process.stop()
    mail.stop()


def root_with_app(page: Page, people: People) -> bytes:
    people.choose_password(page)
    seed = people.enrol_app(page)
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    return seed


def choose_new(page: Page) -> None:
    page.get_by_label("New password").fill(NEW)
    page.get_by_label("Retype the password").fill(NEW)
    page.get_by_role("button", name="Set the password").click()


def test_a_forgotten_password_is_replaced_by_a_link_that_came_by_smtp(
    chromium: object, posted: tuple[Process, MailServer]
) -> None:
    process, mail = posted
    people = People(process)
    context = chromium.new_context(base_url=f"http://localhost:{process.port}")  # type: ignore[attr-defined]  # a Browser
    page = context.new_page()
    seed = root_with_app(page, people)
    context.clear_cookies()

    page.goto("/signin?choose")
    page.get_by_label("Root user email address").fill(people.email)
    page.get_by_role("button", name="Next").click()
    page.get_by_role("link", name="Forgot password?").click()
    send(page, "Send the link")
    expect(page.get_by_role("heading", name="Check your email")).to_be_visible()
    page.goto(link_in(_arrived(mail, ASK)))
    choose_new(page)
    page.get_by_label("MFA code").fill(code(seed, ahead=1))
    page.get_by_role("button", name="Submit").click()

    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()
    page.goto("/console")
    expect(page.get_by_text("Signed in with MFA")).to_be_visible()
    answer = _arrived(mail, "replaced by a mailed link")
    assert people.id in text_of(answer)
    context.close()


def test_a_lost_device_is_recovered_by_the_mailbox_and_the_operator(visit: Visit, served: Process, people: People) -> None:
    page = visit()
    root_with_app(page, people)
    page.context.clear_cookies()

    people.enter_as_root(page)
    page.get_by_role("link", name="Lost every device and recovery code?").click()
    send(page, "Send the link")
    page.goto(link_in(Mailbox(served, people.email).wait(LOST)))
    send(page, "It was me: show the code")
    shown = page.locator("#code").inner_text()
    waiting = served.crownkeep("root", "recover", people.id)
    confirmed = served.crownkeep("root", "recover", people.id, "--confirm", shown)
    page.get_by_role("link", name="Look again").click()
    page.get_by_role("button", name="Remove the lost devices").click()
    people.enter_as_root(page)

    assert ("opened" in waiting.stdout, confirmed.returncode) == (True, 0), waiting.stderr + confirmed.stderr
    expect(page.get_by_role("button", name="Set up an authenticator app")).to_be_visible()
    people.enrol_app(page)
    expect(page.get_by_role("heading", name="Recovery codes")).to_be_visible()


def test_the_email_address_is_changed_by_a_code(visit: Visit, served: Process, people: People) -> None:
    page = visit()
    root_with_app(page, people)
    email = f"new-{people.id}@acme.example"

    page.goto("/console/security")
    page.get_by_role("link", name="Change email address").click()
    page.get_by_label("New email address").fill(email)
    send(page, "Send a code")
    subject = str(Mailbox(served, email).wait("Your code is")["Subject"])
    page.get_by_label("Code", exact=True).fill(subject.rpartition(" ")[2])
    page.get_by_role("button", name="Change the email address").click()

    expect(page.get_by_text(email)).to_be_visible()
    expect(page.get_by_text("account-security:AcceptRootEmailUpdate")).to_be_visible()


def test_the_pages_of_recovery_have_no_serious_barrier(
    visit: Visit, served: Process, people: People, faults: Callable[[Page], list[str]], overflow: Callable[[Page], list[str]]
) -> None:
    page = visit("/signin/recover/password")
    found = faults(page)
    people.choose_password(page)
    people.enrol_app(page)
    page.goto("/console/email")
    page.get_by_label("New email address").fill(f"axe-{people.id}@acme.example")
    send(page, "Send a code")
    found += faults(page) + overflow(page)
    page.context.clear_cookies()
    people.enter_as_root(page)
    with page.expect_navigation():
        page.get_by_role("link", name="Lost every device and recovery code?").click()
    found += faults(page) + overflow(page)
    send(page, "Send the link")
    found += faults(page) + overflow(page)
    page.goto(link_in(Mailbox(served, people.email).wait(LOST)))
    found += faults(page)
    send(page, "It was me: show the code")
    found += faults(page) + overflow(page)

    assert [] == found


def _arrived(mail: MailServer, subject: str):
    deadline = time.monotonic() + PATIENCE
    while True:
        for each in reversed(mail.arrived):
            if re.search(re.escape(subject), str(each.message["Subject"])):
                return each.message
        assert time.monotonic() < deadline, [str(each.message["Subject"]) for each in mail.arrived]
        time.sleep(0.05)
