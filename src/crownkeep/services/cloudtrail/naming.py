"""How a call names a trail: by its name in the Region that is called, or by its ARN from everywhere that the trail is seen."""

from __future__ import annotations

import re
from dataclasses import dataclass

from crownkeep import arn, errors
from crownkeep.operations.call import Call
from crownkeep.operations.registry import Target
from crownkeep.storage.identities import tags
from crownkeep.storage.organizations import delegated_administrators, organization_accounts, organization_service_access
from crownkeep.storage.organizations.organization_accounts import MemberRow
from crownkeep.storage.trail import trails
from crownkeep.storage.trail.trails import TrailRow

SERVICE = "cloudtrail.amazonaws.com"
TYPE = "AWS::CloudTrail::Trail"
_SHORTEST, _LONGEST = 3, 128
_CHARACTERS = re.compile(r"[A-Za-z0-9._-]+", re.ASCII)
_NEIGHBOURS = re.compile(r"[._-]{2}")
_ADDRESS = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}", re.ASCII)
_KIND = "trail/"


@dataclass(frozen=True, slots=True)
class Named:
    """A trail as a call names it, whether there is one or not."""

    account_id: str
    region: str
    name: str

    @property
    def arn(self) -> str:
        """Its ARN."""
        return f"arn:aws:cloudtrail:{self.region}:{self.account_id}:{_KIND}{self.name}"


def require_name(name: str) -> None:
    """Raise InvalidTrailNameException for what can be no trail's name (API_InvalidTrailNameException)."""
    length = len(name)
    if length < _SHORTEST:
        message = f"Minimum allowed length: {_SHORTEST} characters. Specified name length: {length} characters."
        raise errors.InvalidTrailName(f"Trail name too short. {message}")
    if length > _LONGEST:
        message = f"Maximum allowed length: {_LONGEST} characters. Specified name length: {length} characters."
        raise errors.InvalidTrailName(f"Trail name too long. {message}")
    if not name[0].isalnum() or not name[0].isascii():
        raise errors.InvalidTrailName("Trail name must starts with a letter or number.")
    if not name[-1].isalnum() or not name[-1].isascii():
        raise errors.InvalidTrailName("Trail name must ends with a letter or number.")
    if not _CHARACTERS.fullmatch(name):
        raise errors.InvalidTrailName(
            "Trail name or ARN can only contain uppercase letters, lowercase letters, numbers, periods (.), hyphens (-), and "
            "underscores (_)."
        )
    if _NEIGHBOURS.search(name):
        raise errors.InvalidTrailName("Trail name cannot have adjacent periods, underscores, or hyphens.")
    if _ADDRESS.fullmatch(name):
        raise errors.InvalidTrailName("Trail name cannot be in IP address format.")


def named(call: Call, name_or_arn: str) -> Named:
    """Read how a trail is named; raises InvalidTrailNameException or CloudTrailARNInvalidException."""
    if not name_or_arn.startswith("arn:"):
        require_name(name_or_arn)
        return Named(call.account_id, call.origin.region, name_or_arn)
    parts = arn.parse(name_or_arn)
    if parts is None or not parts.resource.startswith(_KIND):
        raise errors.CloudTrailArnInvalid(f"{name_or_arn[:256]} is not a valid trail ARN.")
    found = Named(parts.account_id, parts.region, parts.resource.removeprefix(_KIND))
    # Letter for letter: another partition or spelling names another trail, and must not be taken for this one.
    if found.arn != name_or_arn:
        raise errors.CloudTrailArnInvalid(f"{name_or_arn[:256]} is not a valid trail ARN.")
    require_name(found.name)
    return found


def trail(call: Call, *, name: str, **_: object) -> Target:
    """The trail that a call is about."""
    return target(call, named(call, name))


def trail_of_selectors(call: Call, *, trail_name: str | None = None, **_: object) -> Target:
    """The trail whose selectors or configuration a call is about; every trail, for a call that names none and will be refused."""
    if trail_name is not None:
        return target(call, named(call, trail_name))
    return Target(Named(call.account_id, call.origin.region, "*").arn)


def target(call: Call, meant: Named) -> Target:
    """Make the target of a trail, with its tags where there is one that the caller's account sees."""

    def tags_of() -> dict[str, str]:
        row = find(call, meant)
        return {} if row is None else tags.of_resource(call.db, row.account_id, row.trail_id)

    return Target(meant.arn, tags=tags_of, account_id=meant.account_id)


def find(call: Call, meant: Named) -> TrailRow | None:
    """Return a trail that the caller's account sees under this ARN: its own, or its organization's."""
    rows = trails.of_account(call.db, call.account_id) if meant.account_id == call.account_id else of_organization(call)
    wanted = (meant.account_id, meant.region, meant.name)
    return next((row for row in rows if (row.account_id, row.home_region, row.name) == wanted), None)


def required(call: Call, name_or_arn: str) -> TrailRow:
    """Return a trail to be read; raises TrailNotFoundException where the caller sees none of this name."""
    meant = named(call, name_or_arn)
    row = find(call, meant)
    if row is None or not is_in_region(call, row):
        raise errors.TrailNotFound(f"Unknown trail: {meant.arn} for the user: {call.account_id}")
    call.notes.resources.append((TYPE, row.arn))
    return row


def changeable(call: Call, name_or_arn: str) -> TrailRow:
    """Return a trail to be changed, which only its home Region and whoever has it may do.

    Raises TrailNotFoundException, InvalidHomeRegionException, or NotOrganizationMasterAccountException for a member of the
    organization whose trail it is.
    """
    row = required(call, name_or_arn)
    # A member sees its organization's trail, as on AWS, and may change nothing of it: it could hide what it does.
    if row.account_id != call.account_id and not administers(call, row.account_id):
        raise errors.NotOrganizationMasterAccount(
            "You must be signed in to the management account of the organization, or be its delegated administrator for "
            "CloudTrail, to change an organization trail."
        )
    if row.home_region != call.origin.region:
        raise errors.InvalidHomeRegion(f"Trail {row.name} can be changed only from its home Region: {row.home_region}")
    return row


def is_in_region(call: Call, row: TrailRow) -> bool:
    """Tell whether a trail is seen in the Region that is called: its home, and every other of a multi-Region trail."""
    return row.is_multi_region or row.home_region == call.origin.region


def visible(call: Call) -> list[TrailRow]:
    """Return every trail that the caller's account sees anywhere: its own, then its organization's."""
    return [*trails.of_account(call.db, call.account_id), *of_organization(call)]


def of_organization(call: Call) -> list[TrailRow]:
    """Return the trails of the organization that the caller's account is a member of; none for the one that manages it."""
    member = organization_accounts.of_account(call.db, call.account_id)
    if member is None or not covers_members(call, member):
        return []
    return [row for row in trails.of_organization(call.db, member.organization_id) if row.account_id != call.account_id]


def covers_members(call: Call, member: MemberRow) -> bool:
    """Tell whether CloudTrail has trusted access to the organization, without which its trails cover no members."""
    return organization_service_access.is_enabled(call.db, member.organization_id, SERVICE)


def administers(call: Call, management_account_id: str) -> bool:
    """Tell whether the caller's account is delegated to administer CloudTrail for the organization of a management account."""
    member = organization_accounts.of_account(call.db, call.account_id)
    if member is None or member.management_account_id != management_account_id:
        return False
    return delegated_administrators.is_delegate_for(call.db, member.organization_id, call.account_id, SERVICE)
