"""The hash chain; rows from before are sealed as they are found.

Revision ID: 0003
"""

from __future__ import annotations

import sqlite3

from alembic import op

from core.store.chain.sealer import begin
from core.store.migrations.ddl_0003_chain import CHAIN

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    bind = op.get_bind()
    for statement in CHAIN:
        bind.exec_driver_sql(statement)
    raw = bind.connection.dbapi_connection
    assert isinstance(raw, sqlite3.Connection)
    begin(raw)
