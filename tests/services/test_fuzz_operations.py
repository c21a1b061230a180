"""Every served operation, asked with whatever AWS's models let through and a little more: as an administrator, as a user whom
no policy allows anything, and as a stranger.

Never a fault of ours, never a change or an answer without permission, never another account's name in an answer.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from typing import Any
from xml.etree import ElementTree

import pytest
from botocore import xform_name
from botocore.exceptions import BotoCoreError, ClientError
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.fixtures.crown import Account, Crown, Crowns
from tests.house.test_operations import OPERATIONS
from tests.house.valid import TEXTS
from tests.services.iam.asking import allow

from crownkeep.models import Shape
from crownkeep.operations.java_patterns import compile_pattern
from crownkeep.operations.registry import Mode, Operation, Permission
from crownkeep.storage.schema import metadata

NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
EXAMPLES = 100 if NIGHTLY else 5
DEEPEST = 4
QUICKLY = settings(
    max_examples=EXAMPLES,
    phases=(Phase.generate,),
    deadline=None,
    database=None,
    derandomize=not NIGHTLY,
    suppress_health_check=list(HealthCheck),
)

# What a refused request may leave behind: its record, when its key was used, and what is told of it.
TRACES = {
    *("events", "event_resources", "service_uses", "access_keys", "roles", "outbox", "tallies", "signin_throttles"),
    # The record's place in the tree, which the sequencer gives it, the networks that keys were used from, and
    # what is counted and sent of alerts.
    *("trail_lease", "trail_pending", "trail_leaves", "trail_nodes", "trail_checkpoints", "trail_cosignatures", "key_networks"),
    *("alert_digests", "deliveries", "notice_leases"),
    # What everybody may keep for themselves.
    "trail_filters",
}

SECRET_NAME = "Zanzibar-of-the-other-account"
ODD_TEXTS = ("", " ", "a" * 3000, "é\u0085\u2028", "😀", "<&\"'>", "%2F..%2F", "${aws:username}", "*", "-1", "null", "\t\n")


@dataclass(frozen=True, slots=True)
class Scene:
    """Two accounts: one that is asked about everything, and one that nobody may hear of."""

    crown: Crown
    account: Account
    powerless: Any
    texts: tuple[str, ...]
    clients: dict[tuple[str, str], Any]

    def client(self, who: str, service: str) -> Any:
        """Return a client that checks nothing itself."""
        key = (who, service)
        if key not in self.clients:
            options = {"parameter_validation": False}
            match who:
                case "admin":
                    self.clients[key] = self.account.client(service, **options)
                case "powerless":
                    self.clients[key] = self.powerless.client(service, **options)
                case _:
                    self.clients[key] = self.crown.session(None, service, **options)
        return self.clients[key]

    def state(self) -> Mapping[str, str]:
        """Return a digest of every table that a refused request may not touch."""
        # By sqlite3 itself: to compile a hundred and seventy queries anew each time costs more than to ask them.
        with closing(sqlite3.connect(self.crown.settings.database_url.removeprefix("sqlite:///"))) as connection:
            connection.execute("BEGIN")
            names = sorted(table.name for table in metadata.sorted_tables if table.name not in TRACES)
            asked = ((name, connection.execute(f'SELECT * FROM "{name}"')) for name in names)
            return {name: sha256(repr(sorted(map(repr, rows))).encode()).hexdigest() for name, rows in asked}


@pytest.fixture(scope="module")
def scene(crowns: Crowns) -> Iterator[Scene]:
    """A server of this module's own, with something of most kinds in the account."""
    crown = crowns.fresh("sqlite", unattributed_records_per_second=10_000)
    account, other = crown.account(), crown.account(name=SECRET_NAME, email=f"{SECRET_NAME}@test.example".lower())
    victim = other.user(SECRET_NAME, policy=allow("*"))
    victim_id = other.client("iam").get_user(UserName=SECRET_NAME)["User"]["UserId"]
    iam, document = account.client("iam"), json.dumps(allow("s3:GetObject"))
    trust = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]}
    key = account.user("bob", policy=allow("iam:Get*")).credentials.access_key_id
    iam.create_group(GroupName="crew")
    iam.create_role(RoleName="job", AssumeRolePolicyDocument=json.dumps(trust))
    policy = iam.create_policy(PolicyName="plan", PolicyDocument=document)["Policy"]["Arn"]
    serial = iam.create_virtual_mfa_device(VirtualMFADeviceName="phone")["VirtualMFADevice"]["SerialNumber"]
    arns = [f"arn:aws:iam::{account.id}:{kind}" for kind in ("user/bob", "group/crew", "role/job", "root", "user/nobody")]
    foreign = [
        other.id,
        f"arn:aws:iam::{other.id}:root",
        victim.credentials.access_key_id,
        victim_id,
        *organized(other, SECRET_NAME),
    ]
    known = ["bob", "crew", "job", "plan", "phone", "inline", key, policy, serial, account.id, document, json.dumps(trust), *arns]
    known += organized(account, "unit")
    yield Scene(crown, account, account.user("powerless"), (*known, *foreign, *TEXTS), {})
    crown.close()


