"""Statements that try to change the past, through a bare connection and through the program's own writer."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from core.domain.errors import ImmutableError
from core.services.annotation.service import QueueSettings
from core.services.application import Application
from core.store.sqlite.database import Session, Store
from tests.fakes.workspaces import fill, opened, person, prefer, publish, take_feedback, tie

SHA = "'" + "0" * 64 + "'"
PAIR_COLUMNS = "id,sha256,prompt_id,source_id,a_sha256,b_sha256,created_ms,a_text,b_text"
JUDGEMENT = "uid,presentation_id,revision,pair_id,reviewer_id,rubric_version_id,task,kind,op,verdict,strength,at_ms"

HOSTILE = [
    # published rubric versions
    "UPDATE rubric_version SET body='{}' WHERE id=1",
    "UPDATE OR REPLACE rubric_version SET body='{}' WHERE id=1",
    "UPDATE rubric_version SET state='draft', sha256=NULL, published_ms=NULL WHERE id=1",
    "DELETE FROM rubric_version WHERE id=1",
    "DELETE FROM rubric_version",
    "INSERT OR REPLACE INTO rubric_version(id,uid,rubric_id,number,major,state,level,body,created_ms) "
    "VALUES(1,'x',1,'9.0.0',9,'draft','major','{}',1)",
    "INSERT OR REPLACE INTO rubric_version(uid,rubric_id,number,major,state,level,body,created_ms) "
    "VALUES('x',1,'1.0.0',1,'draft','major','{}',1)",
    "INSERT OR REPLACE INTO rubric_version(uid,rubric_id,number,major,state,level,body,created_ms) "
    "SELECT uid,1,'9.0.0',9,'draft','major','{}',1 FROM rubric_version WHERE id=1",
    "INSERT INTO rubric_version(id,uid,rubric_id,number,major,state,level,body,created_ms) "
    "VALUES(1,'x',1,'1.0.0',1,'draft','major','{}',1) ON CONFLICT DO UPDATE SET body='{}'",
    f"INSERT INTO rubric_version(uid,rubric_id,number,major,state,level,body,sha256,created_ms,published_ms) "
    f"VALUES('x',1,'9.0.0',9,'published','major','{{}}',{SHA},1,1)",
    "UPDATE OR REPLACE rubric_version SET number='1.0.0' WHERE state='draft'",
    "UPDATE OR REPLACE rubric_version SET id=1 WHERE state='draft'",
    "UPDATE rubric_version SET rubric_id=2 WHERE state='draft'",
    # judgements
    "UPDATE judgement SET strength=3",
    "UPDATE OR IGNORE judgement SET strength=3 WHERE id=1",
    "UPDATE judgement SET at_ms=0 WHERE id=1",
    "DELETE FROM judgement",
    "DELETE FROM judgement WHERE kind='retract'",
    "REPLACE INTO judgement SELECT * FROM judgement WHERE id=1",
    "INSERT OR IGNORE INTO judgement SELECT * FROM judgement WHERE id=1",
    f"INSERT OR REPLACE INTO judgement(id,{JUDGEMENT}) VALUES(1,'x',1,0,1,1,1,'label','label','commit','prefer',3,1)",
    f"INSERT OR REPLACE INTO judgement({JUDGEMENT}) "
    "SELECT uid,1,7,1,1,1,'label','label','commit','prefer',3,1 FROM judgement WHERE id=1",
    f"INSERT OR REPLACE INTO judgement({JUDGEMENT}) VALUES('x',1,0,1,1,1,'label','label','commit','prefer',3,1)",
    f"INSERT OR REPLACE INTO judgement({JUDGEMENT}) VALUES('x',1,9,1,1,1,'label','label','commit','prefer',3,1)",
    f"INSERT OR REPLACE INTO judgement({JUDGEMENT},supersedes) "
    "VALUES('x',1,9,1,1,1,'label','label','amend','prefer',3,1,1)",
    f"INSERT INTO judgement({JUDGEMENT}) VALUES('x',1,0,1,1,1,'label','label','commit','prefer',3,1) "
    "ON CONFLICT DO UPDATE SET strength=3",
    # showings
    "UPDATE presentation SET left_is='A'",
    "UPDATE presentation SET left_is=CASE left_is WHEN 'A' THEN 'B' ELSE 'A' END",
    "DELETE FROM presentation",
    "INSERT OR REPLACE INTO presentation(id,uid,pair_id,reviewer_id,rubric_version_id,task,left_is,shown_ms) "
    "VALUES(1,'x',2,1,1,'label','A',1)",
    "INSERT OR REPLACE INTO presentation(uid,pair_id,reviewer_id,rubric_version_id,task,left_is,shown_ms) "
    "SELECT uid,2,1,1,'label','A',1 FROM presentation WHERE id=1",
    # pairs and prompts
    "UPDATE pair SET a_text='x'",
    "UPDATE OR REPLACE pair SET id=1 WHERE id=2",
    "UPDATE pair SET source_id=1, created_ms=0",
    "DELETE FROM pair WHERE id=6",
    f"INSERT OR REPLACE INTO pair({PAIR_COLUMNS}) VALUES(1,'{'f' * 64}',1,1,'{'a' * 64}','{'b' * 64}',1,'x','y')",
    f"INSERT OR REPLACE INTO pair({PAIR_COLUMNS}) "
    f"SELECT 99,sha256,1,1,'{'a' * 64}','{'b' * 64}',1,'x','y' FROM pair WHERE id=1",
    "INSERT INTO pair SELECT * FROM pair WHERE id=1 ON CONFLICT DO UPDATE SET a_text='x'",
    "UPDATE prompt SET body='[]'",
    "DELETE FROM prompt",
    "REPLACE INTO prompt SELECT id,sha256,turns,'x','[]' FROM prompt WHERE id=1",
    "DELETE FROM pair_source",
    "UPDATE pair_source SET source_id=1, row=99",
    "REPLACE INTO pair_source SELECT pair_id,source_id,99 FROM pair_source",
    # frozen dataset versions
    "UPDATE dataset SET name='z' WHERE id=1",
    "UPDATE dataset SET state='open', root_sha256=NULL WHERE id=1",
    "DELETE FROM dataset WHERE id=1",
    "INSERT OR REPLACE INTO dataset(id,uid,name,number,state,policy,created_ms) VALUES(1,'x','x',1,'open','{}',1)",
    "INSERT OR REPLACE INTO dataset(uid,name,number,state,policy,created_ms) VALUES('x','SET',1,'open','{}',1)",
    "UPDATE OR REPLACE dataset SET name='set', number=1 WHERE id=2",
    "UPDATE OR REPLACE dataset SET id=1 WHERE id=2",
    "INSERT INTO dataset_item VALUES(1,5,3,'train','A',1.0,1.0,1.0,0)",
    "INSERT OR REPLACE INTO dataset_item VALUES(1,0,3,'train','B',1.0,1.0,1.0,0)",
    "UPDATE dataset_item SET chosen='B' WHERE dataset_id=1",
    "UPDATE OR REPLACE dataset_item SET dataset_id=1 WHERE dataset_id=2",
    "UPDATE dataset_item SET dataset_id=2, position=7 WHERE dataset_id=1",
    "DELETE FROM dataset_item WHERE dataset_id=1",
    "DELETE FROM dataset_item_judgement WHERE dataset_id=1",
    "INSERT INTO dataset_item_judgement VALUES(1,0,2)",
    "UPDATE OR REPLACE dataset_item_judgement SET judgement_id=2 WHERE dataset_id=1",
    "DELETE FROM dataset_rubric WHERE dataset_id=1",
    "INSERT OR REPLACE INTO dataset_rubric VALUES(1,2)",
    "UPDATE dataset_left_out SET count=0 WHERE dataset_id=1",
    "REPLACE INTO dataset_left_out VALUES(1,'ties',0,'[]')",
    # thresholds and looks at failures
    "UPDATE threshold SET body='{}'",
    "DELETE FROM threshold",
    "INSERT OR REPLACE INTO threshold VALUES(9,'x','HARM',1,'a',1,1,'{}',1,'')",
    "UPDATE failure_step SET tag=''",
    "DELETE FROM failure_step",
    "INSERT OR REPLACE INTO failure_step VALUES(1,'x','e','f','open','','','{}',1,1,'')",
    # audits
    "UPDATE audit_draw SET body='{}'",
    "DELETE FROM audit_draw",
    "INSERT OR REPLACE INTO audit_draw VALUES(9,'x','e1',1,1,1,'a','{}',1,'')",
    "UPDATE audit_label SET label='refused'",
    "DELETE FROM audit_label",
    "INSERT OR REPLACE INTO audit_label VALUES(1,'x','e','s','a','i','a','label','partly',NULL,1,1,'')",
    "INSERT OR REPLACE INTO audit_label VALUES(9,'x','e1','s','a','i','a','retract','',1,1,1,'')",
    # frozen suite versions
    "UPDATE suite SET name='z' WHERE id=1",
    "UPDATE suite SET state='open', sha256=NULL WHERE id=1",
    "DELETE FROM suite WHERE id=1",
    "INSERT OR REPLACE INTO suite(uid,name,number,state,origin,created_ms) VALUES('x','SUITE',1,'open','import',1)",
    "UPDATE OR REPLACE suite SET name='suite', number=1 WHERE id=2",
    "INSERT INTO suite_item VALUES(1,5,'new','{}')",
    "INSERT OR REPLACE INTO suite_item VALUES(1,0,'a','{}')",
    "UPDATE suite_item SET body='{}' WHERE suite_id=1",
    "UPDATE OR REPLACE suite_item SET suite_id=1 WHERE suite_id=2",
    "UPDATE suite_item SET suite_id=2, position=7, item_id='b' WHERE suite_id=1",
    "DELETE FROM suite_item WHERE suite_id=1",
    # feedback, decisions about it, changesets and consent
    "UPDATE feedback_event SET body='{}'",
    "DELETE FROM feedback_event",
    "REPLACE INTO feedback_event SELECT * FROM feedback_event",
    "UPDATE feedback_step SET reason='x'",
    "DELETE FROM feedback_step",
    "INSERT INTO feedback_step(uid,event_id,op,reviewer_id,reason,at_ms) VALUES('x',1,'reject',1,'x',1)",
    "INSERT INTO feedback_step(uid,event_id,op,reviewer_id,supersedes,at_ms) VALUES('x',2,'undo',1,1,1)",
    "UPDATE changeset SET state='draft', approver_id=NULL, sha256=NULL, approved_ms=NULL",
    "UPDATE changeset SET note='x' WHERE id=1",
    "DELETE FROM changeset WHERE id=1",
    "REPLACE INTO changeset(id,uid,name,state,author_id,created_ms) VALUES(1,'x','y','draft',1,1)",
    "REPLACE INTO changeset(uid,name,state,author_id,created_ms) VALUES('x','c','draft',1,1)",
    "UPDATE changeset_entry SET reason='x'",
    "DELETE FROM changeset_entry",
    "INSERT INTO changeset_entry(changeset_id,op,pair_id,reason,at_ms) VALUES(1,'remove',1,'x',1)",
    "INSERT INTO dataset_changeset(dataset_id,changeset_id) VALUES(1,1)",
    "UPDATE consent_entry SET consent='granted'",
    "DELETE FROM consent_entry",
    "REPLACE INTO consent_entry SELECT * FROM consent_entry",
    # who is who, and what happened
    "INSERT OR REPLACE INTO reviewer(id,uid,name,kind,created_ms) VALUES(1,'x','Eve','human',1)",
    "INSERT OR REPLACE INTO reviewer(uid,name,kind,created_ms) VALUES('x','ann','scripted',1)",
    "UPDATE reviewer SET kind='scripted'",
    "UPDATE OR REPLACE reviewer SET name='ANN' WHERE id=2",
    "DELETE FROM reviewer WHERE id=2",
    "REPLACE INTO rubric(id,uid,name,kind,created_ms) VALUES(1,'x','Other','authored',1)",
    "DELETE FROM rubric",
    "REPLACE INTO source(id,uid,name,kind,consent,created_ms) VALUES(1,'x','Other','file','granted',1)",
    "DELETE FROM source",
    "UPDATE event_log SET summary='nothing happened'",
    "DELETE FROM event_log",
    "REPLACE INTO event_log(id,at_ms,op,summary) VALUES(1,1,'x','x')",
    "UPDATE meta SET value='x' WHERE key='uuid'",
    "DELETE FROM meta WHERE key='uuid'",
    "REPLACE INTO meta VALUES('uuid','x')",
]

IMPOSSIBLE = {
    "a label under a draft": (3, 0, 3, 1, 3, "label", "label", "prefer", 1, None),
    "a label by somebody else": (1, 9, 1, 2, 1, "label", "label", "prefer", 1, None),
    "a label on another pair": (1, 9, 4, 1, 1, "label", "label", "prefer", 1, None),
    "a retraction of nothing": (4, 0, 4, 1, 1, "label", "retract", None, None, None),
    "a label without a verdict": (4, 0, 4, 1, 1, "label", "label", None, None, None),
    "a preference without a strength": (4, 0, 4, 1, 1, "label", "label", "prefer", None, None),
    "a strength of 0": (4, 0, 4, 1, 1, "label", "label", "prefer", 0, None),
    "a strength of 4": (4, 0, 4, 1, 1, "label", "label", "prefer", 4, None),
    "an unknown verdict": (4, 0, 4, 1, 1, "label", "label", "maybe", None, None),
    "an unknown task": (4, 0, 4, 1, 1, "play", "label", "tie", None, None),
    "text for a number": (4, 0, "four", 1, 1, "label", "label", "tie", None, None),
    "a pair that does not exist": (4, 0, 999, 1, 1, "label", "label", "tie", None, None),
    "a second successor": (1, 9, 1, 1, 1, "label", "label", "tie", None, 1),
    "a retraction of a retraction": (2, 9, 2, 1, 1, "label", "retract", None, None, 4),
}


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Application]:
    """A workspace with labels, a retraction, a draft, and an open and a frozen version of a dataset and of a suite."""
    with opened(tmp_path / "ws") as app:
        person(app.store, "Bo")
        publish(app.store, "Other")
        fill(app.store, 1, "second source")
        draft = app.rubrics.new_draft(1).value
        assert draft.id == 3
        desk = app.annotation
        shown = desk.next(desk.open_queue(QueueSettings(1, 1)), 4)
        desk.commit(shown[0].presentation_uid, prefer(-2))
        amended = desk.amend(1, tie())
        assert amended.value.id == 2
        desk.commit(shown[1].presentation_uid, prefer(1))
        desk.undo(1)
        desk.save_draft(shown[2].presentation_uid, {})
        desk.save_draft(shown[3].presentation_uid, {})
        take_feedback(app, 2)
        app.store.write(_datasets, "making datasets")
        app.store.write(_suites, "making suites")
        yield app


def _datasets(session: Session) -> None:
    run = session.connection().exec_driver_sql
    for key, name in ((1, "set"), (2, "other")):
        run(
            "INSERT INTO dataset(id,uid,name,number,state,policy,created_ms) VALUES(?,?,?,1,'open','{}',1)",
            (key, f"u{key}", name),
        )
        run("INSERT INTO dataset_item VALUES(?,0,?,'train','A',1.0,1.0,1.0,0)", (key, key))
        run("INSERT INTO dataset_item_judgement VALUES(?,0,1)", (key,))
        run("INSERT INTO dataset_rubric VALUES(?,1)", (key,))
        run("INSERT INTO dataset_left_out VALUES(?,'ties',3,'[]')", (key,))
    run(f"UPDATE dataset SET state='frozen', root_sha256={SHA} WHERE id=1")


def _suites(session: Session) -> None:
    run = session.connection().exec_driver_sql
    run(f"INSERT INTO threshold VALUES(1,'t1','harm',1,{SHA},1,1,'{{}}',1,'')")
    run(f"INSERT INTO audit_draw VALUES(1,'d1','e1',1,7,100,{SHA},'{{}}',1,'')")
    label = "INSERT INTO audit_label VALUES"
    run(f"{label}(1,'l1','e1','s','a','i',{SHA},'label','refused',NULL,1,1,'')")
    run(f"{label}(2,'l2','e1','s','a','i',{SHA},'retract','',1,1,2,'')")
    run("INSERT INTO failure_step VALUES(1,'f1','e1','displaced/dev/p','tag','noise','','{}',1,1,'')")
    for key, name in ((1, "suite"), (2, "other")):
        values = (key, f"u{key}", name)
        run("INSERT INTO suite(id,uid,name,number,state,origin,created_ms) VALUES(?,?,?,1,'open','import',1)", values)
        run("INSERT INTO suite_item VALUES(?,0,'a','{}')", (key,))
    run(f"UPDATE suite SET state='frozen', sha256={SHA} WHERE id=1")


def everything(connection: sqlite3.Connection) -> dict[str, list[tuple[object, ...]]]:
    """Return every row of every table."""
    names = [row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type='table'")]
    return {name: sorted(connection.execute(f"SELECT * FROM {name}").fetchall(), key=repr) for name in names}


def bare(store: Store, recursive: bool) -> sqlite3.Connection:
    """Return a connection as a stranger's script would make it: foreign keys off, nothing set."""
    connection = sqlite3.connect(store.path, isolation_level=None)
    connection.execute(f"PRAGMA recursive_triggers={int(recursive)}")
    return connection


