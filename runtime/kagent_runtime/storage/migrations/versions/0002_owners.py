"""Runs have owners, and what they ask and get is kept until they end, so that another process can go on with them."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_OPEN = sa.text("status = 'running'")


def upgrade() -> None:
    """New columns and tables. Of several open runs of a session, which a full disk could leave, the last stays."""
    op.add_column("sessions", sa.Column("last_seq", sa.Integer, nullable=False, server_default="0"))
    op.execute(
        "UPDATE sessions SET last_seq = "
        "(SELECT coalesce(max(seq), 0) FROM events WHERE events.session_id = sessions.id)"
    )
    for column in (
        sa.Column("owner", sa.String(32)),
        sa.Column("fence", sa.Integer, nullable=False, server_default="0"),
        sa.Column("deaths", sa.Integer, nullable=False, server_default="0"),
        sa.Column("config_version", sa.String(64)),
        sa.Column("depth", sa.Integer, nullable=False, server_default="0"),
        sa.Column("started_at", sa.Float),
        sa.Column("asked", sa.String(16)),
    ):
        op.add_column("runs", column)
    op.execute(
        "UPDATE runs SET status = 'failed' WHERE status = 'running' AND id <> (SELECT max(other.id) FROM runs other "
        "WHERE other.session_id = runs.session_id AND other.status = 'running')"
    )
    op.create_index(
        "one_open_run", "runs", ["session_id"], unique=True, sqlite_where=_OPEN, postgresql_where=_OPEN
    )  # fmt: skip
    op.create_table(
        "replicas",
        sa.Column("id", sa.String(32), primary_key=True),
        sa.Column("expires", sa.Float, nullable=False),
    )
    op.create_table(
        "journal",
        sa.Column("run_id", sa.String(32), sa.ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("slot", sa.String(64), primary_key=True),
        sa.Column("fingerprint", sa.String(64), nullable=False),
        sa.Column("about", sa.Text, nullable=False),
        sa.Column("outcome", sa.Text),
    )
    op.create_table(
        "approvals",
        sa.Column("session_id", sa.String(32), sa.ForeignKey("sessions.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("id", sa.String(160), primary_key=True),
        sa.Column("run_id", sa.String(32), nullable=False, index=True),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("call_id", sa.Text, nullable=False),
        sa.Column("agent", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("arguments", sa.Text, nullable=False),
        sa.Column("expires", sa.Float, nullable=False),
        sa.Column("decision", sa.String(8)),
        sa.Column("decided_by", sa.String(16)),
        sa.Column("reason", sa.Text),
    )
