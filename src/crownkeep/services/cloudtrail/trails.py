"""CreateTrail, UpdateTrail and DeleteTrail."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from crownkeep import clock, errors
from crownkeep.audit import trail_scope
from crownkeep.audit.trail_scope import TrailScope
from crownkeep.operations import record
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect, Tagging, Target
from crownkeep.services.cloudtrail import descriptions, naming, organization_trails, tags
from crownkeep.services.cloudtrail.service import cloudtrail
from crownkeep.storage.trail import buckets, digests, trails
from crownkeep.storage.trail.digests import ChainRow
from crownkeep.storage.trail.trails import TrailRow

TRAILS_OF_A_REGION = 5
"""As many as AWS lets an account have in a Region, shadow trails among them."""
_PREFIX = re.compile(r"[A-Za-z0-9!_'()*-][A-Za-z0-9!._'()*-]*(?:/[A-Za-z0-9!_'()*-][A-Za-z0-9!._'()*-]*)*")
_LONGEST_PREFIX = 200
_ALONE = "Multi-Region trail must include global service events."


@dataclass(frozen=True, slots=True)
class Unserved:
    """Parameters that need a service which is not here; None and the empty text ask for nothing."""

    sns_topic_name: str | None
    cloud_watch_logs_log_group_arn: str | None
    cloud_watch_logs_role_arn: str | None
    kms_key_id: str | None

    def refuse(self) -> None:
        """Raise AWS's error for a topic, log group or key that does not exist."""
        if self.sns_topic_name:
            raise errors.InsufficientSnsTopicPolicy("SNS Topic does not exist or the topic policy is incorrect!")
        if self.kms_key_id:
            raise errors.KmsKeyNotFound("The KMS key does not exist: there is no KMS here, so leave KmsKeyId out.")
        if self.cloud_watch_logs_log_group_arn or self.cloud_watch_logs_role_arn:
            raise errors.InvalidCloudWatchLogsLogGroup("CloudTrail cannot validate the specified log group ARN.")


def new_trail(call: Call, *, name: str, is_organization_trail: bool = False, **_: object) -> Target:
    """The trail to be made; a delegated administrator makes those of the organization in its management account."""
    naming.require_name(name)
    owner = organization_trails.owner(call) if is_organization_trail else call.account_id
    return Target(naming.Named(owner, call.origin.region, name).arn, account_id=owner)


@cloudtrail.operation("CreateTrail", resource=new_trail, effect=Effect.STATE, tagging=Tagging("cloudtrail:AddTags"))
def create_trail(
    call: Call,
    *,
    name: str,
    s3_bucket_name: str,
    s3_key_prefix: str | None = None,
    sns_topic_name: str | None = None,
    include_global_service_events: bool = True,
    is_multi_region_trail: bool = False,
    enable_log_file_validation: bool = False,
    cloud_watch_logs_log_group_arn: str | None = None,
    cloud_watch_logs_role_arn: str | None = None,
    kms_key_id: str | None = None,
    is_organization_trail: bool = False,
    tags_list: Sequence[Mapping[str, str]] = (),
    recursive_logging: bool | None = None,
) -> Result:
    """Make a trail that delivers to a bucket which the operator gave the account; it logs once StartLogging is called."""
    Unserved(sns_topic_name, cloud_watch_logs_log_group_arn, cloud_watch_logs_role_arn, kms_key_id).refuse()
    place = organization_trails.required(call) if is_organization_trail else None
    owner = place.management_account_id if place is not None else call.account_id
    row = replace(
        _new(call, owner, name, s3_bucket_name),
        key_prefix=_checked_prefix(s3_key_prefix),
        is_multi_region=is_multi_region_trail,
        has_global_events=include_global_service_events,
        has_digests=enable_log_file_validation,
        organization_id=place.organization_id if place is not None else None,
        records_itself=recursive_logging,
    )
    _keep(call, row)
    tags.put(call, row, tags_list)
    call.notes.resources.append((naming.TYPE, row.arn))
    return descriptions.settings(row)


