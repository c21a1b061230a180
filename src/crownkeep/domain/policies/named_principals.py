"""Whom policies that are saved name: accounts and services that there are, users and roles by their unique ids."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from crownkeep import arn, policy
from crownkeep.catalogue import service_principals
from crownkeep.operations.call import Call
from crownkeep.operations.standing import ACTIVE
from crownkeep.policy import Document, MalformedPolicy
from crownkeep.policy.validate import invalid_principal
from crownkeep.storage.accounts import accounts

_ACCOUNT_DIGITS = 12


def require_known(call: Call, document: Document) -> None:
    """Raise MalformedPolicy, in AWS's words, for an account or service that a document names and that is none.

    An account that is closed is none any more: whoever has its id next is not who was meant.
    """
    # A policy may name one account many times, and each is looked up in the database once.
    known: set[str] = set()
    for kind, name in _named(document):
        if kind == "Service" and not service_principals.is_known(name, call.settings.services):
            raise MalformedPolicy(invalid_principal(kind, name))
        # A bare account id means that account's root, and AWS's refusal writes it so.
        shown = arn.root(name) if is_account(name) else name
        parts = arn.parse(shown) if kind == "AWS" else None
        if parts is None or not is_account(parts.account_id) or parts.account_id in known:
            continue
        # Only the account is checked here. Users and roles are checked where they are bound, by whoever knows the accounts to
        # look in.
        if parts.partition != arn.PARTITION or not _is_open(call, parts.account_id):
            raise MalformedPolicy(invalid_principal(kind, shown))
        known.add(parts.account_id)


def bind(document: Document, unique_id_of: Callable[[str], str | None]) -> str:
    """Return the text to keep: users and roles by unique id, accounts that stand there by their bare ids as root's ARN.

    Raises MalformedPolicy for a user or role that `unique_id_of` knows nothing of.
    """
    return policy.bind_principals(document, unique_id_of, arn.root)


def is_account(text: str) -> bool:
    """Tell whether this has the form of an account id."""
    return len(text) == _ACCOUNT_DIGITS and text.isascii() and text.isdecimal()


def _named(document: Document) -> Iterator[tuple[str, str]]:
    for statement in document.statements:
        for principals in (statement.principal, statement.not_principal):
            if principals is not None:
                yield from principals.named


def _is_open(call: Call, account_id: str) -> bool:
    # The caller's own account was found open when the request was authenticated.
    if account_id == call.account_id:
        return True
    account = accounts.with_id(call.db, account_id)
    return account is not None and account.state == ACTIVE
