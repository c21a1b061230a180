"""The AWS services we serve: one package each, one module per kind of resource; none imports another."""

from functools import partial
from importlib import import_module
from pkgutil import iter_modules, walk_packages

from crownkeep.operations import registry

_loaded: set[str] = set()


def load() -> None:
    """Import every service's modules, whose handlers register themselves."""
    for each in iter_modules(__path__):
        _load(each.name)


def load_late() -> None:
    """Have each service imported when somebody first asks for it: a server starts without those that nobody uses there."""
    # A package has its service's name, with underlines.
    missing = [each.name for each in iter_modules(__path__) if each.name not in _loaded]
    registry.load_late({package.replace("_", "-"): partial(_load, package) for package in missing})


def _load(package: str) -> None:
    service = import_module(f"{__name__}.{package}")
    for module in walk_packages(service.__path__, f"{service.__name__}."):
        import_module(module.name)
    _loaded.add(package)
