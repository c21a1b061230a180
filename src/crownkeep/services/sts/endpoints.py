"""STS's endpoints: one address stands for all here, yet what was sent to the global one's name hears what AWS would say."""

from __future__ import annotations

from crownkeep import errors
from crownkeep.operations.call import Call
from crownkeep.services.sts.service import sts

GLOBAL_HOST = "sts.amazonaws.com"


def refuse_global(call: Call, operation: str) -> None:
    """Raise InvalidAction for a request to the global endpoint, which some operations are not available on."""
    if call.origin.host.partition(":")[0].lower() == GLOBAL_HOST:
        raise errors.InvalidAction(f"Could not find operation {operation} for version {sts.model.api_version}")
