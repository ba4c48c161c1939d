"""Every edit of a workspace file by another program is seen, also when it keeps the triggers and the counts right."""

from __future__ import annotations

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from core.domain.conversation import Prompt
from core.domain.dataset import FreezePolicy
from core.domain.suite import Suite, SuiteItem
from core.services.annotation.service import QueueSettings
from core.services.application import Application
from core.store.chain.verify import noted_head
from core.store.sqlite.identity import db_path
from tests.fakes.workspaces import opened, person, prefer, take_feedback, tie

CURRENT = "UPDATE current_label SET strength=-strength WHERE judgement_id=1"
STATE = "UPDATE pair_state SET prefer_a=prefer_b, prefer_b=prefer_a WHERE pair_id=1"


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed workspace: labels of every form, an import, a rename, a withdrawn consent, a frozen version, a suite."""
    folder = tmp_path_factory.mktemp("sealed") / "ws"
    with opened(folder) as app:
        bo = person(app.store, "Bo")
        desk = app.annotation
        shown = desk.next(desk.open_queue(QueueSettings(1, 1)), 4)
        full = prefer(
            2, rationale="Names the source.", criteria={"help": 2}, flags=("pii",), confidence=3, edit="Better still.",
            spans=({"side": "B", "start": 0, "end": 3, "tag": "good", "note": ""},),
        )  # fmt: skip
        desk.commit(shown[0].presentation_uid, full)
        desk.commit(shown[1].presentation_uid, tie())
        desk.amend(2, prefer(1, rationale="On reflection."))
        desk.commit(shown[2].presentation_uid, prefer(-3))
        desk.undo(1)
        desk.skip(shown[3].presentation_uid, "too long")
        again = desk.next(desk.open_queue(QueueSettings(bo.id, 1)), 1)
        desk.commit(again[0].presentation_uid, prefer(1))
        app.reviewers.rename(bo.id, "Bob")
        rows = [{"prompt": f"p{n}", "chosen": f"yes {n}", "rejected": f"no {n}"} for n in range(4)]
        (folder.parent / "more.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
        app.imports.run(folder.parent / "more.jsonl", consent="granted")
        app.imports.set_consent(1, "withdrawn")
        app.imports.set_consent(1, "granted")
        take_feedback(app, bo.id)
        app.datasets.freeze("set", FreezePolicy(splits=(1.0, 0.0, 0.0)))
        app.suites.add(Suite("mine", 1, tuple(SuiteItem(f"i{n}", Prompt.from_text(f"q{n}"), "open") for n in range(3))))
    return folder


EDITS: dict[str, tuple[str, ...]] = {
    "the side of a label": ("UPDATE judgement SET strength=-strength WHERE id=1", CURRENT, STATE),
    "the strength of a label": (
        "UPDATE judgement SET strength=3 WHERE id=1", "UPDATE current_label SET strength=3 WHERE judgement_id=1"
    ),
    "an amended answer": ("UPDATE judgement SET verdict='neither' WHERE id=2",),
    "a rationale": ("UPDATE judgement SET rationale='No reason.' WHERE id=1",),
    "a rationale emptied": ("UPDATE judgement SET rationale='' WHERE id=3",),
    "criteria": ("UPDATE judgement SET criteria='{\"help\":-2}' WHERE id=1",),
    "flags": ("UPDATE judgement SET flags='[\"unsafe\"]' WHERE id=1",),
    "an edit": ("UPDATE judgement SET edit='Worse.' WHERE id=1",),
    "spans": ("UPDATE judgement SET spans='[]' || ' ' WHERE id=1",),
    "confidence": ("UPDATE judgement SET confidence=1 WHERE id=1",),
    "the process": ("UPDATE judgement SET process='{\"keys\":1}' WHERE id=1",),
    "the time": ("UPDATE judgement SET at_ms=at_ms-86400000 WHERE id=1",),
    "the monotonic time": ("UPDATE judgement SET mono_ms=0 WHERE id=1",),
    "the session": ("UPDATE judgement SET session='' WHERE id=1",),
    "the program version": ("UPDATE judgement SET app_version='9' WHERE id=1",),
    "the identity of a judgement": ("UPDATE judgement SET uid='f' WHERE id=1",),
    "the reviewer": (
        "UPDATE presentation SET reviewer_id=2 WHERE id=2",
        "UPDATE judgement SET reviewer_id=2 WHERE presentation_id=2",
        "UPDATE current_label SET reviewer_id=2 WHERE pair_id=2",
        "UPDATE label_tally SET labels=labels-1 WHERE reviewer_id=1",
        "UPDATE label_tally SET labels=labels+1 WHERE reviewer_id=2",
    ),
    "the side that was shown left": (
        "UPDATE presentation SET left_is=CASE left_is WHEN 'A' THEN 'B' ELSE 'A' END WHERE id=1",
    ),
    "when it was shown": ("UPDATE presentation SET shown_ms=1 WHERE id=1",),
    "the place in the queue": ("UPDATE presentation SET position=9, queue='x' WHERE id=1",),
    "a retraction removed": (
        "DELETE FROM event_log WHERE op='label.undo'",
        "DELETE FROM step WHERE judgement_id IN(4,5)",
        "DELETE FROM judgement WHERE kind='retract'",
        "UPDATE counter SET value=value-1 WHERE name='judgements'",
    ),
    "an event removed": ("DELETE FROM event_log WHERE id=2",),
    "the last event removed": ("DELETE FROM event_log WHERE id=(SELECT max(id) FROM event_log)",),
    "an event edited": ("UPDATE event_log SET summary='nothing' WHERE id=2",),
    "the time of an event": ("UPDATE event_log SET at_ms=5 WHERE id=2",),
    "an event added": ("INSERT INTO event_log(at_ms,op,summary) VALUES(1,'label.commit','x')",),
    "a judgement of an item unlinked": ("DELETE FROM dataset_item_judgement WHERE judgement_id=3",),
    "a judgement linked to an item": (
        "INSERT INTO dataset_item_judgement SELECT dataset_id, position, 2 FROM dataset_item LIMIT 1",
    ),
    "what was left out": ("UPDATE dataset_left_out SET count=0",),
    "the counts of a version": ("UPDATE dataset SET counts='{}'",),
    "the name of a version": ("UPDATE dataset SET name='other'",),
    "an item of a suite": ("UPDATE suite_item SET body=replace(body, 'q1', 'q9') WHERE position=1",),
    "the order of a suite": (
        "UPDATE suite_item SET position=9 WHERE position=0", "UPDATE suite_item SET position=0 WHERE position=1",
        "UPDATE suite_item SET position=1 WHERE position=9",
    ),
    "an item of a suite removed": ("DELETE FROM suite_item WHERE position=2",),
    "the licence of a suite": ("UPDATE suite SET licence='MIT'",),
    "a suite added": (
        "INSERT INTO suite SELECT 9,'u9','other',1,state,sha256,origin,'','',counts,detail,1 FROM suite",
    ),
    "how an answer was generated": ("UPDATE pair SET a_generation='{\"model\":\"x\"}' WHERE id=1",),
    "the source of a pair": ("UPDATE pair SET source_id=2 WHERE id=1",),
    "where a pair was found": ("UPDATE pair_source SET row=99 WHERE pair_id=1",),
    "a second source of a pair": (
        "INSERT INTO pair_source VALUES(1,2,7)", "UPDATE source SET pairs=pairs+1 WHERE id=2"
    ),
    "the counts of an import": ("UPDATE import_batch SET rows=rows+5, rejected=rejected+5",),
    "the state of an import": ("UPDATE import_batch SET status='failed'",),
    "a consent": ("UPDATE source SET consent='withdrawn' WHERE id=2",),
    "a licence": ("UPDATE source SET licence='MIT' WHERE id=2",),
    "the file of a source": ("UPDATE source SET file_sha256=NULL, file_name='x' WHERE id=2",),
    "the name of a reviewer": ("UPDATE reviewer SET name='Bert' WHERE id=2",),
    "the kind of a reviewer": ("UPDATE reviewer SET kind='scripted' WHERE id=2",),
    "a reviewer added": ("INSERT INTO reviewer(uid,name,kind,created_ms) VALUES('u','Eve','human',1)",),
    "the name of a rubric": ("UPDATE rubric SET name='Other' WHERE id=1",),
    "the note of a published version": ("UPDATE rubric_version SET change_note='x' WHERE id=1",),
    "the level of a published version": ("UPDATE rubric_version SET level='patch', published_ms=1 WHERE id=1",),
    "a pair put aside": ("DELETE FROM skip",),
    "what a feedback event says": ("UPDATE feedback_event SET body=replace(body,'14','15')",),
    "the consent of an event": ("UPDATE feedback_event SET consent='withdrawn'",),
    "who decided about feedback": ("UPDATE feedback_step SET reviewer_id=2",),
    "why feedback was decided": ("UPDATE feedback_step SET reason=''",),
    "who approved a changeset": ("UPDATE changeset SET approver_id=3, author_id=2",),
    "the reason of a change": ("UPDATE changeset_entry SET reason='other'",),
    "a change added": (
        "INSERT INTO changeset_entry(changeset_id,op,pair_id,reason,at_ms) VALUES(1,'remove',2,'forged',1)",
    ),
    "the changeset of a version": ("DELETE FROM dataset_changeset",),
    "a statement of consent": ("UPDATE consent_entry SET expires_ms=1 WHERE subject='reviewer'",),
    "a statement removed": ("DELETE FROM consent_entry WHERE subject='source'",),
    "the words of a prompt for searching": ("UPDATE prompt SET text='else' WHERE id=1",),
    "an entry of the chain removed": ("DELETE FROM chain_row WHERE entry=3", "DELETE FROM chain WHERE id=3"),
    "an entry of the chain altered": ("UPDATE chain SET at_ms=1 WHERE id=4",),
    "a state of the chain altered": (f"UPDATE chain_row SET sha256='{'0' * 64}' WHERE kind='reviewer'",),
}  # fmt: skip


def edit(folder: Path, statements: tuple[str, ...]) -> None:
    """Run statements with every trigger away, and put the triggers back, as somebody with a database tool can."""
    with closing(sqlite3.connect(db_path(folder), isolation_level=None)) as raw:
        raw.execute("PRAGMA synchronous=OFF")
        raw.execute("BEGIN")
        kept = raw.execute("SELECT name, sql FROM sqlite_schema WHERE type='trigger'").fetchall()
        for name, _ in kept:
            raw.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            raw.execute(statement)
        for _, sql in kept:
            raw.execute(sql)
        raw.execute("COMMIT")


def findings(folder: Path) -> list[str]:
    """Return what the check finds."""
    with Application.open(folder, read_only=True) as app:
        return [f"{one.check}: {one.message} {one.hint}" for one in app.workspace.check().findings if one.serious]


def test_that_what_the_program_itself_changed_is_sound(sealed: Path) -> None:
    assert findings(sealed) == []


@pytest.mark.parametrize("name", EDITS)
def test_that_an_edit_is_seen(sealed: Path, tmp_path: Path, name: str) -> None:
    folder = tmp_path / "ws"
    shutil.copytree(sealed, folder)
    edit(folder, EDITS[name])
    found = findings(folder)
    assert found, name
    assert all(len(one) > 60 for one in found), "a finding says what to do"


def test_that_an_edit_stays_visible_after_more_work(sealed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "ws"
    shutil.copytree(sealed, folder)
    edit(folder, ("INSERT INTO event_log(at_ms,op,summary) VALUES(1,'label.commit','forged')",))
    with Application.open(folder) as app:
        app.reviewers.add("Cleo")
    (found,) = findings(folder)
    assert "added by another program before" in found


def test_that_a_finding_names_the_row_and_the_time(sealed: Path, tmp_path: Path) -> None:
    folder = tmp_path / "ws"
    shutil.copytree(sealed, folder)
    edit(folder, EDITS["a rationale emptied"])
    messages = findings(folder)
    assert any("Judgement 3 is not as stored on 20" in one for one in messages)
    assert any("Dataset version set v1 is not what was frozen." in one for one in messages), "the root covers it too"


def test_that_a_dataset_version_knows_the_chain_it_was_frozen_in(sealed: Path) -> None:
    with Application.open(sealed, read_only=True) as app:
        (version,) = app.datasets.list()
        head = app.workspace.chain_head()
    noted = noted_head(version.chain_head)
    assert noted is not None
    assert noted[0] < head.entry
