"""Service-specific credentials: passwords and API keys that a single service takes, shown once and kept as a hash."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import count

from crownkeep import clock, errors, ids
from crownkeep.credentials import service_secrets
from crownkeep.credentials.secret import Secret
from crownkeep.credentials.service_secrets import SERVICES, CredentialService
from crownkeep.domain import page_tokens
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect, Target
from crownkeep.services.iam import quotas
from crownkeep.services.iam.identities import owners, statuses, users
from crownkeep.services.iam.identities.owners import Owner
from crownkeep.services.iam.service import iam
from crownkeep.storage.credentials import service_credentials
from crownkeep.storage.credentials.service_credentials import ServiceCredentialRow
from crownkeep.storage.identities.users import UserRow

RESOURCE_TYPE = "AWS::IAM::ServiceSpecificCredential"
_UNSUPPORTED = "No such service {} is supported for Service Specific Credentials"

_SERVICE_KEY = "iam:ServiceSpecificCredentialServiceName"

_Listed = tuple[ServiceCredentialRow, str]
"""A credential and the name of its user."""


def user_and_service(
    call: Call, *, user_name: str, service_name: str, credential_age_days: int | None = None, **_: object
) -> Target:
    """The user, the service and the age that a policy may limit."""
    context: dict[str, str | tuple[str, ...]] = {_SERVICE_KEY: service_name}
    if credential_age_days is not None:
        context["iam:ServiceSpecificCredentialAgeDays"] = str(credential_age_days)
    return replace(users.named_user(call, user_name=user_name), context=context)


@dataclass(frozen=True, slots=True)
class _Named:
    """The user that a credential was asked for of, None where root means itself, and the credential, None where there is none."""

    user: UserRow | None
    credential: ServiceCredentialRow | None


def named_credential(call: Call, *, service_specific_credential_id: str, user_name: str | None = None, **_: object) -> Target:
    """The user, and the service that the credential is for."""
    target = owners.target(call, user_name=user_name)
    user = target.row.user if isinstance(target.row, Owner) else None
    if user is None:
        return replace(target, row=None if target.row is None else _Named(None, None))
    # Looked for among the named user's: permission for one user must not reach the credentials of another by their id.
    row = service_credentials.with_id(call.db, call.account_id, user.user_id, service_specific_credential_id)
    context = target.context if row is None else {_SERVICE_KEY: row.service}
    return replace(target, context=context, row=_Named(user, row))


def owner_or_everybody(call: Call, *, user_name: str | None = None, all_users: bool | None = None, **_: object) -> Target:
    """The user with this name, the caller, or every user."""
    return users.users_under_path(call) if all_users else owners.target(call, user_name=user_name)


@iam.operation("CreateServiceSpecificCredential", resource=user_and_service, effect=Effect.STATE)
def create_service_specific_credential(
    call: Call, *, user_name: str, service_name: str, credential_age_days: int | None = None
) -> Result:
    """Make a credential of a user for one service; the answer is the only place where its secret is shown."""
    user = users.targeted(call, user_name)
    service = _service(service_name)
    if credential_age_days is not None and not service.takes_api_keys:
        raise errors.InvalidInput(f"CredentialAgeDays is not supported for the service {service_name}.")
    present = service_credentials.of_user(call.db, call.account_id, user.user_id)
    number = sum(row.service == service_name for row in present)
    quotas.require_room(call, number, quotas.SERVICE_CREDENTIALS_PER_USER, name="ServiceSpecificCredentialsPerUser")
    public_name = _unused_name(call, user, service_name, service)
    secret = _mint(service, public_name)
    row = ServiceCredentialRow(
        credential_id=ids.unique_id(ids.Prefix.SERVICE_CREDENTIAL, clock.token_bytes(16)),
        account_id=call.account_id,
        user_id=user.user_id,
        service=service_name,
        public_name=public_name,
        digest=service_secrets.digest(secret),
        status=statuses.ACTIVE,
        created_at=call.now,
        expires_at=None if credential_age_days is None else call.now + timedelta(days=credential_age_days),
    )
    service_credentials.add(call.db, row)
    _note(call, user, row)
    return {"ServiceSpecificCredential": _with_secret(call, row, user, secret)}


@iam.operation("ListServiceSpecificCredentials", resource=owner_or_everybody)
def list_service_specific_credentials(
    call: Call,
    *,
    user_name: str | None = None,
    service_name: str | None = None,
    all_users: bool | None = None,
    marker: str | None = None,
    max_items: int | None = None,
) -> Result:
    """List the credentials of a user or of the caller or, for one service, those of all users; never their secrets."""
    if service_name is not None:
        _service(service_name)
    if not all_users:
        rows = _of_owner(call, user_name, service_name)
    elif user_name is not None or service_name is None:
        raise errors.ValidationError("AllUsers must be specified together with ServiceName and without UserName.")
    found, more = page_tokens.page(
        call,
        list_name="ListServiceSpecificCredentials",
        filters=(user_name or "", service_name or "", str(bool(all_users))),
        marker=marker,
        max_items=max_items,
        fetch=lambda after, limit: (
            service_credentials.of_service(call.db, call.account_id, service_name or "", after=after, limit=limit)
            if all_users
            else [pair for pair in rows if pair[0].credential_id > after][:limit]
        ),
        key=lambda pair: pair[0].credential_id,
    )
    # AWS's answer has no IsTruncated where nothing is left.
    marked = more if more.get("IsTruncated") else {}
    return {"ServiceSpecificCredentials": [_describe(call, row, name) for row, name in found], **marked}


@iam.operation("ResetServiceSpecificCredential", resource=named_credential, effect=Effect.STATE)
def reset_service_specific_credential(call: Call, *, service_specific_credential_id: str, user_name: str | None = None) -> Result:
    """Give a credential a new secret, which is shown once; the one before is void at once."""
    user, row = _targeted(call, user_name, service_specific_credential_id)
    secret = _mint(_service(row.service), row.public_name)
    service_credentials.set_digest(call.db, call.account_id, row.credential_id, service_secrets.digest(secret))
    _note(call, user, row)
    return {"ServiceSpecificCredential": _with_secret(call, row, user, secret)}


@iam.operation("UpdateServiceSpecificCredential", resource=named_credential, effect=Effect.STATE)
def update_service_specific_credential(
    call: Call, *, service_specific_credential_id: str, status: str, user_name: str | None = None
) -> Result:
    """Let a credential be used, or no longer."""
    user, row = _targeted(call, user_name, service_specific_credential_id)
    service_credentials.set_status(call.db, call.account_id, row.credential_id, statuses.checked(status))
    _note(call, user, row)
    return NOTHING


@iam.operation("DeleteServiceSpecificCredential", resource=named_credential, effect=Effect.STATE)
def delete_service_specific_credential(
    call: Call, *, service_specific_credential_id: str, user_name: str | None = None
) -> Result:
    """Forget a credential."""
    user, row = _targeted(call, user_name, service_specific_credential_id)
    service_credentials.remove(call.db, call.account_id, row.credential_id)
    _note(call, user, row)
    return NOTHING


def _user(call: Call, user_name: str | None) -> UserRow:
    owner = owners.targeted(call, user_name)
    if owner.user is None:
        raise users.must_be_named()
    return owner.user


def _of_owner(call: Call, user_name: str | None, service_name: str | None) -> Sequence[_Listed]:
    user = _user(call, user_name)
    rows = service_credentials.of_user(call.db, call.account_id, user.user_id)
    return [(row, user.name) for row in rows if service_name in (None, row.service)]


def _service(name: str) -> CredentialService:
    service = SERVICES.get(name)
    if service is None:
        # AWS answers NoSuchEntity here, although the model has NotSupportedService (seen on AWS).
        raise errors.NoSuchEntity(_UNSUPPORTED.format(name))
    return service


def _unused_name(call: Call, user: UserRow, service_name: str, service: CredentialService) -> str:
    # A user that was renamed keeps its credentials' names, so that the next of that name finds them taken.
    for slot in count():
        if service.takes_api_keys:
            name = service_secrets.alias(service, user.name, call.account_id, slot=slot)
        else:
            name = service_secrets.user_name(user.name, call.account_id, slot=slot)
        if not service_credentials.is_taken(call.db, call.account_id, service_name, name):
            return name
    raise AssertionError("unreachable: numbers don't end")


def _mint(service: CredentialService, public_name: str) -> Secret:
    chance = clock.token_bytes(service_secrets.ENTROPY)
    if service.takes_api_keys:
        return service_secrets.mint_api_key(service, public_name, chance)
    return service_secrets.mint_password(chance)


def _targeted(call: Call, user_name: str | None, credential_id: str) -> tuple[UserRow, ServiceCredentialRow]:
    named = call.target_row(_Named)
    if named is None:
        raise users.not_found(call.principal.name if user_name is None else user_name)
    if named.user is None:
        raise users.must_be_named()
    if named.credential is None:
        raise errors.NoSuchEntity(f"No such credential {credential_id} exists")
    return named.user, named.credential


def _describe(call: Call, row: ServiceCredentialRow, user_name: str) -> dict[str, object]:
    is_api_key = SERVICES[row.service].takes_api_keys
    described: dict[str, object] = {
        "CreateDate": row.created_at,
        "ServiceName": row.service,
        "ServiceCredentialAlias" if is_api_key else "ServiceUserName": row.public_name,
        "ServiceSpecificCredentialId": row.credential_id,
        "UserName": user_name,
        "Status": row.status,
    }
    # Nothing runs when a credential expires; it counts as expired whenever somebody looks at it.
    if row.expires_at is not None:
        described["ExpirationDate"] = row.expires_at
        if row.expires_at <= call.now:
            described["Status"] = statuses.EXPIRED
    return described


def _with_secret(call: Call, row: ServiceCredentialRow, user: UserRow, secret: Secret) -> dict[str, object]:
    member = "ServiceCredentialSecret" if SERVICES[row.service].takes_api_keys else "ServicePassword"
    return {**_describe(call, row, user.name), member: secret.reveal()}


def _note(call: Call, user: UserRow, row: ServiceCredentialRow) -> None:
    call.notes.resources += [(RESOURCE_TYPE, row.credential_id), (users.RESOURCE_TYPE, user.name)]
