"""Encoding: envelopes, statuses and spellings of each protocol, and that nothing unescaped ever leaves."""

import json
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crownkeep import errors, models
from crownkeep.errors import AwsError
from crownkeep.gateway.encode import encode, encode_error

NOW = datetime(2026, 1, 1, 12, 30, 59, 999999, UTC)


def answer(service, operation, result, **more):
    return encode(models.service(service).operations[operation], result, request_id="the-id", **more)


def refuse(error, service, **more):
    model = models.service(service)
    return encode_error(error, protocol=model.protocol, service=model, request_id="the-id", **more)


def test_a_query_answer_is_an_envelope_with_the_request_id():
    user = {"UserName": "bob", "Path": "/", "CreateDate": NOW, "Tags": []}

    written = answer("iam", "GetUser", {"User": user})

    assert (
        '<GetUserResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><GetUserResult><User><Path>/</Path>'
        "<UserName>bob</UserName><CreateDate>2026-01-01T12:30:59Z</CreateDate><Tags/></User></GetUserResult>"
        "<ResponseMetadata><RequestId>the-id</RequestId></ResponseMetadata></GetUserResponse>"
    ) == written.body.decode()
    assert ((b"x-amzn-requestid", b"the-id"), (b"content-type", b"text/xml")) == written.headers


def test_a_query_answer_without_a_result_is_the_envelope_alone():
    written = answer("iam", "DeleteUser", {})

    assert (
        '<DeleteUserResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><ResponseMetadata><RequestId>the-id'
        "</RequestId></ResponseMetadata></DeleteUserResponse>"
    ) == written.body.decode()


def test_a_query_answer_is_json_for_a_client_that_asks_for_it():
    written = answer("sts", "GetCallerIdentity", {"Account": "1", "Arn": "a", "UserId": "u"}, accept="application/json")

    assert {
        "GetCallerIdentityResponse": {
            "GetCallerIdentityResult": {"Account": "1", "Arn": "a", "UserId": "u"},
            "ResponseMetadata": {"RequestId": "the-id"},
        }
    } == json.loads(written.body)


@pytest.mark.parametrize("accept", ["", "*/*", "text/html,application/json", "application/jsonx"])
def test_a_query_answer_is_xml_for_everybody_else(accept):
    assert answer("sts", "GetCallerIdentity", {}, accept=accept).body.startswith(b"<")


def test_a_json_answer_has_seconds_since_1970_and_nothing_that_is_absent():
    event = {"EventId": "e", "EventTime": NOW, "Username": None, "NotInTheModel": 1}

    written = answer("cloudtrail", "LookupEvents", {"Events": [event]})

    assert {"Events": [{"EventId": "e", "EventTime": 1767270659.999}]} == json.loads(written.body)
    assert (b"content-type", b"application/x-amz-json-1.1") in written.headers


def test_a_whole_second_is_a_whole_number():
    written = answer("cloudtrail", "LookupEvents", {"Events": [{"EventTime": NOW.replace(microsecond=0)}]})

    assert b'{"Events":[{"EventTime":1767270659}]}' == written.body


def test_a_json_operation_without_an_output_answers_nothing_and_one_with_an_empty_output_an_object():
    assert answer("organizations", "LeaveOrganization", {}).body == b""
    assert answer("cloudtrail", "AddTags", {}).body == b"{}"


def test_a_rest_answer_follows_the_models_timestamp_format():
    written = answer("account", "GetAccountInformation", {"AccountCreatedDate": NOW})

    assert {"AccountCreatedDate": "2026-01-01T12:30:59Z"} == json.loads(written.body)


def test_a_moment_of_another_zone_is_written_in_utc():
    moment = datetime(2026, 1, 1, 1, 0, tzinfo=timezone(timedelta(hours=2)))

    assert b"<CreateDate>2025-12-31T23:00:00Z</CreateDate>" in answer("iam", "GetUser", {"User": {"CreateDate": moment}}).body


# Errors.


def test_a_query_error_is_an_envelope_with_type_code_and_message():
    written = refuse(errors.NoSuchEntity("The user with name <b> & co cannot be found."), "iam")

    assert (
        '<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><Error><Type>Sender</Type><Code>NoSuchEntity'
        "</Code><Message>The user with name &lt;b&gt; &amp; co cannot be found.</Message></Error><RequestId>the-id"
        "</RequestId></ErrorResponse>"
    ) == written.body.decode()
    assert 404 == written.status


def test_a_query_error_is_json_for_a_client_that_asks_for_it():
    written = refuse(errors.ExpiredToken("Late."), "sts", accept="application/json")

    assert {"Error": {"Code": "ExpiredToken", "Message": "Late.", "Type": "Sender"}, "RequestId": "the-id"} == json.loads(
        written.body
    )


