"""Keys of prompts and flags of pairs, computed for everything that is stored already.

Revision ID: 0002
"""

from __future__ import annotations

import sqlite3

from alembic import op

from core.store.migrations.ddl_0002_texts import TEXTS
from core.store.text_notes import note_all

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    bind = op.get_bind()
    for statement in TEXTS:
        bind.exec_driver_sql(statement)
    raw = bind.connection.dbapi_connection
    assert isinstance(raw, sqlite3.Connection)
    note_all(raw)
