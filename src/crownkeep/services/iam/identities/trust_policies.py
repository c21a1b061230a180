"""Trust policies: held to AWS's grammar, the users and roles in them bound to unique ids when kept and shown by ARN when read."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from crownkeep import arn, errors, policy
from crownkeep.domain.policies import named_principals
from crownkeep.operations.call import Call
from crownkeep.policy import Document, MalformedPolicy, PolicyKind
from crownkeep.policy.document import NoStatements
from crownkeep.policy.validate import invalid_principal
from crownkeep.services.iam import documents, quotas
from crownkeep.storage.identities import trusted_ids
from crownkeep.storage.identities.roles import RoleRow

_UNIQUE_ID = re.compile(r"(?:AIDA|AROA)[A-Z0-9]{8,32}", re.ASCII)


@dataclass(frozen=True, slots=True)
class TrustPolicy:
    """A trust policy as it is kept: the document with unique ids, and whose those ids are, as the role's row has them."""

    document: str
    accounts: str


def bind(call: Call, document: str, *, before: str = "") -> TrustPolicy:
    """Hold a document to the grammar of trust policies and bind its principals; `before` is whose ids the role knew already.

    Raises MalformedPolicyDocument with AWS's text, also for a user or role that doesn't exist, and LimitExceeded.
    """
    owners = _owners(before)

    def unique_id_of(principal_arn: str) -> str | None:
        unique_id = trusted_ids.id_of(call.db, principal_arn)
        parts = arn.parse(principal_arn)
        if unique_id is not None and parts is not None and parts.partition == arn.PARTITION:
            owners[unique_id] = parts.account_id
            return unique_id
        return None

    try:
        parsed = _parsed(document)
        policy.validate(parsed, PolicyKind.TRUST)
        most = quotas.of(call, quotas.TRUST_POLICY_SIZE)
        if documents.size(document) > most:
            raise errors.LimitExceeded(f"Cannot exceed quota for ACLSizePerRole: {most}")
        _require_existing_ids(call, parsed, owners)
        named_principals.require_known(call, parsed)
        bound = named_principals.bind(parsed, unique_id_of)
    except MalformedPolicy as fault:
        raise errors.MalformedPolicyDocument(fault.message) from fault
    # Ids that the document no longer names are forgotten, and with them whose they were.
    named = _ids_in(policy.parse(bound))
    return TrustPolicy(bound, " ".join(f"{each}={owners[each]}" for each in sorted(named)))


def show(call: Call, rows: Sequence[RoleRow]) -> dict[str, str]:
    """Return the trust policies of these roles as they are shown, URL-encoded, by the role's unique id."""
    shown = show_each(call, [row.trust_policy for row in rows], [row.trusted_accounts for row in rows])
    return dict(zip([row.role_id for row in rows], shown, strict=True))


def show_each(call: Call, documents_kept: Sequence[str], trusted_accounts: Sequence[str]) -> list[str]:
    """Return trust policies as they are shown, URL-encoded, each given with whose the unique ids in it are.

    Users and roles that were deleted stay named by their unique ids (IAM user guide, "AWS JSON policy elements: Principal").
    """
    wanted: defaultdict[str, set[str]] = defaultdict(set)
    for accounts in filter(None, trusted_accounts):
        for unique_id, account_id in _owners(accounts).items():
            wanted[account_id].add(unique_id)
    arns: dict[str, str] = {}
    for account_id, unique_ids in wanted.items():
        arns |= trusted_ids.arns_of(call.db, account_id, sorted(unique_ids))
    kept = zip(documents_kept, trusted_accounts, strict=True)
    return documents.encoded_each(
        [policy.show_principals(document, arns.get) if accounts else document for document, accounts in kept]
    )


def _parsed(document: str) -> Document:
    if document[:1].isspace():
        raise MalformedPolicy("JSON strings must not have leading spaces")
    try:
        return policy.parse(document)
    # Of a trust policy AWS says this in other words than of the rest (UpdateAssumeRolePolicy).
    except NoStatements as fault:
        raise MalformedPolicy("Could not parse the policy: Statement is empty!") from fault
    except MalformedPolicy as fault:
        raise fault if _is_json(document) else MalformedPolicy("This policy contains invalid Json") from fault


def _is_json(document: str) -> bool:
    try:
        json.loads(document)
    except (ValueError, RecursionError):
        return False
    return True


def _owners(text: str) -> dict[str, str]:
    pairs = (pair.partition("=") for pair in text.split())
    return {unique_id: account_id for unique_id, _, account_id in pairs}


def _ids_in(document: Document) -> set[str]:
    named = (statement.principal.named for statement in document.statements if statement.principal is not None)
    return {name for names in named for kind, name in names if kind == "AWS" and _UNIQUE_ID.fullmatch(name)}


def _require_existing_ids(call: Call, document: Document, owners: dict[str, str]) -> None:
    """Refuse a unique id that names nobody any more, as AWS does where a document with one is saved again."""
    for unique_id in sorted(_ids_in(document)):
        # An id that the role did not know before counts as one of this account. Those of other accounts come by ARN alone, so
        # nobody can try out which ids exist elsewhere.
        account_id = owners.setdefault(unique_id, call.account_id)
        if not trusted_ids.arns_of(call.db, account_id, [unique_id]):
            raise MalformedPolicy(invalid_principal("AWS", unique_id))
