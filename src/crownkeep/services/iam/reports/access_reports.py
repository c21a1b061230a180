"""Access advisor: which services an identity or a policy gives access to, and when that was last made use of.

A report is a job on AWS, done within minutes. Here it is done as soon as it is asked for: the job keeps what was asked, and what
it says is read from policies and last uses when it is fetched.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from crownkeep import arn, clock, errors, ids
from crownkeep.catalogue import actions
from crownkeep.domain import page_tokens
from crownkeep.operations import authorize, registry
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import Effect, Mode, Target
from crownkeep.services.iam.identities import entities
from crownkeep.services.iam.identities.entities import Entity
from crownkeep.services.iam.policies import held_policies, managed
from crownkeep.services.iam.reports import granted_services
from crownkeep.services.iam.service import iam
from crownkeep.storage.identities.owners import OwnerKind
from crownkeep.storage.reports import access_reports, service_uses
from crownkeep.storage.reports.access_reports import AccessReportRow
from crownkeep.storage.reports.service_uses import ServiceUseRow

TRACKED_FOR = timedelta(days=400)
"""How far back a report sees (API_GenerateServiceLastAccessedDetails)."""
KEPT_FOR = timedelta(days=7)
"""How long a report can be fetched; AWS's guide says no more than that it is for a while."""
_COMPLETED = "COMPLETED"
_ACTION_LEVEL = "ACTION_LEVEL"


def reported_on(call: Call, *, arn: str, **_: object) -> Target:
    """The user, group, role or policy that a report is about."""
    return managed.named_policy(call, policy_arn=arn) if _is_policy(arn) else entities.target(call, arn)


@dataclass(frozen=True, slots=True)
class _Subject:
    """What a report is about: the documents that give access, and the identities that could make use of it."""

    documents: Sequence[str]
    identities: Sequence[Entity]


@dataclass(frozen=True, slots=True)
class _Uses:
    """The last uses of some identities by service."""

    by_service: dict[str, list[ServiceUseRow]]
    arns: dict[str, str]
    """Of the identities, by unique id."""

    def latest(self, service: str) -> ServiceUseRow | None:
        """Return the last use of a service."""
        return max(self.by_service.get(service, ()), key=lambda row: row.used_at, default=None)

    def latest_of_action(self, service: str, action: str) -> ServiceUseRow | None:
        """Return the last use of one action."""
        uses = (row for row in self.by_service.get(service, ()) if row.action == action)
        return max(uses, key=lambda row: row.used_at, default=None)

    def latest_by_identity(self, service: str) -> dict[str, datetime]:
        """Return when each identity that used a service last did so, by unique id."""
        found: dict[str, datetime] = {}
        for row in self.by_service.get(service, ()):
            found[row.entity_id] = max(row.used_at, found.get(row.entity_id, row.used_at))
        return found


@iam.operation("GenerateServiceLastAccessedDetails", resource=reported_on, effect=Effect.STATE)
def generate_service_last_accessed_details(call: Call, *, arn: str, granularity: str = "SERVICE_LEVEL") -> Result:
    """Ask for a report on a user, group, role or managed policy."""
    _require_targeted(call, arn)
    # Old reports go whenever one is asked for; no worker is needed for a few rows.
    access_reports.remove_before(call.db, call.account_id, call.now - KEPT_FOR)
    job_id = ids.request_id(clock.token_bytes(16))
    row = AccessReportRow(job_id, call.account_id, call.principal.unique_id, arn, granularity, call.now)
    access_reports.add(call.db, row)
    return {"JobId": job_id}


