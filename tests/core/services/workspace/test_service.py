"""The workspace as a whole, its reviewers, and the application that opens it."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.domain.errors import BadInput, NotFound, UserError, WorkspaceDamaged
from core.domain.judgement import ReviewerKind
from core.services.annotation.service import QueueSettings
from core.services.application import Application
from core.services.workspace.service import backups_of, is_workspace, restore
from core.store import reviewers
from core.store.plain import insert_row
from core.store.sqlite.identity import DB_FILE, SCHEMA
from core.store.tables import ImportBatchRow
from tests.fakes.workspaces import opened, person, prefer, tie


@pytest.fixture
def app(tmp_path: Path):
    """A workspace of six pairs."""
    with opened(tmp_path / "ws") as app:
        yield app


def test_that_a_workspace_opens_by_its_folder_or_its_file(tmp_path: Path) -> None:
    with Application.open(tmp_path / "ws", create=True, name="Mine") as app:
        assert app.workspace.info().name == "Mine"
        assert not app.read_only
    with Application.open(tmp_path / "ws" / DB_FILE) as app:
        assert app.folder == tmp_path / "ws"
        app.workspace.rename("Yours")
        assert app.workspace.info().name == "Yours"
        with pytest.raises(BadInput, match="needs a name"):
            app.workspace.rename(" ")


def test_that_info_counts_what_is_there(app: Application) -> None:
    shown = app.annotation.next(app.annotation.open_queue(QueueSettings(1, 1)), 2)
    for one in shown:
        app.annotation.commit(one.presentation_uid, tie())
    app.annotation.undo(1)
    info = app.workspace.info()
    expected = {"pairs": 6, "prompts": 6, "labelled": 1, "labels": 1, "judgements": 3, "reviewers": 1, "rubrics": 1}
    assert {k: info.counts[k] for k in expected} == expected
    assert info.schema == SCHEMA
    assert info.size_bytes > 0


def test_that_the_books_add_up(app: Application) -> None:
    bo = person(app.store, "Bo")
    for reviewer, labels, skips in ((1, 3, 1), (bo.id, 1, 2)):
        shown = app.annotation.next(app.annotation.open_queue(QueueSettings(reviewer, 1)), labels + skips)
        for one in shown[:labels]:
            app.annotation.commit(one.presentation_uid, tie())
        for one in shown[labels:]:
            app.annotation.skip(one.presentation_uid)

    def batch(session) -> None:
        insert_row(
            session, ImportBatchRow, source_id=1, number=1, file_sha256="0" * 64, format="x", rows=9, imported=6,
            duplicates=2, rejected=1, judgements=0, status="done", at_ms=1,
        )  # fmt: skip

    app.store.write(batch, "noting an import")
    books = app.workspace.accounting()
    assert books.adds_up
    assert [(a.reviewer, a.labelled, a.skipped, a.open) for a in books.reviewers] == [("Ann", 3, 1, 2), ("Bo", 1, 2, 3)]
    assert (books.pairs, books.labelled) == (6, 3)
    assert [(i.rows, i.imported, i.duplicates, i.rejected) for i in books.imports] == [(9, 6, 2, 1)]


def test_that_the_log_tells_what_happened_newest_first(app: Application) -> None:
    app.reviewers.add("Cleo")
    app.annotation.commit(
        app.annotation.next(app.annotation.open_queue(QueueSettings(1, 1)))[0].presentation_uid, tie()
    )
    newest, before = app.workspace.activity(2)
    assert (newest.op, newest.summary, newest.reviewer) == ("label.commit", "Tie on pair 1", "Ann")
    assert before.summary == "Added Cleo"
    assert app.workspace.activity(5, before_id=before.id) == []


def test_that_a_backup_can_be_restored_to_a_new_place_only(app: Application, tmp_path: Path) -> None:
    copy = app.workspace.backup()
    assert [b.path for b in backups_of(app.folder)] == [copy]
    elsewhere = app.workspace.backup(tmp_path / "copy.db")
    with pytest.raises(BadInput, match="exists already"):
        app.workspace.backup(elsewhere)
    with Application.open(restore(copy, tmp_path / "restored")) as again:
        assert again.workspace.info().counts["pairs"] == 6
        assert again.store.uuid == app.store.uuid
    with pytest.raises(BadInput, match="not an empty folder"):
        restore(copy, tmp_path / "restored")
    (tmp_path / "broken.db").write_bytes(b"nonsense")
    with pytest.raises(WorkspaceDamaged):
        restore(tmp_path / "broken.db", tmp_path / "other")


def test_that_preferences_travel_with_the_workspace(app: Application) -> None:
    assert app.workspace.setting("layout", "none") == "none"
    app.workspace.set_setting("layout", '"wide"')
    app.workspace.set_setting("layout", '"narrow"')
    app.close()
    with Application.open(app.folder, read_only=True) as again:
        assert again.workspace.setting("layout") == '"narrow"'
        with pytest.raises(UserError):
            again.workspace.set_setting("layout", "1")


def test_that_a_folder_can_be_asked_without_opening(app: Application, tmp_path: Path) -> None:
    assert is_workspace(app.folder)
    assert not is_workspace(tmp_path)


def test_that_reviewers_are_added_found_and_renamed(app: Application) -> None:
    bo = app.reviewers.add(" Bo ", note="second shift").value
    rule = app.reviewers.add("Aardvark rule", ReviewerKind.SCRIPTED).value
    assert [r.name for r in app.reviewers.list()] == ["Ann", "Bo", "Aardvark rule"], "people come first"
    assert app.reviewers.get(bo.id) == bo
    assert app.reviewers.find("BO") == bo
    assert app.reviewers.find("nobody") is None
    assert app.reviewers.rename(bo.id, "Bob").value.name == "Bob"
    assert app.reviewers.get(bo.id).note == "second shift"
    assert rule.kind is ReviewerKind.SCRIPTED


def test_that_reviewers_keep_their_names_apart(app: Application) -> None:
    for attempt in (
        lambda: app.reviewers.add("ann"),
        lambda: app.reviewers.add("  "),
        lambda: app.reviewers.rename(1, " "),
        lambda: app.reviewers.rename(app.reviewers.add("Bo").value.id, "ANN"),
    ):
        with pytest.raises(BadInput):
            attempt()
    for missing in (lambda: app.reviewers.get(9), lambda: app.reviewers.rename(9, "x")):
        with pytest.raises(NotFound):
            missing()


def test_that_a_person_is_never_taken_for_the_labels_of_a_file(app: Application) -> None:
    context = app.store.write_context()

    def ensure(name: str) -> str:
        return app.store.write(lambda s: reviewers.ensure(s, name, ReviewerKind.IMPORTED, context), "x").name

    assert ensure("Ann") == ensure("ann") == "Ann (imported)"
    assert ensure("") == "imported"


def test_that_labels_are_counted_by_who_made_them(app: Application) -> None:
    assert set(app.workspace.labels_by_kind().values()) == {0}
    rule = person(app.store, "rule", ReviewerKind.SCRIPTED)
    for reviewer_id, pairs in ((1, 1), (rule.id, 3)):
        queue = app.annotation.open_queue(QueueSettings(reviewer_id, 1))
        for shown in app.annotation.next(queue, pairs):
            app.annotation.commit(shown.presentation_uid, prefer(1))
    kinds = ReviewerKind
    assert app.workspace.labels_by_kind() == {kinds.HUMAN: 1, kinds.IMPORTED: 0, kinds.SCRIPTED: 3}
    app.annotation.undo(1)
    assert app.workspace.labels_by_kind()[kinds.HUMAN] == 0
