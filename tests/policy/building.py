"""Short ways to build policies, callers and questions for the tests of this folder."""

import json
import subprocess
import sys
from pathlib import Path

from crownkeep import policy
from crownkeep.policy import (
    Applicable,
    Context,
    PolicyKind,
    PolicyPrincipal,
    PolicyPrincipalKind,
    PolicyRequest,
    PolicySource,
    ResourcePolicyRole,
    SourceType,
)

ACCOUNT = "111122223333"
OTHER_ACCOUNT = "444455556666"
USER_ARN = f"arn:aws:iam::{ACCOUNT}:user/alice"
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/worker"
SESSION_ARN = f"arn:aws:sts::{ACCOUNT}:assumed-role/worker/job"
FEDERATED_ARN = f"arn:aws:sts::{ACCOUNT}:federated-user/bob"
USER_ID = "AIDAAAAAAAAAAAAAAAAAA"
ROLE_ID = "AROAAAAAAAAAAAAAAAAAA"

CALLERS = {
    "root": PolicyPrincipal(PolicyPrincipalKind.ROOT, f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT, ACCOUNT),
    "user": PolicyPrincipal(PolicyPrincipalKind.USER, USER_ARN, ACCOUNT, USER_ID),
    "session": PolicyPrincipal(PolicyPrincipalKind.ROLE_SESSION, SESSION_ARN, ACCOUNT, f"{ROLE_ID}:job", ROLE_ARN, ROLE_ID),
    "federated": PolicyPrincipal(PolicyPrincipalKind.FEDERATED_USER, FEDERATED_ARN, ACCOUNT, f"{ACCOUNT}:bob", USER_ARN, USER_ID),
    "service": PolicyPrincipal(PolicyPrincipalKind.SERVICE, names=("ec2.amazonaws.com",)),
    "web": PolicyPrincipal(PolicyPrincipalKind.WEB_IDENTITY, names=(f"arn:aws:iam::{ACCOUNT}:oidc-provider/idp.example",)),
    "saml": PolicyPrincipal(PolicyPrincipalKind.SAML, names=(f"arn:aws:iam::{ACCOUNT}:saml-provider/corp",)),
    "anonymous": policy.ANONYMOUS,
}

KINDS = {
    "identity": PolicyKind.IDENTITY,
    "boundary": PolicyKind.BOUNDARY,
    "session": PolicyKind.SESSION,
    "resource": PolicyKind.RESOURCE,
    "trust": PolicyKind.TRUST,
    "scp": PolicyKind.SERVICE_CONTROL,
    "rcp": PolicyKind.RESOURCE_CONTROL,
}


def document(*statements, version="2012-10-17"):
    """A policy document as a JSON tree."""
    return {"Version": version, "Statement": list(statements)}


def statement(effect="Allow", **elements):
    """A statement: Action and Resource default to `*`."""
    found = {"Effect": effect, **elements}
    if "NotAction" not in found:
        found.setdefault("Action", "*")
    if "NotResource" not in found:
        found.setdefault("Resource", "*")
    return found


def compiled(tree, *, kind=PolicyKind.IDENTITY, name="p", arn=None, source_type=SourceType.NONE):
    """A compiled policy from a tree or a text."""
    text = tree if isinstance(tree, str) else json.dumps(tree)
    source = PolicySource(kind, name, name, arn, source_type)
    return policy.compile_policy(policy.parse(text), source=source)


def policy_set(*trees, kind=PolicyKind.IDENTITY):
    """A set of policies named p0, p1 and so on."""
    return policy.compile_set(compiled(tree, kind=kind, name=f"p{number}") for number, tree in enumerate(trees))


def context_of(values):
    """A context from JSON: lists are multivalued keys."""
    return Context({key: tuple(value) if isinstance(value, list) else value for key, value in values.items()})


def request(caller="user", action="s3:GetObject", resource="arn:aws:s3:::b/k", context=None):
    """A question by one of CALLERS."""
    principal = CALLERS[caller] if isinstance(caller, str) else caller
    return PolicyRequest(principal, action, resource, context_of(context or {}))


def applicable(case):
    """Applicable policies from a JSON case: see tests/policy/corpus/README.md for its members."""

    def one(kind):
        return policy_set(*case[kind], kind=KINDS[kind]) if kind in case else None

    def levels(kind):
        return tuple(policy_set(*level, kind=KINDS[kind]) for level in case.get(kind, []))

    role = ResourcePolicyRole.TRUST if case.get("trust") else ResourcePolicyRole.REQUIRED
    return Applicable(
        identity=one("identity"),
        grants=policy_set(*case["grants"]) if "grants" in case else None,
        boundary=one("boundary"),
        session=one("session"),
        root_task=policy_set(*case["root_task"]) if "root_task" in case else None,
        service_control=levels("scp"),
        resource_control=levels("rcp"),
        resource=one("resource"),
        resource_role=role if case.get("required") or case.get("trust") else ResourcePolicyRole.OPTIONAL,
        endpoint=policy_set(*case["endpoint"], kind=PolicyKind.RESOURCE) if "endpoint" in case else None,
        resource_account_id=case.get("owner"),
        is_service_linked_role=case.get("service_linked", False),
    )


def run_python(code):
    """What a fresh interpreter prints, without site packages: the room must need none."""
    environment = {"PYTHONPATH": str(Path(policy.__file__).parents[2])}
    found = subprocess.run([sys.executable, "-S", "-c", code], env=environment, capture_output=True, text=True, check=True)
    return found.stdout


def fault_of(check, *arguments):
    """The message with which a check refuses its arguments, or None."""
    try:
        check(*arguments)
    except policy.MalformedPolicy as error:
        return error.message
    return None
