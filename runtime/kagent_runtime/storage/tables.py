"""The tables. A change here is a new migration in `migrations/versions`; tests compare the two."""

from __future__ import annotations

from sqlalchemy import Column, DateTime, Float, ForeignKey, Index, Integer, MetaData, String, Table, Text, func, text

METADATA = MetaData()
SESSIONS = Table(
    "sessions",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("title", String(200), nullable=False),
    # Whose it is: the subject of an identity; empty without authentication.
    Column("owner", String(512), nullable=False, server_default="", index=True),
    Column("created_at", String(32), nullable=False),
    Column("updated_at", String(32), nullable=False, index=True),
    Column("state", Text),
    Column("state_version", String(64)),
    # Raised with every event, in the transaction of the event: the row's lock puts writers of one session in a queue.
    Column("last_seq", Integer, nullable=False, server_default="0"),
)
RUNS = Table(
    "runs",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("session_id", ForeignKey("sessions.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("status", String(16), nullable=False, index=True),
    # Who runs it, and how often that changed: a write by an earlier owner is refused.
    Column("owner", String(32)),
    Column("fence", Integer, nullable=False, server_default="0"),
    # How many owners died with it.
    Column("deaths", Integer, nullable=False, server_default="0"),
    # Of the agent as it was: a turn goes on only under the same config.
    Column("config_version", String(64)),
    Column("depth", Integer, nullable=False, server_default="0"),
    Column("started_at", Float),
    # Who sent the message; the process itself, where it is NULL.
    Column("caller", String(512)),
    # `cancel` or `finish`, asked for at a process that is not the owner.
    Column("asked", String(16)),
)
Index("one_open_run", RUNS.c.session_id, unique=True, sqlite_where=text("status = 'running'"),
      postgresql_where=text("status = 'running'"))  # fmt: skip
EVENTS = Table(
    "events",
    METADATA,
    Column("session_id", ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("data", Text, nullable=False),
)
# What was sent by a bus that delivers at least once: the key is accepted with the message, in one transaction.
ACCEPTED = Table(
    "accepted_messages",
    METADATA,
    Column("key", String(64), primary_key=True),
    Column("run_id", String(32), nullable=False),
    Column("at", String(32), nullable=False, index=True),
)
# The processes that share the database, and until when each may own runs, by the database's clock.
REPLICAS = Table(
    "replicas",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("expires", Float, nullable=False),
)
# What an open run has asked and got. Without an outcome a call was begun, and nobody knows how it ended.
JOURNAL = Table(
    "journal",
    METADATA,
    Column("run_id", ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
    Column("slot", String(64), primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    Column("about", Text, nullable=False),
    Column("outcome", Text),
)
APPROVALS = Table(
    "approvals",
    METADATA,
    Column("session_id", ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
    Column("id", String(160), primary_key=True),
    Column("run_id", String(32), nullable=False, index=True),
    Column("position", Integer, nullable=False),
    Column("call_id", Text, nullable=False),
    Column("agent", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("arguments", Text, nullable=False),
    Column("expires", Float, nullable=False),
    Column("decision", String(8)),
    Column("decided_by", String(16)),
    Column("reason", Text),
    # The person who decided, as far as callers are told apart.
    Column("subject", String(512)),
    # What the call would change, as the person was shown it.
    Column("preview", Text),
)
# Work that came over a queue. Who puts a row in gives `id` and `body` alone; the rest is the worker's.
# Of a queue elsewhere (Redis) the rows are what became of its tasks.
TASKS = Table(
    "tasks",
    METADATA,
    Column("id", String(128), primary_key=True),
    Column("body", Text, nullable=False),
    # The subject of who put it in over the API; NULL, of whoever may write to the queue.
    Column("caller", String(512)),
    Column("state", String(16), nullable=False, server_default="queued"),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("deliveries", Integer, nullable=False, server_default="0"),
    # Who has it, until when; of a task that waits, when it may be taken again.
    Column("owner", String(32)),
    Column("lease", Float),
    Column("session_id", String(32)),
    Column("run_id", String(32)),
    Column("outcome", String(16)),
    Column("reason", Text),
    Column("answer", Text),
    Column("finished_at", String(32)),
    Index("tasks_by_state", "state", "created_at"),
)
