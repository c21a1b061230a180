"""Policies that a simulation cites: found again, as far as the person may see them, so that decisive statements can be read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from starlette.requests import Request

from crownkeep.console.kit import parts, policy_pages
from crownkeep.console.kit.decision_trees import Cited, ShownDecision
from crownkeep.console.kit.identity_kinds import IdentityKind
from crownkeep.translation import gettext

MOST = 8
"""Documents that are read for one page."""
LONGEST_EXCERPT = 2000
"""Characters; some of AWS's own policies have statements of a thousand lines."""
_MANAGED = "-managed"
_HELD = "IAM Policy"
_GIVEN = "PolicyInputList."
_BOUNDARY = "PermissionsBoundaryPolicyInputList."


@dataclass(frozen=True, slots=True)
class CitedPolicy:
    """A policy that is cited."""

    label: str
    address: str
    """The page about it; empty where there is none."""
    document: str
    """Empty where it can't be seen."""

    def excerpt(self, cited: Cited) -> str:
        """Return the text of a statement."""
        lines = self.document.split("\n")[cited.first[0] - 1 : cited.last[0]]
        if not lines:
            return ""
        lines[-1] = lines[-1][: cited.last[1] - 1] if cited.last[1] > 1 else lines[-1]
        lines[0] = (
            lines[0][cited.first[1] - 1 :] if cited.first[0] != cited.last[0] or cited.first[1] < cited.last[1] else lines[0]
        )
        # The simulator counts a statement from the end of what comes before it.
        text = "\n".join(lines).strip(", \n")
        return text if len(text) <= LONGEST_EXCERPT else f"{text[:LONGEST_EXCERPT]} …"


async def sources(
    request: Request,
    decisions: Sequence[ShownDecision],
    *,
    given: Sequence[str],
    boundary: str,
    holder: tuple[IdentityKind, str] | None,
) -> Mapping[str, CitedPolicy]:
    """Return what is cited, by the names that the simulator gives it."""
    cited = {each.policy: each for decision in decisions for reason in decision.reasons for each in reason.statements}
    arns = await _attached(request, holder) if holder is not None and cited else {}
    unknown = [each for each in cited.values() if each.type.endswith(_MANAGED) and each.policy not in arns]
    limit = await _boundary_of(request, holder) if holder is not None and unknown else ""
    arns |= {each.policy: limit for each in unknown if each.policy == limit.rpartition("/")[2]}
    found: dict[str, CitedPolicy] = {}
    for name, each in list(cited.items())[:MOST]:
        found[name] = await _source(request, each, given=given, boundary=boundary, holder=holder, arn=arns.get(name, ""))
    return found


async def _attached(request: Request, holder: tuple[IdentityKind, str]) -> dict[str, str]:
    kind, name = holder
    listed = await parts.ask(request, f"ListAttached{kind.noun}Policies", **{kind.key: name})
    return {row["PolicyName"]: row["PolicyArn"] for row in listed.rows("AttachedPolicies")}


async def _boundary_of(request: Request, holder: tuple[IdentityKind, str]) -> str:
    kind, name = holder
    about = await parts.ask(request, f"Get{kind.noun}", **{kind.key: name})
    return str(about.one(kind.noun).get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", ""))


async def _source(
    request: Request, cited: Cited, *, given: Sequence[str], boundary: str, holder: tuple[IdentityKind, str] | None, arn: str
) -> CitedPolicy:
    name = cited.policy
    if name.startswith(_GIVEN):
        place = int(name.removeprefix(_GIVEN)) - 1
        return CitedPolicy(
            gettext("The policy typed above") if len(given) == 1 else gettext("Typed policy %(number)s", number=place + 1),
            "",
            given[place],
        )
    if name.startswith(_BOUNDARY):
        return CitedPolicy(gettext("The boundary typed above"), "", boundary)
    own = f"{holder[0].noun.lower()}_{holder[1]}_" if holder is not None else ""
    if holder is not None and not arn and name.startswith(own):
        kind, of = holder
        policy = name.removeprefix(own)
        found = await parts.ask(request, f"Get{kind.noun}Policy", **{kind.key: of, "PolicyName": policy})
        label = gettext("%(policy)s, inline policy of %(holder)s", policy=policy, holder=of)
        return CitedPolicy(label, kind.inline_page(of, policy), unquote(found.text("PolicyDocument")))
    if arn:
        label = arn.rpartition("/")[2]
        return CitedPolicy(label, policy_pages.page(arn), await _default_document(request, arn))
    # What a group of the user's holds inside itself is called `group_crew_name`.
    by_name = cited.type.endswith(_MANAGED) or (cited.type == _HELD and not name.startswith("group_"))
    return CitedPolicy(name, parts.address(policy_pages.FOLDER, name=name) if by_name else "", "")


async def _default_document(request: Request, arn: str) -> str:
    about = await parts.ask(request, "GetPolicy", PolicyArn=arn)
    version = str(about.one("Policy").get("DefaultVersionId", ""))
    if not version:
        return ""
    found = await parts.ask(request, "GetPolicyVersion", PolicyArn=arn, VersionId=version)
    return unquote(str(found.one("PolicyVersion").get("Document", "")))
