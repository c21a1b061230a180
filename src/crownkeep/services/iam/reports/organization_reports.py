"""Reports on an organization: which services its policies leave to a root, unit or account, and when those were last used.

As with the reports on identities, a job keeps what was asked, and what it says is read when it is fetched. Only the management
account may ask (IAM user guide, "View last accessed information for AWS Organizations").
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from crownkeep import arn, clock, errors, ids
from crownkeep.catalogue import actions
from crownkeep.catalogue import organization_policies as catalogue
from crownkeep.domain import page_tokens
from crownkeep.operations import authorize, registry
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import Effect, Mode, Target
from crownkeep.services.iam.reports import access_reports as identity_reports
from crownkeep.services.iam.reports import granted_services
from crownkeep.services.iam.service import iam
from crownkeep.storage.organizations import (
    organization_policies,
    organization_policy_targets,
    organizational_units,
    organizations,
)
from crownkeep.storage.organizations.organizations import OrganizationRow
from crownkeep.storage.reports import access_reports, organization_uses
from crownkeep.storage.reports.access_reports import AccessReportRow
from crownkeep.storage.reports.organization_uses import OrganizationUse

_GRANULARITY = "ORGANIZATION"
_COMPLETED = "COMPLETED"
_NEVER = ""


@dataclass(frozen=True, slots=True)
class _Report:
    """What a job says: the services that can be accessed, and their last uses."""

    services: Sequence[str]
    latest: Mapping[str, OrganizationUse]
    counts: Mapping[str, int]
    paths: Mapping[str, str]
    """Of the accounts that used a service last, by id."""


def reported_path(call: Call, *, entity_path: str, organizations_policy_id: str | None = None, **_: object) -> Target:
    """The path in the organization that a report is about, and the policy where one is named."""
    context = {} if organizations_policy_id is None else {"iam:OrganizationsPolicyId": organizations_policy_id}
    return Target(arn.iam(call.account_id, f"access-report/{_without_end(entity_path)}"), context=context)


@iam.operation("GenerateOrganizationsAccessReport", resource=reported_path, effect=Effect.STATE)
def generate_organizations_access_report(call: Call, *, entity_path: str, organizations_policy_id: str | None = None) -> Result:
    """Ask for a report on what an organization's policies leave to a root, unit or account."""
    organization = _managed(call)
    _entity(call, organization, entity_path)
    if organizations_policy_id is not None:
        _document(call, organization, organizations_policy_id)
    access_reports.remove_before(call.db, call.account_id, call.now - identity_reports.KEPT_FOR)
    job_id = ids.request_id(clock.token_bytes(16))
    about = "|".join([_without_end(entity_path), organizations_policy_id or ""])
    access_reports.add(call.db, AccessReportRow(job_id, call.account_id, call.principal.unique_id, about, _GRANULARITY, call.now))
    return {"JobId": job_id}


@iam.operation("GetOrganizationsAccessReport", resource=registry.everything, mode=Mode.LONG_READ)
def get_organizations_access_report(
    call: Call,
    *,
    job_id: str,
    max_items: int | None = None,
    marker: str | None = None,
    sort_key: str | None = None,
) -> Result:
    """Return a report: every service that can be accessed, with its last use in any account where there was one."""
    job = access_reports.with_id(call.db, call.account_id, job_id)
    if job is None or job.granularity != _GRANULARITY:
        raise errors.NoSuchEntity(f"The job with id {job_id} cannot be found.")
    _require_permission(call, job)
    report = _read(call, job)
    ordered = _ordered(report, sort_key)
    places = range(len(ordered))
    found, more = page_tokens.page(
        call,
        list_name="GetOrganizationsAccessReport",
        filters=(job_id, sort_key or ""),
        marker=marker,
        max_items=max_items,
        fetch=lambda after, limit: places[int(after) + 1 if after else 0 :][:limit],
        key=str,
    )
    return {
        "JobStatus": _COMPLETED,
        "JobCreationDate": job.created_at,
        "JobCompletionDate": job.created_at,
        "NumberOfServicesAccessible": len(ordered),
        "NumberOfServicesNotAccessed": sum(service not in report.latest for service in ordered),
        "AccessDetails": [_describe(report, ordered[place]) for place in found],
        **more,
    }


def _managed(call: Call) -> OrganizationRow:
    organization = organizations.of_account(call.db, call.account_id)
    if organization is None:
        raise errors.OrganizationNotFound("The request was rejected because no organization is associated with your account.")
    if organization.management_account_id != call.account_id:
        raise errors.AccessDenied(
            f"User: {call.principal.arn} is not authorized to perform: iam:GenerateOrganizationsAccessReport"
        )
    return organization


