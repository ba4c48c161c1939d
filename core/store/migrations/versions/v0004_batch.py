"""Tallies of an import's batch are counted at its end.

Revision ID: 0004
"""

from __future__ import annotations

from alembic import op

from core.store.migrations.ddl_0004_batch import BATCH

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    bind = op.get_bind()
    for statement in BATCH:
        bind.exec_driver_sql(statement)
