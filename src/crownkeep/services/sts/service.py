"""The service's registration: its handlers say `@sts.operation(...)`."""

from crownkeep.operations import registry

sts = registry.Service("sts")
