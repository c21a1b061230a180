"""The service's registration: its handlers say `@organizations.operation(..., caller=...)`, and get the organization by it.

No handler can do without saying whose accounts may call it, nor reach an organization without being held to what it says: the
organization that it works on is what `callers.admit` answers, and its second parameter.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from crownkeep.operations import authorize, registry
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import Effect, Mode, Operation, Tagging, Target
from crownkeep.services.organizations import callers
from crownkeep.services.organizations.callers import AllowedCaller, AskedAction

Function = TypeVar("Function", bound=Callable[..., Result])
Targets = Callable[..., Sequence[Target]]

_GIVEN = {AllowedCaller.ANY_ACCOUNT: 1}
"""How many positional parameters a handler has where it is not two: the call, and the organization."""


class OrganizationsService:
    """AWS Organizations as we serve it."""

    def __init__(self) -> None:
        self._service = registry.Service("organizations", is_global=True)

    def find(self, name: str) -> Operation | None:
        """Return the operation with this name, or None where it isn't served."""
        return self._service.find(name)

    def operation(
        self,
        name: str,
        *,
        resource: Callable[..., Target],
        caller: AllowedCaller,
        mode: Mode | None = None,
        effect: Effect = Effect.STANDING,
        tagging: Tagging | None = None,
        also: Targets | None = None,
    ) -> Callable[[Function], Function]:
        """Register the decorated function as `Service.operation` does, for callers from these accounts.

        `also` answers what the action is done to as well, of which each must be allowed by itself, too. Raises TypeError for a
        handler that takes no organization although its callers have one, or the other way round.
        """

        def register(handler: Function) -> Function:
            positional = [each for each in inspect.signature(handler).parameters.values() if each.kind is not each.KEYWORD_ONLY]
            if len(positional) != _GIVEN.get(caller, 2):
                raise TypeError(f"`{handler.__name__}` and `{caller}` differ about whether there is an organization")
            admitted = _admitted(handler, lambda: self._operation(name), caller, also)
            self._service.operation(name, resource=resource, mode=mode, effect=effect, tagging=tagging)(admitted)
            return handler

        return register

    def _operation(self, name: str) -> Operation:
        found = self._service.find(name)
        assert found is not None  # noqa: S101 - what was registered is found, for the type checker
        return found


def _admitted(
    handler: Callable[..., Result], operation: Callable[[], Operation], caller: AllowedCaller, also: Targets | None
) -> Callable[..., Result]:
    """Return the handler as the door calls it: after the caller is held to what the operation declares."""
    if caller is AllowedCaller.ANY_ACCOUNT:
        return handler

    @functools.wraps(handler)
    def admitted(call: Call, **arguments: Any) -> Result:
        asked = _asked(call, operation(), arguments, also)
        organization = callers.admit(call, caller, asked, mode=operation().mode)
        return handler(call, organization, **arguments)

    signature = inspect.signature(handler)
    context, _, *taken = signature.parameters.values()
    admitted.__signature__ = signature.replace(parameters=[context, *taken])  # type: ignore[attr-defined]  # PEP 362 has it so
    return admitted


def _asked(call: Call, operation: Operation, arguments: Mapping[str, object], also: Targets | None) -> list[AskedAction]:
    """Return all that a call asks for, once policies have allowed it on every further target, too."""
    assert call.target is not None  # noqa: S101 - decided by the door before any handler runs, for the type checker
    further = [] if also is None else also(call, **arguments)
    for target in further:
        authorize.require_action(call, operation.action, target)
    asked = [AskedAction(operation.action, [call.target, *further], arguments)]
    tagging = operation.tagging
    if tagging is not None and arguments.get("tags"):
        # A member to whom making something is delegated needs tagging delegated, too.
        tagged = call.target if tagging.resource is None else tagging.resource(call, **arguments)
        asked.append(AskedAction(tagging.action, [tagged], arguments))
    return asked


organizations = OrganizationsService()
