"""The IAM service's registration: its handlers say `@iam.operation(...)`."""

from crownkeep.operations import registry

iam = registry.Service("iam", is_global=True)
