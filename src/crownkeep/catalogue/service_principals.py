"""The services that policies can name as principals: AWS's, and those that the operator has registered.

AWS publishes no list of them. These are the principals of services that have actions, service-linked roles or a part in an
organization, those that AWS's managed policies speak of, and others that the services' guides and models name. A part of a known
service is known, too: `monitoring.rds` beside `rds`. A name that is none of these may belong to somebody else, or be a typing
error (`ec2.amazonaws.co`, `lamda.amazonaws.com`).
"""

from __future__ import annotations

import gzip
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from crownkeep.catalogue import actions, integrated_services, service_linked_roles
from crownkeep.settings import RegisteredService

_MANAGED_POLICIES = Path(__file__).parent / "managed_policies.json.gz"
_SUFFIX = ".amazonaws.com"
_IN_A_POLICY = re.compile(r'"([a-z0-9][a-z0-9.-]*)\.amazonaws\.com"', re.ASCII)
_REGION = re.compile(r"(?:af|ap|ca|cn|eu|il|me|mx|sa|us)-(?:[a-z]+-){1,2}[0-9]", re.ASCII)
_PART = re.compile(r"[a-z0-9][a-z0-9-]*(?:\.[a-z0-9][a-z0-9-]*)*", re.ASCII)
"""What stands before a service's own name where it has several principals."""
_NAMES = """
acm-pca airflow-env amplifybackend apidestinations.events appstream autoscaling-plans batchoperations.s3 billingconsole
billingreports build.apprunner chatbot cks.kms cloudsearch cloudwatch-crossaccount codecommit codedeploy codestar
codestar-notifications cognito-sync comprehend comprehend.application-autoscaling config-multiaccountsetup
custom-resource.application-autoscaling cur datapipeline deeplens deepracer delivery.logs directconnect dlm docdb ec2scheduled
ecr edgelambda eks-fargate eks-fargate-pods eks-nodegroup elasticache.application-autoscaling elasticmapreduce email es
evidently export.rds freertos gamelift groundtruthlabeling guardduty hooks.cloudformation iotanalytics iotdeviceadvisor
iotevents iotfleetwise iotthingsgraph iottwinmaker ivs kafka.application-autoscaling kafkaconnect kinesis kinesisanalytics
kinesisvideo lambda.application-autoscaling lightsail logdelivery.elasticloadbalancing logger.cloudfront m2 machinelearning
managedblockchain mediapackage mediastore mediatailor metering-marketplace monitoring neptune neptune.application-autoscaling
opensearchservice ops.apigateway opsworks opsworks-cm osis-pipelines pca-connector-ad pinpoint polly privatelink purchaseorders
rekognition replicator.lambda resources.cloudformation route53 s3-object-lambda sagemaker secretsmanager serverlessrepo
servicediscovery signer signin simpleemail sms-voice snowball sqs ssm-contacts ssm-incidents ssmcontacts stacksets.cloudformation
storagegateway streams.metrics.cloudwatch sts support supportapp swf tasks.apprunner textract timestream topic transcribe
transcribe.streaming translate trustedadvisor verifiedpermissions voiceid vpc-flow-logs waf waf-regional workdocs workmail
aiops.alarms.cloudwatch aws-mcp dnssec-route53 workspaces workspaces-web workspaces.application-autoscaling xray
"""
_ELSEWHERE = frozenset({"alexa-appkit.amazon.com", "alexa-connectedhome.amazon.com", "bot.amazonaws.com"})


def is_known(principal: str, registered: Sequence[RegisteredService] = ()) -> bool:
    """Tell whether this is the principal of a service, as AWS writes it, of one Region's too, or one that was registered."""
    if principal in _ELSEWHERE or any(principal == each.principal for each in registered):
        return True
    # The whole suffix: `lambda.amazonaws.com.example` is a name that somebody else can own.
    if not principal.endswith(_SUFFIX):
        return False
    name = principal.removesuffix(_SUFFIX)
    regional, _, region = name.rpartition(".")
    if _REGION.fullmatch(region):
        name = regional
    part, _, service = name.rpartition(".")
    return name in _names() or (service in _names() and _PART.fullmatch(part) is not None)


@cache
def _names() -> frozenset[str]:
    named = set(_NAMES.split()) | actions.services() - set(actions.OWN)
    named |= set(_IN_A_POLICY.findall(gzip.decompress(_MANAGED_POLICIES.read_bytes()).decode()))
    linked = {each.service.removesuffix(_SUFFIX) for each in service_linked_roles.every_one()}
    integrated = {each.removesuffix(_SUFFIX) for each in integrated_services.every_one()}
    return frozenset(named | linked | integrated)
