"""Service and resource control policies: the lists, the ready-made ones, and one policy with what it is attached to."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.catalogue import organization_presets
from crownkeep.console.kit import danger, parts, policy_summary, web
from crownkeep.console.kit.danger import Ending
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.pages.organization import places
from crownkeep.translation import gettext, gettext_noop

TABS = ("document", "targets")
_DISABLING = {
    places.SERVICE_CONTROL: (
        gettext_noop("Disable service control policies?"),
        gettext_noop("Disable service control policies"),
    ),
    places.RESOURCE_CONTROL: (
        gettext_noop("Disable resource control policies?"),
        gettext_noop("Disable resource control policies"),
    ),
}
"""By what is disabled: the question and the button."""


async def policies(request: Request) -> Response:
    """List the policies of one type, and the ready-made ones to begin with."""
    web.signed_in(request)
    kind, marker = parts.chosen(request, "type", tuple(places.KINDS)), request.query_params.get("marker", "")
    listed, roots = await asyncio.gather(
        places.ask(request, "ListPolicies", Filter=kind, NextToken=marker, MaxResults=places.MOST),
        places.ask(request, "ListRoots"),
    )
    enabled = [each["Type"] for root in roots.rows("Roots") for each in root["PolicyTypes"]]
    return places.page(
        request,
        "organization_policies.html",
        current=places.POLICIES,
        same=[listed.call, places.call("EnablePolicyType", RootId="ROOT", PolicyType=kind)],
        kind=kind,
        kinds=places.KINDS,
        listed=listed,
        roots=roots,
        is_enabled=kind in enabled,
        presets=[each for each in organization_presets.presets() if each.type == kind],
        first=parts.address(places.POLICIES, type=kind) if marker else "",
        next_page=parts.address(places.POLICIES, type=kind, marker=listed.marker) if listed.marker else "",
    )


async def policy(request: Request) -> Response:
    """Show one policy: its document and what it limits, or where it is attached."""
    web.signed_in(request)
    policy_id, tab = request.query_params.get("id", ""), parts.chosen(request, "tab", TABS)
    marker = request.query_params.get("marker", "")
    about = await places.ask(request, "DescribePolicy", PolicyId=policy_id)
    if about.refusal is not None and not about.refusal.is_denied:
        return places.missing(request, about, gettext("There is no such policy"), back=places.POLICIES)
    targets = await places.ask(request, "ListTargetsForPolicy", PolicyId=policy_id, NextToken=marker, MaxResults=places.MOST)
    document = parts.readable(str(about.one("Policy").get("Content", "")))
    shown = about.one("Policy").get("PolicySummary", {})
    return places.page(
        request,
        "organization_policy.html",
        current=places.POLICIES,
        same=[about.call, targets.call, *_changes(policy_id)],
        policy_id=policy_id,
        about=about,
        shown=shown,
        kind=gettext(places.KINDS.get(str(shown.get("Type", "")), "")),
        tab=tab,
        path=places.policy(policy_id),
        document=document,
        summary=policy_summary.summarize(document) if document else None,
        targets=targets,
        entity=places.entity,
        next_page=f"{places.policy(policy_id, tab)}&marker={targets.marker}" if targets.marker else "",
    )


def _changes(policy_id: str) -> list[Equivalent]:
    return [
        places.call("AttachPolicy", PolicyId=policy_id, TargetId="TARGET"),
        places.call("DetachPolicy", PolicyId=policy_id, TargetId="TARGET"),
        places.call("DeletePolicy", PolicyId=policy_id),
    ]


async def deleted(request: Request) -> Response:
    """Delete a policy once its name was typed; one that is attached is refused by Organizations."""
    policy_id = web.form(request).one("policy")
    about = await places.ask(request, "DescribePolicy", PolicyId=policy_id)
    name = str(about.one("Policy").get("PolicySummary", {}).get("Name", policy_id))
    text = gettext("Its document is deleted. While it is attached anywhere, it can't be deleted: detach it first.")
    here, ids = places.policy(policy_id), {gettext("Policy ID"): policy_id}
    danger.require(
        request, Ending(name, gettext("Delete the policy %(name)s?", name=name), text, gettext("Delete policy"), here, ids)
    )
    outcome = await parts.carry_out(request, [places.call("DeletePolicy", PolicyId=policy_id)])
    then = places.POLICIES if outcome.refused is None else places.policy(policy_id, "targets")
    return parts.after(request, outcome, then=then, current=places.FOLDER)


async def enabled(request: Request) -> Response:
    """Enable a type of policy; from then on everything has AWS's own policy of it, which allows all."""
    return await _switched(request, "EnablePolicyType")


async def disabled(request: Request) -> Response:
    """Disable a type of policy: every attachment of it is gone at once. Its person has proved to be there, and typed a word."""
    web.proven(request)
    kind = web.form(request).one("type")
    title, button = _DISABLING.get(kind, _DISABLING[places.SERVICE_CONTROL])
    text = gettext(
        "What is attached anywhere in the organization is forgotten. Enabling the type again brings no attachment back."
    )
    danger.require(request, Ending("disable", gettext(title), text, gettext(button), places.POLICIES))
    return await _switched(request, "DisablePolicyType")


async def _switched(request: Request, operation: str) -> Response:
    entered = parts.entered(request, "root", "type")
    wanted = places.call(operation, RootId=entered["root"], PolicyType=entered["type"])
    then = parts.address(places.POLICIES, type=entered["type"])
    return await parts.change(request, [wanted], then=then, current=places.FOLDER)


ROUTES = [
    Route(places.POLICIES, policies, methods=["GET"]),
    Route(f"{places.POLICIES}/one", policy, methods=["GET"]),
    Route(f"{places.POLICIES}/delete", deleted, methods=["POST"]),
    Route(f"{places.POLICIES}/enable", enabled, methods=["POST"]),
    Route(f"{places.POLICIES}/disable", disabled, methods=["POST"]),
]
