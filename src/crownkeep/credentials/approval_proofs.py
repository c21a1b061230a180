"""Proofs of approval: a file that shows, without a server, that enough custodians signed exactly this request.

The file holds the request, the team as it was (its rule, its people and their public keys) and every vote with the assertion of
the custodian's security key. Whoever verifies it compares the keys' fingerprints with those that they know: the file can't
vouch for who holds a key, only for what each key has signed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from crownkeep import base64url, canonical_json, untrusted_json
from crownkeep.credentials import approval_requests, webauthn
from crownkeep.credentials.approval_requests import ApprovalDecision, ApprovalRequest
from crownkeep.credentials.webauthn import Passkey, RelyingParty, WebauthnRefused

FORMAT = "crownkeep-approval/1"

LARGEST = 4 * 2**20
"""Bytes of a file that is looked at."""

_MOST_PEOPLE = 100
_MOST_KEYS = 100
_DEEPEST_RULE = 5
_LONGEST_FIELD = 8192
_NO_MODEL = "00000000-0000-0000-0000-000000000000"

Read = TypeVar("Read")


class UnprovenApproval(ValueError):
    """The file does not show an approval; the message says in one sentence why."""


@dataclass(frozen=True, slots=True)
class Quorum:
    """How many of whom must approve: of people by id, or of further quorums."""

    least: int
    people: tuple[str, ...] = ()
    groups: tuple[Quorum, ...] = ()

    def is_met(self, approving: Collection[str]) -> bool:
        """Tell whether these people are enough."""
        met = sum(1 for person in self.people if person in approving) + sum(1 for group in self.groups if group.is_met(approving))
        return met >= self.least

    def members(self) -> tuple[str, ...]:
        """Return everybody whom the rule names, each once."""
        named = [*self.people, *(person for group in self.groups for person in group.members())]
        return tuple(dict.fromkeys(named))

    def document(self) -> dict[str, object]:
        """Return the rule as a value of JSON."""
        return {"least": self.least, "of": [*self.people, *(group.document() for group in self.groups)]}


@dataclass(frozen=True, slots=True)
class Assertion:
    """What a security key answered: the parts of it that are signed, the signature, and which key it was."""

    credential_id: bytes
    client_data: bytes
    authenticator_data: bytes
    signature: bytes

    def document(self) -> dict[str, object]:
        """Return the assertion as a value of JSON."""
        return {
            "credential_id": base64url.encode(self.credential_id),
            "client_data": base64url.encode(self.client_data),
            "authenticator_data": base64url.encode(self.authenticator_data),
            "signature": base64url.encode(self.signature),
        }


@dataclass(frozen=True, slots=True)
class CustodianKey:
    """A custodian's public key."""

    credential_id: bytes
    public_key: bytes
    """COSE key, as CBOR."""

    @property
    def fingerprint(self) -> str:
        """The SHA-256 of the public key, in hexadecimal."""
        return hashlib.sha256(self.public_key).hexdigest()


@dataclass(frozen=True, slots=True)
class TeamMember:
    """A custodian as the team had them when the request was made."""

    approver_id: str
    identity: str
    """Who it is, whatever the team: `custodian:ID` or `person:STORE/ID`."""
    name: str
    keys: tuple[CustodianKey, ...]


@dataclass(frozen=True, slots=True)
class CastVote:
    """One custodian's decision."""

    approver_id: str
    decision: ApprovalDecision
    cast_at: str
    assertion: Assertion


@dataclass(frozen=True, slots=True)
class ApprovalProof:
    """A whole file."""

    request: ApprovalRequest
    quorum: Quorum
    members: tuple[TeamMember, ...]
    party: RelyingParty
    votes: tuple[CastVote, ...]


@dataclass(frozen=True, slots=True)
class Counted:
    """A vote that was verified and counts."""

    approver_id: str
    name: str
    decision: ApprovalDecision
    fingerprint: str
    cast_at: str


