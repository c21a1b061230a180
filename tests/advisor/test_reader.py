"""The reader, against Crownkeep in this process: what it asks, what it is refused, and that it writes nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import botocore.session
import pytest
from botocore.model import ListShape, MapShape, Shape, StructureShape
from tests.advisor.conftest import clients_of
from tests.fixtures.crown import Account

from crownkeep.advisor import calls, evidence, findings, reader
from crownkeep.advisor.check import CheckState
from crownkeep.advisor.evidence import ApiAnswer, Evidence, Missing

Gather = Callable[..., Evidence]
AUDITED = [*calls.FIRST, calls.trail_status("arn", "us-east-1"), calls.event_selectors("arn", "us-east-1")]
AUDITED += [calls.policy_document("p-1"), calls.policy_targets("p-1"), calls.analyzers("us-east-1")]
AUDITED += [calls.of_bucket(operation, "bucket") for operation in calls.BUCKET_OPERATIONS]

_READS = ("Get", "List", "Describe", "Lookup")


def test_security_audit_suffices_but_for_the_primary_contact(account: Account, gather: Gather):
    auditor = account.user("auditor", arn="arn:aws:iam::aws:policy/SecurityAudit")

    found = gather(account, auditor)

    denied = {each.question.action for each in found.answers.values() if isinstance(each, Missing) and each.is_denied}
    assert {"account:GetContactInformation"} == denied
    unknown = {
        each.check.name for each in findings.audit(found).findings if "needs" in each.detail and each.state is CheckState.UNKNOWN
    }
    assert {"contact-primary"} == unknown


def test_an_audit_changes_nothing(account: Account, gather: Gather):
    before = {record["eventID"] for record in account.records()}

    gather(account)

    new = [record for record in account.records() if record["eventID"] not in before and "errorCode" not in record]
    # AWS counts the making of a report among the reads, as far as permissions go.
    assert {"GenerateCredentialReport"} == {record["eventName"] for record in new if not record["readOnly"]}


def test_every_call_of_an_audit_reads():
    assert [] == [asked.text for asked in AUDITED if not asked.operation.startswith(_READS)]


def test_a_fresh_account_fails_where_it_should(account: Account, gather: Gather):
    states = {each.check.name: each.state for each in findings.audit(gather(account)).findings}

    assert (
        CheckState.FAIL
        is states["root-mfa"]
        is states["root-access-keys"]
        is states["password-policy"]
        is states["contact-security"]
    )
    assert CheckState.PASS is states["administrator-exists"] is states["root-use"]


def test_what_is_set_right_passes(account: Account, gather: Gather):
    from crownkeep.advisor.password_policies import STRONG

    iam, contacts = account.client("iam"), account.client("account")
    iam.update_account_password_policy(**STRONG)
    iam.create_account_alias(AccountAlias=f"quiet-{account.id}")
    who = {"Name": "sue", "Title": "-", "EmailAddress": "sue@acme.example", "PhoneNumber": "+4930"}
    contacts.put_alternate_contact(AlternateContactType="SECURITY", **who)

    states = {each.check.name: each.state for each in findings.audit(gather(account)).findings}

    assert {CheckState.PASS} == {states[name] for name in states if name.startswith("password-")}
    assert CheckState.PASS is states["account-alias"] is states["contact-security"]


def test_lists_are_read_to_their_ends(account: Account, gather: Gather):
    iam = account.client("iam")
    for number in range(130):
        iam.create_user(UserName=f"user{number:03}")

    found = gather(account)

    answer = found.answers[calls.AUTHORIZATION.text]
    assert isinstance(answer, ApiAnswer)
    assert answer.value is not None
    assert 131 == len(answer.value["UserDetailList"])


def test_a_server_shows_checks_and_loads_no_client():
    loading = "import sys, crownkeep.app, crownkeep.advisor.findings; print('botocore' in sys.modules)"

    assert "False\n" == subprocess.run([sys.executable, "-c", loading], capture_output=True, text=True, check=True).stdout


def test_nobody_s_credentials_are_said_to_be_so(account: Account):
    nobody = account.crown.session({"access_key_id": "AKIAAAAAAAAAAAAAAAAA", "secret_access_key": "x"}, "sts")

    with pytest.raises(reader.NoAccount):
        reader.gather(lambda service, region: nobody)


def test_progress_is_told(account: Account):
    seen: list[tuple[int, int]] = []

    reader.ask_all(clients_of(account), [calls.SUMMARY, calls.ALIASES], on_progress=lambda *each: seen.append(each), workers=2)

    assert [(1, 2), (2, 2)] == seen


_FILLINGS: dict[str, Any] = {
    "integer": 1,
    "long": 1,
    "float": 1.0,
    "double": 1.0,
    "boolean": True,
    "timestamp": "2026-01-01T00:00:00Z",
    "blob": "x",
}


def filled(shape: Shape, *, whole: bool, depth: int = 0) -> Any:
    """Return a value of a shape: with every member, or with those alone that the model requires."""
    match shape:
        case StructureShape():
            names = shape.members if whole else shape.required_members
            return {name: filled(shape.members[name], whole=whole, depth=depth + 1) for name in names} if depth < 8 else {}
        case ListShape():
            return [filled(shape.member, whole=whole, depth=depth + 1)] if depth < 8 else []
        case MapShape():
            return {"key": filled(shape.value, whole=whole, depth=depth + 1)}
        case _:
            enum = getattr(shape, "enum", None)
            return enum[0] if enum else _FILLINGS.get(shape.type_name, "{}")


@pytest.mark.parametrize("whole", [True, False])
def test_answers_of_any_shape_that_the_models_allow_are_kept_and_judged(whole: bool):
    session = botocore.session.get_session()
    answer: list[ApiAnswer | Missing] = []
    for asked in AUDITED:
        shape = session.get_service_model(asked.service).operation_model(asked.operation).output_shape
        answer.append(ApiAnswer(asked, NOW, filled(shape, whole=whole)))

    kept = evidence.load(evidence.save(evidence.of("111111111111", NOW, answer)))

    report = findings.audit(kept)
    assert json.loads(json.dumps(findings.as_object(report)))["findings"]


NOW = evidence.moment("2026-11-01T12:00:00Z")