def test_that_there_are_enough_hostile_statements() -> None:
    assert len(HOSTILE) >= 26
    assert len(set(HOSTILE)) == len(HOSTILE)


@pytest.mark.parametrize("recursive", [False, True], ids=["plain", "recursive_triggers"])
def test_that_no_statement_of_a_bare_connection_changes_the_past(workspace: Application, recursive: bool) -> None:
    with closing(bare(workspace.store, recursive)) as connection:
        before = everything(connection)
        for statement in HOSTILE:
            with pytest.raises(sqlite3.IntegrityError, match="immutable"):
                connection.execute(statement)
            assert everything(connection) == before, statement


def test_that_no_statement_through_the_writer_changes_the_past(workspace: Application) -> None:
    with closing(bare(workspace.store, True)) as connection:
        before = everything(connection)
        for statement in HOSTILE:
            with pytest.raises(ImmutableError, match="Nothing was changed"):
                workspace.store.write(lambda s, q=statement: s.connection().exec_driver_sql(q), "an attack")
            assert everything(connection) == before, statement


def test_that_a_judgement_that_makes_no_sense_is_not_stored(workspace: Application) -> None:
    with closing(bare(workspace.store, False)) as connection:
        connection.execute("PRAGMA foreign_keys=ON")
        before = everything(connection)
        for name, values in IMPOSSIBLE.items():
            with pytest.raises(sqlite3.IntegrityError):
                connection.execute(
                    "INSERT INTO judgement(uid,presentation_id,revision,pair_id,reviewer_id,rubric_version_id,task,"
                    "kind,verdict,strength,supersedes,op,at_ms) VALUES('x',?,?,?,?,?,?,?,?,?,?,'commit',1)",
                    values,
                )
            assert everything(connection) == before, name


def test_that_what_may_change_still_can(workspace: Application) -> None:
    with closing(bare(workspace.store, True)) as connection:
        connection.execute("PRAGMA foreign_keys=ON")
        for statement in (
            "UPDATE rubric_version SET body='{\"x\":1}' WHERE state='draft'",
            "UPDATE reviewer SET name='Anna', note='n' WHERE id=1",
            "UPDATE source SET consent='withdrawn' WHERE id=1",
            "UPDATE rubric SET name='More helpful' WHERE id=1",
            "DELETE FROM dataset_item_judgement WHERE dataset_id=2",
            "DELETE FROM dataset_item WHERE dataset_id=2",
            "DELETE FROM rubric_version WHERE state='draft'",
            "UPDATE meta SET value='renamed' WHERE key='name'",
        ):
            assert connection.execute(statement).rowcount >= 1, statement
