"""The policies and questions of the policy benchmark: generated alike on every run, and answered by the slow reference."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from shared import policy_reference

ACCOUNT = "111122223333"
USER = f"arn:aws:iam::{ACCOUNT}:user/alice"
SERVICES = ("s3", "ec2", "ecr", "sqs", "sns", "kms", "dynamodb", "lambda")
NAMES = ("Get", "List", "Put", "Delete", "Create", "Describe", "Update", "Tag")
NOUNS = ("Object", "Bucket", "Role", "Queue", "Key", "Table", "Function", "Topic")

Tree = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Question:
    """One decision to take, and what is right."""

    action: str
    resource: str
    context: dict[str, str]
    allowed: bool = False


def policies(statements: int, *, count: int = 10) -> list[Tree]:
    """So many documents of so many statements: exact and wildcard actions and resources, conditions, some denies."""
    chance = random.Random(4747)
    return [
        {
            "Version": "2012-10-17",
            "Statement": [_statement(chance, number * statements + index) for index in range(statements)],
        }
        for number in range(count)
    ]


def _statement(chance: random.Random, number: int) -> Tree:
    service = chance.choice(SERVICES)
    actions = [f"{service}:{chance.choice(NAMES)}{chance.choice(NOUNS)}", f"{service}:{chance.choice(NAMES)}*"]
    where = f"arn:aws:{service}:::unit-{number % 200}"
    statement: Tree = {
        "Effect": "Deny" if number % 8 == 7 else "Allow",
        "Action": actions if number % 3 else actions[:1],
        "Resource": chance.choice(["*", f"{where}/*", f"{where}/*", f"{where}/item", f"arn:aws:{service}:::*"]),
    }
    if statement["Effect"] == "Deny":
        statement["Resource"] = f"{where}/*"
    condition = (
        {},
        {"StringEquals": {"aws:PrincipalTag/team": chance.choice(["red", "blue"])}},
        {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}},
        {"Bool": {"aws:SecureTransport": "true"}},
    )[number % 4]
    return statement | ({"Condition": condition} if condition else {})


def questions(documents: list[Tree], *, count: int) -> list[Question]:
    """Questions near the policies: of their actions and resources, with contexts that meet conditions or do not."""
    chance = random.Random(1)
    caller = {"kind": "user", "arn": USER, "account": ACCOUNT}
    found = []
    for _ in range(count):
        service = chance.choice(SERVICES)
        action = f"{service}:{chance.choice(NAMES)}{chance.choice(NOUNS)}"
        resource = f"arn:aws:{service}:::unit-{chance.randrange(200)}/{chance.choice(['item', 'other', 'a/b'])}"
        context = {
            "aws:PrincipalTag/team": chance.choice(["red", "blue", "green"]),
            "aws:SourceIp": chance.choice(["10.1.2.3", "192.0.2.1"]),
            "aws:SecureTransport": chance.choice(["true", "false"]),
        }
        lowered = {key.lower(): value for key, value in context.items()}
        said, _ = policy_reference.say(documents, caller, action, resource, lowered)
        found.append(Question(action, resource, context, said == "Allow"))
    return found
