"""The pages' application: routes to pages, and everything behind the guard of `security`."""

from __future__ import annotations

import re

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from crownkeep.console.kit import danger, frame, rendering, site_map, web
from crownkeep.console.kit.danger import WordNeeded
from crownkeep.console.kit.forms import MalformedForm
from crownkeep.console.kit.security import Application, Guard, Receive, Scope, Send, unavailable
from crownkeep.console.kit.shares import PageShares
from crownkeep.console.kit.web import NameNeeded, ProofNeeded, RoleNeeded, SignInNeeded
from crownkeep.console.pages import undoing
from crownkeep.console.pages.account import account, account_security, closing, contacts, email, notices, password_policy, regions
from crownkeep.console.pages.alerts import alerts
from crownkeep.console.pages.approvals import my_approvals, my_keys
from crownkeep.console.pages.audits import credential_audits, credential_decisions
from crownkeep.console.pages.credentials import (
    access_key_list,
    own_devices,
    own_keys,
    own_sessions,
    own_uploads,
    passwords,
    security_credentials,
)
from crownkeep.console.pages.custody import ceremonies, rules_form, sealed_account, token_register
from crownkeep.console.pages.federation import identity_providers
from crownkeep.console.pages.identities import (
    attaching,
    deletions,
    group_list,
    groups,
    identities,
    identity_policies,
    last_access,
    new_role,
    new_user,
    role_changes,
    role_list,
    role_sessions,
    roles,
    user_list,
    user_mfa,
    users,
)
from crownkeep.console.pages.organization import (
    account_list,
    account_moves,
    central_root,
    control_attachments,
    control_policies,
    control_policy_editor,
    invitations,
    member_accounts,
    member_credentials,
    organization,
    organization_settings,
    units,
)
from crownkeep.console.pages.policies import documents, policies, policy_editor, policy_list
from crownkeep.console.pages.portal import consent, external_sign_in, person_links, person_security, portal
from crownkeep.console.pages.posture import dashboard, root_use, ways_in
from crownkeep.console.pages.reports import credential_report
from crownkeep.console.pages.search import manual_pages, search
from crownkeep.console.pages.sign_in import (
    approver_invitation,
    federation,
    links,
    oauth_authorize,
    recovery,
    sealed_root,
    sign_in,
    sign_in_links,
    steps,
    switch_role,
    welcome,
)
from crownkeep.console.pages.simulation import simulator, what_if
from crownkeep.console.pages.single_sign_on import (
    assignments,
    directory_groups,
    directory_people,
    existing_roles,
    instance_home,
    permission_sets,
)
from crownkeep.console.pages.trail import integrity, stream, trail
from crownkeep.errors import AwsError
from crownkeep.operations.invoke import Door, Unavailable
from crownkeep.principals import PrincipalKind
from crownkeep.translation import gettext

ROUTES: list[Route] = [
    # Sign-in first: routes are tried one after the other, and strangers come here most.
    *sign_in.ROUTES,
    *sign_in_links.ROUTES,
    *links.ROUTES,
    *sign_in.ACCOUNT_ROUTES,
    *steps.ROUTES,
    *sealed_root.ROUTES,
    *my_approvals.ROUTES,
    *my_keys.ROUTES,
    *recovery.ROUTES,
    *approver_invitation.ROUTES,
    *welcome.ROUTES,
    *person_links.ROUTES,
    *person_security.ROUTES,
    *consent.ROUTES,
    *external_sign_in.ROUTES,
    *portal.ROUTES,
    *dashboard.ROUTES,
    *root_use.ROUTES,
    *search.ROUTES,
    *manual_pages.ROUTES,
    *ways_in.ROUTES,
    *sealed_account.ROUTES,
    *rules_form.ROUTES,
    *ceremonies.ROUTES,
    *token_register.ROUTES,
    *organization.ROUTES,
    *units.ROUTES,
    *account_list.ROUTES,
    *member_accounts.ROUTES,
    *member_credentials.ROUTES,
    *central_root.ROUTES,
    *invitations.ROUTES,
    *control_policies.ROUTES,
    *control_policy_editor.ROUTES,
    *control_attachments.ROUTES,
    *organization_settings.ROUTES,
    *account_moves.ROUTES,
    *instance_home.ROUTES,
    *directory_people.ROUTES,
    *directory_groups.ROUTES,
    *permission_sets.ROUTES,
    *assignments.ROUTES,
    *existing_roles.ROUTES,
    *account.ROUTES,
    *contacts.ROUTES,
    *account_security.ROUTES,
    *notices.ROUTES,
    *regions.ROUTES,
    *closing.ROUTES,
    *credential_report.ROUTES,
    *alerts.ROUTES,
    *credential_audits.ROUTES,
    *credential_decisions.ROUTES,
    *password_policy.ROUTES,
    *passwords.ROUTES,
    *security_credentials.ROUTES,
    *own_devices.ROUTES,
    *own_keys.ROUTES,
    *own_uploads.ROUTES,
    *own_sessions.ROUTES,
    *users.ROUTES,
    *user_list.ROUTES,
    *access_key_list.ROUTES,
    *group_list.ROUTES,
    *role_list.ROUTES,
    *policy_list.ROUTES,
    *new_user.ROUTES,
    *deletions.ROUTES,
    *user_mfa.ROUTES,
    *groups.ROUTES,
    *roles.ROUTES,
    *new_role.ROUTES,
    *role_changes.ROUTES,
    *role_sessions.ROUTES,
    *last_access.ROUTES,
    *identity_providers.ROUTES,
    *simulator.ROUTES,
    *what_if.ROUTES,
    *policies.ROUTES,
    *policy_editor.ROUTES,
    *documents.ROUTES,
    *trail.ROUTES,
    *integrity.ROUTES,
    *stream.ROUTES,
    *undoing.ROUTES,
    *attaching.ROUTES,
    *identities.ROUTES,
    *identity_policies.ROUTES,
    *oauth_authorize.ROUTES,
    *federation.ROUTES,
    *switch_role.ROUTES,
    *email.ROUTES,
]
"""Every page. A module of `pages` lists its own as ROUTES."""


