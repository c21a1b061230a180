"""Policies, callers, contexts and questions for hypothesis: small alphabets, so that things meet."""

from hypothesis import strategies as st
from tests.policy.building import ACCOUNT, FEDERATED_ARN, OTHER_ACCOUNT, ROLE_ARN, SESSION_ARN, USER_ARN

ACTIONS = ["s3:GetObject", "s3:PutObject", "S3:getobject", "iam:GetUser", "iam:PassRole", "sts:AssumeRole"]
ACTION_PATTERNS = [*ACTIONS, "*", "s3:*", "s3:Get*", "*:Get*", "s?:*Object", "iam:*User", "ia*", "s3:?etObject", "*:*"]
RESOURCES = [
    "*",
    "arn:aws:s3:::b",
    "arn:aws:s3:::b/k",
    "arn:aws:s3:::b/alice/k:2",
    f"arn:aws:iam::{ACCOUNT}:user/alice",
    f"arn:aws:iam::{ACCOUNT}:role/a/b",
    f"arn:aws:iam::{OTHER_ACCOUNT}:role/a/b",
]
RESOURCE_PATTERNS = [
    *RESOURCES,
    "arn:aws:s3:::*",
    "arn:aws:s3:::b*",
    "arn:aws:s3:::b/?",
    "arn:aws:s3:::b/*/k:?",
    "arn:aws:s3",
    "arn:aws:iam::*:user/*",
    "arn:aws:iam::*:user/${aws:username}",
    "arn:aws:s3:::b/${aws:username, 'nobody'}/*",
    "arn:aws:s3:::${aws:PrincipalTag/team}/k",
    "arn:aws:iam::${aws:PrincipalAccount}:role/*",
    "arn:*:s3:*:*:b/k",
    "arn:aws:s3:::b/${*}",
    "arn:aws:s3:::${tags}/k",
]
STRINGS = ["", "a", "A", "b", "ab", "alice", "a*b", "ß", "SS", "10", "9.5", "true", "False", "YWI=", "2020-01-01T00:00:00Z"]
STRING_WANTED = [*STRINGS, "*", "a*", "?", "*b", "${aws:username}", "${missing}", "${missing, 'a'}", "${*}", "${tags}"]
NUMBERS = ["0", "1", "10", "10.0", "-3", "9.5", "abc", ""]
DATES = ["2020-01-01T00:00:00Z", "2020-01-01T01:00:00+01:00", "2021-06-01", "1577836800", "2020", "1577836800.5", "never"]
ADDRESSES = ["10.0.0.1", "10.1.2.3", "192.168.0.7", "2001:db8::1", "::ffff:10.0.0.1", "nowhere"]
NETWORKS = ["10.0.0.0/8", "10.0.0.1", "10.9.9.9/8", "2001:db8::/32", "2001:db8::1/32", "::ffff:10.0.0.0/104", "bad"]
ARNS = [*RESOURCES[1:], "not an arn", "arn:aws:s3:::a*"]
ARN_WANTED = [*ARNS, "*", "arn:aws:s3:::*", "arn:*:iam::*:user/*", "arn:aws:iam", "arn:aws:iam::*:user/${aws:username}"]
BINARIES = ["YWI=", "YWJj", "!!"]
BOOLEANS = ["true", "false", "TRUE", "maybe"]

FAMILIES = {
    "String": (["Equals", "NotEquals", "EqualsIgnoreCase", "NotEqualsIgnoreCase", "Like", "NotLike"], STRING_WANTED, STRINGS),
    "Numeric": (
        ["Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"],
        NUMBERS,
        NUMBERS,
    ),
    "Date": (["Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"], DATES, DATES),
    "Arn": (["Equals", "NotEquals", "Like", "NotLike"], ARN_WANTED, ARNS),
    "": (["Bool"], BOOLEANS, BOOLEANS),
    "Binary": (["Equals"], BINARIES, BINARIES),
}
# A key per family, and the values a request may have for it.
KEYS = {"String": "k:s", "Numeric": "k:n", "Date": "k:d", "Arn": "k:a", "": "k:b", "Binary": "k:x", "Ip": "k:i"}


