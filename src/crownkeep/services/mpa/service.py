"""The service's registration: its handlers say `@mpa.operation(...)`."""

from crownkeep.operations import registry

mpa = registry.Service("mpa", is_global=True)

PAGE = 20
"""Items on one page of a list, and the most that a caller may ask for."""
