"""Tags that come with something new: they ask for the permission to tag it, wherever something can be made with tags."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.fixtures.crown import Account
from tests.house.test_operations import OPERATIONS
from tests.services.iam.making_certificates import Maker
from tests.services.sts.saml_provider import metadata_of

TAGS = [{"Key": "team", "Value": "red"}]
TRUST = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}'
