"""The service's registration: its handlers say `@accessanalyzer.operation(...)`."""

from crownkeep.operations import registry

accessanalyzer = registry.Service("accessanalyzer", action_prefix="access-analyzer", event_source="access-analyzer.amazonaws.com")
