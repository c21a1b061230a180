"""Plans over evidence: what is a step and what is left to people, and that no step takes the last way in away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from tests.advisor.accounts import ID, Account, key
from tests.advisor.spoilt import FAILING, guard_is_gone

from crownkeep.advisor import calls, planner, plans, signing, ways_in
from crownkeep.advisor.planner import Wishes
from crownkeep.advisor.plans import LockdownPlan, PlanStep, UnreadablePlan

KEY_ID = "AKIAAAAAAAAAAAAAAAAA"


def planned(account: Account, **wishes: Any) -> LockdownPlan:
    def keys(_user: str) -> list[Mapping[str, Any]]:
        return [{"AccessKeyId": KEY_ID, "Status": "Active", "CreateDate": "2026-05-01T00:00:00Z"}]

    return planner.plan(account.evidence(), Wishes(**wishes), keys)


def test_an_account_in_which_nothing_is_open_needs_no_step():
    plan = planned(Account())

    assert ([], []) == (list(plan.steps), list(plan.people))


@pytest.mark.parametrize("name", FAILING)
def test_everything_that_fails_is_a_step_or_somebody_s_task(name: str):
    account = Account()
    FAILING[name][0](account)

    plan = planned(account)

    implied = {"password-policy", "members-root-denied", "central-root-credentials"}
    assert name in {*(step.check for step in plan.steps), *(each.check for each in plan.people)} or implied & {
        step.check for step in plan.steps
    }


def test_an_organization_without_a_guard_gets_one_in_steps_that_build_on_one_another():
    account = Account()
    guard_is_gone(account)
    account[calls.ORGANIZATION_ROOTS]["Roots"][0]["PolicyTypes"] = []

    plan = planned(account)

    assert ["EnablePolicyType", "CreatePolicy", "AttachPolicy"] == [step.call.operation for step in plan.steps]
    assert [1, 2, 4] == [step.danger for step in plan.steps]


def test_a_weaker_member_is_strengthened_and_a_stronger_one_kept():
    account = Account()
    account[calls.PASSWORD_POLICY]["PasswordPolicy"].update(MinimumPasswordLength=30, RequireSymbols=False, MaxPasswordAge=60)

    (step,) = planned(account).steps

    assert (30, 60, True) == tuple(
        step.call.parameters[name] for name in ("MinimumPasswordLength", "MaxPasswordAge", "RequireSymbols")
    )
    assert 30 == step.undo.parameters["MinimumPasswordLength"]


def a_key_of(name: str) -> PlanStep:
    account = Account()
    account.lines.setdefault(name, account.lines["ann"]).update(key(1, "2026-05-01", ""))
    return next(step for step in planned(account).steps if step.check == "unused-keys")


def test_an_unused_key_is_switched_off_and_its_reverse_switches_it_on():
    step = a_key_of("ann")

    assert ("Inactive", "Active") == (step.call.parameters["Status"], step.undo.parameters["Status"])
    assert (["Active"], ["Inactive"]) == (step.reading.before, step.reading.after)


def test_a_key_in_use_is_not_switched_off_for_an_unused_one_that_was_made_in_the_same_minute():
    account = Account()
    account.lines["ann"].update(**key(1, "2026-05-01", ""), **key(2, "2026-05-01"))

    plan = planned(account)

    assert [] == [step for step in plan.steps if step.check == "unused-keys"]
    assert ["unused-keys"] == [each.check for each in plan.people if each.check == "unused-keys"]


def test_the_key_that_signs_is_never_switched_off():
    reason = ways_in.reason_against(a_key_of("ann"), Account().evidence(), KEY_ID)

    assert "the key that this command signs with" in str(reason)


def test_the_last_way_in_is_never_taken_away():
    step, account = a_key_of("ann"), Account()
    assert ways_in.reason_against(step, account.evidence(), "") is None

    account.lines["ben"]["password_enabled"] = "false"
    account.lines["<root_account>"]["password_enabled"] = "false"

    assert "the last administrator" in str(ways_in.reason_against(step, account.evidence(), ""))


def test_the_last_way_in_is_not_taken_away_by_two_steps_that_the_same_evidence_allows():
    ann, ben, account = a_key_of("ann"), a_key_of("ann"), Account()
    ben = replace(ben, call=replace(ben.call, parameters={**ben.call.parameters, "UserName": "ben"}))
    for name in ("ann", "ben"):
        account.lines[name].update(key(1, "2026-05-01", ""), password_enabled="false")
    account.lines["<root_account>"]["password_enabled"] = "false"
    evidence = account.evidence()

    assert ways_in.reason_against(ann, evidence, "") is None is ways_in.reason_against(ben, evidence, "")
    assert "the last administrator" in str(ways_in.reason_against(ben, evidence, "", taken=[ann]))
    account.lines["ann"]["password_enabled"] = "true"
    assert ways_in.reason_against(ben, account.evidence(), "", taken=[ann]) is None


def test_where_a_way_in_can_t_be_told_nothing_is_taken_away():
    account = Account()
    account.denied = {calls.AUTHORIZATION: "AccessDenied"}

    assert "can't be told" in str(ways_in.reason_against(a_key_of("ann"), account.evidence(), ""))


def test_a_plan_is_read_back_as_it_was_written(tmp_path: Any):
    account = Account()
    guard_is_gone(account)
    plan, own = planned(account), signing.own_key(tmp_path)

    text = signing.sign(plans.as_object(plan), own)

    assert plans.as_object(plan) == plans.as_object(plans.of(signing.read(text, signing.public_text(own))))
    assert 0o600 == (tmp_path / "lockdown.key").stat().st_mode & 0o777


def test_a_fingerprint_that_does_not_fit_is_refused():
    plan = planned_with_a_step()
    answer = plans.as_object(plan)
    answer["steps"][0]["reading"]["before"] = ["another"]

    with pytest.raises(UnreadablePlan, match="fingerprint"):
        plans.of(answer)


def test_a_fingerprint_covers_what_a_step_reads_and_nothing_else():
    (step, *_) = planned_with_a_step().steps

    assert step.fingerprint == replace(step, title="another").fingerprint
    assert step.fingerprint != replace(step, reading=replace(step.reading, before="another")).fingerprint


def planned_with_a_step() -> LockdownPlan:
    account = Account()
    account[calls.PASSWORD_POLICY] = None
    assert ID == account.evidence().account_id
    return planned(account)
