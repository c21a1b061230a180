"""Errands: what an operation must ask outside the house before its transaction, such as the keys of an identity provider."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Errand:
    """Work that waits for somebody else's server.

    A `prepare` step answers one where it can't answer from what is known. It is run with no transaction open and in a pool of its
    own, so that a slow server outside holds up nobody who hashes a password; its answer becomes the handler's `call.prepared`. It
    does not raise for what the outside does: it answers that, and the handler refuses.
    """

    run: Callable[[], object]
