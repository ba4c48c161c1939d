"""Suites.

Revision ID: 0005
"""

from __future__ import annotations

from alembic import op

from core.store.migrations.ddl_0005_suites import SUITES

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    bind = op.get_bind()
    for statement in SUITES:
        bind.exec_driver_sql(statement)
