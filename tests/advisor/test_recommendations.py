"""What the first page recommends, by evidence: who is named, what is due, and which check decides."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tests.advisor.accounts import Account

from crownkeep.advisor import calls, evidence, posture, recommendations
from crownkeep.advisor.evidence import ApiAnswer, Evidence, Missing
from crownkeep.advisor.posture import LastAudit, LastUse, Posture, ReportedCredentials, RootFactor, Unprotected
from crownkeep.advisor.recommendations import Remedy, Status
from crownkeep.console.pages.posture import remedies

NOW = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.mark.parametrize(
    ("unused", "old", "told"),
    [
        (["ann"], [], "ann has a credential unused for 45 days."),
        (["ann", "bob", "cy", "dan"], ["ann"], "ann, bob, cy and 1 more have a credential unused for 45 days."),
        ([], ["ann", "bob"], "ann and bob have a credential older than 90 days."),
    ],
)
def test_old_and_unused_credentials_are_named(unused: list[str], old: list[str], told: str):
    found = recommendations.of_credentials(ReportedCredentials(NOW, unused, old, ()))

    assert (Status.OPEN, told) == (found.status, found.detail)


@pytest.mark.parametrize(
    ("signed", "stands", "told", "remedy"),
    [
        (None, Status.OPEN, "There was no credential audit yet.", Remedy.START_AUDIT),
        (1, Status.DONE, "Last credential audit a day ago.", Remedy.AUDITS),
        (91, Status.DONE, "Last credential audit 91 days ago.", Remedy.AUDITS),
        (92, Status.OPEN, "Last credential audit 92 days ago.", Remedy.START_AUDIT),
    ],
)
def test_an_audit_that_is_due_is_open_and_leads_to_the_next(signed: int | None, stands: Status, told: str, remedy: Remedy):
    audits = [] if signed is None else [{"ClosedAt": NOW - timedelta(days=signed)}]

    found = recommendations.of_audits(posture.last_audit(audits, None, now=NOW))

    assert (stands, told, remedy) == (found.status, found.detail, found.remedy)


def of(found: Evidence, *, is_root: bool = False) -> dict[str, recommendations.Recommendation]:
    """Return what is recommended on this evidence, the rest being as it should be."""
    audited = LastAudit(NOW, NOW + posture.QUARTER, NOW)
    credentials = ReportedCredentials(NOW, (), (), ())
    whole = Posture(found, ["ann"], RootFactor.RESISTANT, LastUse(None, None), Unprotected(()), credentials, audited, NOW)
    return {each.slug: each for each in recommendations.of(whole, is_root=is_root)}


def test_an_account_in_which_nothing_is_open_has_nothing_to_do():
    found = of(Account().evidence())

    assert {Status.DONE} == {each.status for each in found.values()}


def test_what_there_is_nothing_to_do_about_yet_is_not_said_to_be_done():
    account = Account()
    account[calls.SUMMARY]["SummaryMap"]["Users"] = 0

    audit = recommendations.of_audits(posture.last_audit([], NOW, now=NOW))

    assert (Status.NOT_APPLICABLE, "There are no users yet.") == (
        of(account.evidence())["users-mfa"].status,
        of(account.evidence())["users-mfa"].detail,
    )
    assert Status.NOT_APPLICABLE is audit.status


def test_what_a_check_fails_is_recommended_and_only_root_is_led_to_its_keys():
    account = Account()
    account[calls.SUMMARY]["SummaryMap"]["AccountAccessKeysPresent"] = 1
    account[calls.ALTERNATE_CONTACTS["BILLING"]] = None
    account[calls.ALIASES]["AccountAliases"] = []

    of_others, of_root = of(account.evidence()), of(account.evidence(), is_root=True)

    assert {"root-keys", "contacts", "alias"} == {slug for slug, each in of_others.items() if each.status is Status.OPEN}
    assert (None, Remedy.ROOT_KEYS) == (of_others["root-keys"].remedy, of_root["root-keys"].remedy)
    assert Remedy.ADD_BILLING is of_others["contacts"].remedy


def test_what_may_not_be_asked_is_unknown_and_says_what_is_missing():
    asked = calls.PASSWORD_POLICY
    refused = Missing(asked, NOW, "AccessDenied", "no", is_denied=True)
    answers = dict(Account().evidence().answers) | {asked.text: refused}

    found = of(Evidence("111111111111", NOW, answers))["password-policy"]

    assert (Status.UNKNOWN, refused) == (found.status, found.missing)


@pytest.mark.parametrize(
    ("owner", "is_truncated", "factor"),
    [(":root", False, RootFactor.APP), (":user/ann", False, RootFactor.RESISTANT), (":user/ann", True, RootFactor.SOME)],
)
def test_root_s_factor_is_an_app_where_root_has_one_and_of_unknown_kind_where_the_list_was_cut(
    owner: str, is_truncated: bool, factor: RootFactor
):
    devices = [{"SerialNumber": "arn:aws:iam::111111111111:mfa/x", "User": {"Arn": f"arn:aws:iam::111111111111{owner}"}}]
    answers: list[ApiAnswer | Missing] = [
        ApiAnswer(calls.SUMMARY, NOW, {"SummaryMap": {"AccountMFAEnabled": 1}}),
        ApiAnswer(posture.DEVICES, NOW, {"VirtualMFADevices": devices, "IsTruncated": is_truncated}),
    ]

    assert factor is posture.root_factor(evidence.of("111111111111", NOW, answers))


def test_every_remedy_has_a_button():
    assert set(Remedy) == remedies.BUTTONS.keys()
