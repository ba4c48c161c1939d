"""Feedback events, decisions about them, changesets and consent.

Revision ID: 0006
"""

from __future__ import annotations

from alembic import op

from core.store.migrations.ddl_0006_feedback import FEEDBACK

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    bind = op.get_bind()
    for statement in FEEDBACK:
        bind.exec_driver_sql(statement)