def organized(account: Account, name: str) -> list[str]:
    """Make an organization with something of most kinds in it, called by this name, and return the ids."""
    organizations = account.client("organizations")
    made = organizations.create_organization()["Organization"]["Id"]
    root = organizations.list_roots()["Roots"][0]["Id"]
    unit = organizations.create_organizational_unit(ParentId=root, Name=name)
    created = organizations.create_account(Email=f"member-of-{account.id}@test.example", AccountName=name)
    target = {"Type": "ACCOUNT", "Id": "000000000001"}
    invitation = organizations.invite_account_to_organization(Target=target, Notes=name)["Handshake"]["Id"]
    status = created["CreateAccountStatus"]
    return [made, root, unit["OrganizationalUnit"]["Id"], status["Id"], status["AccountId"], invitation]


def values(shape: Shape, texts: tuple[str, ...], depth: int = 0) -> st.SearchStrategy[Any]:
    """Return a strategy of a shape's values: mostly within its limits, sometimes just beyond them."""
    match shape.type:
        case _ if shape.document:
            return st.just({"text": [1, {"deep": None}]})
        case "structure":
            return structures(shape, texts, depth)
        case "list":
            most = 0 if depth > DEEPEST else 3
            return st.lists(values(shape.element.shape, texts, depth + 1), max_size=most)
        case "map":
            key, value = shape.entry
            entries = st.dictionaries(values(key.shape, texts, depth + 1), values(value.shape, texts, depth + 1), max_size=2)
            return entries if depth <= DEEPEST else st.just({})
        case "string":
            return strings(shape, texts)
        case "boolean":
            return st.booleans()
        case "integer" | "long":
            limits = [int(limit) for limit in (shape.minimum, shape.maximum) if limit is not None]
            near = [limit + step for limit in limits for step in (-1, 0, 1)]
            return st.sampled_from([*near, 0, 1, 100, -(2**31), 2**31 - 1])
        case "float" | "double":
            return st.sampled_from([0.0, 1.5, -1.0])
        case "timestamp":
            return st.sampled_from(
                [datetime(1970, 1, 1, tzinfo=UTC), datetime(2026, 11, 24, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)]
            )
        case _:
            return st.binary(max_size=64)


def strings(shape: Shape, texts: tuple[str, ...]) -> st.SearchStrategy[str]:
    """Return a strategy of texts: enum members or names of the scene, rarely something odd."""
    usual = st.sampled_from(shape.enum or fitting(shape, texts) or texts)
    odd = st.one_of(st.sampled_from(ODD_TEXTS), st.text(max_size=20), st.sampled_from(texts))
    return st.integers(0, 9).flatmap(lambda number: odd if number == 0 else usual)


@cache
def fitting(shape: Shape, texts: tuple[str, ...]) -> tuple[str, ...]:
    """Return the texts that are within a shape's limits."""
    matches = compile_pattern(shape.pattern) if shape.pattern else lambda text: True
    least, most = shape.minimum or 0, shape.maximum or 3000
    return tuple(text for text in texts if least <= len(text) <= most and matches(text))


