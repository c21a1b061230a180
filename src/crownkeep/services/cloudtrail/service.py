"""The service's registration: its handlers say `@cloudtrail.operation(...)`."""

from crownkeep.operations import registry

cloudtrail = registry.Service("cloudtrail")
