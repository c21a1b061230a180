"""Decoding: the odd corners of each protocol, and that hostile input costs nothing and raises nothing but AWS's errors."""

import json
from datetime import UTC, datetime
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fixtures.patience import bounded
from tests.gateway import generated

from crownkeep import models
from crownkeep.errors import AwsError
from crownkeep.gateway import json_input, query_input, rest_input
from crownkeep.gateway.bounds import CALLERS
from crownkeep.gateway.form import read_form
from crownkeep.models import compile_service

CREATE_USER = models.service("iam").operations["CreateUser"]


def query(operation, text):
    return query_input.decode(models.service("iam").operations[operation], read_form(text.encode()))


def refusal(function, *arguments, **named):
    with pytest.raises(AwsError) as caught:
        function(*arguments, **named)
    return caught.value


def outcome(function, *arguments, **named):
    """Return `read`, or the code of the refusal."""
    try:
        function(*arguments, **named)
    except AwsError as error:
        return error.code
    return "read"


def recursive(protocol):
    node = {
        "type": "structure",
        "members": {
            "Name": {"shape": "String"},
            "Child": {"shape": "Node"},
            "Children": {"shape": "Nodes"},
            "Named": {"shape": "NodeMap"},
        },
    }
    document = {
        "metadata": {"protocol": protocol},
        "operations": {"Nest": {"http": {"method": "POST", "requestUri": "/"}, "input": {"shape": "Node"}}},
        "shapes": {
            "Node": node,
            "Nodes": {"type": "list", "member": {"shape": "Node"}},
            "NodeMap": {"type": "map", "key": {"shape": "String"}, "value": {"shape": "Node"}},
            "String": {"type": "string"},
        },
    }
    return compile_service("nest", msgspec.json.encode(document)).operation("Nest")


QUERY_NEST = recursive("query")
JSON_NEST = recursive("json")


# Query.


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("UserName=bob&Path=%2Fa%2F", {"UserName": "bob", "Path": "/a/"}),
        ("UserName=a+b%2Bc", {"UserName": "a b+c"}),
        ("UserName=", {"UserName": ""}),
        ("UserName", {"UserName": ""}),
        ("UserName=a=b", {"UserName": "a=b"}),
        ("UserName=%E4%B8%AD\u00e9", {"UserName": "中é"}),
        ("Tags=", {"Tags": []}),
        ("Tags.member.1.Key=a&Tags.member.1.Value=b", {"Tags": [{"Key": "a", "Value": "b"}]}),
        ("Tags.member.2.Key=b&Tags.member.1.Key=a", {"Tags": [{"Key": "a"}, {"Key": "b"}]}),
        ("Tags.member.10.Key=c&Tags.member.9.Key=b&Tags.member.3.Key=a", {"Tags": [{"Key": "a"}, {"Key": "b"}, {"Key": "c"}]}),
        ("Tags.member.999999999.Key=a", {"Tags": [{"Key": "a"}]}),
        ("Tags.member.0.Key=a", {"Tags": [{"Key": "a"}]}),
        ("Tags=&Tags.member.1.Key=a", {"Tags": [{"Key": "a"}]}),
        ("Unknown=1&Unknown.member.1.x=2&Tags.member.1.Unknown=3", {"Tags": [{}]}),
        ("&&UserName=bob&", {"UserName": "bob"}),
    ],
)
def test_a_form_is_read_as_the_query_protocol_says(text, expected):
    assert expected == query("CreateUser", text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("UserName.member.1=bob", "Start of list found where not expected"),
        ("UserName=bob&UserName.x=1", "Start of list found where not expected"),
        ("Tags=bob", "Top level element may not be treated as a list"),
        ("Tags.1.Key=a", "Top level element may not be treated as a list"),
        ("Tags.member.x.Key=a", "an index of a list must be a number"),
        ("Tags.member.-1.Key=a", "an index of a list must be a number"),
        ("Tags.member.%D9%A3.Key=a", "an index of a list must be a number"),
        ("Tags.member.1111111111.Key=a", "an index of a list must be a number"),
        ("Tags.member.1=a", "Top level element may not be treated as a list"),
        ("Tags.member.1.Key.x=a", "Start of list found where not expected"),
        ("Tags.member=a", "Top level element may not be treated as a list"),
        ("UserName=a%00b", "`UserName` holds a null character: leave it out"),
        ("Tags" + "." * 100 + "=1", "a parameter's name has too many parts"),
    ],
)
def test_a_form_of_another_shape_is_malformed_input(text, message):
    error = refusal(query, "CreateUser", text)

    assert ("MalformedInput", message) == (error.code, error.message)


