"""`crownkeep policy`: documents are checked in AWS's words, and explanations are the server's own decisions."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.cli.conftest import Terminal

SOUND = """{
  "Version": "2012-10-17",
  "Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::photos/*"}
}
"""
MISSPELLED = """{
  "Version": "2012-10-17",
  "Statement": [
    {"Effect": "Allow", "Action": ["iam:PassRole", "s3:GetObjct"], "Resource": "*"}
  ]
}
"""
STATEMENT = {"Effect": "Allow", "Action": "*", "Resource": "*"}


@pytest.fixture
def file(tmp_path: Path) -> Callable[..., str]:
    """Write a document and return its path: `file(SOUND)`."""

    def write(content: str | bytes, name: str = "policy.json") -> str:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    return write


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements or [STATEMENT]})


# check


def test_a_sound_policy_is_said_to_be_one_without_a_data_directory(crownkeep, file, data):
    ended = crownkeep("policy", "check", file(SOUND))

    assert (0, "") == (ended.code, ended.err)
    assert ended.out.endswith("policy.json: nothing to say, checked as identity policy\n")
    assert not data.exists()


def test_what_aws_refuses_comes_first_in_its_words(crownkeep, file):
    ended = crownkeep("policy", "check", file(SOUND.replace("2012-10-17", "2008-10-17")))

    assert 1 == ended.code
    expected = "ERROR MalformedPolicyDocument\n  Policy document must be version 2012-10-17 or greater.\n\n"
    assert ended.out.startswith(expected)


def test_findings_show_their_line_with_carets_under_what_is_meant(crownkeep, file):
    ended = crownkeep("policy", "check", file(MISSPELLED))

    assert 1 == ended.code
    expected = [
        "ERROR INVALID_ACTION 4:52",
        "  The action s3:GetObjct does not exist.",
        '  4 |     {"Effect": "Allow", "Action": ["iam:PassRole", "s3:GetObjct"], "Resource": "*"}',
        " " * 57 + "^" * 13,
    ]
    assert expected == ended.out.split("\n")[:4]
    assert "SECURITY_WARNING PASS_ROLE_WITH_STAR_IN_RESOURCE 4:36" in ended.out
    assert "1 error, 1 security warning" in ended.out


def test_of_a_line_of_thousands_of_characters_only_the_place_is_shown(crownkeep, file):
    text = document(*({**STATEMENT, "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{n}"} for n in range(200)))

    ended = crownkeep("policy", "check", file(text.replace("s3:GetObject", "s3:GetObjct", 1)))

    assert max(map(len, ended.out.split("\n")[:4])) < 130
    assert "…" in ended.out


def test_lines_of_windows_and_tabs_leave_the_carets_in_place(crownkeep, file):
    ended = crownkeep("policy", "check", file(MISSPELLED.replace("\n", "\r\n").replace("    ", "\t")))

    line, carets = ended.out.split("\n")[2:4]
    assert '"s3:GetObjct"' == line[carets.index("^") : carets.rindex("^") + 1]
    assert "?" not in line


def test_suggestions_alone_are_no_fault(crownkeep, file):
    ended = crownkeep("policy", "check", file(document({**STATEMENT, "Action": ["s3:*", "s3:GetObject"]})), "--json")

    assert 0 == ended.code
    assert {"SUGGESTION", "WARNING"} >= {each["findingType"] for each in ended.json()["findings"]}
    assert ended.json()["findings"]


def test_findings_are_answered_as_access_analyzer_answers_them(crownkeep, file):
    answer = crownkeep("policy", "check", file(MISSPELLED), "--json").json()

    assert {"file", "kind", "sound", "error", "findings"} == answer.keys()
    assert ("identity", False, None) == (answer["kind"], answer["sound"], answer["error"])
    first = answer["findings"][0]
    assert ("ERROR", "INVALID_ACTION") == (first["findingType"], first["issueCode"])
    assert {"line": 4, "column": 51, "offset": 97} == first["locations"][0]["span"]["start"]


def test_standard_input_is_read_for_a_dash(crownkeep):
    ended = crownkeep("policy", "check", "-", stdin=SOUND)

    assert (0, "-: nothing to say, checked as identity policy\n") == (ended.code, ended.out)


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("resource", "Missing required field Principal"),
        ("trust", "Missing required field Principal"),
        ("resource-control", "The provided policy document does not meet the requirements of the specified policy type."),
    ],
)
def test_a_policy_is_held_against_the_grammar_of_its_kind(crownkeep, file, kind, message):
    ended = crownkeep("policy", "check", file(SOUND), "--kind", kind, "--json")

    assert (1, message) == (ended.code, ended.json()["error"]["message"])


@pytest.mark.parametrize("kind", ["boundary", "session", "service-control"])
def test_kinds_without_principals_take_the_same_document(crownkeep, file, kind):
    ended = crownkeep("policy", "check", file(SOUND), "--kind", kind)

    assert 0 == ended.code


TOO_LONG = (
    "1 validation error detected: Value at 'policyDocument' failed to satisfy constraint: "
    "Member must have length less than or equal to 131072"
)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "Syntax errors in policy."),
        (b"\0" * 1000, "Syntax errors in policy."),
        (b"\x7fELF\xff\xfe" * 100, "Syntax errors in policy."),
        (b"[" * 100_000, "Syntax errors in policy."),
        (b'{"a":' * 20_000, "Syntax errors in policy."),
        (b" " * 131_073, TOO_LONG),
        (b"\xff" * 600_000, TOO_LONG),
        (b'{"Version": ' + b"9" * 100_000 + b"}", "Syntax errors in policy."),
        (b'{"Version": "2012-10-17", "Version": "2012-10-17", "Statement": []}', "Syntax errors in policy."),
        (b'{"Statement": [{"Effect": "Allow", "\\ud800": 1}]}', "Syntax errors in policy."),
    ],
    ids=["nothing", "nulls", "binary", "deep", "deep objects", "long", "huge", "number", "twice", "surrogate"],
)
@pytest.mark.parametrize("options", [(), ("--json",)], ids=["text", "json"])
def test_hostile_files_are_refused_in_aws_words(crownkeep, file, content, message, options):
    ended = crownkeep("policy", "check", file(content), *options)

    assert (1, "") == (ended.code, ended.err)
    assert message in ended.out


def test_a_document_can_not_drive_the_terminal_that_shows_it(crownkeep, file):
    ended = crownkeep("policy", "check", file(MISSPELLED.replace("GetObjct", "Get\x9b31mObjct\u202e")))

    assert 1 == ended.code
    assert not {"\x9b", "\x1b", "\u202e"} & set(ended.out)


@pytest.mark.parametrize("words", [["nowhere.json"], ["."], [], ["policy.json", "--kind", "group"]])
def test_a_check_that_is_called_wrongly_ends_with_two(crownkeep, file, words):
    file(SOUND)

    ended = crownkeep("policy", "check", *words)

    assert (2, "") == (ended.code, ended.out)
    assert "Traceback" not in ended.err


# explain


def explained(crownkeep: Terminal, principal: str, action: str, resource: str, *options: str) -> Any:
    return crownkeep("policy", "explain", "--principal", principal, "--action", action, "--resource", resource, *options)


@pytest.fixture
def beside(crown: Any) -> Terminal:
    """Commands beside a running server, on its data."""
    return Terminal({"CROWNKEEP_DATA": crown.settings.data, "CROWNKEEP_DATABASE": crown.settings.database_url})


def test_an_allow_is_told_with_its_policy_statement_and_line(beside, account):
    alice = account.user("alice", policy=json.loads(document({**STATEMENT, "Sid": "Readers", "Action": "iam:Get*"})))

    ended = explained(beside, alice.arn, "iam:GetUser", alice.arn)

    assert (0, "") == (ended.code, ended.err)
    assert [
        "├─ ALLOWED: an identity-based policy allows it",
        "└─ identity-based policy: allows",
        "   └─ Allow in inline, statement Readers, line 1",
        "",
    ] == ended.out.split("\n")


def test_a_denial_says_what_kept_each_statement_from_applying(beside, account):
    wanted = {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}
    alice = account.user("alice", policy=json.loads(document({**STATEMENT, "Condition": wanted})))

    ended = explained(beside, alice.arn, "s3:GetObject", "arn:aws:s3:::b/k", "--context", "aws:RequestedRegion=us-east-1")

    assert 1 == ended.code
    assert "StringEquals aws:RequestedRegion wants 'eu-west-1'; the request has 'us-east-1'" in ended.out
    assert f"User: {alice.arn} is not authorized to perform: s3:GetObject on resource: arn:aws:s3:::b/k" in ended.out


def test_an_explanation_is_what_the_server_answers(beside, account):
    statements = (STATEMENT, {"Effect": "Deny", "Action": "iam:DeleteUser", "Resource": "*", "Sid": "Never"})
    alice = account.user("alice", policy=json.loads(document(*statements)))
    with pytest.raises(ClientError) as refused:
        alice.client("iam").delete_user(UserName="alice")

    answer = explained(beside, alice.arn, "iam:DeleteUser", alice.arn, "--json").json()

    # The server names the user as the call did; an explanation as it was asked, by ARN.
    assert refused.value.response["Error"]["Message"].replace("user alice", alice.arn) == answer["message"]
    assert (False, "explicitDeny") == (answer["allowed"], answer["decision"])
    assert {"policy": "inline", "statement": "Never"}.items() <= answer["findings"][0].items()


def test_an_explanation_leaves_neither_change_nor_record(beside, account):
    alice = account.user("alice")
    before = account.records()

    explained(beside, alice.arn, "iam:GetUser", alice.arn)

    assert before == account.records()


def test_tags_of_the_caller_and_of_the_resource_are_known(beside, account):
    same = {"StringEquals": {"iam:ResourceTag/team": "${aws:PrincipalTag/team}"}}
    policy = json.loads(document({**STATEMENT, "Condition": same}))
    alice = account.user("alice", policy=policy, Tags=[{"Key": "team", "Value": "a"}])
    bob = account.user("bob", Tags=[{"Key": "team", "Value": "a"}])
    carol = account.user("carol", Tags=[{"Key": "team", "Value": "c"}])

    codes = [explained(beside, alice.arn, "iam:GetUser", other.arn).code for other in (bob, carol)]

    assert [0, 1] == codes


def test_a_boundary_is_asked_too(beside, account):
    iam = account.client("iam")
    boundary = iam.create_policy(PolicyName="edge", PolicyDocument=document({**STATEMENT, "Action": "s3:*"}))["Policy"]["Arn"]
    alice = account.user("alice", policy=json.loads(document()), PermissionsBoundary=boundary)

    ended = explained(beside, alice.arn, "iam:GetUser", alice.arn)

    assert 1 == ended.code
    assert "permissions boundary: does not allow" in ended.out


def test_a_role_is_explained_as_a_session_of_it(beside, account):
    iam = account.client("iam")
    trust = document({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": account.id}})
    role = iam.create_role(RoleName="deploy", Path="/ci/", AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    iam.put_role_policy(RoleName="deploy", PolicyName="own", PolicyDocument=document({**STATEMENT, "Action": "s3:*"}))
    session = f"arn:aws:sts::{account.id}:assumed-role/deploy/build-7"

    of_role = explained(beside, role, "s3:GetObject", "arn:aws:s3:::b/k", "--json").json()
    of_session = explained(beside, session, "ec2:RunInstances", "*", "--json").json()

    assert (True, f"arn:aws:sts::{account.id}:assumed-role/deploy/session") == (of_role["allowed"], of_role["principal"])
    assert (False, session) == (of_session["allowed"], of_session["principal"])


def test_taking_on_a_role_asks_its_trust_policy(beside, account):
    iam = account.client("iam")
    alice = account.user("alice", policy=json.loads(document()))
    bob = account.user("bob", policy=json.loads(document()))
    trust = document({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": bob.arn}})
    role = iam.create_role(RoleName="deploy", AssumeRolePolicyDocument=trust)["Role"]["Arn"]

    codes = [explained(beside, who.arn, "sts:AssumeRole", role).code for who in (alice, bob)]
    nowhere = explained(beside, bob.arn, "sts:AssumeRole", f"{role}-of-nobody")

    assert [1, 0, 1] == [*codes, nowhere.code]
    assert "no role trust policy allows the sts:AssumeRole action" in nowhere.out


def test_another_accounts_resource_needs_a_policy_of_its_own(beside, account, file):
    alice = account.user("alice", policy=json.loads(document()))
    queue = "arn:aws:sqs:us-east-1:111122223333:jobs"
    policy = file(document({**STATEMENT, "Principal": {"AWS": alice.arn}}))

    alone = explained(beside, alice.arn, "sqs:SendMessage", queue)
    with_policy = explained(beside, alice.arn, "sqs:SendMessage", queue, "--resource-policy", policy)

    assert [1, 0] == [alone.code, with_policy.code]
    assert "because no resource-based policy allows" in alone.out
    assert "the caller's account and the resource's account both allow it" in with_policy.out


def test_root_may_do_anything_but_take_on_a_role(beside, account):
    root = f"arn:aws:iam::{account.id}:root"

    anything = explained(beside, root, "iam:DeleteUser", "*")
    role = explained(beside, root, "sts:AssumeRole", f"arn:aws:iam::{account.id}:role/deploy")

    assert [0, 1] == [anything.code, role.code]
    assert "Error: Roles may not be assumed by root accounts.\n" == role.err


def test_a_key_with_many_values_may_be_given_once_or_often(crownkeep, file):
    condition = {"ForAllValues:StringEquals": {"aws:TagKeys": ["a", "b"]}, "Null": {"aws:TagKeys": "false"}}
    policy = file(document({**STATEMENT, "Condition": condition}))
    asked = ("policy", "explain", "--policy", policy, "--action", "iam:TagUser", "--resource", "*")

    once = crownkeep(*asked, "--context", "aws:TagKeys=a")
    often = crownkeep(*asked, "--context", "aws:TagKeys=a", "--context", "AWS:tagkeys=b")
    another = crownkeep(*asked, "--context", "aws:TagKeys=a", "--context", "aws:TagKeys=c")

    assert [0, 0, 1] == [once.code, often.code, another.code]


def test_documents_are_explained_for_somebody_who_is_kept_nowhere(crownkeep, file, data):
    own = file(document({**STATEMENT, "Resource": "arn:aws:s3:::${aws:username}/*", "Action": "s3:*"}), "own.json")
    deny = file(document({**STATEMENT, "Effect": "Deny", "Action": "s3:DeleteObject"}), "deny.json")
    asked = ("policy", "explain", "--policy", own, "--policy", deny, "--resource", "arn:aws:s3:::somebody/x")

    read = crownkeep(*asked, "--action", "s3:GetObject")
    deleted = crownkeep(*asked, "--action", "s3:DeleteObject")
    of_bob = crownkeep(*asked, "--action", "s3:GetObject", "--principal", "arn:aws:iam::111122223333:user/bob")

    assert [0, 1, 1] == [read.code, deleted.code, of_bob.code]
    assert f"Deny in {deny}, statement 1, line 1" in deleted.out
    assert not data.exists()


@pytest.mark.parametrize(
    ("principal", "code", "message"),
    [
        ("alice", 2, "`alice` names no principal"),
        ("arn:aws:iam::{id}:group/admins", 2, "names no principal"),
        ("arn:aws:iam::{id}:user/", 2, "names no principal"),
        ("arn:aws:iam::{id}:user/nobody", 1, "The user with name nobody cannot be found."),
        ("arn:aws:iam::{id}:user/elsewhere/admin", 1, "The user with name admin cannot be found."),
        ("arn:aws:iam::{id}:role/nobody", 1, "The role with name nobody cannot be found."),
        ("arn:aws:iam::000000000001:user/x", 1, "there is no account `000000000001`; `crownkeep account list` shows them all"),
    ],
)
def test_who_is_not_there_is_said_in_one_sentence(made, crownkeep, principal, code, message):
    account_id = made("--admin-user", "admin")["account_id"]

    ended = explained(crownkeep, principal.format(id=account_id), "iam:GetUser", "*")

    assert (code, "") == (ended.code, ended.out)
    assert message in ended.err
    assert 1 == ended.err.count("\n")


def test_nobody_may_do_anything_in_a_closed_account(made, crownkeep):
    account_id = made("--admin-user", "admin")["account_id"]
    crownkeep("account", "close", account_id)

    ended = explained(crownkeep, f"arn:aws:iam::{account_id}:user/admin", "iam:GetUser", "*")

    assert (1, "") == (ended.code, ended.out)
    assert f"the account `{account_id}` is closed" in ended.err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--action", "s3:*", "--resource", "*"), "is no action"),
        (("--action", "s3", "--resource", "*"), "is no action"),
        (("--action", "s3:GetObject", "--resource", "photos"), "is no resource"),
        (("--action", "s3:GetObject", "--resource", "arn:aws:s3:::a\n\x1b[31m"), "is no resource"),
        (("--action", "s3:GetObject", "--resource", "*", "--context", "aws:SourceIp"), "is no condition key"),
        (("--action", "s3:GetObject", "--resource", "*"), "say who"),
    ],
)
def test_a_question_that_is_none_ends_with_two(crownkeep, options, message):
    ended = crownkeep("policy", "explain", *options)

    assert (2, "") == (ended.code, ended.out)
    assert message in ended.err
    assert "\x1b" not in ended.err


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xff\xfe", "Syntax errors in policy."),
        (b" " * 600_000, TOO_LONG),
        (document({**STATEMENT, "Action": "GetObject"}).encode(), "Actions/Conditions must be prefaced by a vendor"),
    ],
)
def test_hostile_documents_are_not_explained_but_refused_in_aws_words(crownkeep, file, content, message):
    ended = crownkeep("policy", "explain", "--policy", file(content), "--action", "s3:GetObject", "--resource", "*")

    assert (1, "") == (ended.code, ended.out)
    assert f"policy.json: {message}" in ended.err
    assert 1 == ended.err.count("\n")


def test_a_root_user_holds_no_documents(crownkeep, file):
    ended = explained(crownkeep, "arn:aws:iam::111122223333:root", "s3:GetObject", "*", "--policy", file(SOUND))

    assert 2 == ended.code
    assert "is a root user, who has no policies; name a user or a role" in ended.err
