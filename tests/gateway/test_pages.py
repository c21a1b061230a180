"""Every form of the console reaches its page over the wire, whatever a browser says that it accepts."""

from __future__ import annotations

import re

import pytest
from starlette.routing import Route

from crownkeep.console.app import ROUTES
from crownkeep.gateway import asgi

FORMS = [route for route in ROUTES if "POST" in (route.methods or ())]


@pytest.mark.parametrize("route", FORMS, ids=lambda route: route.path)
def test_a_form_of_a_page_reaches_it_and_not_the_api(route: Route):
    path = re.sub(r"\{[^}]*\}", "name", route.path).encode()
    scope = {"type": "http", "method": "POST", "path": route.path, "query_string": b"", "headers": []}

    assert asgi._is_for_pages(scope, path)
