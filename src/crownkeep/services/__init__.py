"""The AWS services we serve: one package each, one module per kind of resource; none imports another."""

from importlib import import_module
from pkgutil import walk_packages


def load() -> None:
    """Import every service's modules, whose handlers register themselves; done once, when a house is opened."""
    for module in walk_packages(__path__, f"{__name__}."):
        import_module(module.name)
