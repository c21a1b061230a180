"""The services that AWS Organizations integrates with, by the principals that trusted access and delegation name.

Sources: Organizations user guide, "AWS services that you can use with AWS Organizations", and the services' own guides; every
service that has a service-linked role counts as well.
"""

from __future__ import annotations

from functools import cache

from crownkeep.catalogue import service_linked_roles

_NAMES = """
access-analyzer account account-access agentless.inspector2 aps auditmanager aws-artifact-account-sync backup backup-gateway
billing billing-cost-management.fsx bcm-data-exports ce chatbot cloudtrail compute-optimizer config config-multiaccountsetup
controltower cost-optimization-hub cost-optimization-hub.bcm costalerts detective devops-guru ds ec2 ec2.image-builder
eventbridge fms guardduty health iam inspector2 ipam license-management.marketplace license-manager
license-manager.member-account license-manager-linux-subscriptions macie malware-protection.guardduty managedservices.vpn
member.org.stacksets.cloudformation mgn networkmanager notifications observabilityadmin private-marketplace.marketplace
procurement-insights.marketplace ram reachabilityanalyzer.networkinsights reporting.trustedadvisor resource-explorer-2
resiliencehub s3 securityhub securitylake security-ir selfservice.marketplace servicecatalog servicequotas sso ssm
ssm-quicksetup stacksets.cloudformation storage-lens.s3 sustainability tagpolicies.tag user-subscriptions vpc wellarchitected
workdocs
"""
_SUFFIX = ".amazonaws.com"


def is_integrated(service_principal: str) -> bool:
    """Tell whether this is the principal of a service that an organization can let work in all its accounts."""
    return service_principal in _principals()


def every_one() -> frozenset[str]:
    """Return the principals of all of them."""
    return _principals()


@cache
def _principals() -> frozenset[str]:
    named = {f"{name}{_SUFFIX}" for name in _NAMES.split()}
    return frozenset(named | {each.service for each in service_linked_roles.every_one()})
