"""The AWS services we serve: one package each, one module per kind of resource; none imports another."""

from importlib import import_module
from pkgutil import iter_modules


def load() -> None:
    """Import every service's modules, whose handlers register themselves; done once, when a house is opened."""
    for package in iter_modules(__path__, f"{__name__}."):
        if package.ispkg:
            for module in iter_modules(import_module(package.name).__path__, f"{package.name}."):
                import_module(module.name)
