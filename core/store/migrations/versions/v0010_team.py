"""Batches with their slots, decisions on disagreements, review bundles.

Revision ID: 0010
"""

from __future__ import annotations

from alembic import op

from core.store.migrations.ddl_0010_team import TEAM

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    bind = op.get_bind()
    for statement in TEAM:
        bind.exec_driver_sql(statement)
