"""Attaching control policies and detaching them: reviewed first, with what recorded calls say that it would deny."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import parts, policy_summary, web
from crownkeep.console.kit.parts import Part
from crownkeep.console.pages.organization import places

ATTACH = f"{places.POLICIES}/attach"
DETACH = f"{places.POLICIES}/detach"


@dataclass(frozen=True, slots=True)
class PolicyAndTarget:
    """A policy, and what it is attached to or is to be."""

    policy: Part
    target: Part
    target_id: str
    name: str


async def attach(request: Request) -> Response:
    """Ask where to attach a policy or which one, and show what that means once both are known."""
    return await _review(request, "attach")


async def detach(request: Request) -> Response:
    """Show what detaching a policy means."""
    return await _review(request, "detach")


async def _review(request: Request, verb: str) -> Response:
    web.signed_in(request)
    policy_id = request.query_params.get("policy", "").strip()
    target_id = request.query_params.get("target", "").strip()
    asked: list[Part] = []
    chosen = None
    listed: dict[str, Part] = {}
    if policy_id and target_id:
        chosen = await _chosen(request, policy_id, target_id)
        asked += [chosen.policy, chosen.target]
    elif target_id:
        found = await asyncio.gather(
            *(places.ask(request, "ListPolicies", Filter=kind, MaxResults=places.MOST) for kind in places.KINDS)
        )
        listed = dict(zip(places.KINDS, found, strict=True))
        asked += found
    document = str(chosen.policy.one("Policy").get("Content", "")) if chosen is not None else ""
    operation = "AttachPolicy" if verb == "attach" else "DetachPolicy"
    change = places.call(operation, PolicyId=policy_id or "POLICY", TargetId=target_id or "TARGET")
    return places.page(
        request,
        "organization_attach.html",
        current=places.POLICIES,
        same=[*parts.equivalents(asked), change],
        verb=verb,
        policy_id=policy_id,
        target_id=target_id,
        chosen=chosen,
        listed=listed,
        kinds=places.KINDS,
        shown=chosen.policy.one("Policy").get("PolicySummary", {}) if chosen is not None else {},
        summary=policy_summary.summarize(document) if document else None,
        back=places.entity(target_id) if target_id else places.policy(policy_id, "targets"),
    )


async def _chosen(request: Request, policy_id: str, target_id: str) -> PolicyAndTarget:
    wanted, key = _described(target_id)
    policy, target = await asyncio.gather(
        places.ask(request, "DescribePolicy", PolicyId=policy_id),
        places.ask(request, wanted, **({key: target_id} if key else {})),
    )
    name = target_id
    if target_id.startswith("r-"):
        name = next((str(each["Name"]) for each in target.rows("Roots") if each["Id"] == target_id), target_id)
    elif target.refusal is None:
        name = str(target.one("OrganizationalUnit" if key == "OrganizationalUnitId" else "Account").get("Name", target_id))
    return PolicyAndTarget(policy, target, target_id, name)


def _described(target_id: str) -> tuple[str, str]:
    if target_id.startswith("r-"):
        return "ListRoots", ""
    if target_id.startswith("ou-"):
        return "DescribeOrganizationalUnit", "OrganizationalUnitId"
    return "DescribeAccount", "AccountId"


async def attached(request: Request) -> Response:
    """Attach a policy: it is in force on the next request of every account below."""
    policy_id, target_id = _named(request)
    wanted = places.call("AttachPolicy", PolicyId=policy_id, TargetId=target_id)
    back = places.call("DetachPolicy", PolicyId=policy_id, TargetId=target_id)
    return await parts.change(request, [wanted], then=places.entity(target_id), current=places.FOLDER, back=[back])


async def detached(request: Request) -> Response:
    """Detach a policy: what it denied is allowed again, and what it alone allowed no longer is."""
    policy_id, target_id = _named(request)
    wanted = places.call("DetachPolicy", PolicyId=policy_id, TargetId=target_id)
    back = places.call("AttachPolicy", PolicyId=policy_id, TargetId=target_id)
    return await parts.change(request, [wanted], then=places.entity(target_id), current=places.FOLDER, back=[back])


def _named(request: Request) -> tuple[str, str]:
    entered = parts.entered(request, "policy", "target")
    return entered["policy"], entered["target"]


ROUTES = [
    Route(ATTACH, attach, methods=["GET"]),
    Route(ATTACH, attached, methods=["POST"]),
    Route(DETACH, detach, methods=["GET"]),
    Route(DETACH, detached, methods=["POST"]),
]
