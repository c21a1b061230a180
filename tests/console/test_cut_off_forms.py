"""Forms that were cut off on their way: what came of them is not taken for the whole."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

import pytest
from tests.fixtures import coroutines

from crownkeep.console.kit import security
from crownkeep.console.kit.forms import MalformedForm


def test_a_form_that_was_cut_off_is_refused():
    messages: list[MutableMapping[str, Any]] = [
        {"type": "http.request", "body": b"csrf=1&name=admin", "more_body": True},
        {"type": "http.disconnect"},
    ]

    async def receive() -> MutableMapping[str, Any]:
        return messages.pop(0)

    with pytest.raises(MalformedForm, match="cut off"):
        coroutines.run(security._body(receive, 1_000))
