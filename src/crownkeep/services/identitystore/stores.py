"""Identity stores: each the directory of one instance of single sign-on."""

from __future__ import annotations

from collections.abc import Mapping

from crownkeep import errors
from crownkeep.domain import next_tokens
from crownkeep.domain.single_sign_on import instances
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import Effect
from crownkeep.services.identitystore import targets
from crownkeep.services.identitystore.service import identity_store
from crownkeep.storage.single_sign_on.instances import InstanceRow


@identity_store.operation("DescribeIdentityStore", resource=targets.store)
def describe_identity_store(call: Call, *, identity_store_id: str) -> Result:
    """Return an identity store, which no network is kept out of."""
    return _describe(targets.required_store(call, identity_store_id))


@identity_store.operation("ListIdentityStores", resource=targets.everything)
def list_identity_stores(call: Call, *, max_results: int | None = None, next_token: str | None = None) -> Result:
    """List the identity stores that the account administers."""
    found = sorted(instances.all_visible(call), key=lambda row: row.identity_store_id)
    listed, more = next_tokens.page(
        call,
        list_name="ListIdentityStores",
        next_token=next_token,
        max_results=max_results,
        fetch=lambda after, limit: [row for row in found if row.identity_store_id > after][:limit],
        key=lambda row: row.identity_store_id,
    )
    return {"IdentityStores": [_describe(row) for row in listed], **more}


@identity_store.operation("UpdateIdentityStore", resource=targets.store, effect=Effect.STATE)
def update_identity_store(
    call: Call, *, identity_store_id: str, network_configuration: Mapping[str, object] | None = None
) -> Result:
    """Change nothing of a store: networks that it is closed to are refused."""
    row = targets.required_store(call, identity_store_id)
    if network_configuration is not None:
        raise errors.ServiceValidation("NetworkConfiguration is not supported here.")
    return _describe(row)


def _describe(row: InstanceRow) -> dict[str, object]:
    return {"IdentityStoreId": row.identity_store_id, "IdentityStoreArn": instances.store_arn(row)}
