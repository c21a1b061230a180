"""What a change would have denied: what the answer says is what enforcement then does, and what can't be told is said."""

from __future__ import annotations

import gzip
import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.advisor.conftest import clients_of
from tests.fixtures.crown import Account, Crowns, User
from tests.fixtures.organization import Organization

from crownkeep.advisor import calls, entities, evidence, reader, recorded, recorded_files, what_if
from crownkeep.advisor.entities import Entities
from crownkeep.advisor.recorded import RecordedEvent, RecordedUse, UnreadableRecords
from crownkeep.advisor.view import View
from crownkeep.advisor.what_if import ControlLevel, HypotheticalChange

_numbers = itertools.count(1)
CALLS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("iam", "list_users", {}),
    ("iam", "get_user", {"UserName": "target"}),
    ("iam", "tag_user", {"UserName": "target", "Tags": [{"Key": "k", "Value": "v"}]}),
    ("iam", "get_group", {"GroupName": "team"}),
    ("iam", "get_role", {"RoleName": "worker"}),
    ("iam", "list_account_aliases", {}),
    ("sts", "get_caller_identity", {}),
    ("sts", "get_session_token", {}),
    ("organizations", "describe_organization", {}),
)
ACTIONS = ("iam:*", "iam:Get*", "iam:ListUsers", "iam:TagUser", "iam:GetRole", "organizations:*", "sts:*", "*")


def statements(account_id: str) -> st.SearchStrategy[dict[str, Any]]:
    """Draw a statement about what CALLS do."""
    about = [f"arn:aws:iam::{account_id}:{each}" for each in ("user/*", "user/a/b/target", "role/worker", "group/t?am")]
    return st.fixed_dictionaries(
        {
            "Effect": st.sampled_from(("Allow", "Allow", "Deny")),
            "Action": st.lists(st.sampled_from(ACTIONS), min_size=1, max_size=2),
            "Resource": st.sampled_from(("*", "*", *about)),
        },
        optional={"Condition": st.just({"Bool": {"aws:MultiFactorAuthPresent": "true"}})},
    )


