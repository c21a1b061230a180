"""Lint: what it says about a policy, under which code, how loud, and where."""

import json
from typing import ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.fixtures.patience import bounded
from tests.policy import building, strategies
from tests.policy.building import document, statement

from crownkeep import policy
from crownkeep.policy import PolicyKind, Severity


class SmallCatalogue:
    """A catalogue of a few actions; the real one comes from AWS's service reference."""

    services: ClassVar = {
        "s3": {"GetObject": ["arn:*:s3:::*/*"], "ListAllMyBuckets": []},
        "iam": {
            "GetUser": ["arn:*:iam::*:user/*"],
            "PassRole": ["arn:*:iam::*:role/*"],
            "CreateServiceLinkedRole": ["arn:*:iam::*:role/*"],
        },
        "sts": {
            "AssumeRole": ["arn:*:iam::*:role/*"],
            "AssumeRoleWithSAML": ["arn:*:iam::*:role/*"],
            "AssumeRoleWithWebIdentity": ["arn:*:iam::*:role/*"],
            "SetSourceIdentity": ["arn:*:iam::*:role/*"],
            "TagSession": ["arn:*:iam::*:role/*"],
        },
    }
    arns: ClassVar = {
        "s3": ["arn:*:s3:::*", "arn:*:s3:*:*:accesspoint/*"],
        "iam": ["arn:*:iam::*:user/*", "arn:*:iam::*:role/*"],
        "sqs": ["arn:*:sqs:*:*:*"],
    }
    keys: ClassVar = {"s3": ["s3:max-keys", "aws:tagkeys"], "iam": ["aws:resourcetag/${tagkey}", "iam:passedtoservice"]}
    types: ClassVar = {
        "aws:tagkeys": "ArrayOfString",
        "s3:max-keys": "Numeric",
        "aws:securetransport": "Bool",
        "iam:passedtoservice": "String",
        "iam:awsservicename": "String",
        "sts:sourceidentity": "String",
    }

    def has_service(self, prefix):
        return prefix in self.services

    def action_names(self, prefix):
        return self.services[prefix]

    def condition_keys(self, action):
        return None

    def key_type(self, key):
        # The keys of an application of ours, which may hold anything.
        return self.types.get(key.lower()) or ("Anything" if key.lower().startswith("app:") else None)

    def has_region(self, name):
        return name == "eu-west-1"

    def has_service_principal(self, name):
        return name in ("ec2.amazonaws.com", "deploy.corp.example")

    def arn_patterns(self, service):
        return self.arns.get(service, [])

    def service_keys(self, prefix):
        return self.keys.get(prefix)

    def resource_patterns(self, action):
        prefix, _, name = action.partition(":")
        return next((arns for known, arns in self.services[prefix.lower()].items() if known.lower() == name.lower()), [])


def codes(tree, kind=PolicyKind.IDENTITY):
    text = tree if isinstance(tree, str) else json.dumps(tree)
    return [(remark.severity.name, remark.code) for remark in policy.lint(text, kind, catalogue=SmallCatalogue())]


GOOD = statement(Action="s3:GetObject", Resource="arn:aws:s3:::b/*")


def with_condition(**block):
    return document(GOOD | {"Condition": block})


