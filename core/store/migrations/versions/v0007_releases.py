"""Thresholds, and looks at failures.

Revision ID: 0007
"""

from __future__ import annotations

from alembic import op

from core.store.migrations.ddl_0007_releases import RELEASES

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    bind = op.get_bind()
    for statement in RELEASES:
        bind.exec_driver_sql(statement)
