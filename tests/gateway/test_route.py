"""Routing: which operation a request means, and AWS's own error where it means none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crownkeep import models
from crownkeep.errors import AwsError
from crownkeep.gateway.bounds import CALLERS
from crownkeep.gateway.decode import decode
from crownkeep.gateway.route import Route, Unroutable, find

FORM = {"content-type": "application/x-www-form-urlencoded; charset=utf-8"}
JSON = {"content-type": "application/x-amz-json-1.1"}


def route(method="POST", path="/", query="", headers=None, body=b"", scope=None):
    return find(method=method, path=path, query=query, headers=headers or {}, body=body, scope=scope)


@pytest.mark.parametrize(("version", "service"), [("2010-05-08", "iam"), ("2011-06-15", "sts")], ids=["iam", "sts"])
@pytest.mark.parametrize("scope", ["iam", "sts", "organizations", None])
def test_the_version_names_the_query_service(version, service, scope):
    name = "CreateUser" if service == "iam" else "GetCallerIdentity"

    found = route(headers=FORM, body=f"Action={name}&Version={version}".encode(), scope=scope)

    assert found.operation is models.service(service).operations[name]


def test_a_query_operation_may_come_in_the_query_string_as_a_presigned_url_does():
    query = "Action=GetCallerIdentity&Version=2011-06-15&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=00"

    found = route("GET", query=query, scope="sts")

    assert found.operation.name == "GetCallerIdentity"


@pytest.mark.parametrize(
    ("more", "sources"),
    [
        (b"", ()),
        (b"&UserName=bob", (b"", b"Action=GetUser&Version=2010-05-08&UserName=bob")),
        (b"\n", (b"", b"Action=GetUser&Version=2010-05-08\n")),
        (b"&", (b"", b"Action=GetUser&Version=2010-05-08&")),
    ],
)
def test_only_what_follows_an_operations_name_is_read_for_parameters(more, sources):
    found = route(headers=FORM, body=b"Action=GetUser&Version=2010-05-08" + more)

    assert sources == found.sources


@pytest.mark.parametrize("headers", [FORM, {}])
def test_a_query_operation_may_be_named_in_the_url_and_its_parameters_in_the_body(headers):
    found = route(query="Action=GetUser&Version=2010-05-08", headers=headers, body=b"UserName=bob")

    assert (b"Action=GetUser&Version=2010-05-08", b"UserName=bob") == found.sources


@pytest.mark.parametrize(
    ("body", "code", "text"),
    [
        (b"Action=Nope&Version=2010-05-08", "InvalidAction", "Could not find operation Nope for version 2010-05-08"),
        (b"Action=GetUser&Version=1999-01-01", "InvalidAction", "Could not find operation GetUser for version 1999-01-01"),
        (b"Action=GetUser", "InvalidAction", "Could not find operation GetUser for version NO_VERSION_SPECIFIED"),
        (b"Version=2010-05-08", "MissingAction", "Missing Action"),
        (b"", "MissingAction", "Missing Action"),
        (b"Action=%zz", "MalformedQueryString", "The query string contains a syntax error."),
        (b"Action=%ff", "MalformedQueryString", "The query string contains a syntax error."),
        (b"Action=GetUser&Action=DeleteUser&Version=2010-05-08", "MalformedInput", None),
        (b"Action=GetUser&Version=2010-05-08&UserName=bob&Action=DeleteUser", "MalformedInput", None),
        (b"Action=GetUser&Version=2010-05-08&UserName=bob&Version=2011-06-15", "MalformedInput", None),
    ],
)
def test_a_query_request_that_names_no_operation_gets_awss_error(body, code, text):
    found = route(headers=FORM, body=body, scope="iam")

    assert isinstance(found, Unroutable)
    assert (code, "query") == (found.error.code, found.protocol)
    assert text in (None, found.error.message)
    assert found.service is models.service("iam")


@pytest.mark.parametrize("given", [b"UserName=bob", b"User%4eame=bob", b"Ac%74ion=DeleteUser"])
def test_a_parameter_in_the_url_and_in_the_body_is_not_read_two_ways(given):
    body = b"Action=GetUser&Version=2010-05-08&" + given
    found = route(query="UserName=alice", headers=FORM, body=body)

    with pytest.raises(AwsError) as caught:
        decode(found, query="UserName=alice", headers=FORM, body=body, bounds=CALLERS)

    assert "MalformedInput" == caught.value.code


def test_an_operation_in_the_url_and_another_in_the_body_is_not_read_two_ways():
    named = "Action=GetUser&Version=2010-05-08"

    found = route(query=named, headers=FORM, body=b"Action=DeleteUser&Version=2010-05-08")

    assert "MalformedInput" == found.error.code


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents", "LookupEvents"),
        ("AWSOrganizationsV20161128.ListAccounts", "ListAccounts"),
        ("SWBExternalService.ListInstances", "ListInstances"),
        ("AWSIdentityStore.ListUsers", "ListUsers"),
    ],
)
def test_a_target_names_the_json_operation(target, name):
    assert route(headers=JSON | {"x-amz-target": target}).operation.name == name


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("POST", JSON | {"x-amz-target": "AWSOrganizationsV20161128.Nope"}),
        ("POST", JSON | {"x-amz-target": "Nope.ListAccounts"}),
        ("POST", JSON | {"x-amz-target": ""}),
        ("GET", JSON | {"x-amz-target": "AWSOrganizationsV20161128.ListAccounts"}),
        ("POST", FORM | {"x-amz-target": "AWSOrganizationsV20161128.ListAccounts"}),
        ("POST", JSON),
    ],
    ids=["no such operation", "no such service", "empty", "method", "content type", "no target"],
)
def test_a_json_request_that_names_no_operation_gets_awss_error(method, headers):
    found = route(method, headers=headers, body=b"{}")

    assert ("UnknownOperationException", "json") == (found.error.code, found.protocol)
    assert "here" in found.error.message or "operation of `organizations`" in found.error.message


@pytest.mark.parametrize(
    ("target", "operation"),
    [
        ("CloudTrail_20131101.LookupEvents", "LookupEvents"),
        ("com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents", "LookupEvents"),
        ("AWSOrganizationsV20161128.ListAccounts", "ListAccounts"),
        ("SWBExternalService.ListInstances", "ListInstances"),
        ("AWSIdentityStore.ListUsers", "ListUsers"),
    ],
)
def test_the_targets_that_sdks_of_every_language_send_reach_the_service(target, operation):
    assert operation == route("POST", headers=JSON | {"x-amz-target": target}, body=b"{}").operation.name


@pytest.mark.parametrize(
    ("method", "path", "query", "scope", "name"),
    [
        ("POST", "/getAlternateContact", "", "account", "GetAlternateContact"),
        ("GET", "/federation/credentials", "role_name=a&account_id=1", None, "GetRoleCredentials"),
        ("POST", "/token", "", None, "CreateToken"),
        ("POST", "/token", "aws_iam=t", "sso-oauth", "CreateTokenWithIAM"),
        ("POST", "/v1/token", "", None, "CreateOAuth2Token"),
        ("POST", "/v1/token", "x-amz-client-auth-method=iam", "signin", "CreateOAuth2TokenWithIAM"),
        ("GET", "/analyzer/one", "", "access-analyzer", "GetAnalyzer"),
        ("GET", "/analyzer/one/archive-rule/two", "", "access-analyzer", "GetArchiveRule"),
        ("DELETE", "/tags/arn%3Aaws%3Ax%2Fy", "tagKeys=a", "access-analyzer", "UntagResource"),
    ],
)
def test_a_path_names_the_rest_operation(method, path, query, scope, name):
    assert route(method, path, query, scope=scope).operation.name == name


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("POST", "/nope", "account"),
        ("GET", "/getAlternateContact", "account"),
        ("POST", "/getAlternateContact/", "account"),
        ("POST", "/getAlternateContact", "signin"),
        ("GET", "/analyzer//archive-rule", "access-analyzer"),
        ("GET", "/\u00ff%", None),
        ("PUT", "/", None),
    ],
)
def test_a_path_that_names_no_operation_gets_awss_error(method, path, scope):
    found = route(method, path, scope=scope)

    assert ("UnknownOperationException", "rest-json") == (found.error.code, found.protocol)
    assert "here" in found.error.message


def test_a_rest_body_of_another_type_is_refused():
    found = route(path="/client/register", headers=FORM, body=b"clientName=x")

    assert found.error.code == "UnsupportedMediaTypeException"


def test_no_two_operations_that_a_signature_tells_not_apart_share_a_method_and_a_path():
    rest = [service for service in map(models.service, models.SERVICES) if service.protocol == "rest-json"]
    operations = [each for service in rest for each in service.operations.values()]

    signed = [(each.service.signing_names, each.method, each.request_uri) for each in operations]
    unsigned = [(each.method, each.request_uri) for each in operations if each.auth == "none"]

    assert len(set(signed)) == len(signed)
    taken = {(each.method, each.request_uri) for each in operations if each.auth != "none"}
    assert (set(), len(unsigned)) == (taken & set(unsigned), len(set(unsigned)))


@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE", "x"]),
    path=st.text(max_size=30),
    query=st.text(max_size=50),
    headers=st.dictionaries(st.sampled_from(["x-amz-target", "content-type", "accept"]), st.text(max_size=40)),
    body=st.binary(max_size=100),
    scope=st.none() | st.text(max_size=10) | st.sampled_from(["iam", "sts", "account", "sso-oauth"]),
)
def test_whatever_is_sent_is_routed_or_refused_and_nothing_else(method, path, query, headers, body, scope):
    found = find(method=method, path=path, query=query, headers=headers, body=body, scope=scope)

    assert isinstance(found, Route | Unroutable)
