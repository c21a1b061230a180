"""Alternate contacts as evidence has them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from crownkeep.advisor import calls
from crownkeep.advisor.check import Verdict, failed, passed
from crownkeep.advisor.view import View

CONSOLE = "Account, Alternate contacts, Edit"
TERRAFORM = 'resource "aws_account_alternate_contact"'


def command(kind: str) -> str:
    """Return the command that names a contact."""
    return (
        f"aws account put-alternate-contact --alternate-contact-type {kind} --name NAME --title TITLE "
        "--email-address ADDRESS --phone-number NUMBER"
    )


def named(view: View) -> dict[str, Mapping[str, Any]]:
    """Return the contacts that are named, by kind."""
    found = {kind: view.find(asked) for kind, asked in calls.ALTERNATE_CONTACTS.items()}
    return {kind: each["AlternateContact"] for kind, each in found.items() if each is not None}


def is_named(view: View, kind: str) -> Iterator[Verdict]:
    """Judge whether a contact is named."""
    found = view.find(calls.ALTERNATE_CONTACTS[kind])
    if found is None:
        yield failed("There is none.")
    else:
        contact = found["AlternateContact"]
        yield passed(f"It is {contact.get('Name', '')}, {contact.get('EmailAddress', '')}.")
