"""A connection from `store.migrate` in, its store brought to the newest version out (Alembic's own entry point)."""

from alembic import context

from tocsin.share.taxii import tables

context.configure(connection=context.config.attributes["connection"], target_metadata=tables.META)
with context.begin_transaction():
    context.run_migrations()
