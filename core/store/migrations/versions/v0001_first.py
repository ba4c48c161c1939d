"""The first schema: everything from import to frozen dataset versions.

Revision ID: 0001
"""

from __future__ import annotations

from alembic import op

from core.store.migrations.ddl_0001_guards import GUARDS
from core.store.migrations.ddl_0001_tables import INDEXES, SEED, TABLES
from core.store.migrations.ddl_0001_tallies import TALLIES

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    bind = op.get_bind()
    for statement in (*TABLES, *INDEXES, *SEED, *GUARDS, *TALLIES):
        bind.exec_driver_sql(statement)
