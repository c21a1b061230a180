"""The pages' application: what a browser that finds this server sees."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

_SECURITY_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cache-control": "no-store",
}

_WELCOME = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Crownkeep</title><meta name="viewport" content="width=device-width, initial-scale=1"></head>
<body>
<main>
<h1>Crownkeep</h1>
<p>This is a self-hosted account authority. It speaks the AWS APIs of IAM, STS, Account and CloudTrail, and keeps every account's
root user locked away.</p>
<p>Point a stock client here: set <code>AWS_ENDPOINT_URL</code> to this address and sign with an access key of your account.</p>
<p>The operator makes accounts with <code>crownkeep account create</code>.</p>
<p><a href="/health">Health</a></p>
</main>
</body>
</html>
"""


def create_pages() -> Starlette:
    """Make the pages' application."""
    return Starlette(routes=[Route("/", _welcome)])


async def _welcome(_: Request) -> Response:
    return HTMLResponse(_WELCOME, headers=_SECURITY_HEADERS)
