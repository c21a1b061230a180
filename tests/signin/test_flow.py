"""The state machine: the next step is the first demand that is not met."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crownkeep.signin import flow
from crownkeep.signin.flow import (
    ChangePasswordStep,
    Demands,
    Enrolment,
    EnrolStep,
    FactorStep,
    Method,
    PasswordStep,
    Proofs,
    SignInComplete,
    SignInRefused,
)

NOW = datetime(2026, 11, 24, tzinfo=UTC)
APP = (Method.TOTP,)
ENTERED = Proofs(password=True)
PROVED = Proofs(password=True, method=Method.TOTP)

STEPS = [
    (Proofs(), Demands(), PasswordStep()),
    (Proofs(), Demands(APP, must_change_password=True), PasswordStep()),
    (ENTERED, Demands(), SignInComplete()),
    (ENTERED, Demands(APP), FactorStep(APP)),
    (PROVED, Demands(APP), SignInComplete()),
    (ENTERED, Demands(enrolment=Enrolment.REQUIRED), EnrolStep(Enrolment.REQUIRED)),
    (Proofs(password=True, put_off=True), Demands(enrolment=Enrolment.REQUIRED), EnrolStep(Enrolment.REQUIRED)),
    (ENTERED, Demands(enrolment=Enrolment.OFFERED), EnrolStep(Enrolment.OFFERED)),
    (Proofs(password=True, put_off=True), Demands(enrolment=Enrolment.OFFERED), SignInComplete()),
    (PROVED, Demands(APP, Enrolment.PASSKEY_REQUIRED), EnrolStep(Enrolment.PASSKEY_REQUIRED)),
    (ENTERED, Demands(APP, must_change_password=True), FactorStep(APP)),
    (PROVED, Demands(APP, must_change_password=True), ChangePasswordStep()),
    (ENTERED, Demands(must_change_password=True), ChangePasswordStep()),
    (ENTERED, Demands(is_expired_for_good=True), SignInRefused()),
    (ENTERED, Demands(APP, is_expired_for_good=True), FactorStep(APP)),
]


@pytest.mark.parametrize(("proofs", "demands", "step"), STEPS)
def test_the_next_step_is_the_first_demand_that_is_not_met(proofs: Proofs, demands: Demands, step: flow.Step):
    assert step == flow.advance(proofs, demands)


proofs = st.builds(Proofs, password=st.booleans(), method=st.none() | st.sampled_from(Method), put_off=st.booleans())
demands = st.builds(
    Demands,
    methods=st.lists(st.sampled_from(Method), unique=True).map(tuple),
    enrolment=st.sampled_from(Enrolment),
    must_change_password=st.booleans(),
    is_expired_for_good=st.booleans(),
)


@given(proofs, demands)
def test_nobody_arrives_with_a_demand_unmet(proofs: Proofs, demands: Demands):
    arrived = flow.advance(proofs, demands) == SignInComplete()

    assert arrived == (
        proofs.password
        and (not demands.methods or proofs.method is not None)
        and not demands.is_expired_for_good
        and not demands.must_change_password
        and (demands.enrolment is Enrolment.NOT_NEEDED or (demands.enrolment is Enrolment.OFFERED and proofs.put_off))
    )


def enrolment(
    methods: tuple[Method, ...] = (), *, needs_passkey: bool = False, since: datetime | None = None, days: int = 0
) -> Enrolment:
    return flow.enrolment_of_root(methods, needs_passkey=needs_passkey, without_mfa_since=since, grace_days=days, now=NOW)


def test_root_must_enrol_at_once_where_there_is_no_grace():
    assert Enrolment.REQUIRED is enrolment()


def test_root_may_put_it_off_while_days_of_grace_are_left():
    assert Enrolment.OFFERED is enrolment(days=35)
    assert Enrolment.OFFERED is enrolment(days=35, since=NOW - timedelta(days=34, hours=23))
    assert Enrolment.REQUIRED is enrolment(days=35, since=NOW - timedelta(days=35))


def test_root_with_a_device_need_not_enrol_another():
    assert Enrolment.NOT_NEEDED is enrolment(APP)


def test_codes_are_not_enough_where_the_operator_wants_what_cannot_be_phished():
    assert Enrolment.PASSKEY_REQUIRED is enrolment(APP, needs_passkey=True)
    assert Enrolment.PASSKEY_REQUIRED is enrolment((), needs_passkey=True)
    assert Enrolment.NOT_NEEDED is enrolment((Method.PASSKEY, Method.TOTP), needs_passkey=True)