@pytest.mark.parametrize(
    ("tree", "expected"),
    [
        (document(GOOD), []),
        ({"Statement": [GOOD]}, [("WARNING", "MISSING_VERSION")]),
        (document(GOOD, version="2008-10-17"), [("WARNING", "OLD_LANGUAGE_VERSION")]),
        (document(GOOD | {"Sid": "A"}, statement("Deny", Sid="A")), [("ERROR", "UNIQUE_SIDS_REQUIRED")]),
        (document(GOOD | {"Sid": "a b"}), [("ERROR", "UNSUPPORTED_SID")]),
        (document(GOOD | {"Action": "s3:Nope"}), [("ERROR", "INVALID_ACTION")]),
        (document(GOOD | {"Action": "s3:Get*"}), []),
        (document(GOOD | {"Action": "s3:Nope*"}), [("ERROR", "INVALID_ACTION")]),
        (document(GOOD | {"Action": "nope:Get"}), [("ERROR", "INVALID_SERVICE_IN_ACTION")]),
        (document(GOOD | {"Action": "GetObject"}), [("ERROR", "INVALID_ACTION")]),
        (document(GOOD | {"Action": "s3:a:b"}), [("ERROR", "INVALID_ACTION")]),
        (document(GOOD | {"Action": []}), [("SUGGESTION", "EMPTY_ARRAY_ACTION")]),
        (document(GOOD | {"Resource": []}), [("SUGGESTION", "EMPTY_ARRAY_RESOURCE")]),
        (document(GOOD | {"Action": ["s3:*", "s3:GetObject"]}), [("SUGGESTION", "REDUNDANT_ACTION")]),
        (document(GOOD | {"Action": ["s3:GetObject", "s3:getobject"]}), [("SUGGESTION", "REDUNDANT_ACTION")]),
        (document(GOOD | {"Resource": ["arn:aws:s3:::*", "arn:aws:s3:::b/*"]}), [("SUGGESTION", "REDUNDANT_RESOURCE")]),
        (document({"Effect": "Allow", "Resource": "*"}), [("ERROR", "MISSING_ACTION")]),
        (document({"Effect": "Allow", "Action": "s3:GetObject"}), [("ERROR", "MISSING_RESOURCE")]),
        (document(GOOD | {"Principal": "*"}), [("ERROR", "UNSUPPORTED_PRINCIPAL")]),
        (document(GOOD | {"Resource": "s3:::b"}), [("ERROR", "INVALID_ARN_PREFIX")]),
        (document(GOOD | {"Resource": "arn:aws:s3:::"}), [("ERROR", "INVALID_ARN_RESOURCE")]),
        (document(GOOD | {"Resource": "arn:aws:s3"}), [("ERROR", "MISSING_ARN_FIELD")]),
        (document(GOOD | {"Resource": "arn:gcp:s3:::b"}), [("ERROR", "INVALID_PARTITION")]),
        (document(GOOD | {"Resource": "arn:aws:s3::1:b"}), [("ERROR", "INVALID_ARN_ACCOUNT")]),
        (document(GOOD | {"Action": "s3:*", "Resource": "arn:aws:S3:::b"}), [("ERROR", "INVALID_ARN_SERVICE_CASE")]),
        (
            document(GOOD | {"Action": "s3:*", "Resource": "arn:aws:s?:::b"}),
            [("ERROR", "UNSUPPORTED_WILDCARD_IN_ARN_SERVICE")],
        ),
        (document(statement(Action="s3:ListAllMyBuckets", Resource="arn:aws:s3:::b")), [("WARNING", "RESOURCE_STAR_REQUIRED")]),
        (document(statement(Action="iam:GetUser", Resource="arn:aws:s3:::b")), [("WARNING", "MISMATCHED_RESOURCE_FOR_ACTION")]),
        (document(statement(Action="iam:PassRole")), [("SECURITY_WARNING", "PASS_ROLE_WITH_STAR_IN_RESOURCE")]),
        (document(statement(Action="iam:Pass*")), [("SECURITY_WARNING", "PASS_ROLE_WITH_STAR_IN_ACTION_AND_RESOURCE")]),
        (
            document(statement(Action="iam:PassRole", Condition={"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}})),
            [],
        ),
        (document(statement(Action="iam:PassRole", Resource="arn:aws:iam::111122223333:role/app")), []),
        (document(statement(NotAction="iam:*")), [("SECURITY_WARNING", "ALLOW_WITH_NOT_ACTION")]),
        (
            document(statement(NotAction="iam:*", NotResource="arn:aws:s3:::b")),
            [("SECURITY_WARNING", "ALLOW_WITH_NOT_ACTION_AND_NOT_RESOURCE")],
        ),
        (document(statement("Deny", NotAction="iam:*")), []),
        (with_condition(Bool={"aws:SecureTransport": "yes"}), [("WARNING", "TYPE_MISMATCH_BOOLEAN")]),
        (with_condition(Bool={"aws:SecureTransport": ["true", "false"]}), [("ERROR", "INVALID_CONDITION_MULTIPLE_BOOLEAN")]),
        (with_condition(NumericEquals={"s3:max-keys": "ten"}), [("WARNING", "TYPE_MISMATCH_NUMBER")]),
        (with_condition(DateLessThan={"aws:CurrentTime": "soon"}), [("WARNING", "TYPE_MISMATCH_DATE")]),
        (with_condition(IpAddress={"aws:SourceIp": "nowhere"}), [("WARNING", "TYPE_MISMATCH_IP_RANGE")]),
        (with_condition(ArnLike={"aws:SourceArn": "role/x"}), [("ERROR", "TYPE_MISMATCH_ARN")]),
        (with_condition(BinaryEquals={"app:blob": "!"}), [("WARNING", "TYPE_MISMATCH_STRING")]),
        (with_condition(StringEquals={"s3:max-keys": "10"}), [("WARNING", "TYPE_MISMATCH")]),
        (with_condition(StringEquals={"nocolon": "x"}), [("ERROR", "INVALID_CONDITION_KEY_FORMAT")]),
        (with_condition(StringEquals={"aws:TagKeys": "x"}), [("ERROR", "MISSING_QUALIFIER")]),
        (with_condition(**{"ForAnyValue:StringEquals": {"aws:TagKeys": "x"}}), []),
        (
            with_condition(**{"ForAllValues:StringEquals": {"aws:username": "x"}}),
            [("SECURITY_WARNING", "FORALLVALUES_WITH_SINGLE_VALUED_KEY")],
        ),
        (
            with_condition(**{"ForAnyValue:StringEquals": {"aws:username": "x"}}),
            [("WARNING", "FORANYVALUE_WITH_SINGLE_VALUED_KEY")],
        ),
        (with_condition(StringEquals={"app:k": []}), [("SUGGESTION", "EMPTY_ARRAY_CONDITION")]),
        (with_condition(StringEquals={"app:k": "a*"}), [("WARNING", "WILDCARD_WITHOUT_LIKE_OPERATOR")]),
        (with_condition(StringLike={"app:k": "a*"}), []),
        (with_condition(StringEquals={"app:k": "x", "APP:K": "y"}), [("ERROR", "DUPLICATE_KEYS_WITH_DIFFERENT_CASE")]),
        (with_condition(), [("SUGGESTION", "EMPTY_OBJECT_CONDITION")]),
        (with_condition(IpAddress={"aws:SourceIp": "10.1.0.0/16"}), [("ERROR", "PRIVATE_IP_ADDRESS")]),
        (with_condition(NotIpAddress={"aws:SourceIp": "192.168.1.0/24"}), [("ERROR", "PRIVATE_NOT_IP_ADDRESS")]),
        (
            with_condition(IpAddress={"aws:SourceIp": ["10.1.0.0/16", "203.0.113.0/24"]}),
            [("SUGGESTION", "PRIVATE_IP_ADDRESS_SUBSET")],
        ),
        (with_condition(StringEquals={"app:k": "${}"}), [("ERROR", "EMPTY_VARIABLE")]),
        (with_condition(StringEquals={"app:k": "${aws:user name}"}), [("ERROR", "UNSUPPORTED_SPACE_IN_VARIABLE")]),
        (with_condition(StringEquals={"app:k": "${aws:username, 'a b'}"}), []),
        (with_condition(StringEquals={"app:k": "${aws:username"}), [("ERROR", "MISSING_BRACE_IN_VARIABLE")]),
        (
            document(GOOD | {"Resource": "arn:aws:s3:::${aws:username}"}, version="2008-10-17"),
            [("ERROR", "VARIABLE_UNSUPPORTED_IN_VERSION"), ("WARNING", "OLD_LANGUAGE_VERSION")],
        ),
        (
            document(GOOD | {"Action": "s3:${aws:username}"}),
            [("ERROR", "INVALID_ACTION"), ("ERROR", "VARIABLE_UNSUPPORTED_IN_ELEMENT")],
        ),
        (
            document(statement("Deny", Condition={"Bool": {"aws:MultiFactorAuthPresent": "false"}})),
            [("SECURITY_WARNING", "DENY_WITHOUT_IF_EXISTS_ON_MFA")],
        ),
        (
            document(statement("Deny", Condition={"ForAllValues:StringEquals": {"aws:TagKeys": "x"}})),
            [("WARNING", "FORALLVALUES_WITH_MISSING_KEY")],
        ),
        ("{", [("ERROR", "JSON_SYNTAX_ERROR")]),
        ("[]", [("ERROR", "JSON_SYNTAX_ERROR")]),
        ("[" * 100_000, [("ERROR", "JSON_SYNTAX_ERROR")]),
        ('{"Version":"2012-10-17","Version":"2012-10-17","Statement":[]}', [("ERROR", "MISSING_STATEMENT")]),
        ({"Version": "2013-10-17", "Statement": [GOOD]}, [("ERROR", "INVALID_VERSION")]),
        ({"Version": "2012-10-17"}, [("ERROR", "MISSING_STATEMENT")]),
        ({"Version": "2012-10-17", "Id": 5, "Statement": [GOOD]}, [("ERROR", "DATA_TYPE_MISMATCH")]),
        ({"Version": "2012-10-17", "Statement": ["x"]}, [("ERROR", "DATA_TYPE_MISMATCH")]),
        (document(GOOD) | {"Extra": 1}, [("ERROR", "INVALID_POLICY_ELEMENT")]),
        (document(GOOD | {"Extra": 1}), [("ERROR", "INVALID_POLICY_ELEMENT")]),
        (document(GOOD | {"NotAction": "x"}), [("ERROR", "UNSUPPORTED_ELEMENT_COMBINATION")]),
        (document({"Action": "*", "Resource": "*"}), [("ERROR", "MISSING_EFFECT")]),
        (document(GOOD | {"Effect": "Permit"}), [("ERROR", "INVALID_EFFECT")]),
        (document(GOOD | {"Sid": 1}), [("ERROR", "DATA_TYPE_MISMATCH")]),
        (document(GOOD | {"Action": {}}), [("ERROR", "DATA_TYPE_MISMATCH")]),
        (document(GOOD | {"Condition": []}), [("ERROR", "DATA_TYPE_MISMATCH")]),
        (with_condition(StringEquals="x"), [("ERROR", "DATA_TYPE_MISMATCH")]),
        (with_condition(NullIfExists={"a:b": "true"}), [("ERROR", "NULL_WITH_IF_EXISTS")]),
        (with_condition(StringSame={"a:b": "x"}), [("ERROR", "INVALID_CONDITION_OPERATOR")]),
    ],
)
def test_lint_says(tree, expected):
    assert expected == codes(tree)


TRUSTING = {"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "sts:AssumeRole"}
OPEN = GOOD | {"Principal": "*"}


@pytest.mark.parametrize(
    ("kind", "found", "expected"),
    [
        (PolicyKind.RESOURCE, GOOD, [("ERROR", "MISSING_PRINCIPAL")]),
        (PolicyKind.RESOURCE, OPEN, [("SECURITY_WARNING", "ALLOW_PUBLIC_ACCESS")]),
        (PolicyKind.RESOURCE, OPEN | {"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}}, []),
        (
            PolicyKind.RESOURCE,
            GOOD | {"Principal": {"AWS": "arn:aws:iam::1:user/*"}},
            [("ERROR", "UNSUPPORTED_WILDCARD_IN_PRINCIPAL")],
        ),
        (PolicyKind.RESOURCE, GOOD | {"Principal": {"AWS": "AIDAAAAAAAAAAAAAAAAAA"}}, [("WARNING", "INVALID_USER_REFERENCE")]),
        (PolicyKind.RESOURCE, GOOD | {"Principal": {}}, [("SUGGESTION", "EMPTY_OBJECT_PRINCIPAL")]),
        (
            PolicyKind.RESOURCE,
            GOOD | {"NotPrincipal": {"AWS": "111122223333"}},
            [("SECURITY_WARNING", "ALLOW_WITH_NOT_PRINCIPAL")],
        ),
        (
            PolicyKind.RESOURCE,
            GOOD | {"Effect": "Deny", "NotPrincipal": {"AWS": "111122223333"}},
            [("WARNING", "DENY_WITH_NOT_PRINCIPAL")],
        ),
        (PolicyKind.SERVICE_CONTROL, statement(), []),
        (PolicyKind.SERVICE_CONTROL, OPEN, [("ERROR", "SCP_SYNTAX_ERROR_PRINCIPAL")]),
        (PolicyKind.RESOURCE_CONTROL, statement("Deny", Principal="*"), [("ERROR", "RCP_SYNTAX_ERROR_ACTION")]),
        (PolicyKind.BOUNDARY, statement(), []),
    ],
)
def test_lint_knows_what_a_policy_is_for(kind, found, expected):
    assert expected == codes(document(found), kind)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (TRUSTING, []),
        (TRUSTING | {"Resource": "*"}, ["ROLE_TRUST_POLICY_SYNTAX_ERROR_RESOURCE"]),
        (TRUSTING | {"NotResource": "*"}, ["ROLE_TRUST_POLICY_SYNTAX_ERROR_NOTRESOURCE"]),
        (TRUSTING | {"Principal": "*"}, ["ROLE_TRUST_POLICY_UNSUPPORTED_WILDCARD_IN_PRINCIPAL", "ALLOW_PUBLIC_ACCESS"]),
        (TRUSTING | {"Action": "iam:GetUser"}, ["MISMATCHED_ACTION_FOR_PRINCIPAL"]),
        (
            TRUSTING | {"Principal": {"Federated": "arn:aws:iam::1:saml-provider/idp"}, "Action": "sts:AssumeRoleWithSAML"},
            ["FEDERATED_TRUST_WITHOUT_CONDITION"],
        ),
        (
            {"Effect": "Deny", "NotPrincipal": {"AWS": "1"}, "Action": "sts:*"},
            ["ROLE_TRUST_POLICY_SYNTAX_ERROR_NOTPRINCIPAL", "DENY_WITH_NOT_PRINCIPAL"],
        ),
    ],
)
def test_lint_knows_trust_policies(found, expected):
    remarks = policy.lint(json.dumps(document(found)), PolicyKind.TRUST)

    assert expected == [remark.code for remark in remarks]


def test_administrator_access_is_a_security_warning():
    assert ("SECURITY_WARNING", "ALLOW_ALL_ACTIONS_ON_ALL_RESOURCES") in codes(document(statement()))


def test_a_service_linked_role_for_any_service_is_a_warning():
    found = codes(document(statement(Action=["iam:CreateServiceLinkedRole"])))

    assert ("WARNING", "CREATE_SLR_WITH_STAR_IN_RESOURCE") in found


def test_a_policy_past_its_quota_is_a_warning():
    long = document(*[GOOD | {"Resource": f"arn:aws:s3:::{'b' * 100}{number}/*"} for number in range(60)])

    assert ("WARNING", "POLICY_SIZE_EXCEEDS_IDENTITY_POLICY_QUOTA") in codes(long)


def test_a_remark_has_aws_s_shape_and_place():
    text = '{"Version": "2012-10-17",\n "Statement": [{"Effect": "Allow", "Action": ["s3:Nope"], "Resource": "*"}]}'

    (remark,) = policy.lint(text, catalogue=SmallCatalogue())

    member = remark.as_member()
    assert ("ERROR", "INVALID_ACTION", "The action s3:Nope does not exist.") == (
        member["findingType"],
        member["issueCode"],
        member["findingDetails"],
    )
    assert member["learnMoreLink"].endswith("#access-analyzer-reference-policy-checks-error-invalid-action")
    assert [
        {
            "path": [{"value": "Statement"}, {"index": 0}, {"value": "Action"}, {"index": 0}],
            "span": {
                "start": {"line": 2, "column": 46, "offset": 72},
                "end": {"line": 2, "column": 55, "offset": 81},
            },
        }
    ] == member["locations"]


def test_remarks_come_worst_first():
    found = policy.lint(json.dumps({"Statement": [statement(Action=["s3:*", "s3:GetObject", "nope"])]}))

    severities = [list(Severity).index(remark.severity) for remark in found]
    assert sorted(severities) == severities
    assert {Severity.ERROR, Severity.WARNING, Severity.SUGGESTION} == {remark.severity for remark in found}


def test_a_document_can_be_linted_as_such():
    parsed = policy.parse(json.dumps({"Statement": [GOOD]}))

    assert ["MISSING_VERSION"] == [remark.code for remark in policy.lint(parsed)]


@given(st.one_of(strategies.documents(principals=True).map(json.dumps), st.text()), st.sampled_from(list(PolicyKind)))
def test_lint_has_an_answer_for_everything(text, kind):
    remarks = policy.lint(text, kind, catalogue=SmallCatalogue())

    assert all(remark.as_member()["locations"] for remark in remarks)
    assert remarks or building.fault_of(policy.parse, text) is None


def test_an_attacker_s_list_of_patterns_cannot_blow_up_the_lint():
    actions = [f"s3:*{number}*" for number in range(6_000)]

    with bounded():
        remarks = policy.lint(json.dumps(document(statement(Action=actions))))

    assert remarks


class EndlessCatalogue(SmallCatalogue):
    """A service with as many actions as the largest of AWS's."""

    services: ClassVar = {"ec2": {f"Describe{number}Things": [] for number in range(800)}}


def test_thousands_of_action_patterns_are_read_in_bounded_time():
    actions = [f"ec2:*{number}*nothing" for number in range(3_000)]
    text = json.dumps(document(statement(Action=actions, Resource="*")))

    with bounded():
        remarks = policy.lint(text, PolicyKind.IDENTITY, catalogue=EndlessCatalogue())

    assert 512 == sum(remark.code == "INVALID_ACTION" for remark in remarks)


@pytest.mark.parametrize(
    ("key", "code"),
    [
        ("aws:MultiFactorAuthPresen", "INVALID_GLOBAL_CONDITION_KEY"),
        ("aws:ARN", "UNSUPPORTED_GLOBAL_CONDITION_KEY"),
        ("aws:PrincipalTags/team", "INVALID_GLOBAL_CONDITION_KEY"),
        ("s3:nonsense", "INVALID_SERVICE_CONDITION_KEY"),
        ("nowhere:key", "INVALID_SERVICE"),
    ],
)
def test_a_condition_key_that_no_service_has_is_an_error(key, code):
    assert ("ERROR", code) in codes(with_condition(StringEquals={key: "x"}))


@pytest.mark.parametrize(
    "key",
    ["aws:username", "AWS:PrincipalTag/Team", "aws:PrincipalArn", "token.actions.githubusercontent.com:sub", "idp.example/x:aud"],
)
def test_a_condition_key_that_exists_is_none(key):
    assert [] == [code for _, code in codes(with_condition(StringEquals={key: "x"})) if "CONDITION_KEY" in code]


@pytest.mark.parametrize("name", ["ec2.amazonaws.co", "ec2", "EC2.amazonaws.com", "amazonaws.com", ""])
def test_a_service_principal_of_a_wrong_format_is_an_error(name):
    expected = ("ERROR", "INVALID_SERVICE_PRINCIPAL_FORMAT")

    assert expected in codes(
        document(statement(Principal={"Service": ["ec2.amazonaws.com", name]}, Action="sts:AssumeRole")), PolicyKind.TRUST
    )
    for key in ("aws:PrincipalServiceName", "iam:PassedToService"):
        assert expected in codes(with_condition(StringEquals={key: name}))
        assert expected not in codes(with_condition(StringEqualsIfExists={key: ["ec2.amazonaws.com", "deploy.corp.example"]}))
        assert expected not in codes(with_condition(StringLike={key: "*.amazonaws.com"}))


@pytest.mark.parametrize(("key", "kind"), [("aws:SourceVpc", "vpc"), ("aws:SourceVpce", "vpce")])
def test_an_id_of_a_network_of_a_wrong_format_is_an_error(key, kind):
    expected = ("ERROR", f"INVALID_{kind.upper()}_FORMAT")

    for wrong in (
        "",
        "vpc",
        f"{kind}-123",
        f"{kind}-0123456789abcdef01",
        f"{kind}-0123-567",
        f"subnet-{'0' * 8}",
        f"{kind}-0123456Z",
    ):
        assert 1 == codes(with_condition(StringEquals={key: [wrong, f"{kind}-01234567"]})).count(expected)
    for right in (f"{kind}-01234567", f"{kind}-0123456789abcdef0", "${aws:PrincipalTag/net}"):
        assert expected not in codes(with_condition(StringNotEquals={key: right}))
    assert expected not in codes(with_condition(StringLike={key: f"{kind}-*"}))


@pytest.mark.parametrize("key", ["aws:RequestTag", "aws:RequestTag/", "aws:resourcetag", "aws:PrincipalTag/"])
def test_a_condition_on_a_tag_that_names_none_is_an_error(key):
    found = [code for severity, code in codes(with_condition(StringEquals={key: "x"})) if severity == "ERROR"]

    assert ["MISSING_TAG_KEY_IN_CONDITION"] == found


def test_a_region_that_nobody_has_is_an_error():
    fenced = with_condition(StringNotEquals={"aws:RequestedRegion": ["eu-west-1", "eu-west-99"]})
    queue = document(statement(Action="s3:GetObject", Resource="arn:aws:sqs:nowhere-1:111122223333:q"))

    assert 1 == codes(fenced).count(("ERROR", "INVALID_REGION"))
    assert ("ERROR", "INVALID_ARN_REGION") in codes(queue)
    assert not [code for _, code in codes(with_condition(StringLike={"aws:RequestedRegion": "eu-*"})) if "REGION" in code]


def test_principals_of_a_wrong_format_or_kind_are_errors():
    text = document(statement(Principal="arn:aws:iam::111122223333:root"))
    kind = document(statement(Principal={"Amazon": "111122223333"}))

    assert ("ERROR", "INVALID_PRINCIPAL_FORMAT") in codes(text, PolicyKind.RESOURCE)
    assert ("ERROR", "INVALID_PRINCIPAL_KEY") in codes(kind, PolicyKind.RESOURCE)
