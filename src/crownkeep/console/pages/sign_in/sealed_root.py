"""The step of signing in as a sealed root: asking its custodians, and going on once they have approved."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import entering, web
from crownkeep.console.kit.entering import STEPS
from crownkeep.signin import sealed_root
from crownkeep.signin.flow import ApprovalStep
from crownkeep.signin.progress import Next
from crownkeep.signin.sealed_root import NotAsked
from crownkeep.translation import gettext

_LONGEST_REASON, _LONGEST_TICKET = 1000, 256


async def approval(request: Request) -> Response:
    """Show what the custodians were asked, and ask for a reason."""
    begun = entering.begun(request)
    if begun is None:
        return entering.stale(request)
    if not isinstance(begun.step, ApprovalStep):
        return web.go(entering.PATHS[type(begun.step)])
    why, until = begun.step.why, begun.step.until
    moment = "" if until is None else f"{until:%Y-%m-%d %H:%M}"
    return _page(request, begun, alert=gettext(why, until=moment), why=why)


async def asked(request: Request) -> Response:
    """Ask the custodians."""
    begun, form, here = entering.begun(request), web.form(request), web.of(request)
    if begun is None or not isinstance(begun.step, ApprovalStep):
        return entering.stale(request)
    reason, ticket = form.one("reason").strip()[:_LONGEST_REASON], form.one("ticket").strip()[:_LONGEST_TICKET]
    if not reason:
        return _page(request, begun, alert=gettext("Say why: the custodians read it."), why="", status=400)
    visit = entering.visit(request, begun.progress.to)
    outcome = await sealed_root.ask(here.door, visit, begun.progress, reason=reason, ticket=ticket)
    if isinstance(outcome, NotAsked):
        return _page(request, begun, alert=outcome.why, why="", status=403)
    return web.go(f"{STEPS}/approval")


async def continued(request: Request) -> Response:
    """Go on, where the custodians have approved."""
    web.form(request)
    here = web.of(request)
    begun = entering.begun_anywhere(request)
    if begun is None:
        return entering.stale(request)
    outcome = await sealed_root.go_on(here.door, entering.visit(request, begun.to), begun)
    return await entering.follow(request, outcome, lambda: entering.stale(request))


def _page(request: Request, begun: Next, *, alert: str, why: str, status: int = 200) -> Response:
    visit = entering.visit(request, begun.progress.to)
    requests = sealed_root.waiting(web.of(request).door, begun.progress, visit=visit)
    is_open = any(state in ("waiting", "approved") for _, _, state in requests)
    return web.page(request, "approval_step.html", status=status, alert=alert, why=why, requests=requests, is_open=is_open)


ROUTES = [
    Route(f"{STEPS}/approval", approval, methods=["GET"]),
    Route(f"{STEPS}/approval", asked, methods=["POST"]),
    Route(f"{STEPS}/approval/continue", continued, methods=["POST"]),
]
