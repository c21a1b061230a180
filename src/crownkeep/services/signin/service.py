"""The service's registration: its handlers say `@signin.operation(...)`."""

from crownkeep.operations import registry

signin = registry.Service("signin", is_global=True)
