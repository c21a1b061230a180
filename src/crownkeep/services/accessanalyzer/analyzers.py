"""ListAnalyzers: none are here, for they watch resources of services that are not served; scanners ask all the same."""

from __future__ import annotations

from crownkeep.operations.call import Call, Result
from crownkeep.services.accessanalyzer import documents
from crownkeep.services.accessanalyzer.service import accessanalyzer


@accessanalyzer.operation("ListAnalyzers", resource=documents.everything)
def list_analyzers(
    call: Call,
    *,
    type: str | None = None,
    max_results: int | None = None,
    next_token: str | None = None,
) -> Result:
    """Return the account's analyzers, of which there are none of any type."""
    if next_token is not None:
        raise documents.refused("nextToken", "The nextToken is not valid.")
    return {"analyzers": []}
