"""SAML assertions are used once, and a passkey is registered by one person."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make it so. Of passkeys that were registered more than once the first keeps its id, and the others go on without."""
    op.create_table(
        "redeemed_assertions",
        sa.Column("account_id", sa.String(length=12), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("account_id", "digest", name=op.f("pk_redeemed_assertions")),
    )
    with op.batch_alter_table("redeemed_assertions", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_redeemed_assertions_expires_at"), ["expires_at"], unique=False)

    with op.batch_alter_table("passkeys", schema=None) as batch_op:
        batch_op.add_column(sa.Column("credential_id", sa.LargeBinary(), nullable=True))
    op.execute(
        """
        UPDATE passkeys
        SET credential_id = (SELECT credential_id FROM mfa_devices AS device WHERE device.device_id = passkeys.device_id)
        WHERE device_id IN (
            SELECT device_id FROM (
                SELECT
                    device.device_id,
                    row_number() OVER (PARTITION BY device.credential_id ORDER BY device.created_at, device.device_id) AS place
                FROM mfa_devices AS device JOIN passkeys AS known ON known.device_id = device.device_id
                WHERE length(device.credential_id) BETWEEN 1 AND 1023
            ) AS ranked
            WHERE place = 1
        )
        """
    )
    with op.batch_alter_table("passkeys", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_passkeys_credential_id"), ["credential_id"], unique=True)
