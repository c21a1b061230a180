"""The frame of the console's pages: navigation, what was done just now, and what the page would be on the command line."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response

from crownkeep.console.kit import calls, page_help, undo, web
from crownkeep.console.kit.calls import Refused
from crownkeep.console.kit.equivalents import Equivalent


def page(
    request: Request,
    template: str,
    *,
    current: str,
    same: Sequence[Equivalent] = (),
    refusal: Refused | None = None,
    status: int = 200,
    **values: object,
) -> Response:
    """Render a template that extends console.html.

    `current` is the navigation's entry (its path), `same` what the page asks for, `refusal` the change that was just refused.
    Raises SignInNeeded: no page of the console is for strangers, whatever brought it about.
    """
    web.signed_in(request)
    # A refused form comes back to the same address, which may still tell of the change before.
    done = calls.done(request) if refusal is None else []
    status = 403 if refusal is not None and status == 200 else status
    offer = undo.read(request, request.query_params.get("undo", "")) if done else None
    return web.page(
        request,
        template,
        status=status,
        current=current,
        same=same,
        refusal=refusal,
        done=done,
        offer=offer,
        page_help=page_help.of(request.url.path),
        **values,
    )
