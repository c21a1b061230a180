"""Sessions of a role: ended for good by a policy that denies everything to those that began before now.

It is the inline policy that AWS's console puts there (IAM user guide, "Revoke IAM role temporary security credentials").
"""

from __future__ import annotations

import json
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import parts, web
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.kit.forms import MalformedForm
from crownkeep.console.kit.parts import Part
from crownkeep.console.pages.identities.identities import ROLE

POLICY = "AWSRevokeOlderSessions"


def revoking(name: str, before: str) -> Equivalent:
    """Return the call that ends all sessions of a role that began before a time."""
    condition = {"DateLessThan": {"aws:TokenIssueTime": before}}
    statement = {"Effect": "Deny", "Action": ["*"], "Resource": ["*"], "Condition": condition}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]}, indent=2)
    return Equivalent("iam", "PutRolePolicy", {"RoleName": name, "PolicyName": POLICY, "PolicyDocument": document})


def revoked_before(found: Part) -> str:
    """Return the time before which sessions have no more permissions; empty where there is none."""
    try:
        document = json.loads(parts.readable(found.text("PolicyDocument")))
        return str(document["Statement"][0]["Condition"]["DateLessThan"]["aws:TokenIssueTime"])
    except (ValueError, KeyError, TypeError, IndexError, RecursionError):
        return ""


async def revoked(request: Request) -> Response:
    """End every session of a role that began before now."""
    name = request.path_params["name"]
    if "understood" not in web.form(request):
        raise MalformedForm("tick that you know what it means")
    wanted = revoking(name, _written(web.of(request).now))
    return await parts.change(request, [wanted], then=ROLE.page(name, "sessions"), current=ROLE.folder)


def _written(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03}Z"


ROUTES = [Route(f"{ROLE.folder}/{{name}}/revoke", revoked, methods=["POST"])]
