"""AWS's policy language: parse, validate, compile, decide and explain. Pure Python, importable alone."""

from crownkeep.policy.access_checks import (
    Access,
    AccessCheck,
    CheckReason,
    CheckResult,
    check_access_not_granted,
    check_no_new_access,
)
from crownkeep.policy.authorize import ALWAYS_ALLOWED, NEEDS_NO_ALLOW, Applicable, authorize
from crownkeep.policy.compile import (
    EMPTY,
    CompiledPolicy,
    CompiledStatement,
    PolicySet,
    PolicySource,
    SourceType,
    combine,
    compile_policy,
    compile_set,
)
from crownkeep.policy.condition_keys import MULTIVALUED_KEYS, context_keys
from crownkeep.policy.context import ANONYMOUS, Context, ContextValue, PolicyPrincipal, PolicyPrincipalKind, PolicyRequest
from crownkeep.policy.decision import DecidingKind, Decision, Finding, PolicyEffect, Reason, ResourcePolicyRole
from crownkeep.policy.document import Condition, Document, MalformedPolicy, PolicyKind, Principals, Statement
from crownkeep.policy.explain import Explanation, explain
from crownkeep.policy.lint import lint
from crownkeep.policy.naming import Naming
from crownkeep.policy.parse import parse
from crownkeep.policy.positions import Position, Span
from crownkeep.policy.principal_binding import bind_principals, show_principals
from crownkeep.policy.remarks import ActionCatalogue, Location, Remark, Severity
from crownkeep.policy.simulate import ActionResult, Evaluation, MatchedStatement, Simulator, simulate
from crownkeep.policy.validate import validate

__all__ = [
    "ALWAYS_ALLOWED",
    "ANONYMOUS",
    "EMPTY",
    "MULTIVALUED_KEYS",
    "NEEDS_NO_ALLOW",
    "Access",
    "AccessCheck",
    "ActionCatalogue",
    "ActionResult",
    "Applicable",
    "CheckReason",
    "CheckResult",
    "CompiledPolicy",
    "CompiledStatement",
    "Condition",
    "Context",
    "ContextValue",
    "DecidingKind",
    "Decision",
    "Document",
    "Evaluation",
    "Explanation",
    "Finding",
    "Location",
    "MalformedPolicy",
    "MatchedStatement",
    "Naming",
    "PolicyEffect",
    "PolicyKind",
    "PolicyPrincipal",
    "PolicyPrincipalKind",
    "PolicyRequest",
    "PolicySet",
    "PolicySource",
    "Position",
    "Principals",
    "Reason",
    "Remark",
    "ResourcePolicyRole",
    "Severity",
    "Simulator",
    "SourceType",
    "Span",
    "Statement",
    "authorize",
    "bind_principals",
    "check_access_not_granted",
    "check_no_new_access",
    "combine",
    "compile_policy",
    "compile_set",
    "context_keys",
    "explain",
    "lint",
    "parse",
    "show_principals",
    "simulate",
    "validate",
]
