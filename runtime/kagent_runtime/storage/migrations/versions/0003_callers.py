"""Sessions have owners, and runs and decisions tell whose they are. What is there already is nobody's in particular."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """New columns."""
    op.add_column("sessions", sa.Column("owner", sa.String(512), nullable=False, server_default=""))
    op.create_index("ix_sessions_owner", "sessions", ["owner"])
    op.add_column("runs", sa.Column("caller", sa.String(512)))
    op.add_column("approvals", sa.Column("subject", sa.String(512)))
