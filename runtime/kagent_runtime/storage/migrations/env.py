"""Run by Alembic with the connection, and so in the transaction, of `schema.py`."""

from alembic import context

config = context.config
context.configure(
    connection=config.attributes["connection"],
    version_table_schema=config.attributes["schema"],
    transactional_ddl=False,  # the transaction around it is ours
)
context.run_migrations()
