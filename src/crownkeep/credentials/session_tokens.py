"""Session tokens: sealed values that carry everything about a temporary credential, so that no row has to.

The token names no key and no account: both come from the access key id it is presented with, to which it is bound.
"""

import base64
import binascii
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from crownkeep.credentials import access_keys, sealing
from crownkeep.credentials.sealing import Keyring, Purpose
from crownkeep.credentials.secret import Secret
from crownkeep.principals import OnBehalfOf, Principal, PrincipalKind, Session

NONCE_SIZE = sealing.NONCE_SIZE
"""Random bytes that `mint` needs."""

LONGEST = 12_000
"""Characters beyond which a token is refused unread; the largest AWS lets a session be (policies, ARNs, 50 tags) fits."""

_PLAIN, _DEFLATED = b"\0", b"\1"
_WORTH_DEFLATING = 400
_DEEPEST = 64 * 1024
_KINDS = (PrincipalKind.ROOT, PrincipalKind.USER, PrincipalKind.ROLE, PrincipalKind.FEDERATED_USER)


class InvalidToken(ValueError):
    """A session token is not one of ours, was changed, or belongs to another access key; nothing more is said."""

    def __init__(self) -> None:
        super().__init__("the session token is invalid")


@dataclass(frozen=True, slots=True)
class Claims:
    """What a token says: the secret key its requests are signed with, and who they come from."""

    secret: Secret
    principal: Principal
    session: Session
    """The same as `principal.session`, which for a temporary credential is never absent."""

    def is_expired(self, now: datetime) -> bool:
        """Tell whether the credentials have run out."""
        return now >= self.session.expires_at


class _Taker(msgspec.Struct, array_like=True, omit_defaults=True):
    """Who took on a member's root user: what tells later whether that credential would still be good."""

    kind: int
    account_id: str
    unique_id: str
    name: str
    path: str
    access_key_id: str
    session: tuple[int, int, str, str, str, str, str] | None = None
    """When it began and how long it lasts, its name, its issuing key, who assumed it (by ARN and by id), and for whom."""


class _Wire(msgspec.Struct, array_like=True, omit_defaults=True):
    """The encoded form: an array, so fields are only ever added at the end, with a default."""

    secret: bytes
    kind: int
    unique_id: str
    name: str
    path: str
    issued_at: int
    lifetime: int
    session_name: str
    mfa: tuple[str, int] | None = None
    issuing_key_id: str = ""
    flags: int = 0
    source_identity: str = ""
    policies: tuple[str, ...] = ()
    policy_arns: tuple[str, ...] = ()
    tags: dict[str, str] = {}
    transitive_tag_keys: tuple[str, ...] = ()
    task_policy_arn: str = ""
    federated_provider: str = ""
    context: dict[str, str] = {}
    assumed_by: str = ""
    assumed_by_id: str = ""
    delegate: str = ""
    derived_until: int = 0
    taken_on_by: _Taker | None = None
    scopes: tuple[str, ...] = ()
    on_behalf_of: tuple[str, ...] = ()
    """The members of `OnBehalfOf`, in their order."""


_HAS_POLICY, _ASSUMED_ROOT, _FROM_CONSOLE, _CHAINED, _SCOPED = 1, 2, 4, 8, 16
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(_Wire)


