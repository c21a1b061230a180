"""The credential report's page: made by a click, filtered, coloured by age, handed out as the API does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Page, expect
from tests.console.members import NOTHING, READER, Served, administrator, member
from tests.fixtures.crown import Crown
from tests.fixtures.process import Process

from crownkeep.advisor.credential_report import Line
from crownkeep.console.kit import report_lines
from crownkeep.console.pages.reports import credential_pictures, credential_report

Visit = Callable[..., Page]
PATH = "/console/credential-report"
NOW = datetime(2026, 11, 24, tzinfo=UTC)
HEADER = (
    "user,arn,user_creation_time,password_enabled,password_last_used,password_last_changed,password_next_rotation,mfa_active,"
    "access_key_1_active,access_key_1_last_rotated,access_key_1_last_used_date,access_key_1_last_used_region,"
    "access_key_1_last_used_service,access_key_2_active,access_key_2_last_rotated,access_key_2_last_used_date,"
    "access_key_2_last_used_region,access_key_2_last_used_service,cert_1_active,cert_1_last_rotated,cert_2_active,"
    "cert_2_last_rotated"
)


def line(password: str, used: str, changed: str, mfa: str, key: str) -> Line:
    """Read a report of one user."""
    row = f"bob,arn,2026-01-01T00:00:00+00:00,{password},{used},{changed},N/A,{mfa},{key},N/A,N/A,false,N/A,N/A,N/A,N/A"
    return report_lines.read(f"{HEADER}\n{row},false,N/A,false,N/A".encode())[0]


def test_the_pictures_say_in_words_and_figures_what_they_draw():
    rows = [
        "ann,arn,2025-01-01T00:00:00+00:00,true,N/A,2026-11-20T00:00:00+00:00,N/A,true,true,2025-11-01T00:00:00+00:00",
        "bob,arn,2025-01-01T00:00:00+00:00,true,N/A,2026-07-01T00:00:00+00:00,N/A,false,false,N/A",
        "eve,arn,2025-01-01T00:00:00+00:00,false,N/A,N/A,N/A,false,true,2026-11-23T00:00:00+00:00",
    ]
    rest = ",N/A,N/A,N/A,false,N/A,N/A,N/A,N/A,false,N/A,false,N/A"
    content = "\n".join([HEADER, *(f"{row}{rest}" for row in rows)]).encode()

    drawn = credential_pictures.of(report_lines.LatestReport(NOW, report_lines.read(content), content), now=NOW)

    assert [(1, 1), (0, 0), (1, 0), (0, 0), (0, 1)] == [(each.passwords, each.keys) for each in drawn.bands]
    assert "2 of 4 passwords and active access keys are 90 days old or older." == drawn.sentence
    assert "1 of 2 people with a password have MFA." == drawn.mfa_sentence
    assert {"covered", "bare"} == drawn.coverage.keys()


def test_a_report_is_made_and_filtered_by_clicks(visit: Visit, served: Process):
    page, account = visit(), Served(served)
    account.enter(page)
    page.goto(PATH)

    page.get_by_role("button", name="Generate report").click()
    page.get_by_label("Show").select_option("Password without MFA")
    page.get_by_role("button", name="Filter").click()

    expect(page.get_by_role("rowheader", name="carol")).to_be_visible()
    expect(page.get_by_role("rowheader", name="admin")).to_have_count(0)


def test_names_that_begin_formulas_stay_as_they_are_for_the_download_is_aws_s_file_byte_for_byte(
    crown: Crown,
):
    account, browser = administrator(crown)
    account.client("iam").create_user(UserName="=1+1@x")
    browser.get(PATH)
    browser.submit(form="Generate report")

    answer = browser.get(f"{PATH}/download").response

    assert answer.header("content-type") == "text/csv; charset=utf-8"
    assert (answer.header("content-disposition") or "").startswith("attachment")
    assert answer.body == account.client("iam").get_credential_report()["Content"]
    assert b"\n=1+1@x," in answer.body
    assert "Some user names begin with =" in browser.get(PATH).text


@pytest.mark.parametrize(("changed", "level"), [("2026-11-23", "fresh"), ("2026-08-26", "old"), ("2026-01-01", "very-old")])
def test_ages_have_levels(changed: str, level: str):
    bob = line("true", "no_information", f"{changed}T00:00:00+00:00", "false", "false,N/A,N/A")

    age = report_lines.age(bob.password_changed_at, now=NOW)

    assert age is not None
    assert (level, True) == (age.level, bob.lacks_mfa)


def test_a_key_that_nobody_used_since_it_was_made_is_unused():
    made = line("false", "N/A", "N/A", "false", "true,2026-10-01T00:00:00+00:00,N/A")
    used = line("false", "N/A", "N/A", "false", "true,2026-10-01T00:00:00+00:00,2026-11-20T00:00:00+00:00")

    assert (True, False) == (made.has_unused(NOW), used.has_unused(NOW))


@pytest.mark.parametrize(
    ("show", "who"),
    [
        ("old-keys", ["old"]),
        ("unused-password", ["idle"]),
        ("never-used", ["old", "idle"]),
        ("no-mfa", ["idle", "busy"]),
    ],
)
def test_a_filter_finds_those_it_names(show: str, who: list[str]):
    lines = {
        "old": line("false", "N/A", "N/A", "false", "true,2026-01-01T00:00:00+00:00,N/A"),
        "idle": line("true", "no_information", "2026-10-01T00:00:00+00:00", "false", "false,N/A,N/A"),
        "busy": line("true", "2026-11-23T00:00:00+00:00", "2026-10-01T00:00:00+00:00", "false", "false,N/A,N/A"),
    }

    found = [name for name, each in lines.items() if credential_report.FILTERS[show][1](each, NOW)]

    assert who == found


def test_the_longest_unused_come_first_and_never_is_the_longest(crown: Crown):
    account, browser = administrator(crown)
    iam = account.client("iam")
    iam.create_user(UserName="zoe")
    iam.create_login_profile(UserName="zoe", Password="correct Horse battery 9")
    browser.get(PATH)
    browser.submit(form="Generate report")

    page = browser.get(f"{PATH}?sort=password-used").response.text

    places = [page.index(f'tab=security">{name}<') for name in ("zoe", "carol", "admin")]
    assert sorted(places) == places
    assert 'aria-sort="descending">Password used' in page


def test_markup_in_the_filter_is_shown_as_text(crown: Crown):
    _, browser = administrator(crown)
    browser.get(PATH)
    browser.submit(form="Generate report")

    browser.get(f"{PATH}?name=%22%3E%3Cscript%3E&show=%3Cscript%3E&page=99999999999999999999")

    assert browser.page.status == 200
    assert "<script>" not in browser.page.response.text


def test_a_reader_may_read_a_report_but_is_told_that_making_one_is_missing(crown: Crown):
    browser = member(crown.account(), policy=READER)
    browser.get(PATH)

    browser.submit(form="Generate report")

    assert browser.page.status == 403
    assert "This needs the permission iam:GenerateCredentialReport" in browser.page.text


def test_somebody_without_permissions_is_told_what_is_missing_and_gets_no_file(crown: Crown):
    browser = member(crown.account(), policy=NOTHING)

    browser.get(f"{PATH}/download")

    assert "This needs the permission iam:GetCredentialReport" in browser.page.text
    assert browser.page.response.header("content-type") == "text/html; charset=utf-8"


def test_a_form_without_the_session_s_token_is_refused(crown: Crown):
    _, browser = administrator(crown)

    assert browser.post(PATH, {}).status == 403