def document(drawn: list[dict[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": drawn})


class Subject:
    """A user with policies and a key, who does what CALLS say."""

    def __init__(self, account: Account, **policies: str) -> None:
        self.account = account
        self.user: User = account.user(f"subject-{next(_numbers)}")
        for name, text in policies.items():
            account.client("iam").put_user_policy(UserName=self.user.name, PolicyName=name, PolicyDocument=text)

    def allowed(self) -> set[str]:
        """Do it all, and return the actions that were allowed."""
        return {
            f"{service}:{''.join(word.title() for word in name.split('_'))}"
            for service, name, given_ in CALLS
            if _is_allowed(self.user, service, name, given_)
        }

    def events(self) -> list[RecordedEvent]:
        """Return what was recorded of it."""
        key = self.user.credentials.access_key_id
        found = [each for each in self.account.records() if each["userIdentity"].get("accessKeyId") == key]
        return [recorded.read(json.dumps(each)) for each in found]

    def known(self) -> Entities:
        asked = reader.ask(clients_of(self.account), calls.AUTHORIZATION)
        return entities.of(View(evidence.of(self.account.id, asked.at, [asked])))


def _is_allowed(user: User, service: str, name: str, given_: dict[str, Any]) -> bool:
    try:
        getattr(user.client(service), name)(**given_)
    except ClientError as error:
        return error.response["Error"]["Code"] not in recorded.DENIED
    return True


@pytest.fixture(scope="module")
def account(crowns: Crowns) -> Account:
    """An account with something to ask for; who has a path among it."""
    made = crowns.shared("sqlite").account()
    iam = made.client("iam")
    iam.create_user(UserName="target", Path="/a/b/")
    iam.create_group(GroupName="team")
    trust = {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
    iam.create_role(RoleName="worker", AssumeRolePolicyDocument=document([trust]))
    return made


def denied_of(subject: Subject, change: HypotheticalChange) -> set[str]:
    """Return the actions that a change would have denied; nothing may be left open."""
    answer = what_if.ask(subject.events(), change, subject.known())
    assert () == answer.unknown
    return {each.action for each in answer.denied}


EXAMPLES = settings(
    max_examples=5,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # each example is a user's life: to make it smaller takes long
    suppress_health_check=[HealthCheck.too_slow],
)


@EXAMPLES
@given(st.data())
def test_what_a_removed_policy_would_have_denied_is_denied_once_it_is_removed(account: Account, data: st.DataObject):
    drawn = st.lists(statements(account.id), min_size=1, max_size=3)
    everything = document([{"Effect": "Allow", "Action": "iam:*", "Resource": "*"}])
    subject = Subject(account, gone=everything, left=document(data.draw(drawn)))
    before = subject.allowed()
    denied = denied_of(subject, what_if.policy_removed("gone", subject.known(), principal_arn=subject.user.arn))

    account.client("iam").delete_user_policy(UserName=subject.user.name, PolicyName="gone")

    assert denied == before - subject.allowed()


@EXAMPLES
@given(st.data(), st.sampled_from(("leave", "detach", "detach from the user")))
def test_what_a_group_no_longer_gives_is_denied_once_it_is_left_or_loses_its_policy(
    account: Account, data: st.DataObject, act: str
):
    drawn = data.draw(st.lists(statements(account.id), min_size=1, max_size=3))
    subject, iam, name = Subject(account, left=document(drawn)), account.client("iam"), f"group-{next(_numbers)}"
    group = iam.create_group(GroupName=name)["Group"]["Arn"]
    everything = document([{"Effect": "Allow", "Action": "iam:*", "Resource": "*"}])
    shared = iam.create_policy(PolicyName=f"shared-{name}", PolicyDocument=everything)["Policy"]["Arn"]
    iam.attach_group_policy(GroupName=name, PolicyArn=shared)
    iam.add_user_to_group(GroupName=name, UserName=subject.user.name)
    if act == "detach from the user":
        iam.attach_user_policy(UserName=subject.user.name, PolicyArn=shared)
    before, known = subject.allowed(), subject.known()

    match act:
        case "leave":
            denied = denied_of(subject, what_if.group_left(subject.user.arn, name, known))
            iam.remove_user_from_group(GroupName=name, UserName=subject.user.name)
        case "detach":
            denied = denied_of(subject, what_if.policy_removed(shared, known, principal_arn=group))
            iam.detach_group_policy(GroupName=name, PolicyArn=shared)
        case _:
            denied = denied_of(subject, what_if.policy_removed(shared, known, principal_arn=subject.user.arn))
            iam.detach_user_policy(UserName=subject.user.name, PolicyArn=shared)

    assert denied == before - subject.allowed()


@EXAMPLES
@given(st.data())
def test_what_a_boundary_would_have_denied_is_denied_once_it_is_set(account: Account, data: st.DataObject):
    boundary = document(data.draw(st.lists(statements(account.id), min_size=1, max_size=3)))
    subject = Subject(account, all=document([{"Effect": "Allow", "Action": "*", "Resource": "*"}]))
    before = subject.allowed()
    denied = denied_of(subject, what_if.boundary_set(subject.user.arn, boundary, subject.known()))
    iam = account.client("iam")
    arn = iam.create_policy(PolicyName=f"boundary-{next(_numbers)}", PolicyDocument=boundary)["Policy"]["Arn"]

    iam.put_user_permissions_boundary(UserName=subject.user.name, PermissionsBoundary=arn)

    assert denied == before - subject.allowed()


def test_what_mfa_would_have_denied_is_denied_once_it_is_demanded(account: Account):
    subject = Subject(account, all=document([{"Effect": "Allow", "Action": "*", "Resource": "*"}]))
    before = subject.allowed()
    denied = denied_of(subject, what_if.mfa_required(subject.user.arn))

    demand = json.dumps(what_if.MFA_DEMAND)
    account.client("iam").put_user_policy(UserName=subject.user.name, PolicyName="mfa", PolicyDocument=demand)

    assert denied == before - subject.allowed()
    assert {"iam:TagUser", "iam:ListUsers"} <= denied


def test_what_a_deleted_key_would_have_denied_is_all_that_it_signed(account: Account):
    subject = Subject(account, all=document([{"Effect": "Allow", "Action": "iam:Get*", "Resource": "*"}]))
    before, key_id = subject.allowed(), subject.user.credentials.access_key_id
    denied = denied_of(subject, what_if.key_deleted(key_id))

    account.client("iam").delete_access_key(UserName=subject.user.name, AccessKeyId=key_id)

    assert set() == subject.allowed()
    assert denied == before


def test_what_a_control_policy_would_have_denied_is_denied_once_it_is_attached_to_a_member(crowns: Crowns):
    organization = Organization(crowns.shared("sqlite"))
    member, manager = organization.invited(), organization.management.id
    content = {"Effect": "Deny", "Action": "iam:List*", "Resource": "*"}
    subject = Subject(member, all=document([{"Effect": "Allow", "Action": "*", "Resource": "*"}]))
    before = subject.allowed()
    denied = denied_of(subject, what_if.scp_attached(document([content]), management_account=manager))

    organization.attach(organization.policy({"Version": "2012-10-17", "Statement": [content]}), member.id)

    assert denied == before - subject.allowed() == {"iam:ListUsers", "iam:ListAccountAliases"}
    of_manager = [recorded.read(json.dumps(each)) for each in organization.management.records()]
    assert () == what_if.ask(of_manager, what_if.scp_attached(document([content]), management_account=manager)).denied


def event(**members: Any) -> RecordedEvent:
    """An event of a user's long-term key, unless it says otherwise."""
    identity = {"type": "IAMUser", "arn": "arn:aws:iam::1:user/ann", "accountId": "1", "userName": "ann", "accessKeyId": "AKIAX"}
    usual = {
        "eventTime": "2026-11-01T10:00:00Z",
        "eventSource": "s3.amazonaws.com",
        "eventName": "GetObject",
        "userIdentity": identity,
        "requestParameters": {"bucketName": "b", "key": "k"},
    }
    return recorded.read(json.dumps(usual | members))


def test_a_level_of_control_policies_denies_what_it_no_longer_allows_and_nothing_that_it_never_allowed():
    iam, s3 = (document([{"Effect": "Allow", "Action": f"{each}:*", "Resource": "*"}]) for each in ("iam", "s3"))
    barred = document([{"Effect": "Deny", "Action": "s3:GetObject", "Resource": "*"}])
    levels = {
        "left": ControlLevel((iam,), (iam, s3)),
        "never": ControlLevel((iam,), (iam,)),
        "joined": ControlLevel((iam,)),
        "open": ControlLevel((iam, s3)),
        "barred": ControlLevel((s3, barred)),
    }

    found = {
        name: what_if.ask([event()], what_if.levels_changed("", [ControlLevel((s3,)), level])) for name, level in levels.items()
    }

    assert {"left": 1, "never": 0, "joined": 1, "open": 0, "barred": 1} == {
        name: len(each.denied) for name, each in found.items()
    }
    of_manager = what_if.levels_changed("", [levels["joined"]], management_account="1")
    assert () == what_if.ask([event()], of_manager).denied


def test_what_a_level_allows_under_a_condition_that_records_don_t_tell_is_left_open():
    condition = {"StringEquals": {"aws:PrincipalTag/team": "red"}}
    red = document([{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": condition}])

    found = what_if.ask([event()], what_if.levels_changed("", [ControlLevel((red,))]))

    assert () == found.denied
    assert ["records don't say aws:principaltag/team"] == [each.reason.lower() for each in found.unknown]


def test_what_a_service_does_in_somebody_s_name_counts_as_theirs():
    identity = {"type": "IAMUser", "arn": "arn:aws:iam::1:user/ann", "accountId": "1", "userName": "ann"}
    by_service = event(userIdentity={**identity, "invokedBy": "cloudformation.amazonaws.com"})
    via = {"Bool": {"aws:ViaAWSService": "true"}}
    deny = document([{"Effect": "Deny", "Action": "s3:*", "Resource": "*", "Condition": via}])

    found = what_if.ask([by_service, event()], what_if.scp_attached(deny))

    assert [("s3:GetObject", 1)] == [(each.action, each.count) for each in found.denied]


ROOT = {"type": "Root", "arn": "arn:aws:iam::1:root", "accountId": "1"}


def test_root_s_own_use_counts_and_what_was_done_centrally_or_refused_does_not():
    central = ROOT | {"sessionContext": {"assumedRoot": "true"}}
    found = what_if.ask(
        [
            event(userIdentity=ROOT),
            event(userIdentity=ROOT, eventTime="2026-11-02T10:00:00Z"),
            event(userIdentity=ROOT, eventName="ConsoleLogin", eventSource="signin.amazonaws.com", eventType="AwsConsoleSignIn"),
            event(userIdentity=ROOT, errorCode="AccessDenied"),
            event(userIdentity=central),
            event(),
        ],
        what_if.root_off(),
    )

    assert 6 == found.events
    assert [("s3:GetObject", 2, "2026-11-02T10:00:00Z"), ("signin:ConsoleLogin", 1, "2026-11-01T10:00:00Z")] == [
        (each.action, each.count, each.last_seen) for each in found.denied
    ]


@pytest.mark.parametrize(
    ("statement", "members", "reason"),
    [
        ({"Condition": {"StringEquals": {"aws:PrincipalTag/team": "x"}}}, {}, "records don't say aws:principaltag/team"),
        ({"Resource": "arn:aws:s3:::b/*"}, {"requestParameters": None}, "the record does not say which resource it was"),
    ],
)
def test_what_a_record_does_not_tell_is_never_taken_for_harmless(statement: Any, members: Any, reason: str):
    deny = {"Effect": "Deny", "Action": "s3:*", "Resource": "*"} | statement

    found = what_if.ask([event(**members)], what_if.scp_attached(document([deny])))

    assert ((), [reason]) == (found.denied, [each.reason for each in found.unknown])


@pytest.mark.parametrize("members", [{"requestParameters": "text"}, {"requestParameters": [1]}, {"eventTime": "noon"}])
def test_a_hostile_record_names_nothing_and_stops_nothing(members: Any):
    use = RecordedUse(keys=("aws:epochtime",))

    use.take([event(eventSource="iam.amazonaws.com", eventName="DeleteUser", **members)])

    (found,) = use.uses
    assert found.resource is None


@pytest.mark.parametrize(
    ("source", "name", "action"),
    [
        ("monitoring.amazonaws.com", "PutMetricAlarm", "cloudwatch:PutMetricAlarm"),
        ("s3.amazonaws.com", "ListObjectsV2", "s3:ListBucket"),
        ("lambda.amazonaws.com", "GetFunction20150331v2", "lambda:GetFunction"),
        ("lambda.amazonaws.com", "ListFunctions20150331", "lambda:ListFunctions"),
        ("credential-audit.crownkeep", "StartCredentialAudit", "credential-audit:StartCredentialAudit"),
    ],
)
def test_events_are_called_as_policies_call_them(source: str, name: str, action: str):
    assert action == recorded.action_of(source, name)


def test_files_are_read_as_cloudtrail_and_lookups_and_our_export_write_them(tmp_path: Path):
    text = json.dumps({"eventTime": "2026-11-01T10:00:00Z", "eventSource": "s3.amazonaws.com", "eventName": "GetObject"})
    (tmp_path / "log.json.gz").write_bytes(gzip.compress(f'{{"Records":[{text},{text}]}}'.encode()))
    (tmp_path / "lookup.json").write_text(json.dumps({"Events": [{"CloudTrailEvent": text}]}))
    (tmp_path / "export.jsonl").write_text(
        json.dumps({"checkpoint": "x"}) + "\n" + json.dumps({"index": 0, "leaf": "x", "record": text}) + "\n"
    )
    (tmp_path / "lines.jsonl").write_text(f"{text}\n{text}\n")
    (tmp_path / "notes.txt").write_text("no record")

    assert 6 == len(list(recorded_files.of([tmp_path])))


@pytest.mark.parametrize("content", ["{}", "no JSON", '{"Records": [{"eventName": "x"}]}', '{"a": 1}\n'])
def test_what_is_no_record_is_refused_rather_than_passed_over(tmp_path: Path, content: str):
    file = tmp_path / "log.json"
    file.write_text(content)

    with pytest.raises(UnreadableRecords, match=r"log\.json"):
        list(recorded_files.of([file]))


def test_a_log_file_that_unpacks_without_end_fills_no_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(recorded_files, "_MOST_BYTES", 1_000_000)
    file = tmp_path / "log.json.gz"
    file.write_bytes(gzip.compress(b" " * 1_000_001))

    with pytest.raises(UnreadableRecords, match="more than 1,000,000 bytes"):
        list(recorded_files.of([file]))
