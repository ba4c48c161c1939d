"""Audits of the refusal detector: samples and labels.

Revision ID: 0008
"""

from __future__ import annotations

from alembic import op

from core.store.migrations.ddl_0008_audits import AUDITS

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    bind = op.get_bind()
    for statement in AUDITS:
        bind.exec_driver_sql(statement)