@pytest.mark.parametrize(
    ("operation", "text", "expected"),
    [
        (
            "UpdateAccountPasswordPolicy",
            "MinimumPasswordLength=12&RequireSymbols=true",
            {"MinimumPasswordLength": 12, "RequireSymbols": True},
        ),
        ("GetSSHPublicKey", "Encoding=SSH", {"Encoding": "SSH"}),
    ],
)
def test_scalars_of_a_form_have_the_models_types(operation, text, expected):
    assert expected == query(operation, text)


@pytest.mark.parametrize("number", ["", "x", "1.0", "1e3", " 1", "0x1", "٣", "2147483648", "9" * 5000])
def test_what_is_no_integer_is_refused_without_repeating_it(number):
    error = refusal(query, "UpdateAccountPasswordPolicy", f"MinimumPasswordLength={number}")

    assert "`MinimumPasswordLength` must be a 32-bit integer" == error.message


@pytest.mark.parametrize("text", ["True", "1", "yes", "", "TRUE"])
def test_only_true_and_false_are_booleans(text):
    assert refusal(query, "UpdateAccountPasswordPolicy", f"RequireSymbols={text}").code == "MalformedInput"


def test_a_recursive_shape_is_read_as_deep_as_it_was_sent():
    text = "Child.Children.member.1.Named.entry.1.key=k&Child.Children.member.1.Named.entry.1.value.Name=deep"

    decoded = query_input.decode(QUERY_NEST, read_form(text.encode()))

    assert {"Child": {"Children": [{"Named": {"k": {"Name": "deep"}}}]}} == decoded


def test_a_recursive_shape_cannot_be_made_to_recurse_further_than_names_may_go():
    name = ".".join(["Child"] * 100)

    error = refusal(query_input.decode, QUERY_NEST, {f"{name}.Name": "x"})

    assert error.message == "a parameter's name has too many parts"


def test_a_map_without_a_value_is_malformed():
    assert refusal(query_input.decode, QUERY_NEST, {"Named.entry.1.key": "k"}).code == "MalformedInput"


@pytest.mark.parametrize(
    "body",
    [
        b"&" * 1_000_000,
        b"a=1&" * 9_000,
        b"%41" * 340_000,
        b"." * 1_000_000 + b"=1",
        b"Tags.member.1." * 70_000 + b"=1",
        b"&".join(b"Tags.member.%d.Key=" % number for number in range(9_000)),
        b"&".join(b"Tags.member.999999999%d.Key=" % number for number in range(9_000)),
        b"&".join(b"Unknown%d.a.b.c.d.e.f=" % number for number in range(9_000)),
        b"UserName=" + b"+" * 1_000_000,
    ],
    ids=range(9),
)
def test_a_hostile_form_of_a_mebibyte_cannot_blow_up_the_decoder(body):
    with bounded():
        outcome(lambda: query_input.decode(CREATE_USER, read_form(body)))


def test_more_parameters_than_any_operation_has_are_refused():
    body = b"&".join(b"a%d=" % number for number in range(CALLERS.elements + 1))

    assert refusal(read_form, body).code == "MalformedQueryString"


# JSON.


