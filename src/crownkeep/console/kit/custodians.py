"""What pages for custodians share: where their keys can be used."""

from __future__ import annotations

from urllib.parse import urlsplit

from starlette.requests import Request

from crownkeep.console.kit import web


def address_for_keys(request: Request, party: str, path: str) -> str:
    """Return at which address a page can use custodians' keys; empty where it can where it was asked for.

    Keys answer to one name of the server (the relying party), and browsers bind none to an IP address.
    """
    visited = web.of(request).visited
    if visited.name == party and not visited.account:
        return ""
    parts = urlsplit(visited.base)
    port = f":{parts.port}" if parts.port is not None else ""
    return f"{parts.scheme}://{party}{port}{path}"
