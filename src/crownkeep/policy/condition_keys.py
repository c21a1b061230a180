"""Which context keys a policy asks for, for GetContextKeysFor... and for the missing values of a simulation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from crownkeep.policy.document import Document, Statement
from crownkeep.policy.operators import condition_keys
from crownkeep.policy.variables import read_template, variable_keys

MULTIVALUED_KEYS = frozenset(
    {
        "aws:calledvia",
        "aws:principalorgpaths",
        "aws:principalservicenameslist",
        "aws:resourceorgpaths",
        "aws:sourceorgpaths",
        "aws:tagkeys",
        "aws:vpceorgpaths",
        "sts:transitivetagkeys",
    }
)
"""Global keys with several values, in lower case (IAM user guide, "AWS global condition context keys")."""

TAGGED_KEYS = ("aws:principaltag/", "aws:requesttag/", "aws:resourcetag/")
"""How global keys begin that go on with a tag's key, in lower case."""

_ALL = """
aws:AssumedRoot aws:CalledVia aws:CalledViaAWSMCP aws:CalledViaFirst aws:CalledViaLast aws:ChatbotSourceArn aws:CurrentTime
aws:Ec2InstanceSourcePrivateIPv4 aws:Ec2InstanceSourceVpc aws:EpochTime aws:FederatedProvider aws:IsMcpServiceAction
aws:MultiFactorAuthAge aws:MultiFactorAuthPresent aws:PrincipalAccount aws:PrincipalArn aws:PrincipalIsAWSService
aws:PrincipalOrgID aws:PrincipalOrgMasterAccountId aws:PrincipalOrgPaths aws:PrincipalServiceName
aws:PrincipalServiceNamesList aws:PrincipalType aws:Referer aws:RequestedRegion aws:ResourceAccount aws:ResourceOrgID
aws:ResourceOrgPaths aws:SecureTransport aws:SourceAccount aws:SourceArn aws:SourceIdentity aws:SourceIp aws:SourceOrgID
aws:SourceOrgPaths aws:SourceVpc aws:SourceVpcArn aws:SourceVpce aws:TagKeys aws:TokenIssueTime aws:UserAgent aws:UserId
aws:Username aws:ViaAWSMCPService aws:ViaAWSService aws:VpcSourceIp aws:VpceAccount aws:VpceOrgID aws:VpceOrgPaths
"""
GLOBAL_KEYS = frozenset(_ALL.lower().split())
"""Every global key that doesn't go on with a tag's, in lower case (the same page)."""


def context_keys(*documents: Document) -> tuple[str, ...]:
    """Every context key that conditions and variables mention, as first spelled, sorted; names differ beyond case.

    This is what GetContextKeysForCustomPolicy and GetContextKeysForPrincipalPolicy answer.
    """
    return _without_repeats(key for document in documents for key in _keys_of_document(document))


def missing_keys(documents: Iterable[Document], provided: Iterable[str]) -> tuple[str, ...]:
    """The keys that documents mention and a simulation was not given."""
    known = {key.lower() for key in provided}
    return tuple(key for key in context_keys(*documents) if key.lower() not in known)


def _without_repeats(keys: Iterable[str]) -> tuple[str, ...]:
    first: dict[str, str] = {}
    for key in keys:
        first.setdefault(key.lower(), key)
    return tuple(sorted(first.values(), key=str.lower))


def _keys_of_document(document: Document) -> Iterator[str]:
    variables = document.expands_variables
    for statement in document.statements:
        yield from _keys_of_resources(statement, variables)
        for condition in statement.conditions:
            yield from condition_keys(condition, variables=variables)


def _keys_of_resources(statement: Statement, variables: bool) -> Iterator[str]:
    for resource in (*(statement.resources or ()), *(statement.not_resources or ())):
        yield from variable_keys(read_template(resource, variables=variables, wildcards=True))
