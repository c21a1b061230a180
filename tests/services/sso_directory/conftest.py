"""Single sign-on for each test that asks for it."""

from __future__ import annotations

import pytest
from tests.fixtures.crown import Crown
from tests.fixtures.portal import Portal
from tests.fixtures.single_sign_on import SingleSignOn


@pytest.fixture
def sso(crown: Crown) -> SingleSignOn:
    """A fresh organization with an instance."""
    return SingleSignOn(crown)


@pytest.fixture
def portal(crown: Crown) -> Portal:
    """A fresh instance whose people need no second factor."""
    return Portal(crown)
