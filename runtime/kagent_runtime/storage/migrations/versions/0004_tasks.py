"""Work that came over a queue, and what became of it."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """One table; only `id` and `body` have no default, so that others can put tasks in with plain SQL."""
    op.create_table(
        "tasks",
        sa.Column("id", sa.String(128), primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
        sa.Column("caller", sa.String(512)),
        sa.Column("state", sa.String(16), nullable=False, server_default="queued"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        sa.Column("deliveries", sa.Integer, nullable=False, server_default="0"),
        sa.Column("owner", sa.String(32)),
        sa.Column("lease", sa.Float),
        sa.Column("session_id", sa.String(32)),
        sa.Column("run_id", sa.String(32)),
        sa.Column("outcome", sa.String(16)),
        sa.Column("reason", sa.Text),
        sa.Column("answer", sa.Text),
        sa.Column("finished_at", sa.String(32)),
    )
    op.create_index("tasks_by_state", "tasks", ["state", "created_at"])
