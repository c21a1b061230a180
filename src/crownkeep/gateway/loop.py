"""The event loop of a serving process: uvloop's, with a time limit for TLS handshakes, which uvicorn leaves at a minute."""

from __future__ import annotations

from typing import Any

import uvloop

from crownkeep import supervision

SECONDS_FOR_HANDSHAKE = 10
"""A connection is not counted, and can't make room for another, before its handshake is done: so it must be short."""


class EdgeLoop(uvloop.Loop):
    """What uvicorn makes for each process; see its setting `loop`."""

    async def create_server(self, *arguments: Any, **options: Any) -> Any:
        """Listen as uvloop does, with SECONDS_FOR_HANDSHAKE where TLS is spoken, and tell the service manager."""
        if options.get("ssl") is not None:
            options.setdefault("ssl_handshake_timeout", SECONDS_FOR_HANDSHAKE)
        listening = await super().create_server(*arguments, **options)
        supervision.tell(supervision.READY)
        return listening
