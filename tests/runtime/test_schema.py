"""The tables: made at once or migrated, the same; by several processes that start together; on both databases."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect

from kagent_runtime.storage.database import schema_name
from kagent_runtime.storage.schema import HEAD, alembic_config
from kagent_runtime.store import Store
from tests.edge.postgresql import PostgreSQL
from tests.harness import ROOT

WORKLOAD = "agents Agent solo"
# As SQLAlchemy's create_all made it before there were migrations.
OLD = """
CREATE TABLE {0}sessions (id VARCHAR(32) NOT NULL, title VARCHAR(200) NOT NULL, created_at VARCHAR(32) NOT NULL,
  updated_at VARCHAR(32) NOT NULL, state TEXT, state_version VARCHAR(64), PRIMARY KEY (id));
CREATE INDEX ix_{1}sessions_updated_at ON {0}sessions (updated_at);
CREATE TABLE {0}accepted_messages (key VARCHAR(64) NOT NULL, run_id VARCHAR(32) NOT NULL, at VARCHAR(32) NOT NULL,
  PRIMARY KEY (key));
CREATE INDEX ix_{1}accepted_messages_at ON {0}accepted_messages (at);
CREATE TABLE {0}runs (id VARCHAR(32) NOT NULL, session_id VARCHAR(32) NOT NULL, status VARCHAR(16) NOT NULL,
  PRIMARY KEY (id), FOREIGN KEY(session_id) REFERENCES {0}sessions (id) ON DELETE CASCADE);
CREATE INDEX ix_{1}runs_session_id ON {0}runs (session_id);
CREATE INDEX ix_{1}runs_status ON {0}runs (status);
CREATE TABLE {0}events (session_id VARCHAR(32) NOT NULL, seq INTEGER NOT NULL, data TEXT NOT NULL,
  PRIMARY KEY (session_id, seq), FOREIGN KEY(session_id) REFERENCES {0}sessions (id) ON DELETE CASCADE);
INSERT INTO {0}sessions VALUES ('s', 'Old', '2026-01-01T00:00:00.000Z', '2026-01-01T00:00:00.000Z', NULL, NULL);
INSERT INTO {0}runs VALUES ('r1', 's', 'running');
INSERT INTO {0}runs VALUES ('r2', 's', 'running');
INSERT INTO {0}events VALUES ('s', 1, '{{"seq": 1, "type": "message.user", "runId": "r2", "content": "hi"}}');
INSERT INTO {0}events VALUES ('s', 2, '{{"seq": 2, "type": "run.started", "runId": "r2"}}');
"""
_OPEN = """
import asyncio, sys
from kagent_runtime.store import Store
async def main():
    store = Store(sys.argv[1], sys.argv[2])
    await store.open()
    print([row.title for row in await store.sessions(9)])
    await store.close()
