"""Another directory that provisions an instance of single sign-on by SCIM."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from tests.fixtures.asgi import Response
from tests.fixtures.crown import Crown
from tests.fixtures.single_sign_on import SingleSignOn

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


@dataclass
class Directory:
    """A directory with a token of the instance."""

    crown: Crown
    sso: SingleSignOn
    token: str
    token_id: str

    def ask(
        self, method: str, path: str, body: Any = None, *, token: str | None = None, store: str = "", **headers: str
    ) -> Response:
        """Send a request to a path beneath the instance's endpoint."""
        content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        sent = {"Authorization": f"Bearer {self.token if token is None else token}", "Content-Type": "application/scim+json"}
        place = f"/{store or self.sso.store['IdentityStoreId']}/scim/v2{path}"
        return self.crown.request(method, f"{self.crown.settings.url}{place}", headers=sent | headers, body=content)

    def user(self, name: str, **attributes: Any) -> dict[str, Any]:
        """Make a person."""
        answer = self.ask("POST", "/Users", person(name, **attributes))
        assert 201 == answer.status, answer.text
        return dict(answer.json())

    def group(self, name: str, **attributes: Any) -> str:
        """Make a group and return its id."""
        answer = self.ask("POST", "/Groups", {"schemas": [GROUP], "displayName": name, **attributes})
        assert 201 == answer.status, answer.text
        return str(answer.json()["id"])

    def patch(self, path: str, *operations: dict[str, Any]) -> Response:
        """Send operations."""
        return self.ask("PATCH", path, {"schemas": [PATCH], "Operations": list(operations)})


def person(name: str, **attributes: Any) -> dict[str, Any]:
    """Return a person as a resource."""
    named = {"givenName": name, "familyName": "Example"}
    emails = [{"value": f"{name}@scim.example", "type": "work", "primary": True}]
    resource = {"schemas": [USER], "userName": name, "displayName": f"{name} Example", "name": named, "emails": emails}
    return {**resource, "active": True, **attributes}


@pytest.fixture
def directory_of() -> Callable[[Crown], Directory]:
    """Make an organization with an instance, and a token of it."""

    def make(crown: Crown) -> Directory:
        sso = SingleSignOn(crown)
        made = crown.operator("POST", f"/accounts/{sso.management.id}/scim-tokens")
        assert 201 == made.status, made.text
        return Directory(crown, sso, made.json()["token"], made.json()["token_id"])

    return make


@pytest.fixture
def directory(crown: Crown, directory_of: Callable[[Crown], Directory]) -> Directory:
    """A directory of the test's own."""
    return directory_of(crown)
