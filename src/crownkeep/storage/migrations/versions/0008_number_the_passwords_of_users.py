"""Number the passwords of users, and bind to these numbers what was bound to the passwords' hashes"""

import hashlib
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_BOUND = ("browser_sessions", "command_line_grants", "one_time_links", "root_recoveries")


def upgrade() -> None:
    """Take the step."""
    op.add_column("login_profiles", sa.Column("credential_version", sa.Integer(), server_default="0", nullable=False))
    db = op.get_bind()
    versions = dict(_versions(db))
    for name in _BOUND:
        version = sa.column("credential_version", sa.LargeBinary())
        bound = sa.table(name, version)
        for old in db.execute(sa.select(version).select_from(bound).distinct()).scalars().all():
            if old in versions:
                db.execute(sa.update(bound).where(version == old).values(credential_version=versions[old]))


def _versions(db: sa.Connection) -> Iterator[tuple[bytes, bytes]]:
    """Yield how the version of each person's credentials was made before this step, and how it is made from now on."""
    devices: dict[tuple[str, str], list[str]] = {}
    owned = sa.text("SELECT account_id, owner_id, device_id, enabled_at FROM mfa_devices WHERE owner_id IS NOT NULL")
    for account_id, owner_id, device_id, enabled_at in db.execute(owned):
        devices.setdefault((account_id, owner_id), []).append(f"{device_id} {_moment(enabled_at)}")
    roots = sa.text(
        "SELECT account_id, account_id, root_credential_version, root_password_hash, root_password_changed_at FROM accounts"
    )
    users = sa.text("SELECT account_id, user_id, NULL, password_hash, changed_at FROM login_profiles")
    for account_id, owner_id, lineage, password_hash, changed_at in [*db.execute(roots), *db.execute(users)]:
        rest = [_moment(changed_at), *sorted(devices.get((account_id, owner_id), []))]
        old = _digest([owner_id, "" if lineage is None else str(lineage), password_hash or "", *rest])
        yield old, _digest([owner_id, str(lineage or 0), "", *rest])


def _moment(microseconds: int | None) -> str:
    return str(None if microseconds is None else datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds))


def _digest(parts: Sequence[str]) -> bytes:
    return hashlib.sha256("\n".join(parts).encode()).digest()