def lookup(body):
    shape = models.service("cloudtrail").operations["LookupEvents"].input
    assert shape
    return json_input.decode(shape, body)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b"", {}),
        (b"{}", {}),
        (b'{"MaxResults": 5, "Unknown": [1]}', {"MaxResults": 5}),
        (b'{"MaxResults": 5.0}', {"MaxResults": 5}),
        (b'{"MaxResults": null, "NextToken": null}', {}),
        (b'{"LookupAttributes": []}', {"LookupAttributes": []}),
        (b'{"StartTime": 1700000000.5}', {"StartTime": datetime(2023, 11, 14, 22, 13, 20, 500000, UTC)}),
        (b'{"StartTime": "2023-11-14T22:13:20Z"}', {"StartTime": datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)}),
        (b'{"StartTime": "2023-11-14T23:13:20.25+01:00"}', {"StartTime": datetime(2023, 11, 14, 22, 13, 20, 250000, UTC)}),
    ],
)
def test_a_json_body_is_read_by_the_model(body, expected):
    assert expected == lookup(body)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"{", "the body is not valid JSON in UTF-8"),
        (b"\xff", "the body is not valid JSON in UTF-8"),
        (b'{"NextToken": "\xff"}', "the body is not valid JSON in UTF-8"),
        (b'{"NextToken": "\\ud800"}', "the body is not valid JSON in UTF-8"),
        (b'{"MaxResults": NaN}', "the body is not valid JSON in UTF-8"),
        (b"[]", "the body must be a JSON object"),
        (b'"x"', "the body must be a JSON object"),
        (b'{"MaxResults": "5"}', "STRING_VALUE can not be converted to an Integer"),
        (b'{"MaxResults": true}', "TRUE_VALUE can not be converted to an Integer"),
        (b'{"MaxResults": 5.5}', "NUMBER_VALUE can not be converted to an Integer"),
        (b'{"MaxResults": 2147483648}', "NUMBER_VALUE can not be converted to an Integer"),
        (b'{"NextToken": 5}', "NUMBER_VALUE can not be converted to String"),
        (b'{"NextToken": {}}', "Start of structure or map found where not expected."),
        (b'{"NextToken": ["x"]}', "Start of list found where not expected"),
        (b'{"LookupAttributes": {}}', "Expected list or null"),
        (b'{"LookupAttributes": "x"}', "Expected list or null"),
        (b'{"LookupAttributes": ["x"]}', "STRING_VALUE can not be converted to a structure"),
        (b'{"LookupAttributes": [[]]}', "Start of list found where not expected"),
        (b'{"StartTime": "yesterday"}', "STRING_VALUE can not be converted to a Timestamp"),
        (b'{"StartTime": 1e300}', "NUMBER_VALUE can not be converted to a Timestamp"),
        (b'{"StartTime": 1' + b"0" * 400 + b"}", "NUMBER_VALUE can not be converted to a Timestamp"),
        (b'{"StartTime": true}', "TRUE_VALUE can not be converted to a Timestamp"),
        (b'{"NextToken": "\\u0000"}', "a string holds a null character: leave it out"),
    ],
)
def test_json_of_another_shape_is_a_serialization_exception(body, message):
    error = refusal(lookup, body)

    assert ("SerializationException", message) == (error.code, error.message)


@pytest.mark.parametrize(
    "body",
    [
        b'{"Child":' * 100 + b"{}" + b"}" * 100,
        b'{"Children":[' * 100 + b"]}" * 100,
        b"[" * 500_000,
        b'{"a":' * 100_000,
        b'{"x":' + b"[" * 900 + b"]" * 900 + b"}",
    ],
    ids=["structures", "lists", "open lists", "open objects", "unknown"],
)
def test_json_that_nests_too_deep_is_refused(body):
    assert refusal(json_input.decode, JSON_NEST.input, body).code == "SerializationException"


def test_json_may_nest_as_deep_as_aws_shapes_do():
    body = b'{"Child":' * 60 + b"{}" + b"}" * 60

    assert json_input.decode(JSON_NEST.input, body)


def test_a_document_is_handed_on_as_it_is():
    shape = models.service("identitystore").operations["GetUserId"].input
    assert shape
    value = {"deep": [1, None, {"er": 2.5}]}
    sent = {"AlternateIdentifier": {"UniqueAttribute": {"AttributePath": "a", "AttributeValue": value}}}

    decoded = json_input.decode(shape, json.dumps(sent).encode())

    assert sent == decoded


# REST.


def analyzer(name, labels=None, query="", headers=None, body=b""):
    operation = models.service("accessanalyzer").operations[name]
    return rest_input.decode(operation, labels=labels or {}, query=query, headers=headers or {}, body=body)


def test_a_label_is_unescaped_once():
    decoded = analyzer("ListTagsForResource", {"resourceArn": "arn%3Aaws%3Ax%2Fy%252F"})

    assert {"resourceArn": "arn:aws:x/y%2F"} == decoded


def test_a_repeated_parameter_of_a_url_is_a_list():
    decoded = analyzer("UntagResource", {"resourceArn": "x"}, "tagKeys=a&tagKeys=b%20c&other=1")

    assert {"resourceArn": "x", "tagKeys": ["a", "b c"]} == decoded


