"""*Check workspace* finds what somebody with a database tool can do, and calls a sound workspace sound."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from core.domain.dataset import FreezePolicy, FrozenItem, root_sha256
from core.domain.ids import canonical_json
from core.services.annotation.service import QueueSettings
from core.services.application import Application
from core.store.sqlite.database import Session
from core.store.sqlite.identity import db_path
from tests.fakes.workspaces import opened, prefer, tie

POLICY = FreezePolicy()


@pytest.fixture
def app(tmp_path: Path):
    """A workspace with labels, an amendment, a retraction and a frozen dataset version."""
    with opened(tmp_path / "ws") as app:
        desk = app.annotation
        shown = desk.next(desk.open_queue(QueueSettings(1, 1)), 3)
        desk.commit(shown[0].presentation_uid, prefer(-2, flags=("pii",)))
        desk.amend(1, tie())
        desk.commit(shown[1].presentation_uid, prefer(1))
        desk.undo(1)
        desk.commit(shown[2].presentation_uid, prefer(3))
        app.store.write(_freeze, "freezing")
        yield app


def _freeze(session: Session) -> None:
    run = session.connection().exec_driver_sql
    sha = run("SELECT sha256 FROM pair WHERE id=3").scalar_one()
    rubric = run("SELECT sha256 FROM rubric_version WHERE id=1").scalar_one()
    item = FrozenItem(0, 3, sha, "train", "B", 3.0, 1.0, 1.0, False, (5,))
    _insert(session, 1, canonical_json(POLICY.to_plain()), root_sha256(POLICY, [rubric], [item]))


def _insert(session: Session, key: int, policy: str, sha256: str) -> None:
    """Store a frozen version of pair 3 alone as a statement would, not as this program writes it today."""
    run = session.connection().exec_driver_sql
    run(
        "INSERT INTO dataset(id,uid,name,number,state,policy,created_ms) VALUES(?,?,'set',?,'open',?,1)",
        (key, f"u{key}", key, policy),
    )
    run("INSERT INTO dataset_rubric VALUES(?,1)", (key,))
    run("INSERT INTO dataset_item VALUES(?,0,3,'train','B',3.0,1.0,1.0,0)", (key,))
    run("UPDATE dataset SET state='frozen', root_sha256=? WHERE id=?", (sha256, key))


TAMPERING = {
    "a label changed": (["judgement_no_update"], "UPDATE judgement SET strength=-3 WHERE id=5", "counts"),
    "a label removed": (["judgement_no_delete"], "DELETE FROM judgement WHERE id=2", "counts"),
    "a label moved": (["judgement_no_update"], "UPDATE judgement SET pair_id=4 WHERE id=5", "judgement chains"),
    "a text changed": (["pair_no_update"], "UPDATE pair SET a_text='better' WHERE id=2", "contents"),
    "a prompt changed": (["prompt_no_update"], "UPDATE prompt SET body='[]' WHERE id=2", "contents"),
    "a rubric changed": (
        ["rubric_version_update"],
        "UPDATE rubric_version SET body=replace(body,'helps','hinders')",
        "contents",
    ),
    "a frozen side flipped": (["dataset_item_update"], "UPDATE dataset_item SET chosen='A'", "frozen datasets"),
    "a frozen item removed": (["dataset_item_delete"], "DELETE FROM dataset_item", "frozen datasets"),
    "a counter nudged": ([], "UPDATE counter SET value=99 WHERE name='labelled'", "counts"),
    "a state nudged": ([], "UPDATE pair_state SET ties=7 WHERE pair_id=6", "counts"),
    "a guard dropped": (["pair_no_update"], "SELECT 1", "schema"),
    "a reference broken": (["pair_no_delete"], "DELETE FROM pair WHERE id=3", "references"),
}


def test_that_a_sound_workspace_is_called_sound(app: Application) -> None:
    report = app.workspace.check()
    assert report.findings == ()
    assert report.ok
    assert report.counts["pairs"] == 6


@pytest.mark.parametrize("name", TAMPERING)
def test_that_it_is_noticed_when_somebody_has(app: Application, name: str) -> None:
    guards, statement, expected = TAMPERING[name]
    folder = app.folder
    app.close()
    with closing(sqlite3.connect(db_path(folder), isolation_level=None)) as raw:
        raw.execute("PRAGMA synchronous=OFF")
        kept = [raw.execute("SELECT sql FROM sqlite_schema WHERE name=?", (g,)).fetchone()[0] for g in guards]
        for guard in guards:
            raw.execute(f"DROP TRIGGER {guard}")
        raw.execute(statement)
        if expected != "schema":
            for sql in kept:
                raw.execute(sql)
    with Application.open(folder, read_only=True) as again:
        report = again.workspace.check()
    assert not report.ok
    assert expected in {f.check for f in report.findings}, report.findings


def test_that_what_an_earlier_version_froze_is_sound_and_readable(app: Application) -> None:
    # Written by the program before settings had kinds: whole numbers, a flag alone, 1 and 0 for true and false.
    policy = (
        '{"aggregation":"mean","drop_flags":"pii","keep_ties":1,"max_spread":2,"min_strength":2,"require_consent":0,'
        '"reviewer_ids":[],"rubric_version_ids":[],"seed":0,"soft_targets":false,"source_ids":[],"splits":[1,0,0],'
        '"strength_weights":false}'
    )
    sha256 = "2b745e4d7bbc60798a11bf54748b4f2fd2089f4c340297c57186b34a84b56dcf"
    app.store.write(lambda session: _insert(session, 2, policy, sha256), "freezing")
    app.store.write(lambda session: _insert(session, 3, policy.replace('"pii"', '["gone"]'), "0" * 64), "freezing")
    assert [f.message for f in app.workspace.check().findings] == ["Dataset version set v3 is not what was frozen."]
    old = app.datasets.list()[1].policy
    assert (old.drop_flags, old.keep_ties, old.require_consent, old.splits) == (("pii",), 1, 0, (1, 0, 0))


def test_that_a_lost_run_folder_is_mentioned_and_not_serious(app: Application) -> None:
    app.store.write(
        lambda s: s.connection().exec_driver_sql(
            "INSERT INTO run(uid,name,folder,state,created_ms) VALUES('r','r','runs/gone','finished',1)"
        ),
        "listing a run",
    )
    (app.folder / "runs" / "found").mkdir(parents=True)
    (app.folder / "runs" / "found" / "run.json").write_text("{}")
    report = app.workspace.check()
    assert report.ok
    assert sorted(f.message.split()[0] + " " + f.message.split()[-1] for f in report.findings) == [
        "The gone.",
        "The watched.",
    ]
    assert {f.check for f in report.findings} == {"run folders"}
