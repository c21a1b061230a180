"""The report of what leads into an account, as the operator's API and the account's own tell it, by the operator's names."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from crownkeep.domain.accounts import access_facts, recoverability
from crownkeep.domain.accounts.access_facts import AccessFacts, Mailbox, SealCustody
from crownkeep.domain.accounts.recoverability import PUBLIC_DOMAINS, RecoverabilityAnswer
from crownkeep.operations.administrators import Administrator
from crownkeep.storage.accounts.accounts import AccountRow
from crownkeep.storage.audits import drills
from crownkeep.storage.database import Transaction

_OPERATOR = "confirms recoveries of root, by a code that the person tells; can do nothing inside the account"


def of_account(db: Transaction, account: AccountRow, *, now: datetime) -> dict[str, object]:
    """Report on an account with everything that is known of it."""
    facts = access_facts.of_account(db, account, now=now)
    return _described(facts, recoverability.judge(facts, now=now), now) | _drills(db, account.account_id)


def of_root(db: Transaction, account: AccountRow, *, now: datetime) -> dict[str, object]:
    """Report to the account's root user, who is not told how many other accounts there are."""
    facts = access_facts.of_account(db, account, now=now, counts_others=False)
    return _described(facts, recoverability.judge(facts, now=now), now) | _drills(db, account.account_id)


def without_addresses(db: Transaction, account: AccountRow, *, now: datetime) -> dict[str, object]:
    """Report the same to somebody who is not root, and is not told what root signs in with: of addresses, the domain alone."""
    facts = access_facts.of_account(db, account, now=now, counts_others=False)
    mailbox = facts.mailbox
    # Masked in the facts, and not in the report: the sentences of the verdict name addresses as well.
    contacts = tuple((kind, _masked(address)) for kind, address in mailbox.contacts)
    masked = Mailbox(_masked(mailbox.address), contacts, mailbox.accounts_at_domain)
    facts = replace(facts, mailbox=masked, custodian=facts.custodian and _masked(facts.custodian))
    return _described(facts, recoverability.judge(facts, now=now), now) | _drills(db, account.account_id)


def _drills(db: Transaction, account_id: str) -> dict[str, object]:
    """Tell of the latest drill of each kind."""
    answer = [
        {
            "name": row.name,
            "held_at": row.held_at,
            "worked": row.worked,
            "steps": row.steps,
            "milliseconds": row.milliseconds,
        }
        for row in drills.of_account(db, account_id)
    ]
    return {"drills": answer}


def _masked(address: str) -> str:
    return f"***@{access_facts.domain_of(address)}"


def _described(facts: AccessFacts, verdict: RecoverabilityAnswer, now: datetime) -> dict[str, object]:
    mailbox = facts.mailbox
    kept: dict[str, object] = {"custodian": facts.custodian} if facts.custodian else {}
    kept |= {"central_root": {"management_account_id": facts.managed_by}} if facts.managed_by else {}
    kept |= {"custody": _custody(facts.custody)} if facts.custody is not None else {}
    return {
        "account_id": facts.account_id,
        "name": facts.name,
        "state": facts.state,
        "recoverable": verdict.is_recoverable,
        "two_independent_ways": verdict.has_two_independent_ways,
        "verdict": verdict.sentence,
        "mailbox": {
            "address": mailbox.address,
            "domain": mailbox.domain,
            "is_public_domain": mailbox.domain in PUBLIC_DOMAINS,
            "other_accounts_at_domain": mailbox.accounts_at_domain,
            "alternate_contacts": [{"type": kind, "address": address} for kind, address in mailbox.contacts],
        },
        "password": _password(facts, now),
        "mfa_devices": [{"serial_number": each.serial, "kind": each.kind} for each in facts.devices],
        "recovery_codes": facts.recovery_codes,
        **kept,
        "operator": _OPERATOR,
        "administrators": [_administrator(each) for each in facts.administrators],
        "all_administrators_named": facts.are_all_named,
        **_judged(verdict),
    }


def _custody(custody: SealCustody) -> dict[str, object]:
    return {
        "team": custody.team,
        "approvals_needed": custody.needed,
        "custodians": custody.custodians,
        "able": custody.able,
        "can_act": custody.can_act,
        "may_be_missing": custody.may_be_missing,
        "unseal_delay_hours": custody.unseal_delay_hours,
        "missing": [
            {"count": count, "can_act": can_act, "text": text}
            for count, can_act, text in recoverability.missing_custodians(custody)
        ],
    }


def _password(facts: AccessFacts, now: datetime) -> dict[str, object]:
    answer: dict[str, object] = {"is_set": facts.has_password, "can_be_chosen_by_mail": facts.may_recover_password}
    if facts.has_password and facts.password_changed_at is not None:
        answer |= {"changed_at": facts.password_changed_at, "age_days": (now - facts.password_changed_at).days}
    return answer


def _administrator(each: Administrator) -> dict[str, object]:
    answer: dict[str, object] = {
        "kind": each.kind.value,
        "name": each.name,
        "arn": each.arn,
        "has_password": each.has_password,
        "active_keys": each.active_keys,
        "mfa_devices": each.mfa_devices,
    }
    return answer | ({"taken_on_by": each.taken_on_by} if each.taken_on_by else {})


def _judged(verdict: RecoverabilityAnswer) -> dict[str, object]:
    return {
        "ways": [{"name": way.name, "needs": list(way.needs)} for way in verdict.ways],
        "single_points": list(verdict.single_points),
        "losses": [
            {"what": loss.what, "still_recoverable": not loss.is_final, "by": list(loss.ways_left), "text": loss.text}
            for loss in verdict.losses
        ],
        "remarks": list(verdict.remarks),
    }
