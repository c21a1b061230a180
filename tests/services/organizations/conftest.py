"""An organization for each test that asks for one."""

from __future__ import annotations

import pytest
from tests.fixtures.crown import Account
from tests.services.organizations.organizing import Organized, organize


@pytest.fixture
def organization(account: Account) -> Organized:
    """A fresh organization with all features."""
    return organize(account)
