"""The policy editor: a new policy or a new version, and what is wrong with it, told by line and column before it is saved."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console import calls, frame, web
from crownkeep.console.calls import Refused
from crownkeep.console.equivalents import Equivalent
from crownkeep.console.pages import parts, policies
from crownkeep.console.pages.parts import Part

CREATE = f"{policies.FOLDER}/create"
NEW_VERSION = f"{policies.FOLDER}/new-version"
EXAMPLE = """{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Action": "iam:GetUser",
      "Resource": "*"
    }
  ]
}"""


@dataclass(frozen=True, slots=True)
class Finding:
    """What the validation has to say, and where."""

    type: str
    code: str
    details: str
    line: int
    column: int
    excerpt: str


async def create(request: Request) -> Response:
    """Ask for a new policy."""
    web.signed_in(request)
    return _editor(request, {"name": "", "path": "/", "description": "", "document": EXAMPLE, "arn": ""})


async def new_version(request: Request) -> Response:
    """Ask for a new version, beginning with the version that counts."""
    web.signed_in(request)
    arn = request.query_params.get("arn", "")
    about = await parts.ask(request, "GetPolicy", PolicyArn=arn)
    if about.is_missing:
        return parts.missing(request, about, current=policies.FOLDER, title="There is no such policy", back=policies.FOLDER)
    default = str(about.one("Policy").get("DefaultVersionId", ""))
    found = await parts.ask(request, "GetPolicyVersion", PolicyArn=arn, VersionId=default)
    document = parts.readable(str(found.one("PolicyVersion").get("Document", "")))
    name = arn.rpartition("/")[2]
    return _editor(request, {"name": name, "path": "", "description": "", "document": document or EXAMPLE, "arn": arn})


async def saved(request: Request) -> Response:
    """Validate the document, and save it where there is nothing to say about it or what was said has been read."""
    form = web.form(request)
    entered = parts.entered(request, "name", "path", "description", "arn")
    entered["document"] = document = form.one("document").replace("\r\n", "\n")
    checked = await _validate(request, document)
    findings = _findings(checked, document)
    wanted = _call(entered)
    has_read = form.one("read") == _mark(document)
    if "check" in form or ((findings or checked.refusal) and not has_read):
        return _editor(request, entered, checked=checked, findings=findings)
    result, outcome = await parts.obtain(request, wanted)
    if outcome.refused is not None:
        return _editor(request, entered, checked=checked, findings=findings, refusal=outcome.refused)
    arn = entered["arn"] or result["Policy"]["Arn"]
    return calls.go(request, policies.page(arn, "versions" if entered["arn"] else ""), *outcome.made)


async def _validate(request: Request, document: str) -> Part:
    return await parts.ask(
        request, "ValidatePolicy", service="accessanalyzer", policyDocument=document, policyType="IDENTITY_POLICY"
    )


def _call(entered: dict[str, str]) -> Equivalent:
    if entered["arn"]:
        version = {"PolicyArn": entered["arn"], "PolicyDocument": entered["document"], "SetAsDefault": True}
        return Equivalent("iam", "CreatePolicyVersion", version)
    named: dict[str, object] = {"PolicyName": entered["name"], "Path": entered["path"] or "/"}
    if entered["description"]:
        named["Description"] = entered["description"]
    return Equivalent("iam", "CreatePolicy", {**named, "PolicyDocument": entered["document"]})


def _editor(
    request: Request,
    entered: dict[str, str],
    *,
    checked: Part | None = None,
    findings: list[Finding] | None = None,
    refusal: Refused | None = None,
) -> Response:
    validation = Equivalent(
        "accessanalyzer", "ValidatePolicy", {"policyDocument": entered["document"], "policyType": "IDENTITY_POLICY"}
    )
    return frame.page(
        request,
        "policy_editor.html",
        current=policies.FOLDER,
        refusal=refusal,
        same=[validation, _call({**entered, "name": entered["name"] or "NAME"})],
        entered=entered,
        action=NEW_VERSION if entered["arn"] else CREATE,
        back=policies.page(entered["arn"]) if entered["arn"] else policies.FOLDER,
        checked=checked,
        findings=findings or [],
        read=_mark(entered["document"]) if checked is not None else "",
    )


def _findings(checked: Part, document: str) -> list[Finding]:
    lines = document.split("\n")
    found = []
    for each in checked.rows("findings"):
        places = each.get("locations") or [{"span": {"start": {"line": 1, "column": 0}}}]
        start = places[0]["span"]["start"]
        # AWS counts lines from 1 and columns from 0 (API_Position); editors count both from 1.
        line = int(start["line"])
        excerpt = lines[line - 1].strip() if 0 < line <= len(lines) else ""
        found.append(
            Finding(each["findingType"], each["issueCode"], each["findingDetails"], line, int(start["column"]) + 1, excerpt)
        )
    return found


def _mark(document: str) -> str:
    """Answer by what a form says that the findings about this very document were shown."""
    return hashlib.sha256(document.encode()).hexdigest()


ROUTES = [
    Route(CREATE, create, methods=["GET"]),
    Route(CREATE, saved, methods=["POST"]),
    Route(NEW_VERSION, new_version, methods=["GET"]),
    Route(NEW_VERSION, saved, methods=["POST"]),
]