@pytest.mark.parametrize(
    ("name", "labels", "query"),
    [
        ("ListTagsForResource", {"resourceArn": "%zz"}, ""),
        ("ListTagsForResource", {"resourceArn": "%ff"}, ""),
        ("ListTagsForResource", {"resourceArn": "a%00"}, ""),
        ("ListAnalyzers", {}, "maxResults=x"),
        ("ListAnalyzers", {}, "maxResults=1&maxResults=2"),
        ("ListAnalyzers", {}, "maxResults=%zz"),
    ],
)
def test_a_url_that_cannot_be_read_is_refused(name, labels, query):
    assert refusal(analyzer, name, labels, query).code in ("SerializationException", "MalformedQueryString")


def test_a_token_comes_in_its_header():
    operation = models.service("sso").operations["Logout"]

    decoded = rest_input.decode(operation, labels={}, query="", headers={"x-amz-sso_bearer_token": "t"}, body=b"")

    assert {"accessToken": "t"} == decoded


# Whatever is sent.

PARAMETER_NAMES = st.lists(
    st.sampled_from(["Tags", "member", "1", "2", "entry", "key", "value", "Key", "Value", "UserName", "", "-1", "99999999999"]),
    min_size=1,
    max_size=8,
).map(".".join)


@given(form=st.dictionaries(PARAMETER_NAMES, st.text(max_size=5), max_size=6), seed=st.integers(0, 10**6))
def test_whatever_a_form_says_is_read_or_refused_and_nothing_else(form, seed):
    random = Random(seed)
    operation = random.choice([CREATE_USER, QUERY_NEST, *models.service("sts").operations.values()])

    assert outcome(query_input.decode, operation, form) in ("read", "MalformedInput")


@given(body=st.binary(max_size=200))
def test_whatever_bytes_a_form_has_are_read_or_refused_and_nothing_else(body):
    assert outcome(read_form, body) in ("read", "MalformedInput", "MalformedQueryString")


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@given(values=st.lists(ANY_JSON, min_size=1, max_size=12), seed=st.integers(0, 10**6))
def test_whatever_json_says_is_read_or_refused_and_nothing_else(values, seed):
    random = Random(seed)
    service = models.service(random.choice(["cloudtrail", "organizations", "sso-admin", "identitystore", "account"]))
    shape = random.choice([each.input for each in service.operations.values() if each.input])
    sent = generated.some(shape, random)
    body = json.dumps(spoilt(sent, random, values), default=str).encode()

    assert outcome(json_input.decode, shape, body) in ("read", "SerializationException")


def spoilt(value, random, values):
    """Return a value with parts of it replaced by others."""
    if random.random() < 0.2:
        return random.choice(values)
    if isinstance(value, dict):
        return {key: spoilt(each, random, values) for key, each in value.items()}
    if isinstance(value, list):
        return [spoilt(each, random, values) for each in value]
    return value


@given(body=st.binary(max_size=100))
def test_whatever_bytes_a_json_body_has_are_read_or_refused_and_nothing_else(body):
    assert outcome(json_input.decode, JSON_NEST.input, body) in ("read", "SerializationException")


@given(
    label=st.text(min_size=1, max_size=10),
    query=st.text(max_size=30)
    | st.lists(st.sampled_from(["maxResults=1", "tagKeys=%", "tagKeys=a", "nextToken="])).map("&".join),
    headers=st.dictionaries(st.sampled_from(["x-amz-sso_bearer_token", "x"]), st.text(max_size=5)),
    body=st.binary(max_size=30),
    seed=st.integers(0, 10**6),
)
def test_whatever_a_rest_request_says_is_read_or_refused_and_nothing_else(label, query, headers, body, seed):
    random = Random(seed)
    service = models.service(random.choice(["account", "sso", "sso-oidc", "signin", "accessanalyzer"]))
    operation = random.choice(list(service.operations.values()))
    names = [each.wire_name for each in operation.input.members.values() if each.location == "uri"]
    sent = {"labels": dict.fromkeys(names, label), "query": query, "headers": headers, "body": body}

    assert outcome(rest_input.decode, operation, **sent) in ("read", "SerializationException", "MalformedQueryString")