asyncio.run(main())
"""


@pytest.fixture(scope="module")
def postgresql() -> Iterator[PostgreSQL]:
    with PostgreSQL() as server:
        yield server


def old_sqlite(path: Path) -> str:
    """A SQLite file of the old form; its URL."""
    with sqlite3.connect(path) as connection:
        connection.executescript(OLD.format("", ""))
    return f"sqlite+aiosqlite:///{path}"


def old_postgresql(server: PostgreSQL, name: str) -> str:
    """A database whose schema has the old form; its URL."""
    url, schema = server.new_database(name), schema_name(WORKLOAD)
    name = url.rpartition("/")[2]
    server.query(f'CREATE SCHEMA "{schema}"', name)
    for statement in OLD.format(f'"{schema}".', "").split(";\n"):
        if statement.strip():
            server.query(statement, name)
    return url


def open_at_once(url: str) -> list[str]:
    """What five processes print that open a database at the same time."""
    command = [sys.executable, "-c", _OPEN, url, WORKLOAD]
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "cwd": ROOT}
    started = [subprocess.Popen(command, **pipes) for _ in range(5)]
    ended = [(*process.communicate(timeout=120), process.returncode) for process in started]
    assert [code for _, _, code in ended] == [0] * 5, [error for _, error, _ in ended]
    return [out.strip() for out, _, _ in ended]


def described(connection: Connection, schema: str | None) -> Any:
    """Tables with columns, keys and indexes, as the database itself tells them."""
    found = inspect(connection)
    tables = sorted(found.get_table_names(schema=schema))
    return {
        name: {
            "columns": [
                (column["name"], str(column["type"]), column["nullable"], str(column.get("default")))
                for column in sorted(found.get_columns(name, schema=schema), key=lambda column: str(column["name"]))
            ],
            "key": found.get_pk_constraint(name, schema=schema)["constrained_columns"],
            "foreign": [
                (key["constrained_columns"], key["referred_table"], key["options"])
                for key in found.get_foreign_keys(name, schema=schema)
            ],
            "indexes": sorted(
                (str(index["name"]), tuple(index["column_names"]), bool(index["unique"]))
                for index in found.get_indexes(name, schema=schema)
            ),
        }
        for name in tables
    }


async def opened(url: str) -> Any:
    """The description of a database that was just opened."""
    store = Store(url, WORKLOAD)
    await store.open()
    schema = schema_name(WORKLOAD) if store.is_shared else None
    async with store._database.engine.connect() as connection:
        found = await connection.run_sync(described, schema)
    await store.close()
    return found


def test_head_is_the_last_migration() -> None:
    """The start compares with it, and does not ask Alembic."""
    assert ScriptDirectory.from_config(alembic_config()).get_heads() == [HEAD]


def test_made_and_migrated_are_the_same_with_sqlite(tmp_path: Path) -> None:
    """The tables of tables.py are those of the migrations; nothing of the old form is lost."""
    new = asyncio.run(opened(f"sqlite+aiosqlite:///{tmp_path / 'new.db'}"))
    assert asyncio.run(opened(old_sqlite(tmp_path / "old.db"))) == new
    with sqlite3.connect(tmp_path / "old.db") as connection:
        assert connection.execute("SELECT last_seq FROM sessions").fetchall() == [(2,)]
        runs = connection.execute("SELECT id, status, owner, fence FROM runs ORDER BY id").fetchall()
    assert runs == [("r1", "failed", None, 0), ("r2", "running", None, 0)]


def test_made_and_migrated_are_the_same_with_postgresql(postgresql: PostgreSQL) -> None:
    """As with SQLite."""
    new = asyncio.run(opened(postgresql.new_database("new")))
    assert asyncio.run(opened(old_postgresql(postgresql, "old"))) == new


def test_five_processes_migrate_at_once_with_postgresql(postgresql: PostgreSQL) -> None:
    """One does it, the others wait and find it done; an empty database and an old one."""
    assert open_at_once(postgresql.new_database("empty")) == ["[]"] * 5
    assert open_at_once(old_postgresql(postgresql, "together")) == ["['Old']"] * 5


def test_five_processes_migrate_at_once_with_sqlite(tmp_path: Path) -> None:
    """One after the other."""
    assert open_at_once(old_sqlite(tmp_path / "old.db")) == ["['Old']"] * 5


def test_workloads_of_one_database_do_not_meet(postgresql: PostgreSQL) -> None:
    """Each has a schema of its own, also where names are long or alike."""
    url = postgresql.new_database("shared")

    async def fill() -> list[str]:
        titles = []
        for workload in ("a Agent " + "x" * 80 + "1", "a Agent " + "x" * 80 + "2"):
            store = Store(url, workload)
            await store.open()
            await store.create_session("s", workload[-1])
            titles += [row.title for row in await store.sessions(9)]
            await store.close()
        return titles

    assert asyncio.run(fill()) == ["1", "2"]


def test_alembic_is_not_imported_where_nothing_is_to_migrate(tmp_path: Path) -> None:
    """It would cost a tenth of the start."""
    url = f"sqlite+aiosqlite:///{tmp_path / 'new.db'}"
    for _ in range(2):
        command = [sys.executable, "-X", "importtime", "-c", _OPEN, url, WORKLOAD]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
        modules = {line.split("|")[-1].strip() for line in done.stderr.splitlines()}
        assert "sqlalchemy" in modules
        assert not modules & {"alembic", "asyncpg", "mako"}


def test_a_database_s_password_is_in_no_message(tmp_path: Path, postgresql: PostgreSQL) -> None:
    """Whatever is wrong with the URL: one clear line, and exit 78."""
    from tests.harness import EXAMPLES
    from tests.runtime.process import Runtime, runtime_config

    right = postgresql.url()
    wrong = {
        right.replace(":pg-canary", ":pg-wrong-canary"): "password authentication failed",
        right.replace("/postgres", "/absent"): "does not exist",
        right.replace(f":{postgresql.port}/", ":1/"): "Connect",
        "postgresql://agents:can/ary@db/x": "is not of the form",
        "postgresql://agents:canary@db:x/x": "is not of the form",
        "mysql://agents:canary@db/x": "is neither a SQLite file nor",
        f"{right}?sslmode=canary": "is not of the form",
    }
    config = runtime_config(EXAMPLES / "quickstart")
    for number, (url, message) in enumerate(wrong.items()):
        runtime = Runtime(config, tmp_path / str(number), KAGENT_DATABASE_URL=url)
        with pytest.raises(AssertionError, match="not serving"):
            runtime.__enter__()
        lines = runtime.stderr.splitlines()
        assert (runtime.process.returncode, len(lines)) == (78, 1), runtime.stderr
        assert lines[0].startswith("kagent-runtime: the database cannot be used: ")
        assert message in lines[0]
        assert "canary" not in lines[0]
        assert "can/ary" not in lines[0]
