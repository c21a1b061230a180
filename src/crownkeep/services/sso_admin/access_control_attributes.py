"""Attributes for access control: which attributes of people become tags of their sessions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from crownkeep import errors
from crownkeep.operations.call import NOTHING, Call, Result
from crownkeep.operations.registry import Effect
from crownkeep.services.sso_admin import targets
from crownkeep.services.sso_admin.service import sso_admin
from crownkeep.storage.single_sign_on import instances
from crownkeep.storage.single_sign_on.instances import InstanceRow

Configuration = Mapping[str, Any]


@sso_admin.operation("CreateInstanceAccessControlAttributeConfiguration", resource=targets.instance, effect=Effect.STATE)
def create_instance_access_control_attribute_configuration(
    call: Call, *, instance_arn: str, instance_access_control_attribute_configuration: Configuration
) -> Result:
    """Begin to turn attributes of people into session tags."""
    row = targets.required_instance(call, instance_arn)
    if row.access_control_attributes is not None:
        raise errors.Conflict("The instance has a configuration of attributes for access control already.")
    _keep(call, row, instance_access_control_attribute_configuration)
    return NOTHING


@sso_admin.operation("DescribeInstanceAccessControlAttributeConfiguration", resource=targets.instance)
def describe_instance_access_control_attribute_configuration(call: Call, *, instance_arn: str) -> Result:
    """Return which attributes become session tags."""
    row = _configured(call, instance_arn)
    listed = json.loads(row.access_control_attributes or "[]")
    return {"Status": "ENABLED", "InstanceAccessControlAttributeConfiguration": {"AccessControlAttributes": listed}}


@sso_admin.operation("UpdateInstanceAccessControlAttributeConfiguration", resource=targets.instance, effect=Effect.STATE)
def update_instance_access_control_attribute_configuration(
    call: Call, *, instance_arn: str, instance_access_control_attribute_configuration: Configuration
) -> Result:
    """Change which attributes become session tags."""
    _keep(call, _configured(call, instance_arn), instance_access_control_attribute_configuration)
    return NOTHING


@sso_admin.operation("DeleteInstanceAccessControlAttributeConfiguration", resource=targets.instance, effect=Effect.STATE)
def delete_instance_access_control_attribute_configuration(call: Call, *, instance_arn: str) -> Result:
    """Turn no attribute into a session tag any more."""
    instances.set_access_control_attributes(call.db, _configured(call, instance_arn).instance_id, None)
    return NOTHING


def _configured(call: Call, instance_arn: str) -> InstanceRow:
    row = targets.required_instance(call, instance_arn)
    if row.access_control_attributes is None:
        raise errors.ResourceNotFound("Could not find a configuration of attributes for access control.")
    return row


def _keep(call: Call, row: InstanceRow, configuration: Configuration) -> None:
    attributes = configuration["AccessControlAttributes"]
    if len({each["Key"].lower() for each in attributes}) != len(attributes):
        raise errors.ServiceValidation("Duplicate keys of attributes for access control found.")
    instances.set_access_control_attributes(call.db, row.instance_id, json.dumps(attributes))
