"""What a policy of each type may say: held to its grammar when it is made, and to what AWS lets it be once it is merged.

Control policies keep the policy language (`crownkeep.policy`). All other types share the grammar of inheritance, and have keys
of their own at the top. Of these, tag policies and AI services opt-out policies are checked setting by setting. The services that
the others configure aren't served here, so that what their settings mean is left to whoever reads the effective policy.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from crownkeep import errors, policy
from crownkeep.catalogue import organization_policies as catalogue
from crownkeep.policy import Document, MalformedPolicy, PolicyKind
from crownkeep.services.organizations import policy_inheritance
from crownkeep.services.organizations.policy_inheritance import InheritedPolicy, MalformedInheritance, Setting, Settings

# Organizations says no more than this about any fault of a policy.
NOT_OF_ITS_TYPE = "The provided policy document does not meet the requirements of the specified policy type."

_KINDS = {
    catalogue.SERVICE_CONTROL: PolicyKind.SERVICE_CONTROL,
    catalogue.RESOURCE_CONTROL: PolicyKind.RESOURCE_CONTROL,
}
_TAG_SETTINGS = frozenset({"tag_key", "tag_value", "enforced_for", "report_required_tag_for"})
_OPT_OUT = ("optIn", "optOut")
_PLAN_KEYS = ("regions", "rules", "selections")
_MOST_RULES = 10


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with an effective policy, in AWS's terms where it has one (API_EffectivePolicyValidationError)."""

    code: str
    message: str
    path: str


def require_valid(policy_type: str, content: str) -> None:
    """Hold a document to its type; raises MalformedPolicyDocumentException, and ConstraintViolationException for its size."""
    if len(content) > catalogue.QUOTAS[policy_type].document_size:
        reason = {"Reason": "POLICY_CONTENT_LIMIT_EXCEEDED"}
        raise errors.ConstraintViolation("You have exceeded the maximum policy size.", members=reason)
    kind = _KINDS.get(policy_type)
    try:
        if kind is None:
            _require_merged(policy_type, policy_inheritance.parse(content))
        else:
            document = policy.parse(content)
            policy.validate(document, kind)
            if kind is PolicyKind.RESOURCE_CONTROL:
                _require_controlled(document)
    except (MalformedPolicy, MalformedInheritance) as error:
        raise errors.MalformedOrganizationPolicy(NOT_OF_ITS_TYPE) from error


def faults(policy_type: str, effective: Settings) -> list[Fault]:
    """Return what is wrong with an effective policy although every policy that it was merged from is right by itself."""
    return list(_backup_faults(effective)) if policy_type == "BACKUP_POLICY" else []


def _require_controlled(document: Document) -> None:
    """Raise MalformedPolicy for an action of a service on which such policies don't decide: it would protect nothing."""
    actions = (action for statement in document.statements for action in statement.actions or ())
    services = {action.partition(":")[0].lower() for action in actions}
    if not services <= catalogue.RESOURCE_CONTROLLED_SERVICES:
        raise MalformedPolicy(NOT_OF_ITS_TYPE)


def _require_merged(policy_type: str, parsed: InheritedPolicy) -> None:
    roots = catalogue.CONTENT_ROOTS[policy_type]
    paths = [*(setting.path for setting in parsed.settings), *(path for path in parsed.controls if path)]
    if any(path[0] not in roots for path in paths):
        raise MalformedInheritance(f"a policy of the type {policy_type} begins with {', '.join(sorted(roots))}")
    fits = _SETTINGS.get(policy_type)
    if fits is not None and not all(map(fits, parsed.settings)):
        raise MalformedInheritance(f"a policy of the type {policy_type} has no such setting")


def _fits_tag_policy(setting: Setting) -> bool:
    if len(setting.path) != 3 or setting.path[2] not in _TAG_SETTINGS:
        return False
    values = setting.operations.items()
    if setting.path[2] == "tag_key":
        return all(operator == policy_inheritance.ASSIGN and isinstance(value, str) for operator, value in values)
    return all(isinstance(value, list) and all(isinstance(each, str) for each in value) for _, value in values)


def _fits_opt_out_policy(setting: Setting) -> bool:
    if len(setting.path) != 3 or setting.path[2] != "opt_out_policy":
        return False
    return all(operator == policy_inheritance.ASSIGN and value in _OPT_OUT for operator, value in setting.operations.items())


_SETTINGS: Mapping[str, Callable[[Setting], bool]] = {
    "TAG_POLICY": _fits_tag_policy,
    "AISERVICES_OPT_OUT_POLICY": _fits_opt_out_policy,
}


def _backup_faults(effective: Settings) -> Iterator[Fault]:
    plans = effective.get("plans", {})
    for name, plan in plans.items() if isinstance(plans, dict) else ():
        held = plan if isinstance(plan, dict) else {}
        for key in _PLAN_KEYS:
            if key not in held:
                yield Fault("ELEMENT_MISSING", f"The backup plan {name} has no {key}.", f"plans.{name}.{key}")
        rules = held.get("rules", {})
        if isinstance(rules, dict) and len(rules) > _MOST_RULES:
            message = f"The backup plan {name} has more than {_MOST_RULES} rules."
            yield Fault("ELEMENTS_TOO_MANY", message, f"plans.{name}.rules")
