"""What alembic runs to take the steps: on the connection it is handed, within the caller's transaction."""

from alembic import context

from crownkeep.storage.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
    transactional_ddl=False,
)
context.run_migrations()
