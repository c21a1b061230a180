"""A record's text that is joined of parts: the same bytes as of a record that is made and encoded as a whole."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.audit.facts import ACCOUNT, BOB, FACTS, SESSION

from crownkeep.audit import event, event_text
from crownkeep.audit.event import EventFacts
from crownkeep.principals import Anonymous, Operator, Principal, PrincipalKind

TEXTS = st.sampled_from(["", "plain", 'with "quotes"', "ü€", "lone \ud800", "x" * 2_000])
CALLERS = [
    None,
    Anonymous(),
    Operator("ada", "t-1"),
    BOB,
    replace(BOB, name='b"ob'),
    Principal(PrincipalKind.ROOT, ACCOUNT, ACCOUNT, access_key_id="AKIAROOT"),
    Principal(PrincipalKind.ROLE, ACCOUNT, "AROAX", "ci", "/", "ASIAX", SESSION),
    replace(BOB, session=replace(SESSION, from_console=True)),
    Principal(PrincipalKind.PERSON, ACCOUNT, "0" * 32, "ada", "/d-0123456789/"),
]

RESOURCES = [
    (),
    (("AWS::IAM::User", "bob"),),
    (("AWS::IAM::Role", f"arn:aws:iam::{ACCOUNT}:role/ci"),),
    (("AWS::IAM::Policy", "arn:aws:iam::aws:policy/ReadOnlyAccess"), ("AWS::IAM::User", "bob")),
    (("AWS::IAM::Role", f"arn:aws:iam::210987654321:role/{'x' * 600}"),),
]


def same(facts: EventFacts) -> None:
    assert event.encode(event.record(facts, "e-1")) == event_text.text(facts, "e-1")


@settings(max_examples=80)
@given(
    facts=st.builds(
        replace,
        st.just(FACTS),
        caller=st.sampled_from(CALLERS),
        account_alias=st.sampled_from(["", "acme"]),
        user_agent=TEXTS,
        host=TEXTS,
        request_id=TEXTS,
        error_code=TEXTS,
        error_message=TEXTS,
        read_only=st.booleans(),
        is_data_event=st.booleans(),
        api_version=st.sampled_from(["", "2010-05-08"]),
        tls_version=st.sampled_from(["", "TLSv1.3"]),
        parameters=st.one_of(st.none(), st.dictionaries(TEXTS, TEXTS, max_size=2)),
        response=st.sampled_from([None, {"user": {"tags": [{"key": "k"}]}}, {"large": "y" * 120_000}]),
        additional=st.sampled_from([{}, {"MFAUsed": "Yes"}]),
        resources=st.sampled_from(RESOURCES),
        identity=st.sampled_from([None, {"type": "WebIdentityUser"}]),
        shared_event_id=st.sampled_from(["", "s-1"]),
        service_details=st.sampled_from([None, {"reason": "age"}]),
    )
)
def test_a_records_text_is_what_the_record_encodes_to(facts: EventFacts):
    same(facts)
    # Once more: what was remembered of the first must not differ.
    same(facts)


def test_what_one_caller_has_in_a_record_is_in_no_others():
    for caller in CALLERS:
        for name in ("GetUser", "ListUsers"):
            same(replace(FACTS, caller=caller, name=name))


def test_what_a_client_calls_itself_at_length_is_not_remembered():
    before = event_text._remembered_origin.cache_info().currsize

    event_text.text(replace(FACTS, user_agent="long" * 1_000), "e-1")

    assert before == event_text._remembered_origin.cache_info().currsize
