"""The service's registration: its handlers say `@s3.operation(...)`."""

from crownkeep.operations import registry

s3 = registry.Service("s3")
