"""An organization for each test that asks for one."""

from __future__ import annotations

import pytest
from tests.fixtures.crown import Crown
from tests.fixtures.organization import Organization


@pytest.fixture
def organization(crown: Crown) -> Organization:
    """A fresh organization with all features."""
    return Organization(crown)
