"""Rounds of votes.

Revision ID: 0009
"""

from __future__ import annotations

from alembic import op

from core.store.migrations.ddl_0009_votes import VOTES

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    bind = op.get_bind()
    for statement in VOTES:
        bind.exec_driver_sql(statement)