@iam.operation("GetServiceLastAccessedDetails", resource=registry.everything, mode=Mode.LONG_READ)
def get_service_last_accessed_details(
    call: Call, *, job_id: str, max_items: int | None = None, marker: str | None = None
) -> Result:
    """Return a report: every service that can be accessed, by namespace, with its last use where there was one."""
    job = _required(call, job_id)
    subject = _subject(call, job.about_arn)
    services = granted_services.services_of(subject.documents)
    found, more = page_tokens.page(
        call,
        list_name="GetServiceLastAccessedDetails",
        filters=(job_id,),
        marker=marker,
        max_items=max_items,
        fetch=lambda after, limit: [service for service in services if service > after][:limit],
        key=str,
    )
    uses = _uses(call, subject.identities)
    described = [_describe(service, uses) for service in found]
    if job.granularity == _ACTION_LEVEL:
        for service, details in zip(found, described, strict=True):
            details |= _tracked_actions(service, subject.documents, uses)
    return {**_members(job), "JobType": job.granularity, "ServicesLastAccessed": described, **more}


@iam.operation("GetServiceLastAccessedDetailsWithEntities", resource=registry.everything, mode=Mode.LONG_READ)
def get_service_last_accessed_details_with_entities(
    call: Call, *, job_id: str, service_namespace: str, max_items: int | None = None, marker: str | None = None
) -> Result:
    """Return which identities of a report could access a service: those that did so last first, then the others by name."""
    job = _required(call, job_id)
    _require_service(service_namespace)
    identities = _subject(call, job.about_arn).identities
    times = _uses(call, identities).latest_by_identity(service_namespace)
    ordered = sorted(identities, key=_order(times))
    # The marker holds a place in the list: several identities may have used a service in the same moment. An identity that uses
    # it between two pages moves to the front, and may be seen twice.
    places = range(len(ordered))
    found, more = page_tokens.page(
        call,
        list_name="GetServiceLastAccessedDetailsWithEntities",
        filters=(job_id, service_namespace),
        marker=marker,
        max_items=max_items,
        fetch=lambda after, limit: places[int(after) + 1 if after else 0 :][:limit],
        key=str,
    )
    return {
        **_members(job),
        "EntityDetailsList": [_describe_identity(ordered[place], times) for place in found],
        **more,
    }


@iam.operation("ListPoliciesGrantingServiceAccess", resource=reported_on, mode=Mode.LONG_READ)
def list_policies_granting_service_access(
    call: Call,
    *,
    arn: str,
    service_namespaces: Sequence[str],
    marker: str | None = None,
) -> Result:
    """Return, for each of some services, the policies that give a user, group or role access to it."""
    entity = entities.targeted(call, arn)
    for namespace in service_namespaces:
        _require_service(namespace)
    asked = list(dict.fromkeys(service_namespaces))
    places = range(len(asked))
    found, more = page_tokens.page(
        call,
        list_name="ListPoliciesGrantingServiceAccess",
        filters=(arn, *asked),
        marker=marker,
        max_items=None,
        fetch=lambda after, limit: places[int(after) + 1 if after else 0 :][:limit],
        key=str,
    )
    held = held_policies.of_entity(call, entity)
    granting = [
        {
            "ServiceNamespace": asked[place],
            "Policies": [_describe_policy(each) for each in held if granted_services.grants(each.document, asked[place])],
        }
        for place in found
    ]
    return {"PoliciesGrantingServiceAccess": granting, **more}


def _require_targeted(call: Call, about_arn: str) -> None:
    """Raise NoSuchEntity unless there is what the call was decided on, and InvalidInput for what no report can be about."""
    if _is_policy(about_arn):
        managed.required_target(call, about_arn)
    else:
        entities.targeted(call, about_arn)


def _subject(call: Call, about_arn: str) -> _Subject:
    if _is_policy(about_arn):
        managed.required(call, about_arn)
        (held,) = held_policies.managed(call, [about_arn])
        return _Subject([held.document], entities.holding(call, about_arn))
    entity = entities.required(call, about_arn)
    documents = [each.document for each in held_policies.of_entity(call, entity)]
    return _Subject(documents, entities.members_of(call, entity) if entity.kind is OwnerKind.GROUP else [entity])


def _is_policy(about_arn: str) -> bool:
    parts = arn.parse(about_arn)
    return parts is not None and parts.service == "iam" and parts.resource.startswith("policy/")


