"""What this server supports, for directories that ask: read from the tables by which resources are read."""

from __future__ import annotations

from collections.abc import Sequence

from crownkeep import errors
from crownkeep.domain.single_sign_on import scim_bearers
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import Mode, Permission, no_resource
from crownkeep.services.scim import bearers, bodies
from crownkeep.services.scim.bodies import ENTERPRISE, GROUP, USER, Json
from crownkeep.services.scim.resources import EXTENSION, LISTS, NAME, TEXTS
from crownkeep.services.scim.service import scim

_CONFIG = "urn:ietf:params:scim:schemas:core:2.0:ServiceProviderConfig"
_SCHEMA = "urn:ietf:params:scim:schemas:core:2.0:Schema"
_KIND = "urn:ietf:params:scim:schemas:core:2.0:ResourceType"
_REQUIRED = ("userName", "displayName", "givenName", "familyName")


@scim.operation("ServiceProviderConfig", resource=no_resource, permission=Permission.NONE, mode=Mode.READ)
def service_provider_config(call: Call, *, tenant_id: str, bearer_token: str | None = None) -> Result:
    """Return what is supported."""
    bearers.reading(call, tenant_id, bearer_token)
    no = {"supported": False}
    scheme = {
        "type": "oauthbearertoken",
        "name": "OAuth Bearer Token",
        "description": "A token of the instance, in the Authorization header.",
        "specUri": "https://www.rfc-editor.org/info/rfc6750",
        "primary": True,
    }
    config = {
        "schemas": [_CONFIG],
        "documentationUri": "https://docs.aws.amazon.com/singlesignon/latest/developerguide/what-is-scim.html",
        "patch": {"supported": True},
        "bulk": {"supported": False, "maxOperations": 0, "maxPayloadSize": 0},
        "filter": {"supported": True, "maxResults": bodies.MOST_RESULTS},
        "changePassword": no,
        "sort": no,
        "etag": no,
        "authenticationSchemes": [scheme],
    }
    return bodies.sent(config)


@scim.operation("ListSchemas", resource=no_resource, permission=Permission.NONE)
def list_schemas(call: Call, *, tenant_id: str, bearer_token: str | None = None) -> Result:
    """List the schemas."""
    bearers.reading(call, tenant_id, bearer_token)
    return bodies.listed(list(_schemas().values()), cursor=None, next_cursor=None)


@scim.operation("GetSchema", resource=no_resource, permission=Permission.NONE)
def get_schema(call: Call, *, tenant_id: str, schema_id: str, bearer_token: str | None = None) -> Result:
    """Return a schema."""
    bearers.reading(call, tenant_id, bearer_token)
    found = _schemas().get(schema_id)
    if found is None:
        raise errors.ResourceNotFound("Schema not found.")
    return bodies.sent(found)


@scim.operation("ListResourceTypes", resource=no_resource, permission=Permission.NONE)
def list_resource_types(call: Call, *, tenant_id: str, bearer_token: str | None = None) -> Result:
    """List the kinds of resource."""
    endpoint = scim_bearers.endpoint(call.settings.url, bearers.reading(call, tenant_id, bearer_token))
    kinds: list[Json] = []
    for name, schema in (("User", USER), ("Group", GROUP)):
        meta = {"resourceType": "ResourceType", "location": f"{endpoint}/ResourceTypes/{name}"}
        kinds.append({"schemas": [_KIND], "id": name, "name": name, "endpoint": f"/{name}s", "schema": schema, "meta": meta})
    kinds[0]["schemaExtensions"] = [{"schema": ENTERPRISE, "required": False}]
    return bodies.listed(kinds, cursor=None, next_cursor=None)


def _schemas() -> dict[str, Json]:
    user = [_attribute(name) for name in (*TEXTS, "externalId")]
    user += [_attribute("active", kind="boolean"), _complex("name", NAME)]
    user += [_complex(name, parts, is_list=True) for name, parts in LISTS.items()]
    group = [_attribute("displayName"), _attribute("externalId"), _complex("members", ("value",), is_list=True)]
    extension = [*(_attribute(name) for name in EXTENSION), _complex("manager", ("value",))]
    named = ((USER, "User", user), (GROUP, "Group", group), (ENTERPRISE, "EnterpriseUser", extension))
    return {urn: {"schemas": [_SCHEMA], "id": urn, "name": name, "attributes": held} for urn, name, held in named}


def _attribute(name: str, *, kind: str = "string") -> Json:
    unique = "server" if name in ("userName", "externalId") else "none"
    required = name in _REQUIRED
    described: Json = {"name": name, "type": kind, "multiValued": False, "required": required, "caseExact": name == "externalId"}
    return {**described, "mutability": "readWrite", "returned": "default", "uniqueness": unique}


def _complex(name: str, parts: Sequence[str], *, is_list: bool = False) -> Json:
    within = [_attribute(part) for part in parts]
    if is_list and name != "members":
        # Members have no primary one; of addresses, numbers and the like one is (RFC 7643, 2.4).
        within.append(_attribute("primary", kind="boolean"))
    return {**_attribute(name, kind="complex"), "multiValued": is_list, "subAttributes": within}
