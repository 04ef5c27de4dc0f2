"""The schema, brought up to date at every start. Safe when several processes start at once.

A new database gets the newest tables at once; an older one the missing migrations. Alembic is only loaded for those:
it costs as much as a tenth of the start.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Inspector, inspect, text
from sqlalchemy.schema import CreateSchema

from kagent_runtime.storage.database import Database
from kagent_runtime.storage.tables import METADATA

HEAD = "0005"
FIRST = "0001"  # what databases had before there were migrations
_FOLDER = Path(__file__).parent / "migrations"
_VERSION = "alembic_version"


async def bring_up_to_date(database: Database) -> None:
    """Create or migrate. Everything happens in one transaction, which both databases roll back as a whole."""
    async with database.write() as connection:
        if database.schema is not None:
            key = int.from_bytes(hashlib.sha256(database.schema.encode()).digest()[:8], "big", signed=True)
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})
        # SQLite: a writing transaction begins with the lock of the file.
        await connection.run_sync(_upgrade, database.schema)


def _upgrade(connection: Connection, schema: str | None) -> None:
    found = inspect(connection)
    if schema is not None and not found.has_schema(schema):
        connection.execute(CreateSchema(schema))
        found = inspect(connection)
    version = _version(connection, found, schema)
    if version == HEAD:
        return
    if version is None and not found.has_table("sessions", schema=schema):
        METADATA.create_all(connection)
        _stamp(connection, schema)
        return
    _migrate(connection, schema, adopt=version is None)


def _version(connection: Connection, found: Inspector, schema: str | None) -> str | None:
    if not found.has_table(_VERSION, schema=schema):
        return None
    version: str | None = connection.execute(text(f"SELECT version_num FROM {_table(schema)}")).scalar()
    return version


def _table(schema: str | None) -> str:
    return f'"{schema}".{_VERSION}' if schema else _VERSION


def _stamp(connection: Connection, schema: str | None) -> None:
    table = _table(schema)
    connection.execute(
        text(
            f"CREATE TABLE {table} (version_num VARCHAR(32) NOT NULL, "
            "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
        )
    )
    connection.execute(text(f"INSERT INTO {table} (version_num) VALUES (:head)"), {"head": HEAD})


def _migrate(connection: Connection, schema: str | None, *, adopt: bool) -> None:
    from alembic import command

    config = alembic_config()
    config.attributes["connection"], config.attributes["schema"] = connection, schema
    if schema is not None:
        connection.execute(text(f'SET LOCAL search_path TO "{schema}"'))
    if adopt:
        command.stamp(config, FIRST)
    command.upgrade(config, "head")


def alembic_config() -> Any:
    """Alembic's view of our migrations."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_FOLDER).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