def _entity(call: Call, organization: OrganizationRow, entity_path: str) -> list[str]:
    """Return the way down to what a path names; raises InvalidInput where it is not this organization's."""
    path = _without_end(entity_path)
    last = path.rpartition("/")[2]
    if ids.is_account_id(last):
        way = organizational_units.ancestry(call.db, last)
    else:
        way = organizational_units.way_to(call.db, organization.organization_id, last)
    if path != "/".join([organization.organization_id, *way]) or way[0] != organization.root_id:
        raise errors.InvalidInput(f"The entity path {entity_path} is not valid in this organization.")
    return way


def _without_end(entity_path: str) -> str:
    """Return the one spelling of a path that policies are asked about: it may be sent with or without a slash at its end."""
    return entity_path.removesuffix("/")


def _document(call: Call, organization: OrganizationRow, policy_id: str) -> str:
    own = catalogue.aws_policy(policy_id)
    row = None if own is not None else organization_policies.with_id(call.db, organization.organization_id, policy_id)
    found = own or row
    if found is None or found.type != catalogue.SERVICE_CONTROL:
        raise errors.InvalidInput(f"The service control policy {policy_id} is not one of this organization.")
    return found.content


def _require_permission(call: Call, job: AccessReportRow) -> None:
    """Raise AccessDenied unless the caller could ask for the report now: what it says is as of now, whoever has the job's id."""
    entity_path, _, policy_id = job.about_arn.partition("|")
    target = reported_path(call, entity_path=entity_path, organizations_policy_id=policy_id or None)
    authorize.require_action(call, "iam:GenerateOrganizationsAccessReport", target)


def _read(call: Call, job: AccessReportRow) -> _Report:
    organization = _managed(call)
    entity_path, _, policy_id = job.about_arn.partition("|")
    way = _entity(call, organization, entity_path)
    if policy_id:
        services = granted_services.services_of([_document(call, organization, policy_id)])
    else:
        services = _left_by(call, organization, way)
    place = (call.db, organization.organization_id, way[-1], call.now - identity_reports.TRACKED_FOR)
    latest = organization_uses.latest(*place)
    parents = [use.parent_id for use in latest.values()]
    ways = organizational_units.ways_to(call.db, organization.organization_id, parents)
    paths = {
        use.account_id: "/".join([organization.organization_id, *ways[use.parent_id], use.account_id]) for use in latest.values()
    }
    return _Report(services, latest, organization_uses.counts(*place), paths)


def _left_by(call: Call, organization: OrganizationRow, way: Sequence[str]) -> list[str]:
    """Return the services that the service control policies of every level leave, the management account's being all."""
    rows = organization_policy_targets.control_policies(call.db, organization.organization_id, way)
    of_type = [row for row in rows if row.type == catalogue.SERVICE_CONTROL]
    if way[-1] == organization.management_account_id or not of_type:
        return granted_services.services_of([catalogue.FULL_AWS_ACCESS.content])
    # Every level must leave a service: a unit's policies can't give back what the root's take away.
    levels = [
        granted_services.services_of([_content(row.policy_id, row.content) for row in of_type if row.target_id == entity_id])
        for entity_id in way
    ]
    return sorted(set(levels[0]).intersection(*levels[1:]))


def _content(policy_id: str | None, content: str | None) -> str:
    own = catalogue.aws_policy(policy_id or "")
    return own.content if own is not None else content or ""


def _ordered(report: _Report, sort_key: str | None) -> list[str]:
    # By name first: sorting is stable, so services that were used at the same time, or never, stay in the order of their names.
    ordered = sorted(report.services)
    if sort_key is not None and sort_key.startswith("LAST_AUTHENTICATED_TIME"):
        ordered.sort(key=lambda service: str(report.latest[service].used_at) if service in report.latest else _NEVER)
    if sort_key is not None and sort_key.endswith("DESCENDING"):
        ordered.reverse()
    return ordered


def _describe(report: _Report, service: str) -> dict[str, object]:
    described: dict[str, object] = {
        "ServiceName": actions.service_name(service) or service,
        "ServiceNamespace": service,
        "TotalAuthenticatedEntities": report.counts.get(service, 0),
    }
    used = report.latest.get(service)
    if used is not None:
        described |= {
            "Region": used.region,
            "EntityPath": report.paths[used.account_id],
            "LastAuthenticatedTime": used.used_at,
        }
    return described
