"""Each engine taught the same policies, timed on the same questions; run by bench.policy in its own environment."""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from ipaddress import ip_address, ip_network
from typing import Any

import casbin  # type: ignore[import-untyped,import-not-found,unused-ignore]
import cedarpy  # type: ignore[import-untyped,import-not-found,unused-ignore]
import vakt  # type: ignore[import-untyped,import-not-found,unused-ignore]
from moto.iam.access_control import (  # type: ignore[import-untyped,import-not-found,unused-ignore]
    IAMPolicy,
    PermissionResult,
)
from vakt import rules  # type: ignore[import-untyped,import-not-found,unused-ignore]

from bench import policy_questions
from bench.policy_questions import ACCOUNT, USER, Question, Tree
from crownkeep import policy

Decide = Callable[[Question], bool]
Teach = Callable[[list[Tree]], Decide]


def crownkeep(documents: list[Tree]) -> Decide:
    """Ours: a request is built and authorized as the server does it."""
    source = policy.PolicySource(policy.PolicyKind.IDENTITY, "p")
    compiled = [policy.compile_policy(policy.parse(json.dumps(tree)), source=source) for tree in documents]
    applicable = policy.Applicable(identity=policy.compile_set(compiled))
    caller = policy.PolicyPrincipal(policy.PolicyPrincipalKind.USER, USER, ACCOUNT)

    def decide(question: Question) -> bool:
        context = policy.Context(question.context)
        return policy.authorize(policy.PolicyRequest(caller, question.action, question.resource, context), applicable).allowed

    return decide


def cedar(documents: list[Tree]) -> Decide:
    """Cedar's engine in Rust, its policy set parsed once; each IAM statement is one Cedar policy over the context."""
    parsed = cedarpy.PolicySet.from_str("\n".join(_cedar_policy(statement) for statement in _statements(documents)))
    entities = cedarpy.Entities.from_json_str("[]")

    def decide(question: Question) -> bool:
        context = {
            "action": question.action.lower(),
            "resource": question.resource,
            "team": question.context["aws:PrincipalTag/team"],
            "ip": {"__extn": {"fn": "ip", "arg": question.context["aws:SourceIp"]}},
            "secure": question.context["aws:SecureTransport"],
        }
        asked = {"principal": 'User::"alice"', "action": 'Action::"call"', "resource": 'Any::"it"', "context": context}
        return bool(cedarpy.is_authorized(asked, parsed, entities).allowed)

    return decide


def _cedar_policy(statement: Tree) -> str:
    actions = " || ".join(f'context.action like "{action.lower()}"' for action in _listed(statement["Action"]))
    tests = [f"({actions})", f'context.resource like "{statement["Resource"]}"']
    for operator, _key, value in _conditions(statement):
        match operator:
            case "IpAddress":
                tests.append(f'context.ip.isInRange(ip("{value}"))')
            case "Bool":
                tests.append(f'context.secure == "{value}"')
            case _:
                tests.append(f'context.team == "{value}"')
    effect = "permit" if statement["Effect"] == "Allow" else "forbid"
    return f"{effect}(principal, action, resource) when {{ {' && '.join(tests)} }};"


def moto(documents: list[Tree]) -> Decide:
    """Moto's own evaluator, asked the way moto's server asks it: every policy, a deny anywhere wins."""
    parsed = [IAMPolicy(json.dumps(tree)) for tree in documents]

    def decide(question: Question) -> bool:
        said = {
            one.is_action_permitted(question.action, question.resource, incoming_condition_values=dict(question.context))
            for one in parsed
        }
        return PermissionResult.DENIED not in said and PermissionResult.PERMITTED in said

    return decide


MODEL = """
[request_definition]
r = act, res, ctx
[policy_definition]
p = act, res, cond, eft
[policy_effect]
e = some(where (p.eft == allow)) && !some(where (p.eft == deny))
[matchers]
m = glob_any(r.act, p.act) && glob(r.res, p.res) && holds(r.ctx, p.cond)
"""


def pycasbin(documents: list[Tree]) -> Decide:
    """Casbin with a model for IAM's shape and Python functions for wildcards and conditions."""
    model = casbin.Enforcer.new_model(text=MODEL)
    enforcer = casbin.Enforcer(model)
    enforcer.add_function("glob", lambda text, pattern: fnmatchcase(text, pattern))
    enforcer.add_function("glob_any", lambda text, patterns: any(fnmatchcase(text, pattern) for pattern in patterns.split("|")))
    enforcer.add_function("holds", _holds)
    for number, statement in enumerate(_statements(documents)):
        actions = "|".join(action.lower() for action in _listed(statement["Action"]))
        # Casbin keeps no two equal lines, so the number makes each one its own.
        condition = json.dumps([number, *_conditions(statement)])
        enforcer.add_policy(actions, statement["Resource"], condition, statement["Effect"].lower())

    def decide(question: Question) -> bool:
        return bool(enforcer.enforce(question.action.lower(), question.resource, question.context))

    return decide


