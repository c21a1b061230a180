"""The credential report: its states, its columns, and what they say of root and of each user."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from botocore.exceptions import ClientError
from tests.fixtures.statements import given
from tests.services.iam.asking import allow, enrol, refusal, status

START = datetime(2026, 9, 12, tzinfo=UTC)
COLUMNS = (
    "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,mfa_active,"
    "access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,"
    "access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,"
    "access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,cert_2_active,"
    "cert_2_last_rotated"
)
NO_KEY = ["false", "N/A", "N/A", "N/A", "N/A"]
NO_CERTIFICATES = ["false", "N/A", "false", "N/A"]


@pytest.fixture(autouse=True)
def clock():
    """Time that stands still until a test moves it; the account is made at its start."""
    with time_machine.travel(START, tick=False) as traveller:
        yield traveller


@pytest.fixture
def account(crown, clock):
    """An account that was made at the start of the clock."""
    return crown.account()


def report(iam):
    iam.generate_credential_report()
    content = iam.get_credential_report()["Content"].decode()
    return {line[0]: line for line in csv.reader(content.split("\n"))}


def test_a_report_is_started_then_complete_and_reused_for_four_hours(account, clock):
    iam = account.client("iam")

    with pytest.raises(ClientError) as none:
        iam.get_credential_report()
    started = iam.generate_credential_report()
    clock.move_to(START + timedelta(hours=3, minutes=59))
    complete = iam.generate_credential_report()
    found = iam.get_credential_report()
    clock.move_to(START + timedelta(hours=4))
    expired = refusal(iam.get_credential_report)
    again = iam.generate_credential_report()

    assert {"Type": "Sender", "Code": "ReportNotPresent"} == none.value.response["Error"]
    assert ("STARTED", "No report exists. Starting a new report generation task") == (
        started["State"],
        started["Description"],
    )
    assert ("COMPLETE", False) == (complete["State"], "Description" in complete)
    assert (START, "text/csv") == (found["GeneratedTime"], found["ReportFormat"])
    assert expired.startswith("ReportExpired: ")
    assert "STARTED" == again["State"]


def test_a_report_that_is_missing_or_expired_is_gone(account, clock):
    iam = account.client("iam")

    missing = status(iam.get_credential_report)
    iam.generate_credential_report()
    clock.move_to(START + timedelta(hours=5))

    assert (410, 410) == (missing, status(iam.get_credential_report))


def test_the_first_line_names_the_columns_the_second_is_roots_and_no_line_ends_the_file(account):
    iam = account.client("iam")
    for name in ("Zoe", "bob"):
        iam.create_user(UserName=name)
    iam.generate_credential_report()

    lines = iam.get_credential_report()["Content"].decode().split("\n")

    assert COLUMNS == lines[0]
    assert ["<root_account>", "admin", "bob", "Zoe"] == [line.partition(",")[0] for line in lines[1:]]


def test_a_user_without_credentials(account):
    iam = account.client("iam")
    iam.create_user(UserName="bob", Path="/staff/")

    line = report(iam)["bob"]

    arn = f"arn:aws:iam::{account.id}:user/staff/bob"
    head = ["bob", arn, "2026-09-12T00:00:00Z", "false", "N/A", "N/A", "N/A", "false"]
    assert head + NO_KEY + NO_KEY + NO_CERTIFICATES == line


def test_a_user_with_a_password_a_factor_and_two_keys(account, clock):
    iam = account.client("iam")
    iam.update_account_password_policy(MaxPasswordAge=90)
    bob = account.user("bob", policy=allow("iam:*"))
    clock.move_to(START + timedelta(days=1))
    iam.create_login_profile(UserName="bob", Password="First one 1!")
    enrol(iam, "bob", "phone")
    bob.client("iam", region="eu-west-1").list_users()
    second = iam.create_access_key(UserName="bob")["AccessKey"]["AccessKeyId"]
    iam.update_access_key(UserName="bob", AccessKeyId=second, Status="Inactive")

    line = report(iam)["bob"]

    next_day = "2026-09-13T00:00:00Z"
    password = ["true", "no_information", next_day, "2026-12-12T00:00:00Z"]
    first_key = ["true", "2026-09-12T00:00:00Z", next_day, "us-east-1", "iam"]
    second_key = ["false", next_day, "N/A", "N/A", "N/A"]
    assert [*password, "true", *first_key, *second_key, *NO_CERTIFICATES] == line[3:]


def test_roots_line_says_what_root_really_has(account):
    root = account.root("iam")
    enrol(root, "root", "phone")

    line = report(account.client("iam"))["<root_account>"]

    head = ["<root_account>", f"arn:aws:iam::{account.id}:root", "2026-09-12T00:00:00Z"]
    # Tools read a moment or this here, and nothing else: `N/A` crashes Prowler.
    password = ["false", "no_information", "not_supported", "not_supported", "true"]
    key = ["true", "2026-09-12T00:00:00Z", "2026-09-12T00:00:00Z", "us-east-1", "iam"]
    assert [*head, *password, *key, *NO_KEY, *NO_CERTIFICATES] == line


def test_names_with_commas_stay_in_their_column(account):
    iam = account.client("iam")
    iam.create_user(UserName="bob,true", Path='/a"b,c/')

    line = report(iam)["bob,true"]

    assert (22, f'arn:aws:iam::{account.id}:user/a"b,c/bob,true') == (len(line), line[1])


def test_a_report_takes_no_more_queries_for_thirty_users_than_for_one(account, clock):
    iam = account.client("iam")
    iam.get_user()
    few = statements_of(iam.generate_credential_report)
    for number in range(30):
        iam.create_user(UserName=f"user-{number}")
        iam.create_access_key(UserName=f"user-{number}")
    clock.move_to(START + timedelta(hours=5))
    iam.get_user()

    many = statements_of(iam.generate_credential_report)

    assert many <= few


def statements_of(operation):
    """Count the statements that the process gives to its databases while an operation is called."""
    with given() as statements:
        operation()
    assert statements
    return len(statements)
