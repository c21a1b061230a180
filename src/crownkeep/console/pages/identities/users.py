"""Users: one user's page with its sections, and what is changed there."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import frame, key_endings, parts, password_rules_asked, web
from crownkeep.console.kit.equivalents import Equivalent
from crownkeep.console.kit.identity_kinds import USER
from crownkeep.console.kit.parts import Part
from crownkeep.console.pages.identities import access_report, mfa_demand, tabs
from crownkeep.console.pages.identities.access_report import LastAccessReport
from crownkeep.translation import gettext

TABS = ("permissions", "groups", "tags", "security", "access", "trail")


async def user(request: Request) -> Response:
    """Show one user and the section that the address chooses."""
    web.signed_in(request)
    name, tab = request.path_params["name"], parts.chosen(request, "tab", TABS)
    about = await parts.ask(request, "GetUser", UserName=name)
    if about.is_missing:
        return parts.missing(
            request, about, current=USER.folder, title=gettext("There is no user %(name)s", name=name), back=USER.folder
        )
    asked = await _SECTIONS[tab](request, name)
    used = await _last_used(request, asked["keys"]) if "keys" in asked else {}
    report = await access_report.report(request) if tab == "access" else LastAccessReport(None)
    reporting = report.same(str(about.one("User").get("Arn", ""))) if tab == "access" else []
    return frame.page(
        request,
        f"user_{tab}.html",
        current=USER.folder,
        same=[*parts.equivalents([about, *asked.values(), *used.values()]), *_changes(name)[tab], *reporting],
        name=name,
        path=USER.page(name),
        tab=tab,
        about=about,
        used=used,
        asked=asked,
        needs_mfa=await mfa_demand.is_demanded(request, name, asked["password"]) if "password" in asked else False,
        rules=await password_rules_asked.ask(request) if "password" in asked else None,
        report=report,
        is_about="about" in request.query_params,
    )


def _changes(name: str) -> dict[str, list[Equivalent]]:
    """Return what each section's buttons call, for the commands that its page shows."""
    named = {"UserName": name}
    password = {**named, "Password": "PASSWORD", "PasswordResetRequired": True}
    key = {**named, "AccessKeyId": "ACCESS_KEY_ID"}
    return {
        "permissions": tabs.changes(USER, name),
        "groups": [
            Equivalent("iam", "AddUserToGroup", {"GroupName": "GROUP", **named}),
            Equivalent("iam", "RemoveUserFromGroup", {"GroupName": "GROUP", **named}),
        ],
        "tags": [
            Equivalent("iam", "TagUser", {**named, "Tags": [{"Key": "KEY", "Value": "VALUE"}]}),
            Equivalent("iam", "UntagUser", {**named, "TagKeys": ["KEY"]}),
        ],
        "security": [
            Equivalent("iam", "CreateLoginProfile", password),
            Equivalent("iam", "UpdateLoginProfile", password),
            Equivalent("iam", "DeleteLoginProfile", named),
            Equivalent("iam", "CreateAccessKey", named),
            Equivalent("iam", "UpdateAccessKey", {**key, "Status": "Inactive"}),
            Equivalent("iam", "DeleteAccessKey", key),
            Equivalent("iam", "DeactivateMFADevice", {**named, "SerialNumber": "SERIAL_NUMBER"}),
        ],
        "access": [],
        "trail": [],
    }


async def _permissions(request: Request, name: str) -> dict[str, Part]:
    managed, inline = await tabs.held_policies(request, USER, name)
    return {"managed": managed, "inline": inline, "groups": await parts.ask(request, "ListGroupsForUser", UserName=name)}


async def _groups(request: Request, name: str) -> dict[str, Part]:
    return {
        "groups": await parts.ask(request, "ListGroupsForUser", UserName=name),
        "every_group": await parts.ask(request, "ListGroups"),
    }


async def _tags(request: Request, name: str) -> dict[str, Part]:
    return {"tags": await parts.ask(request, "ListUserTags", UserName=name)}


async def _security(request: Request, name: str) -> dict[str, Part]:
    return {
        "password": await parts.ask(request, "GetLoginProfile", UserName=name),
        "keys": await parts.ask(request, "ListAccessKeys", UserName=name),
        "devices": await parts.ask(request, "ListMFADevices", UserName=name),
    }


async def _access(request: Request, name: str) -> dict[str, Part]:
    return {}