def _holds(context: dict[str, str], condition: str) -> bool:
    for operator, key, value in json.loads(condition)[1:]:
        if operator == "IpAddress":
            if ip_address(context[key]) not in ip_network(value):
                return False
        elif context[key] != value:
            return False
    return True


def vakt_guard(documents: list[Tree]) -> Decide:
    """Vakt with its own rules, kept in memory."""
    storage = vakt.MemoryStorage()
    for number, statement in enumerate(_statements(documents)):
        context = {
            key: rules.CIDR(value) if operator == "IpAddress" else rules.Eq(value)
            for operator, key, value in _conditions(statement)
        }
        storage.add(
            vakt.Policy(
                number,
                subjects=[rules.Any()],
                actions=[_vakt_rule(action.lower()) for action in _listed(statement["Action"])],
                resources=[_vakt_rule(statement["Resource"])],
                context=context,
                effect=vakt.ALLOW_ACCESS if statement["Effect"] == "Allow" else vakt.DENY_ACCESS,
            )
        )
    guard = vakt.Guard(storage, vakt.RulesChecker())

    def decide(question: Question) -> bool:
        inquiry = vakt.Inquiry(subject=USER, action=question.action.lower(), resource=question.resource, context=question.context)
        return bool(guard.is_allowed(inquiry))

    return decide


def _vakt_rule(pattern: str) -> Any:
    if pattern == "*":
        return rules.Any()
    return rules.StartsWith(pattern[:-1]) if pattern.endswith("*") else rules.Eq(pattern)


def _statements(documents: list[Tree]) -> Iterator[Tree]:
    for tree in documents:
        yield from tree["Statement"]


def _listed(value: str | list[str]) -> list[str]:
    return value if isinstance(value, list) else [value]


def _conditions(statement: Tree) -> Iterator[tuple[str, str, str]]:
    for operator, keys in statement.get("Condition", {}).items():
        for key, value in keys.items():
            yield operator, key, value


ENGINES: dict[str, Teach] = {
    "crownkeep": crownkeep,
    "cedarpy": cedar,
    "moto": moto,
    "pycasbin": pycasbin,
    "vakt": vakt_guard,
}


def measure(decide: Decide, asked: list[Question], *, rounds: int) -> tuple[float, float]:
    """Median microseconds per decision, and the share of questions answered right."""
    right = sum(decide(question) == question.allowed for question in asked)
    taken = []
    for _ in range(rounds):
        for question in asked:
            started = time.perf_counter_ns()
            decide(question)
            taken.append(time.perf_counter_ns() - started)
    return statistics.median(taken) / 1000, right / len(asked)


def compare() -> None:
    """Print each engine's figures for 10 policies of 10 and of 100 statements, and their ratio to ours."""
    print(f"{'':12}{'10 x 10':>12}{'ratio':>9}{'right':>8}{'10 x 100':>14}{'ratio':>9}{'right':>8}")
    sizes = {statements: policy_questions.policies(statements) for statements in (10, 100)}
    asked = {size: policy_questions.questions(documents, count=200) for size, documents in sizes.items()}
    ours: dict[int, float] = {}
    for name, teach in ENGINES.items():
        line = f"{name:12}"
        for size, documents in sizes.items():
            median, right = measure(teach(documents), asked[size], rounds=20 if name == "crownkeep" else 1)
            ours.setdefault(size, median)
            line += f"{median:{12 if size == 10 else 14},.1f}{median / ours[size]:8,.0f}x{right:8.0%}"
        print(line, flush=True)
    print("\nMedian microseconds per decision; `right` is the share that agrees with the reference written from AWS's text.\n")


def scale() -> None:
    """Print how ours grows with statements, and what compiling and a first question cost."""
    asked = policy_questions.questions(policy_questions.policies(10), count=100)
    for statements in (10, 100, 400):
        decide = crownkeep(policy_questions.policies(statements) + _bystanders(statements))
        median, _ = measure(decide, asked, rounds=20)
        print(f"crownkeep, 10 x {statements} and as many that cannot match: {median:,.1f} us")
    text = json.dumps(policy_questions.policies(35, count=1)[0])
    text = text + " " * max(0, 6_144 - len(text))
    started = time.perf_counter()
    for _ in range(100):
        parsed = policy.parse(text)
        policy.validate(parsed, policy.PolicyKind.IDENTITY)
        source = policy.PolicySource(policy.PolicyKind.IDENTITY, "p")
        policy.compile_set([policy.compile_policy(parsed, source=source)])
    print(f"parse, validate and compile {len(text):,} characters: {(time.perf_counter() - started) * 10:.2f} ms")


def _bystanders(statements: int) -> list[Tree]:
    other = {"Effect": "Allow", "Action": "glue:Get*", "Resource": "arn:aws:glue:::x/*"}
    return [{"Version": "2012-10-17", "Statement": [other] * statements}] * 10


def main() -> int:
    """Print everything."""
    compare()
    scale()
    return 0


if __name__ == "__main__":
    sys.exit(main())
