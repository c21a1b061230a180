"""Owners by unique id, tag keys without regard to case, service-linked roles' trust as AWS writes it"""

from collections.abc import Iterator, Sequence

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_TRUST = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"'
_TRUST_ENDS = '"},"Action":"sts:AssumeRole"}]}'


def upgrade() -> None:
    """Take the step."""
    with op.batch_alter_table("delegation_requests", schema=None) as batch_op:
        batch_op.add_column(sa.Column("owner_id", sa.String(length=128), nullable=True))
    _know_owners()
    _fold_tags()
    _fold_organization_tags()
    roles = sa.table("roles", sa.column("trust_policy"), sa.column("owner_service"))
    op.execute(
        sa.update(roles)
        .where(roles.c.owner_service.is_not(None))
        .values(trust_policy=sa.literal(_TRUST) + roles.c.owner_service + sa.literal(_TRUST_ENDS))
    )


def _know_owners() -> None:
    """Name the owners of delegation requests by unique id; who was made after a request is a namesake, and owns nothing."""
    db = op.get_bind()
    owned = db.execute(
        sa.text("SELECT request_id, owner_arn, created_at FROM delegation_requests WHERE owner_arn IS NOT NULL")
    ).all()
    for request_id, owner_arn, created_at in owned:
        owner_id = _owner_id(db, owner_arn, created_at)
        if owner_id is not None:
            db.execute(
                sa.text("UPDATE delegation_requests SET owner_id = :owner WHERE request_id = :request"),
                {"owner": owner_id, "request": request_id},
            )


def _owner_id(db: sa.Connection, owner_arn: str, before: int) -> str | None:
    account_id, resource = owner_arn.split(":", 5)[4:]
    if resource == "root":
        return account_id
    kind, *path, last = resource.split("/")
    table, key, name, suffix = ("users", "user_id", last, "") if kind == "user" else ("roles", "role_id", path[0], f":{last}")
    if kind not in ("user", "assumed-role"):
        return None
    found = db.execute(
        sa.text(f"SELECT {key} FROM {table} WHERE account_id = :account AND name = :name AND created_at <= :before"),  # noqa: S608
        {"account": account_id, "name": name, "before": before},
    ).scalar()
    return None if found is None else f"{found}{suffix}"


def _fold_tags() -> None:
    """Make keys unique without regard to case; of several, the first stays, which is the one that conditions saw."""
    db = op.get_bind()
    place = "account_id = :account_id AND resource_id = :resource_id AND tag_key = :tag_key"
    rows = db.execute(sa.text("SELECT account_id, resource_id, tag_key, tag_key_folded FROM tags")).mappings().all()
    kept = {id(row) for row in _first(rows, ("account_id", "resource_id"))}
    for row in rows:
        if id(row) not in kept:
            db.execute(sa.text(f"DELETE FROM tags WHERE {place}"), dict(row))  # noqa: S608
    for row in rows:
        if id(row) in kept and row["tag_key_folded"] != row["tag_key"].lower():
            folded = {**row, "folded": row["tag_key"].lower()}
            db.execute(sa.text(f"UPDATE tags SET tag_key_folded = :folded WHERE {place}"), folded)  # noqa: S608


def _fold_organization_tags() -> None:
    db = op.get_bind()
    rows = db.execute(sa.text("SELECT * FROM organization_tags")).mappings().all()
    op.drop_table("organization_tags")
    organization_id = sa.String(length=80).with_variant(sa.String(length=80, collation="C"), "postgresql")
    table = op.create_table(
        "organization_tags",
        sa.Column("organization_id", organization_id, nullable=False),
        sa.Column("account_id", sa.String(length=12), nullable=False),
        sa.Column("entity_id", organization_id, nullable=False),
        sa.Column("tag_key_folded", sa.String(length=384), nullable=False),
        sa.Column(
            "tag_key", sa.String(length=128).with_variant(sa.String(length=128, collation="C"), "postgresql"), nullable=False
        ),
        sa.Column("tag_value", sa.String(length=256), nullable=False),
        sa.PrimaryKeyConstraint("organization_id", "entity_id", "tag_key_folded", name=op.f("pk_organization_tags")),
    )
    with op.batch_alter_table("organization_tags", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_organization_tags_account_id"), ["account_id"], unique=False)
    kept = [{**row, "tag_key_folded": row["tag_key"].lower()} for row in _first(rows, ("organization_id", "entity_id"))]
    if kept:
        op.bulk_insert(table, kept)


def _first(rows: Sequence[sa.RowMapping], place: tuple[str, str]) -> Iterator[sa.RowMapping]:
    """Go through the rows whose keys, in lower case, no earlier key of the same resource has."""
    seen: set[tuple[str, ...]] = set()
    for row in sorted(rows, key=lambda row: str(row["tag_key"])):
        key = (*(str(row[name]) for name in place), str(row["tag_key"]).lower())
        if key not in seen:
            seen.add(key)
            yield row