def test_a_json_error_names_its_type():
    written = refuse(errors.AccessDenied("User: x is not authorized"), "cloudtrail")

    assert {"__type": "AccessDeniedException", "Message": "User: x is not authorized"} == json.loads(written.body)
    assert 400 == written.status


def test_a_rest_error_names_its_type_in_a_header_and_carries_its_members():
    members = {"reason": "fieldValidationFailed", "fieldList": [{"name": "a", "message": "b"}]}

    written = refuse(errors.AccountValidation("Wrong.", members=members), "account")

    assert {"message": "Wrong.", **members} == json.loads(written.body)
    assert (b"x-amzn-errortype", b"ValidationException") in written.headers
    assert 400 == written.status


def test_oauths_own_members_are_kept_in_an_oidc_error():
    error = errors.InvalidRequest("Say which client.", members={"error": "invalid_request"})

    written = refuse(error, "sso-oidc")

    assert {"error": "invalid_request", "error_description": "Say which client."} == json.loads(written.body)


SPELLINGS = json.loads((Path(__file__).parent / "error_spellings.json").read_text())


@pytest.mark.parametrize("case", SPELLINGS, ids=lambda case: case["error"])
def test_what_is_common_to_all_services_is_spelled_as_each_protocol_does(case):
    error = vars(errors)[case["error"]]("x")

    # Where a service models the code itself, the model gives the status; these three model few of them.
    for service in ("iam", "sso-admin", "signin"):
        written = refuse(error, service)

        code, status = case[models.service(service).protocol]
        own = models.service(service).errors.get(code)
        assert (code, own.status if own else status) == (code_of(written), written.status)


def code_of(written):
    kind = dict(written.headers).get(b"x-amzn-errortype")
    if kind:
        return kind.decode()
    if written.body.startswith(b"<"):
        return ET.fromstring(written.body).find(".//{*}Code").text
    return json.loads(written.body)["__type"]


@pytest.mark.parametrize("protocol", ["query", "json", "rest-json"])
def test_an_error_of_no_service_is_written_all_the_same(protocol):
    written = encode_error(errors.MissingAction("Missing Action"), protocol=protocol, service=None, request_id="the-id")

    assert b"Missing Action" in written.body


# Nothing unescaped leaves.

XML_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@given(text=XML_TEXT)
def test_any_text_in_xml_is_read_back_or_replaced_and_never_markup(text):
    written = answer("iam", "GetUser", {"User": {"UserName": text}})

    read = ET.fromstring(written.body).find(".//{*}UserName").text or ""
    assert "".join(each if is_xml(each) else "\ufffd" for each in text) == read


def is_xml(character):
    code = ord(character)
    return code in (0x9, 0xA, 0xD) or 0x20 <= code < 0xFFFE or code >= 0x10000


@given(text=st.text(max_size=30))
def test_any_text_at_all_can_be_an_errors_message_in_any_protocol(text):
    for service in ("iam", "cloudtrail", "account"):
        written = refuse(AwsError(text.encode("utf-8", "replace").decode()), service)

        if service == "iam":
            ET.fromstring(written.body)
        else:
            json.loads(written.body)


@given(text=st.text(max_size=30))
def test_a_header_cannot_be_ended_by_what_is_in_it(text):
    written = encode(models.service("sts").operations["GetCallerIdentity"], {}, request_id=text)

    value = dict(written.headers)[b"x-amzn-requestid"]
    assert not set(value) & {0, 10, 13}


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"UserName": "R&D <tools>"},
        {"UserName": "Zoë"},
        {"UserName": "a\rb\x00c"},
        {"UserName": "100%s"},
        {"PasswordLastUsed": datetime(2026, 1, 2, tzinfo=UTC)},
        {"PasswordLastUsed": None},
        {"Tags": [{"Key": "team", "Value": "a"}]},
        {"Unknown": "left out"},
    ],
)
def test_a_row_of_a_list_is_written_as_it_is_alone(changed):
    """Rows of one kind are written by one template: none changes how a neighbour is written."""
    iam = models.service("iam")
    row = {"Path": "/", "UserName": "bob", "UserId": "AIDA", "Arn": "arn:bob", "CreateDate": datetime(2026, 1, 1, tzinfo=UTC)}
    users = [row, row | changed, row | {"UserName": "eve"}, dict(reversed((row | changed).items()))]

    listed = encode(iam.operations["ListUsers"], {"Users": users}, request_id="1").body.decode()

    alone = (encode(iam.operations["GetUser"], {"User": each}, request_id="1").body.decode() for each in users)
    written = [each.partition("<User>")[2].rpartition("</User>")[0] for each in alone]
    assert "".join(f"<member>{each}</member>" for each in written) in listed
