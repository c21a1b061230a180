"""Messages: a notice as plain text and HTML, made from templates, with headers that nothing can be smuggled into.

Nothing that strangers or tenants choose stands in a message beyond addresses and ids: no user agent, no account's name, since
mail programs make links of whatever looks like one.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from email import policy
from email.errors import HeaderParseError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, getaddresses
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from crownkeep.alerts import addresses
from crownkeep.settings import InvalidSettings, Settings

if TYPE_CHECKING:
    from jinja2 import Environment

KINDS = (
    "notice",
    "password-link",
    "sign-in-link",
    "mfa-link",
    "custodian-link",
    "approver-invitation",
    "approver-key-link",
    "approver-keys-changed",
    "approval-asked",
    "email-code",
    "email-changed",
    "contact-replaced",
    "delegation-token",
    "test-alert",
    "receiver-code",
    "receiver-test",
    "organization-invitation",
    "person-password-link",
    "person-security",
)
"""Every kind of notice: each has a text and an HTML template."""

_LONGEST_VALUE = 2048
# What notices that were written by former versions don't say.
_UNSAID = {"alone": "", "digest": "", "others": "", "rule": "", "runbook": "", "severity": ""}
_POLICY = policy.SMTP.clone(max_line_length=78)


def compose(
    kind: str, recipient: str, values: Mapping[str, str], *, notice_id: str, written_at: datetime, settings: Settings
) -> EmailMessage:
    """Make the message; the same notice always gets the same Message-ID, so that one that went out twice is shown once."""
    given = _given(values)
    subject, body = _text(kind, given, settings)
    page = _environment().get_template(f"{kind}.html").render(url=settings.url, subject=subject, **given)
    author = sender(settings)
    message = EmailMessage(policy=_POLICY)
    message["From"] = author
    message["To"] = Address(addr_spec=recipient)
    message["Subject"] = subject
    message["Date"] = format_datetime(written_at)
    message["Message-ID"] = f"<{notice_id}@{author.domain}>"
    # No vacation notes, no bounces to people (RFC 3834, section 5).
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(body + "\n", cte="quoted-printable")
    message.add_alternative(page, subtype="html", cte="quoted-printable")
    return message


def text(kind: str, values: Mapping[str, str], settings: Settings) -> tuple[str, str]:
    """Return a notice as a title and a text, without what is said of mail alone."""
    subject, body = _text(kind, _given(values), settings)
    return subject, body.partition("\n--\n")[0].strip()


def sender(settings: Settings) -> Address:
    """Return whom mail comes from; raises InvalidSettings where `mail_from` is no address."""
    if not settings.mail_from:
        host = urlsplit(settings.url).hostname or ""
        return Address("Crownkeep", "crownkeep", host if addresses.is_deliverable(f"crownkeep@{host}") else "crownkeep.invalid")
    found = getaddresses([settings.mail_from])
    name, address = found[0] if len(found) == 1 else ("", "")
    if not addresses.is_deliverable(address) or not settings.mail_from.isprintable():
        raise InvalidSettings("setting `mail_from` is no e-mail address; give one such as `Crownkeep <no-reply@acme.example>`")
    try:
        return Address(name or "Crownkeep", addr_spec=address)
    except (HeaderParseError, ValueError) as error:
        raise InvalidSettings("setting `mail_from` is no e-mail address; give one such as `no-reply@acme.example`") from error


def _given(values: Mapping[str, str]) -> dict[str, str]:
    return {name: _on_one_line(value) for name, value in (_UNSAID | dict(values)).items()}


def _text(kind: str, given: Mapping[str, str], settings: Settings) -> tuple[str, str]:
    rendered = _environment().get_template(f"{kind}.txt").render(url=settings.url, **given)
    # The first line of each template is the subject. No value has a line break in it any more, so none can begin a second one.
    subject, _, body = rendered.partition("\n")
    return subject, body.strip()


def _on_one_line(value: str) -> str:
    shown = value[:_LONGEST_VALUE]
    return "".join(character if character.isprintable() else "?" for character in shown)


@cache
def _environment() -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape  # no server needs it to start

    return Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=select_autoescape(["html"]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