@cloudtrail.operation("UpdateTrail", resource=naming.trail, effect=Effect.STATE)
def update_trail(
    call: Call,
    *,
    name: str,
    s3_bucket_name: str | None = None,
    s3_key_prefix: str | None = None,
    sns_topic_name: str | None = None,
    include_global_service_events: bool | None = None,
    is_multi_region_trail: bool | None = None,
    enable_log_file_validation: bool | None = None,
    cloud_watch_logs_log_group_arn: str | None = None,
    cloud_watch_logs_role_arn: str | None = None,
    kms_key_id: str | None = None,
    is_organization_trail: bool | None = None,
    recursive_logging: bool | None = None,
) -> Result:
    """Change a trail's settings; what it had covered by then is delivered as it was covered."""
    row = naming.changeable(call, name)
    Unserved(sns_topic_name, cloud_watch_logs_log_group_arn, cloud_watch_logs_role_arn, kms_key_id).refuse()
    changed = row
    if s3_bucket_name is not None:
        owner = _bucket_owner(call, row.account_id, s3_bucket_name)
        changed = replace(changed, bucket_name=s3_bucket_name, bucket_account_id=owner)
    if s3_key_prefix is not None:
        changed = replace(changed, key_prefix=_checked_prefix(s3_key_prefix))
    if include_global_service_events is not None:
        changed = replace(changed, has_global_events=include_global_service_events)
    if is_multi_region_trail is not None:
        changed = replace(changed, is_multi_region=is_multi_region_trail)
    if enable_log_file_validation is not None:
        changed = replace(changed, has_digests=enable_log_file_validation)
    if is_organization_trail is not None:
        changed = replace(changed, organization_id=_organization(call, row, is_wanted=is_organization_trail))
    if recursive_logging is not None:
        changed = replace(changed, records_itself=recursive_logging)
    _require_consistent(changed)
    if changed.is_multi_region and not row.is_multi_region:
        _require_room(call, changed)
    _keep_changes(call, row, changed)
    return descriptions.settings(changed)


@cloudtrail.operation("DeleteTrail", resource=naming.trail, effect=Effect.STATE)
def delete_trail(call: Call, *, name: str) -> Result:
    """Delete a trail: it covers nothing that comes after this call, and what it had covered is still delivered."""
    row = naming.changeable(call, name)
    tags.remove_all(call, row)
    last = UUID(record.id_of(call)).bytes if row.is_logging else row.last_event_id
    trails.change(call.db, row.trail_id, deleted_at=call.now, is_logging=False, last_event_id=last, due_at=call.now, attempts=0)
    return NOTHING


def _new(call: Call, owner: str, name: str, bucket_name: str) -> TrailRow:
    """Return a trail with nothing chosen but where it delivers."""
    return TrailRow(
        trail_id=clock.token_bytes(16).hex(),
        account_id=owner,
        name=name,
        home_region=call.origin.region,
        bucket_name=bucket_name,
        bucket_account_id=_bucket_owner(call, owner, bucket_name),
        key_prefix="",
        is_multi_region=False,
        has_global_events=True,
        has_digests=False,
        organization_id=None,
        records_itself=None,
        is_logging=False,
        scope_version=1,
        has_selectors=False,
        created_at=call.now,
    )


def _keep(call: Call, row: TrailRow) -> None:
    _require_consistent(row)
    _require_room(call, row)
    trails.add(call.db, row)
    trails.add_scope(call.db, row.trail_id, row.account_id, 1, trail_scope.write_scope(_scope(row)))


