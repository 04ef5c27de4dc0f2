"""Calls that wait for a person say what they would change."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """One column."""
    op.add_column("approvals", sa.Column("preview", sa.Text))