def mint(keyring: Keyring, principal: Principal, secret: Secret, *, nonce: bytes, minimum_size: int = 0) -> str:
    """Seal a temporary credential into its session token.

    `principal` has a session and the id of its temporary key, which encodes its account; raises ValueError otherwise.
    Times are kept to the second. `nonce` is NONCE_SIZE random bytes. A token shorter than `minimum_size` characters is filled up.
    """
    session = principal.session
    if session is None or access_keys.account_of(principal.access_key_id) != principal.account_id:
        raise ValueError("a session token wants a session and an access key id of the principal's account")
    encoded = _encoder.encode(_to_wire(principal, session, secret))
    body = _PLAIN + encoded
    # Compression before encryption can leak by lengths where an attacker mixes text with a secret. The secret here is random, and
    # whoever chooses the rest owns the credential.
    if len(encoded) > _WORTH_DEFLATING or minimum_size:
        body = _DEFLATED + zlib.compress(encoded, 6)
        # What follows the end of a deflated stream is left alone when it is read.
        body += bytes(max(0, -(-minimum_size * 3 // 4) - sealing.OVERHEAD - len(body)))
    # The key's id is the context: it is nowhere in the token, and without it the token doesn't open.
    context = sealing.context_of(principal.access_key_id)
    return base64.b64encode(sealing.seal(keyring, body, purpose=Purpose.SESSION_TOKEN, context=context, nonce=nonce)).decode()


def read(keyring: Keyring, token: str, *, access_key_id: str) -> Claims:
    """Open the token presented with an access key id; raises InvalidToken, and leaves expiry to the caller."""
    account_id = access_keys.account_of(access_key_id)
    # Before decoding: a header of megabytes must not be decoded to be refused.
    if account_id is None or len(token) > LONGEST or not token.isascii():
        raise InvalidToken
    # A token opens only beside the key id that it was issued with, so that no two credentials can be mixed.
    context = sealing.context_of(access_key_id)
    try:
        blob = base64.b64decode(token, validate=True)
        body = sealing.unseal(keyring, blob, purpose=Purpose.SESSION_TOKEN, context=context)
        wire = _decoder.decode(_inflated(body))
        return _from_wire(wire, account_id, access_key_id)
    except (
        binascii.Error,
        sealing.Unsealable,
        zlib.error,
        msgspec.DecodeError,
        IndexError,
        OverflowError,
        OSError,
    ) as error:
        raise InvalidToken from error


def _to_wire(principal: Principal, session: Session, secret: Secret) -> _Wire:
    issued_at = int(session.issued_at.timestamp())
    mfa = None
    if session.mfa_at is not None:
        mfa = (session.mfa_serial or "", int(session.mfa_at.timestamp()))
    return _Wire(
        secret=base64.b64decode(secret.reveal(), validate=True),
        kind=_KINDS.index(principal.kind),
        # Root's id is the account's, which the key id says already: every byte counts in a header.
        unique_id="" if principal.unique_id == principal.account_id else principal.unique_id,
        name=principal.name,
        path=principal.path,
        issued_at=issued_at,
        # A span and not a second moment: msgpack writes small numbers in fewer bytes.
        lifetime=int(session.expires_at.timestamp()) - issued_at,
        session_name=session.name,
        mfa=mfa,
        issuing_key_id=session.issuing_key_id,
        flags=_HAS_POLICY * session.has_policy
        | _ASSUMED_ROOT * session.assumed_root
        | _FROM_CONSOLE * session.from_console
        | _CHAINED * session.chained
        | _SCOPED * session.is_scoped,
        source_identity=session.source_identity,
        policies=session.policies,
        policy_arns=session.policy_arns,
        tags=dict(session.tags),
        transitive_tag_keys=session.transitive_tag_keys,
        task_policy_arn=session.task_policy_arn,
        federated_provider=session.federated_provider,
        context=dict(session.context),
        assumed_by=session.assumed_by,
        assumed_by_id=session.assumed_by_id,
        delegate=session.delegate,
        derived_until=int(session.derived_until.timestamp()) if session.derived_until else 0,
        taken_on_by=None if session.taken_on_by is None else _to_taker(session.taken_on_by),
        scopes=session.scopes,
        on_behalf_of=() if session.on_behalf_of is None else _members(session.on_behalf_of),
    )


def _members(person: OnBehalfOf) -> tuple[str, ...]:
    in_store = (person.user_id, person.identity_store_id, person.owner_id)
    by = (person.instance_id, person.permission_set_id, person.account_id, person.sign_in)
    # As long as nothing else is said, a node of the version before reads it too.
    return (*in_store, *by, person.role_digest) if person.role_digest else (*in_store, *by)


def _to_taker(taker: Principal) -> _Taker:
    began = None
    if taker.session is not None:
        given, issued_at = taker.session, int(taker.session.issued_at.timestamp())
        lifetime = int(given.expires_at.timestamp()) - issued_at
        began = (
            issued_at,
            lifetime,
            given.name,
            given.issuing_key_id,
            given.assumed_by,
            given.assumed_by_id,
            given.delegate,
        )
    kind = _KINDS.index(taker.kind)
    return _Taker(kind, taker.account_id, taker.unique_id, taker.name, taker.path, taker.access_key_id, began)


def _from_taker(taker: _Taker) -> Principal:
    session = None
    if taker.session is not None:
        issued_at, lifetime, name, issuing_key_id, assumed_by, assumed_by_id, delegate = taker.session
        session = Session(
            issued_at=datetime.fromtimestamp(issued_at, UTC),
            expires_at=datetime.fromtimestamp(issued_at + lifetime, UTC),
            name=name,
            issuing_key_id=issuing_key_id,
            assumed_by=assumed_by,
            assumed_by_id=assumed_by_id,
            delegate=delegate,
        )
    kind = _KINDS[taker.kind]
    return Principal(kind, taker.account_id, taker.unique_id, taker.name, taker.path, taker.access_key_id, session)


def _from_wire(wire: _Wire, account_id: str, access_key_id: str) -> Claims:
    flags = wire.flags
    session = Session(
        issued_at=datetime.fromtimestamp(wire.issued_at, UTC),
        expires_at=datetime.fromtimestamp(wire.issued_at + wire.lifetime, UTC),
        mfa_serial=wire.mfa[0] if wire.mfa else None,
        mfa_at=datetime.fromtimestamp(wire.mfa[1], UTC) if wire.mfa else None,
        name=wire.session_name,
        policies=wire.policies,
        policy_arns=wire.policy_arns,
        has_policy=flags & _HAS_POLICY != 0,
        tags=wire.tags,
        transitive_tag_keys=wire.transitive_tag_keys,
        source_identity=wire.source_identity,
        assumed_root=flags & _ASSUMED_ROOT != 0,
        task_policy_arn=wire.task_policy_arn,
        from_console=flags & _FROM_CONSOLE != 0,
        chained=flags & _CHAINED != 0,
        issuing_key_id=wire.issuing_key_id,
        federated_provider=wire.federated_provider,
        context=wire.context,
        assumed_by=wire.assumed_by,
        assumed_by_id=wire.assumed_by_id,
        delegate=wire.delegate,
        derived_until=datetime.fromtimestamp(wire.derived_until, UTC) if wire.derived_until else None,
        taken_on_by=None if wire.taken_on_by is None else _from_taker(wire.taken_on_by),
        scopes=wire.scopes,
        on_behalf_of=OnBehalfOf(*wire.on_behalf_of) if wire.on_behalf_of else None,
        is_scoped=flags & _SCOPED != 0,
    )
    principal = Principal(
        kind=_KINDS[wire.kind],
        account_id=account_id,
        unique_id=wire.unique_id or account_id,
        name=wire.name,
        path=wire.path,
        access_key_id=access_key_id,
        session=session,
    )
    return Claims(Secret(base64.b64encode(wire.secret).decode()), principal, session)


def _inflated(body: bytes) -> bytes:
    if body[:1] == _PLAIN:
        return body[1:]
    opened = zlib.decompressobj()
    # Bounded, although only we can have sealed it: a key that leaks must not turn into a way to fill the memory.
    plain = opened.decompress(body[1:], _DEEPEST)
    if not opened.eof:
        raise zlib.error("longer than any session")
    return plain