def one_or_list(values, *, min_size=1, max_size=3):
    one = st.sampled_from(values)
    return one | st.lists(one, min_size=min_size, max_size=max_size)


@st.composite
def condition_lines(draw):
    family = draw(st.sampled_from([*FAMILIES, "Ip", "Null"]))
    if family == "Null":
        return "Null", draw(st.sampled_from([*KEYS.values(), "tags"])), draw(one_or_list(["true", "false"]))
    if family == "Ip":
        operator, wanted = draw(st.sampled_from(["IpAddress", "NotIpAddress"])), NETWORKS
    else:
        names, wanted, _ = FAMILIES[family]
        operator = family + draw(st.sampled_from(names))
    qualifier = draw(st.sampled_from(["", "", "ForAllValues:", "ForAnyValue:"]))
    if_exists = draw(st.sampled_from(["", "", "IfExists"]))
    key = draw(st.sampled_from([KEYS[family], KEYS[family].upper(), "tags"]))
    return qualifier + operator + if_exists, key, draw(one_or_list(wanted, min_size=0))


@st.composite
def conditions(draw):
    block = {}
    for operator, key, wanted in draw(st.lists(condition_lines(), max_size=2)):
        block.setdefault(operator, {})[key] = wanted
    return block


PRINCIPALS = [
    "*",
    ACCOUNT,
    f"arn:aws:iam::{ACCOUNT}:root",
    OTHER_ACCOUNT,
    USER_ARN,
    ROLE_ARN,
    SESSION_ARN,
    FEDERATED_ARN,
]
principal_elements = st.just("*") | st.builds(lambda names: {"AWS": names}, one_or_list(PRINCIPALS, max_size=4))


@st.composite
def statements(draw, *, principals=False, effects=("Allow", "Allow", "Deny")):
    found = {"Effect": draw(st.sampled_from(effects))}
    found[draw(st.sampled_from(["Action", "Action", "Action", "NotAction"]))] = draw(one_or_list(ACTION_PATTERNS))
    found[draw(st.sampled_from(["Resource", "Resource", "NotResource"]))] = draw(one_or_list(RESOURCE_PATTERNS))
    if principals:
        found[draw(st.sampled_from(["Principal", "Principal", "NotPrincipal"]))] = draw(principal_elements)
    block = draw(conditions())
    return found | ({"Condition": block} if block else {})


def documents(**kwargs):
    return st.builds(
        lambda version, found: {"Version": version, "Statement": found},
        st.sampled_from(["2012-10-17", "2012-10-17", "2012-10-17", "2008-10-17"]),
        st.lists(statements(**kwargs), min_size=1, max_size=4),
    )


def sets(**kwargs):
    return st.lists(documents(**kwargs), min_size=1, max_size=2)


def _values(family):
    values = {"Ip": ADDRESSES}.get(family) or FAMILIES[family][2]
    one = st.sampled_from(values)
    return one | st.lists(one, max_size=3)


contexts = st.fixed_dictionaries(
    {},
    optional={
        **{KEYS[family]: _values(family) for family in KEYS},
        "tags": st.lists(st.sampled_from(STRINGS), max_size=3),
        "aws:username": st.sampled_from(["alice", "bob", "a*"]),
        "aws:PrincipalTag/team": st.sampled_from(["b", "*", "b:c"]),
        "aws:PrincipalAccount": st.just(ACCOUNT),
    },
)
actions = st.sampled_from(ACTIONS)
resources = st.sampled_from(RESOURCES)


def cases():
    """What applies to a request, in the shape building.applicable and policy_reference.authorize read."""
    return st.fixed_dictionaries(
        {"identity": sets()},
        optional={
            "boundary": sets(),
            "session": sets(),
            "resource": sets(principals=True),
            "scp": st.lists(sets(), max_size=2),
            "rcp": st.lists(sets(), max_size=2),
            "owner": st.sampled_from([ACCOUNT, OTHER_ACCOUNT]),
            "required": st.just(True),
        },
    )


callers = st.sampled_from(["root", "user", "session", "federated"])