def _keep_changes(call: Call, row: TrailRow, changed: TrailRow) -> None:
    names = (
        "bucket_name",
        "bucket_account_id",
        "key_prefix",
        "has_global_events",
        "is_multi_region",
        "has_digests",
        "organization_id",
        "records_itself",
    )
    values = {each: getattr(changed, each) for each in names if getattr(changed, each) != getattr(row, each)}
    if changed.has_digests and not row.has_digests and row.is_logging:
        begin_digests(call, row)
        values["digest_due_at"] = call.now + timedelta(seconds=call.settings.trail_digest_seconds)
    if {"bucket_name", "has_digests"} & values.keys() and (row.is_logging or row.due_at is not None):
        # A bucket that takes files is tried at once, and digests that end list what was delivered till now.
        values |= {"due_at": call.now, "attempts": 0}
    if {"has_global_events", "is_multi_region"} & values.keys():
        scope = trail_scope.read_scope(trails.scopes_of(call.db, row.trail_id)[row.scope_version])
        renewed = TrailScope(
            changed.home_region, changed.is_multi_region, changed.has_global_events, scope.selectors, scope.advanced
        )
        renew_scope(call, row, renewed)
    if values:
        trails.change(call.db, row.trail_id, **values)


def begin_digests(call: Call, row: TrailRow) -> None:
    """Let a trail's digests begin now, at home; those of other Regions begin with their first log file."""
    started_at = call.now.replace(microsecond=0)
    digests.begin_chain(call.db, ChainRow(row.trail_id, row.account_id, row.account_id, row.home_region, started_at))


def renew_scope(call: Call, row: TrailRow, scope: TrailScope) -> None:
    """Let a trail cover something else from now on; events that wait were covered by what it covered before."""
    version = row.scope_version + 1
    trails.add_scope(call.db, row.trail_id, row.account_id, version, trail_scope.write_scope(scope))
    trails.change(call.db, row.trail_id, scope_version=version)


def _scope(row: TrailRow) -> TrailScope:
    return TrailScope(row.home_region, row.is_multi_region, row.has_global_events)


def _bucket_owner(call: Call, owner: str, name: str) -> str:
    """Return whose a bucket is: the trail's account, or the one that calls; raises S3BucketDoesNotExistException."""
    for account_id in dict.fromkeys((owner, call.account_id)):
        if buckets.of(call.db, account_id, name) is not None:
            return account_id
    raise errors.S3BucketDoesNotExist(f"S3 bucket {name[:64]} does not exist!")


def _checked_prefix(prefix: str | None) -> str:
    if not prefix:
        return ""
    if len(prefix) > _LONGEST_PREFIX:
        raise errors.InvalidS3Prefix(f"The S3 prefix is longer than {_LONGEST_PREFIX} characters.")
    if not _PREFIX.fullmatch(prefix):
        raise errors.InvalidS3Prefix(f"The S3 prefix {prefix} is not valid.")
    return prefix


def _require_consistent(row: TrailRow) -> None:
    if row.is_multi_region and not row.has_global_events:
        raise errors.InvalidParameterCombination(_ALONE)


def _require_room(call: Call, row: TrailRow) -> None:
    """Raise where the account has a trail of this name in the Region, or as many as it may have."""
    others = [each for each in trails.of_account(call.db, row.account_id) if each.trail_id != row.trail_id]
    met = [each for each in others if row.is_multi_region or each.is_multi_region or each.home_region == row.home_region]
    if any(each.name == row.name for each in met):
        raise errors.TrailAlreadyExists(f"Trail {row.name} already exists for customer: {row.account_id}")
    regions = {each.home_region for each in others if not each.is_multi_region} | {row.home_region}
    for region in sorted(regions) if row.is_multi_region else [row.home_region]:
        if sum(each.is_multi_region or each.home_region == region for each in others) >= TRAILS_OF_A_REGION:
            raise errors.MaximumNumberOfTrailsExceeded(
                f"User: {row.account_id} already has {TRAILS_OF_A_REGION} trails in {region}."
            )


def _organization(call: Call, row: TrailRow, *, is_wanted: bool) -> str | None:
    if not is_wanted:
        return None
    place = organization_trails.required(call)
    if place.management_account_id != row.account_id:
        raise organization_trails.not_the_management_account()
    return place.organization_id
