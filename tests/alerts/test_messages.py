"""Messages: text and HTML of every kind, and headers that nothing can be smuggled into."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.alerts.office import parsed, text_of

from crownkeep.alerts import messages
from crownkeep.settings import InvalidSettings, Settings

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
SETTINGS = Settings(public_url="https://keep.acme.example", mail_from="Crownkeep <no-reply@acme.example>")
HEADERS = {
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Auto-Submitted",
    "MIME-Version",
    "Content-Type",
}
VALUES = {
    "account_id": "111122223333",
    "act": "sts:AssumeRoot",
    "reason": "yearly audit",
    "source": "203.0.113.7",
    "ticket": "OPS-1",
    "who": "arn:aws:iam::111122223333:user/ann",
    "address": "203.0.113.7",
    "advice": "look at it",
    "code": "aB3dE9",
    "contact": "security",
    "custodian": "",
    "detail": "AKIAEXAMPLE",
    "event": "ConsoleLogin",
    "alone": "2026-11-25 13:00 UTC",
    "key": "c0ffee",
    "ends_at": "2026-11-24T13:00:00Z",
    "event_id": "0199",
    "digest": "",
    "others": "",
    "rule": "root-signed-in",
    "runbook": "",
    "severity": "critical",
    "handshake_id": "h-0123456789abcdefghijklmnopqrstuv",
    "link": "https://keep.acme.example/signin/recover/reset?token=x",
    "organization_id": "o-a1b2c3d4e5",
    "name": "ann",
    "owner_account_id": "444455556666",
    "person": "906a7b2c-0000-4000-8000-000000000000",
    "request_id": "12345678-1234-1234-1234-123456789012",
    "says": "The root user signed in",
    "token": "AbC-123_x",
    "until": "2026-11-24 13:00 UTC",
    "when": "2026-11-24T12:00:00Z",
}


def composed(kind: str, values: dict[str, str] | None = None, settings: Settings = SETTINGS) -> EmailMessage:
    raw = messages.compose(
        kind, "root@acme.example", {**VALUES, **(values or {})}, notice_id="ab" * 16, written_at=NOON, settings=settings
    ).as_bytes()
    return parsed(raw)


@pytest.mark.parametrize("kind", messages.KINDS)
def test_every_kind_is_text_and_html_that_say_the_same(kind: str):
    message = composed(kind)

    html = message.get_body(("html",))
    assert html is not None
    assert text_of(message).strip()
    assert str(message["Subject"]) in html.get_content()
    assert VALUES["account_id"] in text_of(message) + str(message["Subject"])
    assert HEADERS == set(message.keys())


@pytest.mark.parametrize("kind", messages.KINDS)
def test_html_asks_for_nothing_from_elsewhere(kind: str):
    html = composed(kind).get_body(("html",))

    assert html is not None
    assert not re.search(r"<(img|script|link|iframe|object|form)\b|url\(|@import", html.get_content(), re.IGNORECASE)


@given(st.sampled_from(messages.KINDS), st.sampled_from(sorted(VALUES)), st.text(max_size=300))
def test_no_value_adds_a_header_or_ends_them(kind: str, name: str, hostile: str):
    message = composed(kind, {name: f"{hostile}\r\nBcc: eve@evil.example\r\n\r\n{hostile}"})

    assert HEADERS == set(message.keys())
    assert ["root@acme.example"] == [each.addr_spec for each in message["To"].addresses]
    assert ["multipart/alternative", "text/plain", "text/html"] == [part.get_content_type() for part in message.walk()]


def test_markup_in_a_value_is_text_in_the_html():
    html = composed("notice", {"detail": "<img src=x onerror=alert(1)>"}).get_body(("html",))

    assert html is not None
    assert "<img" not in html.get_content()
    assert "&lt;img src=x" in html.get_content()


def test_the_same_notice_has_the_same_message_id():
    assert composed("notice")["Message-ID"] == composed("notice", {"when": "later"})["Message-ID"]
    assert "<abababababababababababababababab@acme.example>" == composed("notice")["Message-ID"]


def test_automatic_answers_are_asked_for_not_to_come():
    assert "auto-generated" == composed("notice")["Auto-Submitted"]


@pytest.mark.parametrize(
    "author", ["nobody", "a@b.example, c@d.example", "X <a@b.example>\nBcc: e@e.example", "\x07 <a@b.example>", "<>"]
)
def test_a_sender_that_is_no_address_is_refused_when_the_server_starts(author: str):
    with pytest.raises(InvalidSettings):
        messages.sender(Settings(mail_from=author))


def test_without_a_sender_the_server_names_itself():
    assert "crownkeep@keep.acme.example" == messages.sender(Settings(public_url="https://keep.acme.example")).addr_spec
    assert "crownkeep@crownkeep.invalid" == messages.sender(Settings()).addr_spec