def assertion_of(answer: Mapping[str, object]) -> Assertion:
    """Take what is signed from a browser's answer (`PublicKeyCredential.toJSON`); raises WebauthnRefused."""
    try:
        response = answer["response"]
        if not isinstance(response, Mapping):
            raise TypeError("the response is no mapping")
        return Assertion(
            _bytes(answer["rawId"]),
            _bytes(response["clientDataJSON"]),
            _bytes(response["authenticatorData"]),
            _bytes(response["signature"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise WebauthnRefused("the answer of the security key has not all its parts") from error


def verify_vote(
    request: ApprovalRequest,
    decision: ApprovalDecision,
    assertion: Assertion,
    keys: Sequence[CustodianKey],
    party: RelyingParty,
) -> CustodianKey:
    """Return which of a custodian's keys signed this decision on this request; raises WebauthnRefused where none did.

    User verification, origin and relying party are checked. Counters are not: keys that are synced between devices have none, and
    the nonce of the request makes every assertion good for this request alone.
    """
    # By the key's id, which the assertion names; that the id is right shows in the signature.
    key = next((each for each in keys if each.credential_id == assertion.credential_id), None)
    if key is None:
        raise WebauthnRefused("the security key is none of this custodian's")
    verify_assertion(approval_requests.challenge(request, decision), assertion, key, party)
    return key


def verify_assertion(challenge: bytes, assertion: Assertion, key: CustodianKey, party: RelyingParty) -> None:
    """Raise WebauthnRefused unless a key has signed this challenge, on this site, for a person whom it verified."""
    credential = base64url.encode(assertion.credential_id)
    answer = {
        "id": credential,
        "rawId": credential,
        "type": "public-key",
        "response": {
            "clientDataJSON": base64url.encode(assertion.client_data),
            "authenticatorData": base64url.encode(assertion.authenticator_data),
            "signature": base64url.encode(assertion.signature),
        },
        "clientExtensionResults": {},
    }
    # Zero before: a counter in the assertion is then never smaller, so it isn't held against anybody.
    passkey = Passkey(key.credential_id, key.public_key, sign_count=0, aaguid=_NO_MODEL)
    webauthn.authenticate(party, answer, [passkey], challenge=challenge, handle=b"")


def distinct(votes: Iterable[tuple[str, str]]) -> frozenset[str]:
    """Return who counts, of pairs of a person and the fingerprint of their key: each person once, and each key for one person."""
    owners: dict[str, str] = {}
    for person, fingerprint in votes:
        # The first person with a key keeps it: one key that is entered under two names gives one voice.
        owners.setdefault(fingerprint, person)
    return frozenset(owners.values())


def write(proof: ApprovalProof) -> bytes:
    """Write a proof as canonical JSON."""
    members = [
        {
            "id": each.approver_id,
            "identity": each.identity,
            "name": each.name,
            "keys": [
                {"credential_id": base64url.encode(key.credential_id), "public_key": base64url.encode(key.public_key)}
                for key in each.keys
            ],
        }
        for each in proof.members
    ]
    votes = [
        {
            "approver": each.approver_id,
            "decision": each.decision.value,
            "cast_at": each.cast_at,
            "assertion": each.assertion.document(),
        }
        for each in proof.votes
    ]
    return canonical_json.write(
        {
            "format": FORMAT,
            "request": proof.request.document(),
            "team": {"quorum": proof.quorum.document(), "members": members},
            "relying_party": {"id": proof.party.id, "origins": sorted(proof.party.origins)},
            "votes": votes,
        }
    )


def read(content: bytes) -> ApprovalProof:
    """Read a proof; raises UnprovenApproval for everything that is none."""
    if len(content) > LARGEST:
        raise UnprovenApproval(f"the file has more than {LARGEST} bytes, and a proof of approval has not")
    try:
        value = untrusted_json.read(content.decode())
        if not isinstance(value, Mapping) or value.get("format") != FORMAT:
            raise UnprovenApproval(f"the file is no proof of approval (`{FORMAT}`)")
        return _proof(value)
    except UnprovenApproval:
        raise
    except approval_requests.UnreadableRequest as error:
        raise UnprovenApproval(f"the request can't be read: {error}") from error
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise UnprovenApproval("the file is no whole proof of approval: a part is missing or malformed") from error


def verify(proof: ApprovalProof, *, known: Collection[str] = ()) -> list[Counted]:
    """Return the approvals that make up the quorum and are verified; raises UnprovenApproval where they don't.

    `known` are fingerprints of keys: where there are any, only these count.
    """
    members = {each.approver_id: each for each in proof.members}
    # A member outside of the rule, or named twice, could add keys that nobody has agreed to.
    if set(members) != set(proof.quorum.members()) or len(members) != len(proof.members):
        raise UnprovenApproval("the rule of the team and the list of its members don't name the same people")
    requester = proof.request.requester_identity
    counted: list[Counted] = []
    for vote in proof.votes:
        member = members.get(vote.approver_id)
        if member is None:
            raise UnprovenApproval(f"`{vote.approver_id}` voted and is not in the team")
        try:
            key = verify_vote(proof.request, vote.decision, vote.assertion, member.keys, proof.party)
        except WebauthnRefused as error:
            raise UnprovenApproval(f"the vote of `{vote.approver_id}` is not what their key signed: {error}") from error
        is_known = not known or key.fingerprint in known
        # Nobody approves what they have asked for themselves, under whatever name they are in the team.
        if is_known and member.identity != requester:
            counted.append(Counted(vote.approver_id, member.name, vote.decision, key.fingerprint, vote.cast_at))
    approving = [each for each in counted if each.decision is ApprovalDecision.APPROVE]
    people = distinct((each.approver_id, each.fingerprint) for each in approving)
    identities = {members[each.approver_id].identity for each in approving}
    # Two members who are one person would fill two places of the quorum.
    if len(identities) < len({each.approver_id for each in approving}):
        raise UnprovenApproval("one person approved in the name of two members of the team")
    if not proof.quorum.is_met(people):
        raise UnprovenApproval(
            f"{len(people)} of the team's members approved this, which is not what its rule asks for"
            + (" of the keys that you named" if known else "")
        )
    return counted


def _proof(value: Mapping[str, object]) -> ApprovalProof:
    team, party = _mapping(value["team"]), _mapping(value["relying_party"])
    origins = frozenset(_each(party["origins"], _string, most=_MOST_KEYS))
    return ApprovalProof(
        request=approval_requests.of_document(value["request"]),
        quorum=_quorum(team["quorum"], _DEEPEST_RULE),
        members=tuple(_each(team["members"], _member, most=_MOST_PEOPLE)),
        party=RelyingParty(_string(party["id"]), "", origins),
        votes=tuple(_each(value["votes"], _vote, most=_MOST_PEOPLE)),
    )


def _quorum(value: object, depth: int) -> Quorum:
    rule = _mapping(value)
    least, of = rule["least"], rule["of"]
    if not isinstance(least, int) or isinstance(least, bool) or not isinstance(of, list) or depth == 0:
        raise TypeError("the rule is malformed")
    if not 1 <= least <= len(of) <= _MOST_PEOPLE:
        # A rule that asks for nobody is met by nobody's approval.
        raise ValueError("the rule asks for nobody, or for more than there are")
    people = tuple(each for each in of if isinstance(each, str))
    groups = tuple(_quorum(each, depth - 1) for each in of if not isinstance(each, str))
    if len(set(people)) != len(people):
        raise ValueError("the rule names somebody twice")
    return Quorum(least, people, groups)


def _member(value: object) -> TeamMember:
    member = _mapping(value)
    keys = tuple(_each(member["keys"], _key, most=_MOST_KEYS))
    return TeamMember(_string(member["id"]), _string(member["identity"]), _string(member["name"]), keys)


def _key(value: object) -> CustodianKey:
    key = _mapping(value)
    return CustodianKey(_bytes(key["credential_id"]), _bytes(key["public_key"]))


def _vote(value: object) -> CastVote:
    vote = _mapping(value)
    assertion = _mapping(vote["assertion"])
    return CastVote(
        _string(vote["approver"]),
        ApprovalDecision(vote["decision"]),
        _string(vote["cast_at"]),
        Assertion(
            _bytes(assertion["credential_id"]),
            _bytes(assertion["client_data"]),
            _bytes(assertion["authenticator_data"]),
            _bytes(assertion["signature"]),
        ),
    )


def _each(value: object, read_one: Callable[[object], Read], *, most: int) -> list[Read]:
    if not isinstance(value, list) or len(value) > most:
        raise TypeError("a list is none, or too long")
    return [read_one(each) for each in value]


def _mapping(value: object) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise TypeError("a part is no mapping")
    return value


def _string(value: object) -> str:
    if not isinstance(value, str) or len(value) > _LONGEST_FIELD:
        raise TypeError("a member is no text, or too long")
    return value


def _bytes(value: object) -> bytes:
    return base64url.decode(_string(value))