def _uses(call: Call, identities: Sequence[Entity]) -> _Uses:
    by_service: dict[str, list[ServiceUseRow]] = {}
    for row in service_uses.of_entities(call.db, call.account_id, [each.entity_id for each in identities]):
        # Older uses are kept for as long as their identity is, but a report is silent about them.
        if call.now - row.used_at <= TRACKED_FOR:
            by_service.setdefault(row.service, []).append(row)
    return _Uses(by_service, {each.entity_id: each.arn for each in identities})


def _describe(service: str, uses: _Uses) -> dict[str, object]:
    described: dict[str, object] = {
        "ServiceName": actions.service_name(service) or service,
        "ServiceNamespace": service,
        "TotalAuthenticatedEntities": len({row.entity_id for row in uses.by_service.get(service, ())}),
    }
    last = uses.latest(service)
    if last is not None:
        described |= {
            "LastAuthenticated": last.used_at,
            "LastAuthenticatedEntity": uses.arns[last.entity_id],
            "LastAuthenticatedRegion": last.region,
        }
    return described


def _tracked_actions(service: str, documents: Sequence[str], uses: _Uses) -> dict[str, object]:
    """The actions that we can see being used, which are those served here; none for a service that isn't."""
    served = [each for each in registry.services() if each.action_prefix == service]
    names = sorted(name for each in served for name in each.served())
    tracked: list[dict[str, object]] = []
    for name in names:
        if not any(granted_services.grants_action(document, service, name) for document in documents):
            continue
        last = uses.latest_of_action(service, name)
        used: dict[str, object] = {}
        if last is not None:
            used = {
                "LastAccessedEntity": uses.arns[last.entity_id],
                "LastAccessedTime": last.used_at,
                "LastAccessedRegion": last.region,
            }
        tracked.append({"ActionName": name, **used})
    return {"TrackedActionsLastAccessed": tracked} if tracked else {}


def _order(times: dict[str, datetime]) -> Callable[[Entity], tuple[float, str]]:
    return lambda entity: (-times[entity.entity_id].timestamp() if entity.entity_id in times else 0.0, entity.name.lower())


def _describe_identity(entity: Entity, times: dict[str, datetime]) -> dict[str, object]:
    described: dict[str, object] = {
        "EntityInfo": {
            "Arn": entity.arn,
            "Name": entity.name,
            "Type": entity.kind.name,
            "Id": entity.entity_id,
            "Path": entity.path,
        }
    }
    used_at = times.get(entity.entity_id)
    return described if used_at is None else {**described, "LastAuthenticated": used_at}


def _describe_policy(held: held_policies.HeldPolicy) -> dict[str, object]:
    if held.holder_kind is None:
        return {"PolicyName": held.name, "PolicyType": "MANAGED", "PolicyArn": held.arn}
    return {
        "PolicyName": held.name,
        "PolicyType": "INLINE",
        "EntityType": held.holder_kind.name,
        "EntityName": held.holder_name,
    }


def _members(job: AccessReportRow) -> dict[str, object]:
    return {"JobStatus": _COMPLETED, "JobCreationDate": job.created_at, "JobCompletionDate": job.created_at}


def _required(call: Call, job_id: str) -> AccessReportRow:
    job = access_reports.with_id(call.db, call.account_id, job_id)
    # A report is for whoever asked for it alone (API_GetServiceLastAccessedDetails).
    if job is None or job.asked_by != call.principal.unique_id or call.now - job.created_at > KEPT_FOR:
        raise errors.NoSuchEntity(f"The job with id {job_id} cannot be found.")
    # What a report says is as of now, so that its reader must still be allowed to ask for it.
    authorize.require_action(call, "iam:GenerateServiceLastAccessedDetails", reported_on(call, arn=job.about_arn))
    return job


def _require_service(namespace: str) -> None:
    if not actions.is_service(namespace) or namespace != namespace.lower():
        raise errors.InvalidInput(f"The service namespace {namespace} is not valid.")
