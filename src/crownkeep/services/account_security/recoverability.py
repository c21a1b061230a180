"""Whether the account can still be got into, for whoever looks after it: what would be left if any one thing were lost."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crownkeep import errors
from crownkeep.domain.accounts import recoverability_report
from crownkeep.operations import registry
from crownkeep.operations.call import Call, Result
from crownkeep.operations.registry import Mode
from crownkeep.services.account_security import root_user
from crownkeep.services.account_security.service import account_security
from crownkeep.storage.accounts import accounts


@account_security.operation("GetRecoverability", resource=registry.everything, mode=Mode.LONG_READ)
def get_recoverability(call: Call) -> Result:
    """Return which ways lead into the account; addresses in full to its root user alone."""
    row = accounts.with_id(call.db, call.account_id)
    if row is None:
        raise errors.AccessDenied("there is no such account")
    # Whoever knows root's mailbox knows whose to take over: an administrator gets the domain alone.
    report = recoverability_report.of_root if root_user.is_itself(call) else recoverability_report.without_addresses
    answer = _renamed(report(call.db, row, now=call.now))
    return answer if isinstance(answer, Mapping) else {}


def _renamed(value: object) -> object:
    """Return a structure by the names that this service's model gives its members."""
    if isinstance(value, Mapping):
        return {"".join(part.capitalize() for part in name.split("_")): _renamed(each) for name, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_renamed(each) for each in value]
    return value
