"""Packages that only some installations need, which are installed as extras."""

from __future__ import annotations

INSTALL_TRACES = "pip install 'crownkeep[opentelemetry]'"


def can_export_traces() -> bool:
    """Tell whether everything that exports traces is installed.

    To look for the package `opentelemetry` is not enough: many distributions share that name, each with a part.
    """
    try:
        from crownkeep.gateway import traces  # noqa: F401
    except ModuleNotFoundError:
        return False
    return True
