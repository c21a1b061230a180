"""The editor of control policies: a new one, from a ready-made one or from nothing, or a change, checked before it is saved."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.catalogue import organization_presets
from crownkeep.console.kit import calls, parts, policy_documents, web
from crownkeep.console.kit.calls import Refused
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.kit.policy_documents import Checked, Sort
from crownkeep.console.pages.organization import places
from crownkeep.translation import gettext

CREATE = f"{places.POLICIES}/create"
EDIT = f"{places.POLICIES}/edit"

_SORTS = {places.SERVICE_CONTROL: Sort.SERVICE_CONTROL, places.RESOURCE_CONTROL: Sort.RESOURCE_CONTROL}
_EXAMPLES = {
    places.SERVICE_CONTROL: """{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "DenySomething",
      "Effect": "Deny",
      "Action": "organizations:LeaveOrganization",
      "Resource": "*"
    }
  ]
}""",
    places.RESOURCE_CONTROL: """{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "DenyUnencrypted",
      "Effect": "Deny",
      "Principal": "*",
      "Action": "s3:*",
      "Resource": "*",
      "Condition": {
        "BoolIfExists": {
          "aws:SecureTransport": "false"
        }
      }
    }
  ]
}""",
}


async def create(request: Request) -> Response:
    """Ask for a new policy, beginning with a ready-made one where the address names one."""
    web.signed_in(request)
    kind = parts.chosen(request, "type", tuple(places.KINDS))
    entered = {"id": "", "type": kind, "name": "", "description": "", "document": _EXAMPLES[kind]}
    preset = organization_presets.preset(request.query_params.get("preset", ""))
    if preset is not None and preset.type in _SORTS:
        # The description is written for a page, and Organizations takes 512 characters of one.
        entered |= {"type": preset.type, "name": preset.name, "description": preset.title, "document": preset.content}
    return _editor(request, entered)


async def edit(request: Request) -> Response:
    """Ask for a change of a policy, which is in force at once wherever it is attached."""
    web.signed_in(request)
    policy_id = request.query_params.get("id", "")
    about = await places.ask(request, "DescribePolicy", PolicyId=policy_id)
    if about.refusal is not None:
        return places.missing(request, about, gettext("This policy can't be changed here"), back=places.POLICIES)
    shown = about.one("Policy")["PolicySummary"]
    if shown["Type"] not in _SORTS or shown["AwsManaged"]:
        return web.go(places.policy(policy_id))
    entered = {"id": policy_id, "type": shown["Type"], "name": shown["Name"], "description": shown["Description"]}
    return _editor(request, {**entered, "document": parts.readable(about.one("Policy")["Content"])})


async def saved(request: Request) -> Response:
    """Validate the document, and save it where there is nothing to say about it or what was said has been read."""
    entered = parts.entered(request, "id", "type", "name", "description")
    entered["type"] = entered["type"] if entered["type"] in _SORTS else places.SERVICE_CONTROL
    entered["document"] = policy_documents.typed(request)
    checked = await policy_documents.check(request, entered["document"], _SORTS[entered["type"]])
    if policy_documents.has_to_be_read(request, checked):
        return _editor(request, entered, checked=checked)
    made, outcome = await parts.obtain(request, _call(entered))
    if outcome.refused is not None:
        return _editor(request, entered, checked=checked, refusal=outcome.refused)
    policy_id = entered["id"] or made["Policy"]["PolicySummary"]["Id"]
    return calls.go(request, places.policy(policy_id), *outcome.made)


def _call(entered: dict[str, str]) -> Equivalent:
    shared = {"Name": entered["name"], "Description": entered["description"], "Content": entered["document"]}
    if entered["id"]:
        return places.call("UpdatePolicy", PolicyId=entered["id"], **shared)
    return places.call("CreatePolicy", Type=entered["type"], **shared)


def _editor(
    request: Request, entered: dict[str, str], *, checked: Checked | None = None, refusal: Refused | None = None
) -> Response:
    sort = _SORTS[entered["type"]]
    return places.page(
        request,
        "organization_policy_editor.html",
        current=places.POLICIES,
        refusal=refusal,
        same=[policy_documents.validation(entered["document"], sort), _call({**entered, "name": entered["name"] or "NAME"})],
        entered=entered,
        sort=sort.value,
        kind=gettext(places.KINDS[entered["type"]]),
        action=EDIT if entered["id"] else CREATE,
        back=places.policy(entered["id"]) if entered["id"] else parts.address(places.POLICIES, type=entered["type"]),
        checked=checked,
    )


ROUTES = [
    Route(CREATE, create, methods=["GET"]),
    Route(CREATE, saved, methods=["POST"]),
    Route(EDIT, edit, methods=["GET"]),
    Route(EDIT, saved, methods=["POST"]),
]