def structures(shape: Shape, texts: tuple[str, ...], depth: int) -> st.SearchStrategy[dict[str, Any]]:
    """Return a strategy of structures: what is required is nearly always there, the rest now and then."""

    @st.composite
    def made(draw: st.DrawFn) -> dict[str, Any]:
        value: dict[str, Any] = {}
        for name, member in shape.members.items():
            chance = 19 if name in shape.required else 7 if depth <= DEEPEST else 0
            if draw(st.integers(0, 19)) < chance:
                value[name] = draw(values(member.shape, texts, depth + 1))
        return value

    return made()


def asked(scene: Scene, who: str, operation: Operation, parameters: Mapping[str, Any]) -> tuple[int, str, str] | None:
    """Ask and return the status, the error's code (empty for a success) and the whole answer as text.

    None where boto3 can't even write the request down, for want of a part of the path.
    """
    call = getattr(scene.client(who, operation.service.name), xform_name(operation.name))
    try:
        answer = call(**parameters)
    except ClientError as error:
        return error.response["ResponseMetadata"]["HTTPStatusCode"], error.response["Error"]["Code"], str(error.response)
    except ElementTree.ParseError:
        # Without a signature a path like `/bucket` is for no service: the answer is none of S3's, which boto3 expects.
        assert "stranger" == who
        return None
    except (BotoCoreError, AttributeError, KeyError, TypeError, ValueError, UnicodeError):
        return None
    return answer["ResponseMetadata"]["HTTPStatusCode"], "", str(answer)


def parameters_of(operation: Operation, scene: Scene) -> st.SearchStrategy[dict[str, Any]]:
    """Return a strategy of an operation's parameters."""
    shape = operation.model.input
    return st.just({}) if shape is None else structures(shape, scene.texts, 0)


# SCIM has bearer tokens and no client of botocore's (tests/services/scim/test_hostile.py).
BY_NAME = {f"{each.service.name}:{each.name}": each for each in OPERATIONS if each.service.name != "scim"}
SIGNED = [name for name, operation in BY_NAME.items() if operation.model.auth != "none"]


@pytest.mark.parametrize("name", BY_NAME)
def test_an_administrator_never_meets_a_fault_of_ours_nor_another_account(name: str, scene: Scene):
    operation = BY_NAME[name]

    @QUICKLY
    @given(parameters_of(operation, scene))
    def ask(parameters: dict[str, Any]) -> None:
        answer = asked(scene, "admin", operation, parameters)
        if answer is None:
            return
        status, code, text = answer
        assert status < 500, (code, text)
        assert SECRET_NAME.lower() not in text.lower()

    ask()


@pytest.mark.parametrize("name", SIGNED)
def test_without_permission_nothing_is_answered_and_nothing_changes(name: str, scene: Scene):
    operation = BY_NAME[name]
    is_guarded = operation.permission is Permission.REQUIRED
    before = scene.state()

    @QUICKLY
    @given(parameters_of(operation, scene))
    def ask(parameters: dict[str, Any]) -> None:
        for who, is_refused in (("powerless", is_guarded), ("stranger", True)):
            answer = asked(scene, who, operation, parameters)
            if answer is None:
                continue
            status, code, text = answer
            assert status < 500, (code, text)
            assert code or not is_refused, (who, text)
            assert SECRET_NAME.lower() not in text.lower()

    ask()
    assert before == scene.state()


def test_the_questions_are_not_all_too_odd_to_be_answered(scene: Scene):
    reads = [name for name, operation in BY_NAME.items() if operation.mode is Mode.READ]

    answered = {name for name in reads if is_answered(scene, BY_NAME[name])}

    assert len(reads) / 3 < len(answered), sorted(set(reads) - answered)


def is_answered(scene: Scene, operation: Operation) -> bool:
    answers: list[bool] = []

    @QUICKLY
    @given(parameters_of(operation, scene))
    def ask(parameters: dict[str, Any]) -> None:
        answer = asked(scene, "admin", operation, parameters)
        answers.append(answer is not None and not answer[1])

    ask()
    return any(answers)
