"""Batches, decisions on disagreements and review bundles are logs: nothing changes them, and a change is found."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from core.services.annotation.views import QueueSettings
from core.services.application import Application
from core.services.workspace.salvage import salvage
from core.store.sqlite.database import Session
from core.store.sqlite.identity import db_path
from tests.core.store.test_immutability import everything
from tests.fakes.workspaces import opened, person, prefer

SHA = "'" + "0" * 64 + "'"
_SLOT = "id,draw_id,batch_id,number,pair_id,kind,picked,swapped,reviewer_id,after_id"
ROWS = (
    f"INSERT INTO batch VALUES(1,'b1','June',1,'{{}}',{SHA},'random',7,1,'','{{}}',1,'')",
    "INSERT INTO batch_draw VALUES(1,'d1',1,1,'start',2,1,'')",
    f"INSERT INTO batch_slot({_SLOT}) VALUES(1,1,1,1,1,'first','random',0,1,NULL)",
    f"INSERT INTO batch_slot({_SLOT}) VALUES(2,1,1,2,1,'retest','random',1,1,1)",
    "INSERT INTO slot_assignment VALUES(1,'a1',1,2,NULL,'ill',1,'')",
    "INSERT INTO slot_presentation VALUES(1,1,1)",
    "INSERT INTO change_request VALUES(1,'r1','ask',NULL,1,'help','Say what help is.',1,1,NULL,1,'')",
    f"INSERT INTO bundle VALUES(1,'u1','exported',1,1,'w','1:x',{SHA},1,'{{}}',1,'')",
    "INSERT INTO bundle_slot VALUES(1,1,1)",
    f"INSERT INTO bundle_merge VALUES(1,'m1',1,'k',3,{SHA},{SHA},'{{}}','{{}}',1,'')",
    "INSERT INTO adjudication VALUES(1,'j1','decide',NULL,2,1,1,2,2,'rubric_gap','change_request',1,'','[1]',1,'')",
    "INSERT INTO reviewer_state VALUES(1,'s1',2,'inactive',1,'left',1,'')",
)
TABLES = [row.split()[2].split("(")[0] for row in ROWS]
REFUSED = {
    "a slot of another batch's draw": f"INSERT INTO batch_slot({_SLOT}) VALUES(9,1,2,9,1,'first','rule',0,1,NULL)",
    "a retest of another pair": f"INSERT INTO batch_slot({_SLOT}) VALUES(9,1,1,9,2,'retest','rule',0,1,1)",
    "a first label that repeats one": f"INSERT INTO batch_slot({_SLOT}) VALUES(9,1,1,9,1,'first','rule',0,1,1)",
    "a second slot of a number": f"REPLACE INTO batch_slot({_SLOT}) VALUES(9,1,1,2,1,'first','rule',0,1,NULL)",
    "a batch of the same name": f"REPLACE INTO batch VALUES(9,'x','june',1,'{{}}',{SHA},'random',7,1,'','{{}}',1,'')",
    "a showing of another pair": "INSERT INTO slot_presentation VALUES(9,1,2)",
    "a second slot of a showing": "REPLACE INTO slot_presentation VALUES(9,2,1)",
    "a request of another rubric": "INSERT INTO change_request VALUES(9,'x','reject',1,9,'','',NULL,1,NULL,1,'')",
    "a resolution without a version": "INSERT INTO change_request VALUES(9,'x','resolve',1,1,'','',NULL,1,NULL,1,'')",
    "a decision on another's judgement": (
        "INSERT INTO adjudication VALUES(9,'x','decide',NULL,1,2,1,1,1,'other','gold',NULL,'','[]',1,'')"
    ),
    "a second beginning of decisions": (
        "INSERT INTO adjudication VALUES(9,'x','decide',NULL,2,1,1,2,2,'other','gold',NULL,'','[]',1,'')"
    ),
    "a decision without a cause": (
        "INSERT INTO adjudication VALUES(9,'x','decide',1,2,1,1,2,2,'','gold',NULL,'','[]',1,'')"
    ),
    "the same part of a desk's chain twice": (
        f"REPLACE INTO bundle_merge VALUES(9,'x',1,'k',3,{SHA},{SHA},'{{}}','{{}}',1,'')"
    ),
}


def _store_rows(session: Session) -> None:
    for row in ROWS:
        session.connection().exec_driver_sql(row)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A closed workspace with a label of pair 1, an adjudication of pair 2, and a row in each table of the team."""
    with opened(tmp_path / "ws") as app:
        person(app.store, "Bo")
        (view,) = app.annotation.next(app.annotation.open_queue(QueueSettings(1, 1)))
        app.annotation.commit(view.presentation_uid, prefer(2))
        app.store.write(_adjudicated, "an adjudication")
        app.store.write(_store_rows, "rows of the team")
        return app.folder