def create_pages(door: Door, shares: PageShares) -> Application:
    """Make the pages' application over a door, with the shares of the server that its people have."""
    pages = Starlette(
        routes=ROUTES,
        exception_handlers={
            SignInNeeded: _sign_in,
            ProofNeeded: _confirm,
            NameNeeded: _name,
            WordNeeded: _word,
            RoleNeeded: _portal,
            MalformedForm: _malformed,
            AwsError: _refused,
            Unavailable: _unavailable,
            HTTPException: _http_error,
            500: _failed,
        },
    )
    guarded = Guard(pages, door, shares)
    static = Starlette(routes=[Mount("/static", _Static(directory=rendering.STATIC))])

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        await (static if scope["path"].startswith("/static/") else guarded)(scope, receive, send)

    return serve


class _Static(StaticFiles):
    """Static files, which may be kept for good by the address that names their version."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        current = scope["query_string"].decode("latin-1") == f"v={rendering.version()}"
        response.headers["cache-control"] = "public, max-age=31536000, immutable" if current else "no-cache"
        response.headers["x-content-type-options"] = "nosniff"
        return response


async def _sign_in(request: Request, _: Exception) -> Response:
    return web.go(web.sign_in_path(request))


async def _portal(request: Request, _: Exception) -> Response:
    return web.go(web.portal_path(request))


async def _confirm(request: Request, _: Exception) -> Response:
    return web.go(web.confirm_path(request))


async def _name(request: Request, error: Exception) -> Response:
    # Passwords and codes are not shown again: whoever sends them types them anew.
    sent = web.of(request).form
    unshown = ("csrf", web.CONFIRMED_NAME)
    kept = [(name, value) for name, value in (sent.pairs() if sent else ()) if name not in unshown and "password" not in name]
    action = f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
    return frame.page(
        request,
        "last_way_in.html",
        current=request.url.path,
        status=409,
        message=str(error),
        fields=kept,
        action=action,
        confirmed=web.CONFIRMED_NAME,
    )


async def _word(request: Request, error: Exception) -> Response:
    assert isinstance(error, WordNeeded)  # noqa: S101 - what it is registered for, for the type checker
    return danger.page(request, error.ending)


async def _malformed(request: Request, error: Exception) -> Response:
    return web.page(
        request, "refused.html", status=400, title=gettext("That form can't be read"), text=str(error), home="/console"
    )


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, AwsError)  # noqa: S101 - what it is registered for, for the type checker
    busy = error.code in ("Throttling", "ServiceUnavailable", "InternalFailure")
    if error.code == "ExpiredToken":
        return web.go(web.sign_in_path(request))
    title = gettext("The server is busy") if busy else gettext("That was refused")
    return web.page(request, "refused.html", status=503 if busy else 403, title=title, text=error.message, home="/console")


async def _unavailable(request: Request, _: Exception) -> Response:
    return unavailable()


async def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - as above
    title = gettext("There is no such page") if error.status_code == 404 else gettext("That does not work here")
    text = gettext("Look at the address once more. What it named may have been deleted or renamed: the lists show what there is.")
    text = text if error.status_code == 404 else ""
    session = web.of(request).session
    if error.status_code == 404 and session is not None and session.principal.kind is not PrincipalKind.PERSON:
        words = " ".join(re.findall(r"[a-z]+", request.url.path.lower().removeprefix("/console")))
        return frame.page(request, "lost.html", current="", status=404, title=title, places=site_map.nearest(words))
    return web.page(request, "refused.html", status=error.status_code, title=title, text=text, home="/console")


async def _failed(request: Request, _: Exception) -> Response:
    text = gettext("The fault is ours, and was written to the server's log.")
    return web.page(request, "refused.html", status=500, title=gettext("Something went wrong"), text=text, home="/console")
