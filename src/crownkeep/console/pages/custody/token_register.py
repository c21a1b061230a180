"""The physical tokens of the account's root: in which vault and envelope each lies, and who has it out."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crownkeep.console.kit import frame, parts
from crownkeep.console.pages.custody.custody_tabs import TABS, TOKENS


async def tokens(request: Request) -> Response:
    """List the register's tokens of this account's root."""
    listed = await parts.ask(request, "ListTokens", service="approvals")
    return frame.page(
        request,
        "custody_tokens.html",
        current="/console/custody",
        same=[listed.call],
        tabs=TABS,
        listed=listed,
        here=TOKENS,
    )


ROUTES = [Route(TOKENS, tokens, methods=["GET"])]
