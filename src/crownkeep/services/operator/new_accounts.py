"""Making an account: its root user with a link to choose a password and, where asked for, the first keys."""

from __future__ import annotations

from crownkeep import arn, clock, errors, ids
from crownkeep.credentials import one_time_links as links
from crownkeep.credentials import passwords
from crownkeep.credentials.passwords import Cost
from crownkeep.credentials.secret import Secret
from crownkeep.domain.accounts import new_accounts
from crownkeep.domain.credentials import long_term_keys
from crownkeep.ids import Prefix
from crownkeep.operations import registry
from crownkeep.operations.call import Call, Result
from crownkeep.services.operator.accounts import sign_in_url
from crownkeep.services.operator.service import operator
from crownkeep.signin import password_rules
from crownkeep.storage.accounts import accounts
from crownkeep.storage.identities import users
from crownkeep.storage.identities.owners import OwnerKind
from crownkeep.storage.identities.users import UserRow
from crownkeep.storage.policies import attachments
from crownkeep.storage.policies.attachments import AttachmentRow
from crownkeep.storage.sign_in import one_time_links
from crownkeep.storage.sign_in.one_time_links import OneTimeLinkRow

ADMINISTRATOR_ACCESS = arn.policy("aws", "/", "AdministratorAccess")


def hash_root_password(call: Call, *, email: str, name: str, root_password: str | None = None, **_: object) -> str | None:
    """Hold root's password to the rules of the page that asks for one, and hash it; None where none is given."""
    if root_password is None:
        return None
    password = Secret(root_password)
    broken = password_rules.assess_for_root(call.wiring, password, account_name=name, email=email).violations
    if broken:
        raise errors.AccountValidation(f"the root password is refused: {', '.join(broken)}")
    settings = call.settings
    cost = Cost(settings.argon2_memory_kib, settings.argon2_iterations, settings.argon2_lanes)
    return passwords.hash_password(password, salt=clock.token_bytes(passwords.SALT_SIZE), cost=cost)


@operator.operation("CreateAccount", resource=registry.everything, prepare=hash_root_password)
def create_account(
    call: Call,
    *,
    email: str,
    name: str,
    account_id: str | None = None,
    admin_user: str | None = None,
    root_access_key: bool | None = None,
    root_password: str | None = None,
) -> Result:
    """Make an account. Whoever gets the link to set root's password owns it; without a password given there is always one."""
    if accounts.with_email(call.db, email) is not None:
        raise errors.Conflict(f"another account has the e-mail address `{email}`; give this one an address of its own")
    account_id = _unused_id(call, account_id)
    password_hash = call.prepared if isinstance(call.prepared, str) else None
    new_accounts.add(call, account_id, email=email, name=name, password_hash=password_hash)
    call.notes.account_id = account_id
    result: dict[str, object] = {
        "account_id": account_id,
        "root_arn": arn.root(account_id),
        "root_email": email,
        "sign_in_url": sign_in_url(call.settings, account_id),
    }
    if root_password is None:
        result["set_password_url"] = _set_password_url(call, account_id)
    if admin_user is not None:
        result["admin"] = _administrator(call, account_id, admin_user)
    if root_access_key:
        row, secret = long_term_keys.add(call, account_id, account_id)
        result["root"] = {"access_key_id": row.access_key_id, "secret_access_key": secret.reveal()}
    return result


def _unused_id(call: Call, wanted: str | None) -> str:
    if wanted is not None:
        if accounts.with_id(call.db, wanted) is not None:
            raise errors.Conflict(f"there is an account `{wanted}` already; give another id, or none to have one chosen")
        return wanted
    return new_accounts.unused_id(call)


def _set_password_url(call: Call, account_id: str) -> str:
    purpose = links.LinkPurpose.SET_ROOT_PASSWORD
    link = links.mint(purpose, clock.token_bytes(links.TOKEN_ENTROPY), now=call.now)
    # The digest alone is kept: whoever reads the database, or a backup, can't take the account over with it.
    one_time_links.add(call.db, OneTimeLinkRow(link.digest, account_id, purpose, call.now, link.expires_at))
    return f"{call.settings.url}/signin/set-password?token={link.token.reveal()}"


def _administrator(call: Call, account_id: str, name: str) -> dict[str, str]:
    user_id = ids.unique_id(Prefix.USER, clock.token_bytes(16))
    users.add(
        call.db,
        UserRow(
            user_id=user_id,
            account_id=account_id,
            name=name,
            name_key=name.lower(),
            path="/",
            created_at=call.now,
            boundary_arn=None,
            password_used_at=None,
        ),
    )
    attachments.add(call.db, AttachmentRow(account_id, user_id, OwnerKind.USER, ADMINISTRATOR_ACCESS, call.now))
    row, secret = long_term_keys.add(call, account_id, user_id)
    call.notes.resources += [("AWS::IAM::User", name), ("AWS::IAM::AccessKey", row.access_key_id)]
    return {"user_name": name, "access_key_id": row.access_key_id, "secret_access_key": secret.reveal()}