def _adjudicated(session: Session) -> None:
    run = session.connection().exec_driver_sql
    values = "(2,'p2',2,1,1,'adjudicate','A','',0,1,0,'')"
    run(f"INSERT INTO presentation VALUES{values}")
    run(
        "INSERT INTO judgement(id,uid,presentation_id,revision,pair_id,reviewer_id,rubric_version_id,task,kind,verdict,"
        "op,at_ms) VALUES(2,'j2',2,0,2,1,1,'adjudicate','label','tie','commit',1)"
    )


def test_that_rows_of_the_team_never_change(folder: Path) -> None:
    with closing(sqlite3.connect(db_path(folder), isolation_level=None)) as bare:
        before = everything(bare)
        for table in TABLES:
            (name,) = (row[1] for row in bare.execute(f"PRAGMA table_info({table})") if row[0] == 1)
            for hostile in (
                f"UPDATE {table} SET {name}={name}",
                f"UPDATE OR REPLACE {table} SET id=id+5",
                f"DELETE FROM {table}",
                f"REPLACE INTO {table} SELECT * FROM {table} WHERE id=1",
                f"INSERT INTO {table} SELECT * FROM {table} WHERE id=1 ON CONFLICT DO UPDATE SET id=1",
            ):
                with pytest.raises(sqlite3.IntegrityError, match="immutable"):
                    bare.execute(hostile)
        assert everything(bare) == before


def test_that_the_database_refuses_rows_that_make_no_sense(folder: Path) -> None:
    with closing(sqlite3.connect(db_path(folder), isolation_level=None)) as bare:
        before = everything(bare)
        for what, hostile in REFUSED.items():
            with pytest.raises(sqlite3.IntegrityError):
                bare.execute(hostile)
            assert everything(bare) == before, what


def test_that_a_change_of_any_of_them_is_found(folder: Path) -> None:
    with Application.open(folder) as app:
        found = [one for one in app.workspace.check().findings if one.serious]
        assert {one.check for one in found} == {"review bundles"}, "the merge of these rows has no chain of a desk"
    changes = {"batch_slot": "kind='second'", "bundle_slot": "slot_id=2", "slot_presentation": "slot_id=2",
               "adjudication": "note='x'", "batch": "seed=8", "bundle_merge": "body='[]'"}  # fmt: skip
    with closing(sqlite3.connect(db_path(folder), isolation_level=None)) as bare:
        for table, change in changes.items():
            bare.execute(f"DROP TRIGGER {table}_no_update")
            bare.execute(f"UPDATE {table} SET {change} WHERE id=1")
    with Application.open(folder) as app:
        told = " ".join(one.message for one in app.workspace.check().findings)
    for noun in ("Draw of a batch", "Review bundle", "Showing of a slot", "Decision on a disagreement", "Batch",
                 "Merge of a review bundle"):  # fmt: skip
        assert f"{noun} 1 was changed by another program." in told


def test_that_salvage_brings_all_of_them_back(folder: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(db_path(folder))) as bare:
        before = {table: rows for table, rows in everything(bare).items() if table in TABLES}
    assert all(before.values())
    salvage(folder, tmp_path / "new")
    with closing(sqlite3.connect(db_path(tmp_path / "new"))) as bare:
        after = everything(bare)
    assert {table: after[table] for table in before} == before
