"""Know when signing certificates end"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from cryptography import x509

revision = "0031"
down_revision = "0030"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Take the step."""
    op.add_column("signing_certificates", sa.Column("expires_at", sa.BigInteger(), nullable=True))
    op.create_index(op.f("ix_signing_certificates_expires_at"), "signing_certificates", ["expires_at"], unique=False)
    table = sa.table("signing_certificates", sa.column("certificate_id"), sa.column("body"), sa.column("expires_at"))
    database = op.get_bind()
    for certificate_id, body in database.execute(sa.select(table.c.certificate_id, table.c.body)).all():
        ends = _ends(body)
        if ends is not None:
            database.execute(table.update().where(table.c.certificate_id == certificate_id).values(expires_at=ends))


def _ends(body: str) -> int | None:
    try:
        ends = x509.load_pem_x509_certificate(body.encode()).not_valid_after_utc
    except ValueError:
        return None
    return int(ends.timestamp()) * 1_000_000
