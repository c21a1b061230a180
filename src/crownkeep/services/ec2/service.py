"""The service's registration: its handlers say `@ec2.operation(...)`."""

from crownkeep.operations import registry

ec2 = registry.Service("ec2")