async def _trail(request: Request, name: str) -> dict[str, Part]:
    if "about" in request.query_params:
        return {"events": await tabs.events_about(request, name)}
    by_name = [{"AttributeKey": "Username", "AttributeValue": name}]
    events = await parts.ask(request, "LookupEvents", service="cloudtrail", LookupAttributes=by_name, MaxResults=parts.ROWS)
    return {"events": events}


_SECTIONS = {
    "permissions": _permissions,
    "groups": _groups,
    "tags": _tags,
    "security": _security,
    "access": _access,
    "trail": _trail,
}


async def _last_used(request: Request, keys: Part) -> dict[str, Part]:
    ids = [key["AccessKeyId"] for key in keys.rows("AccessKeyMetadata")]
    return {key_id: await parts.ask(request, "GetAccessKeyLastUsed", AccessKeyId=key_id) for key_id in ids}


async def membership(request: Request) -> Response:
    """Put the user into a group, or take it out of one."""
    name, form = request.path_params["name"], web.form(request)
    adds, removes = tabs.membership(form.one("group").strip(), name)
    wanted, back = (removes, adds) if "remove" in form else (adds, removes)
    return await parts.change(request, [wanted], then=USER.page(name, "groups"), current=USER.folder, back=[back])


async def new_key(request: Request) -> Response:
    """Create an access key, whose secret this answer alone shows."""
    name = request.path_params["name"]
    result, outcome = await parts.obtain(request, Equivalent("iam", "CreateAccessKey", {"UserName": name}))
    secrets = {}
    if outcome.refused is None:
        made = result["AccessKey"]
        secrets = {gettext("Access key"): made["AccessKeyId"], gettext("Secret access key"): made["SecretAccessKey"]}
    title = gettext("Access key of %(name)s", name=name) if secrets else gettext("Nothing was changed")
    back = USER.page(name, "security")
    return parts.result_page(request, outcome, title=title, then=back, current=USER.folder, secrets=secrets)


async def key(request: Request) -> Response:
    """Activate, deactivate or delete an access key."""
    name, form = request.path_params["name"], web.form(request)
    named = {"UserName": name, "AccessKeyId": form.one("key")}
    then, status = USER.page(name, "security"), form.one("to")
    if status == "Deleted":
        key_endings.require(request, named["AccessKeyId"], then)
        return await parts.change(request, [Equivalent("iam", "DeleteAccessKey", named)], then=then, current=USER.folder)
    wanted = Equivalent("iam", "UpdateAccessKey", {**named, "Status": status})
    back = Equivalent("iam", "UpdateAccessKey", {**named, "Status": "Inactive" if status == "Active" else "Active"})
    return await parts.change(request, [wanted], then=then, current=USER.folder, back=[back])


async def password(request: Request) -> Response:
    """Set the user's password, to be changed at the next sign-in where that was ticked, or remove it."""
    name, form = request.path_params["name"], web.form(request)
    if "remove" in form:
        wanted = Equivalent("iam", "DeleteLoginProfile", {"UserName": name})
    else:
        operation = "UpdateLoginProfile" if "has" in form else "CreateLoginProfile"
        settings = {"Password": form.one("password"), "PasswordResetRequired": "reset" in form}
        wanted = Equivalent("iam", operation, {"UserName": name, **settings})
    return await parts.change(request, [wanted], then=USER.page(name, "security"), current=USER.folder)


async def device(request: Request) -> Response:
    """Take an MFA device away from the user."""
    name, serial = request.path_params["name"], web.form(request).one("serial")
    wanted = [Equivalent("iam", "DeactivateMFADevice", {"UserName": name, "SerialNumber": serial})]
    if ":mfa/" in serial:
        wanted.append(Equivalent("iam", "DeleteVirtualMFADevice", {"SerialNumber": serial}))
    return await parts.change(request, wanted, then=USER.page(name, "security"), current=USER.folder)


ROUTES = [
    Route(f"{USER.folder}/{{name}}", user, methods=["GET"]),
    Route(f"{USER.folder}/{{name}}/membership", membership, methods=["POST"]),
    Route(f"{USER.folder}/{{name}}/new-key", new_key, methods=["POST"]),
    Route(f"{USER.folder}/{{name}}/key", key, methods=["POST"]),
    Route(f"{USER.folder}/{{name}}/password", password, methods=["POST"]),
    Route(f"{USER.folder}/{{name}}/device", device, methods=["POST"]),
]
