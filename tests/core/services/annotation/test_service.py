"""Labelling: queues, commits, undo and redo, drafts, skips; also across a restart."""

from __future__ import annotations

import random
import sqlite3
import threading
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from core.domain.changes import Changes
from core.domain.errors import BadInput, ImmutableError, NotFound, UserError
from core.domain.judgement import JudgementDraft, ReviewerKind, Task, Verdict, from_screen
from core.domain.rubric import ChangeLevel
from core.services.annotation.service import AnnotationService, PresentationView, QueueInfo, QueueSettings
from core.services.annotation.views import step_label
from core.services.application import Application
from tests.fakes.drafts import stored_draft
from tests.fakes.workspaces import BODY, fill, opened, person, prefer, tie

ANN, VERSION = 1, 1


@pytest.fixture
def app(tmp_path: Path):
    """A workspace of six pairs, one reviewer and one published rubric."""
    with opened(tmp_path / "ws") as app:
        yield app


def start(app: Application, **values: object) -> QueueInfo:
    """Open Ann's queue."""
    return app.annotation.open_queue(QueueSettings(ANN, VERSION, **values))  # type: ignore[arg-type]


def one(app: Application, queue: QueueInfo) -> PresentationView:
    """Return the next presentation."""
    (shown,) = app.annotation.next(queue)
    return shown


def current(app: Application) -> dict[int, str]:
    """Return pair id -> the verdict that counts."""
    return {j.pair_id: (j.draft.verdict if j.draft else "") for j in app.annotation.recent(ANN, 100)}


def rows(app: Application, query: str) -> list[tuple[object, ...]]:
    """Return rows as a bystander reads them."""
    with closing(sqlite3.connect(app.store.path)) as raw:
        return raw.execute(query).fetchall()


def reopened(app: Application) -> Application:
    """Close the workspace and open it again."""
    app.close()
    return Application.open(app.folder)


def test_that_a_queue_shows_every_pair_once_in_order(app: Application) -> None:
    queue = start(app)
    shown = [*app.annotation.next(queue, 2), *app.annotation.next(queue, 9)]
    assert [s.pair_id for s in shown] == [1, 2, 3, 4, 5, 6]
    assert [s.position for s in shown] == [1, 2, 3, 4, 5, 6]
    assert {s.total for s in shown} == {6}
    assert app.annotation.next(queue) == []


def test_that_texts_stand_on_the_side_that_was_drawn(app: Application) -> None:
    for shown in app.annotation.next(start(app), 6):
        (texts,) = rows(app, f"SELECT a_text, b_text FROM pair WHERE id={shown.pair_id}")
        left, right = texts if shown.left_is == "A" else (texts[1], texts[0])
        assert (shown.left, shown.right) == (left, right)


def test_that_sides_are_drawn_evenly(tmp_path: Path) -> None:
    with opened(tmp_path / "ws", pairs=200) as app:
        service = AnnotationService(app.store, random.Random(1))
        left = sum(s.left_is == "A" for s in service.next(service.open_queue(QueueSettings(ANN, VERSION)), 200))
    assert 80 < left < 120


def test_that_prefetched_pairs_leave_no_trace_until_shown(app: Application) -> None:
    shown = app.annotation.next(start(app), 3)
    assert rows(app, "SELECT count(*) FROM presentation") == [(0,)]
    app.annotation.mark_presented(shown[0].presentation_uid)
    app.annotation.save_draft(shown[1].presentation_uid, {"strength": 2})
    assert rows(app, "SELECT pair_id, left_is FROM presentation ORDER BY id") == [
        (s.pair_id, s.left_is) for s in shown[:2]
    ]


def test_that_a_commit_is_in_the_file_when_it_returns(app: Application) -> None:
    queue = start(app)
    shown = one(app, queue)
    draft = prefer(
        from_screen(-3, shown.left_is),
        criteria={"help": -2},
        rationale="clearer",
        flags=("pii",),
        confidence=2,
        spans=({"side": "A", "start": 0, "end": 3, "tag": "error", "note": ""},),
        edit="better text",
        process={"active_ms": 1234},
    )
    outcome = app.annotation.commit(shown.presentation_uid, draft)
    assert rows(app, "SELECT count(*) FROM judgement") == [(1,)]
    assert outcome.value.draft == draft
    assert outcome.value.left_is == shown.left_is
    assert outcome.value.rubric_title == "Helpful 1.0.0"
    assert outcome.value.current
    assert outcome.changes == Changes.JUDGEMENTS | Changes.PAIRS
    assert outcome.undo_label == "Left much better on pair 1"
    assert rows(app, "SELECT app_version<>'', session<>'' FROM judgement") == [(1, 1)]


def test_that_a_mark_is_checked_when_it_is_stored_and_never_when_it_is_read(app: Application) -> None:
    shown = one(app, start(app))
    odd: dict[str, Any] = {"side": "A", "start": 0, "end": 3, "tag": "ugly", "note": ""}
    with pytest.raises(BadInput, match="Unknown tag of a span"):
        app.annotation.commit(shown.presentation_uid, prefer(1, spans=(odd,)))
    key = app.annotation.commit(shown.presentation_uid, prefer(1)).value.id
    with pytest.raises(BadInput, match="Unknown tag of a span"):
        app.annotation.amend(key, prefer(2, spans=(odd,)))
    with pytest.MonkeyPatch.context() as earlier:  # a version that took whatever it was given
        earlier.setattr("core.store.judgements.check_spans", lambda _: None)
        app.annotation.amend(key, prefer(2, spans=(odd,)))
    (kept,) = [j.draft for j in app.pairs.detail(shown.pair_id).judgements if j.current]
    assert kept is not None
    assert kept.spans == (odd,)


@pytest.mark.parametrize("left_is", ["A", "B"])
@pytest.mark.parametrize("key", [1, 2, 3, 5, 6, 7])
def test_that_each_key_on_each_side_comes_back_as_it_was_pressed(tmp_path: Path, key: int, left_is: str) -> None:
    class Coin(random.Random):
        def random(self) -> float:
            return 0.0 if left_is == "A" else 0.9

    with opened(tmp_path / "ws") as app:
        service = AnnotationService(app.store, Coin())
        (shown,) = service.next(service.open_queue(QueueSettings(ANN, VERSION)))
        assert shown.left_is == left_is
        stored = service.commit(shown.presentation_uid, prefer(from_screen(key - 4, shown.left_is))).value
        assert stored.draft is not None
        preferred = shown.left if key < 4 else shown.right
        (texts,) = rows(app, "SELECT a_text, b_text FROM pair WHERE id=1")
        assert texts["AB".index(stored.draft.preferred or "?")] == preferred
        assert abs(stored.draft.strength or 0) == abs(key - 4)


def test_that_a_second_commit_of_a_presentation_changes_nothing(app: Application) -> None:
    shown = one(app, start(app))
    first = app.annotation.commit(shown.presentation_uid, prefer(-3))
    again = app.annotation.commit(shown.presentation_uid, prefer(3))
    assert again.value == first.value
    assert again.changes == Changes.NOTHING
    assert rows(app, "SELECT count(*) FROM judgement") == [(1,)]
    assert app.annotation.undo(ANN).value is not None
    assert app.annotation.undo(ANN).value is None


def test_that_commits_of_one_presentation_from_many_threads_store_one_label(app: Application) -> None:
    shown = one(app, start(app))
    stored: list[int] = []
    threads = [
        threading.Thread(
            target=lambda s=s: stored.append(app.annotation.commit(shown.presentation_uid, prefer(s)).value.id)
        )
        for s in (-3, -2, -1, 1, 2, 3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert stored == [1] * 6
    assert rows(app, "SELECT count(*) FROM judgement") == [(1,)]


def test_that_an_unknown_presentation_is_refused(app: Application) -> None:
    with pytest.raises(NotFound, match="nothing was saved"):
        app.annotation.commit("f" * 32, tie())


def test_that_undo_brings_the_pair_back_with_its_sides_and_answer(app: Application) -> None:
    queue = start(app)
    shown = one(app, queue)
    app.annotation.commit(shown.presentation_uid, prefer(-2, rationale="why"))
    step = app.annotation.undo(ANN).value
    assert step is not None
    assert step.presentation is not None
    assert (step.presentation.pair_id, step.presentation.left_is) == (shown.pair_id, shown.left_is)
    assert step.presentation.answer == prefer(-2, rationale="why")
    assert step.presentation.presentation_uid != shown.presentation_uid
    assert current(app) == {}
    assert app.annotation.progress(queue).done == 0
    app.annotation.commit(step.presentation.presentation_uid, tie())
    assert current(app) == {1: Verdict.TIE}
    assert app.annotation.progress(queue).done == 1
    assert rows(app, "SELECT kind, op, supersedes FROM judgement ORDER BY id") == [
        ("label", "commit", None),
        ("retract", "undo", 1),
        ("label", "commit", 2),
    ]


def test_that_undo_restores_the_superseded_verdict(app: Application) -> None:
    shown = one(app, start(app))
    first = app.annotation.commit(shown.presentation_uid, prefer(-2, rationale="first")).value
    app.annotation.amend(first.id, tie())
    assert current(app) == {1: Verdict.TIE}
    assert app.annotation.undo_label(ANN) == "Tie on pair 1, amended"
    step = app.annotation.undo(ANN).value
    assert step is not None
    assert step.presentation is None
    assert app.annotation.recent(ANN)[0].draft == prefer(-2, rationale="first")
    app.annotation.redo(ANN)
    assert current(app) == {1: Verdict.TIE}


def test_that_undo_and_redo_walk_through_everything_and_survive_restarts(app: Application) -> None:
    queue = start(app)
    drafts = [prefer(-3), tie(), prefer(2), JudgementDraft(Verdict.NEITHER)]
    for draft in drafts:
        app.annotation.commit(one(app, queue).presentation_uid, draft)
    app.annotation.skip(one(app, queue).presentation_uid)
    states = [current(app)]
    while app.annotation.undo_label(ANN):
        app = reopened(app)
        app.annotation.undo(ANN)
        states.append(current(app))
    assert [len(s) for s in states] == [4, 4, 3, 2, 1, 0]
    for expected in reversed(states[:-1]):
        app = reopened(app)
        app.annotation.redo(ANN)
        assert current(app) == expected
    assert app.annotation.redo(ANN).value is None
    assert app.workspace.check().ok
    app.close()


def test_that_a_new_label_ends_redo(app: Application) -> None:
    queue = start(app)
    app.annotation.commit(one(app, queue).presentation_uid, tie())
    app.annotation.undo(ANN)
    assert app.annotation.redo_label(ANN)
    app.annotation.commit(one(app, queue).presentation_uid, tie())
    assert app.annotation.redo_label(ANN) == ""
    assert app.annotation.redo(ANN).value is None


def test_that_each_reviewer_undoes_their_own_steps_only(app: Application) -> None:
    bo = person(app.store, "Bo")
    app.annotation.commit(one(app, start(app)).presentation_uid, tie())
    other = app.annotation.open_queue(QueueSettings(bo.id, VERSION))
    app.annotation.commit(one(app, other).presentation_uid, prefer(1))
    app.annotation.undo(bo.id)
    assert len(current(app)) == 1
    assert app.annotation.undo(bo.id).value is None


def freeze(app: Application, judgement_id: int) -> None:
    """Freeze a dataset version that stands on one judgement."""

    def job(session):
        run = session.connection().exec_driver_sql
        run("INSERT INTO dataset(id,uid,name,number,state,policy,created_ms) VALUES(1,'u','set',2,'open','{}',1)")
        run("INSERT INTO dataset_item VALUES(1,0,1,'train','A',1.0,1.0,1.0,0)")
        run("INSERT INTO dataset_item_judgement VALUES(1,0,?)", (judgement_id,))
        run("UPDATE dataset SET state='frozen', root_sha256=?", ("0" * 64,))

    app.store.write(job, "freezing")


def test_that_a_frozen_label_is_not_taken_back_but_can_be_amended(app: Application) -> None:
    stored = app.annotation.commit(one(app, start(app)).presentation_uid, prefer(-2)).value
    freeze(app, stored.id)
    with pytest.raises(ImmutableError, match="set v2, which is frozen") as caught:
        app.annotation.undo(ANN)
    assert "Amend" in caught.value.hint
    assert current(app) == {1: Verdict.PREFER}
    app.annotation.amend(stored.id, tie())
    app.annotation.undo(ANN)
    with pytest.raises(ImmutableError):
        app.annotation.undo(ANN)
    assert app.annotation.recent(ANN)[0].draft == prefer(-2)


def test_that_only_the_answer_that_counts_can_be_amended(app: Application) -> None:
    first = app.annotation.commit(one(app, start(app)).presentation_uid, prefer(-2)).value
    with pytest.raises(BadInput, match="the same as before"):
        app.annotation.amend(first.id, prefer(-2))
    app.annotation.amend(first.id, tie())
    with pytest.raises(BadInput, match="replaced or taken back"):
        app.annotation.amend(first.id, prefer(3))


def test_that_an_edit_needs_a_preferred_response(app: Application) -> None:
    shown = one(app, start(app))
    with pytest.raises(BadInput, match="preferred"):
        app.annotation.commit(shown.presentation_uid, JudgementDraft(Verdict.TIE, edit="x"))
    assert rows(app, "SELECT count(*) FROM presentation") == [(0,)]


def test_that_an_earlier_presentation_comes_back_as_it_was(app: Application) -> None:
    shown = one(app, start(app))
    stored = app.annotation.commit(shown.presentation_uid, prefer(1)).value
    again = app.annotation.presentation_of(stored.id)
    assert (again.left, again.right, again.left_is) == (shown.left, shown.right, shown.left_is)
    assert again.answer == prefer(1)


def test_that_an_open_presentation_and_its_draft_come_back_after_a_restart(app: Application) -> None:
    app.annotation.commit(one(app, queue := start(app)).presentation_uid, tie())
    shown = one(app, queue)
    app.annotation.save_draft(shown.presentation_uid, {"strength": -1})
    app.annotation.save_draft(shown.presentation_uid, {"strength": -2, "rationale": "half a sen"})
    app = reopened(app)
    back = one(app, start(app))
    assert back.presentation_uid == shown.presentation_uid
    assert back.left_is == shown.left_is
    assert back.draft == {"strength": -2, "rationale": "half a sen"}
    assert stored_draft(app.store, shown.presentation_uid) == back.draft
    app.annotation.commit(back.presentation_uid, prefer(-2))
    assert stored_draft(app.store, shown.presentation_uid) is None
    app.annotation.save_draft(back.presentation_uid, {"late": 1})
    assert stored_draft(app.store, back.presentation_uid) is None, "a draft after the commit has nothing to wait for"
    app.close()


def test_that_skipped_pairs_wait_and_can_be_revisited(app: Application) -> None:
    queue = start(app)
    shown = one(app, queue)
    outcome = app.annotation.skip(shown.presentation_uid, "later")
    assert outcome.undo_label == "Put pair 1 aside"
    assert app.annotation.skip(shown.presentation_uid).changes == Changes.NOTHING
    progress = app.annotation.progress(queue)
    assert (progress.done, progress.skipped, progress.remaining) == (0, 1, 5)
    assert [s.pair_id for s in app.annotation.next(start(app), 9)] == [2, 3, 4, 5, 6]
    assert [s.pair_id for s in app.annotation.next(start(app, revisit_skipped=True), 9)] == [1, 2, 3, 4, 5, 6]
    step = app.annotation.undo(ANN).value
    assert step is not None
    assert step.kind == "skip"
    assert [s.pair_id for s in app.annotation.next(start(app), 1)] == [1]
    app.annotation.redo(ANN)
    assert [s.pair_id for s in app.annotation.next(start(app), 1)] == [2]


def test_that_what_is_put_aside_in_one_task_is_not_put_aside_in_another(app: Application) -> None:
    shown = one(app, start(app))
    app.annotation.commit(shown.presentation_uid, prefer(1))
    app.annotation.skip(one(app, start(app, task=Task.RETEST)).presentation_uid)
    assert app.annotation.next(start(app, task=Task.RETEST)) == []
    assert app.annotation.undo(ANN).value is not None
    assert app.annotation.undo(ANN).value is not None
    app.annotation.skip(one(app, start(app)).presentation_uid)
    app.annotation.commit(one(app, start(app, revisit_skipped=True)).presentation_uid, prefer(1))
    assert one(app, start(app, task=Task.RETEST)).pair_id == shown.pair_id


def test_that_a_shuffled_queue_comes_back_in_the_same_order(app: Application) -> None:
    def order(seed: int) -> list[int]:
        return [s.pair_id for s in app.annotation.next(start(app, order="random", seed=seed), 9)]

    assert order(3) == order(3)
    assert sorted(order(3)) == [1, 2, 3, 4, 5, 6]
    assert order(3) != order(4)
    assert [s.pair_id for s in app.annotation.next(start(app, order="newest", limit=2), 9)] == [6, 5]


def test_that_labels_of_a_compatible_version_count_and_a_major_change_asks_again(app: Application) -> None:
    first = start(app)
    for _ in range(2):
        app.annotation.commit(one(app, first).presentation_uid, tie())

    def publish(level: ChangeLevel, words: str) -> int:
        draft = app.rubrics.new_draft(1).value
        app.rubrics.save_draft(draft.id, type(BODY)(purpose=words, criteria=BODY.criteria))
        return app.rubrics.publish(draft.id, level, "says more").value.id

    minor = publish(ChangeLevel.MINOR, "clearer")
    assert app.annotation.open_queue(QueueSettings(ANN, minor)).done == 2
    major = publish(ChangeLevel.MAJOR, "something else")
    assert app.annotation.open_queue(QueueSettings(ANN, major)).done == 0
    assert app.rubrics.stale(major) == 2
    relabel = app.annotation.open_queue(QueueSettings(ANN, major, task=Task.RELABEL))
    shown = app.annotation.next(relabel, 9)
    assert [s.pair_id for s in shown] == [1, 2]
    app.annotation.commit(shown[0].presentation_uid, prefer(1))
    assert app.rubrics.stale(major) == 1
    assert app.annotation.progress(relabel).remaining == 1


def test_that_labelled_pairs_are_counted_for_people_and_for_one_reviewer(app: Application) -> None:
    queue = start(app)
    for shown in app.annotation.next(queue, 2):
        app.annotation.commit(shown.presentation_uid, prefer(1))
    rule = person(app.store, "rule", ReviewerKind.SCRIPTED)
    theirs = app.annotation.open_queue(QueueSettings(rule.id, VERSION))
    for shown in app.annotation.next(theirs, 6):
        app.annotation.commit(shown.presentation_uid, prefer(1))
    bo = person(app.store, "Bo")
    assert app.workspace.info().counts["labelled"] == 6
    assert app.annotation.labelled_pairs() == 2
    assert [app.annotation.labelled_pairs(key, VERSION) for key in (ANN, rule.id, bo.id)] == [2, 6, 0]


def test_that_pairs_labelled_enough_by_others_are_left_out(app: Application) -> None:
    bo = person(app.store, "Bo")
    mine = start(app, labels_per_pair=1)
    for _ in range(3):
        app.annotation.commit(one(app, mine).presentation_uid, tie())
    theirs = app.annotation.open_queue(QueueSettings(bo.id, VERSION, labels_per_pair=1))
    assert theirs.total == 3
    both = app.annotation.open_queue(QueueSettings(bo.id, VERSION, labels_per_pair=1, overlap_share=1.0))
    assert both.total == 6
    app.annotation.next(theirs, 1)
    app.annotation.commit(one(app, mine).presentation_uid, tie())
    app.annotation.commit(one(app, mine).presentation_uid, tie())
    assert [s.pair_id for s in app.annotation.next(theirs, 9)] == [6], "labels made meanwhile count at once"


def test_that_drafts_of_rubrics_cannot_be_labelled_under(app: Application) -> None:
    draft = app.rubrics.new_draft(1).value
    with pytest.raises(BadInput, match="published"):
        app.annotation.open_queue(QueueSettings(ANN, draft.id))
    with pytest.raises(NotFound):
        app.annotation.open_queue(QueueSettings(99, VERSION))


def test_that_settings_that_make_no_sense_are_refused() -> None:
    for values in ({"order": "best"}, {"task": Task.IMPORTED}, {"overlap_share": 2.0}):
        with pytest.raises(BadInput):
            QueueSettings(ANN, VERSION, **values)  # type: ignore[arg-type]


def test_that_progress_tells_today_and_pace(app: Application) -> None:
    queue = start(app)
    assert app.annotation.progress(queue).seconds_per_pair is None
    for ms in (1000, 5000, 3000):
        app.annotation.commit(one(app, queue).presentation_uid, JudgementDraft(Verdict.TIE, process={"active_ms": ms}))
    progress = app.annotation.progress(queue)
    assert (progress.done, progress.total, progress.today, progress.seconds_per_pair) == (3, 6, 3, 3.0)
    app.annotation.undo(ANN)
    assert app.annotation.progress(queue).today == 2


def test_that_the_last_ten_decisions_are_the_ones_that_count(app: Application) -> None:
    fill(app.store, 8, "more")
    queue = start(app)
    for _ in range(12):
        app.annotation.commit(one(app, queue).presentation_uid, tie())
    app.annotation.undo(ANN)
    assert [j.pair_id for j in app.annotation.recent(ANN)] == list(range(11, 1, -1))


def test_that_bookmarks_are_kept_and_taken_away(app: Application) -> None:
    app.annotation.bookmark(ANN, 3, note="odd")
    app.annotation.bookmark(ANN, 3, note="very odd")
    app.annotation.bookmark(ANN, 5)
    assert dict(app.annotation.bookmarks(ANN)) == {3: "very odd", 5: ""}
    app.annotation.bookmark(ANN, 3, on=False)
    assert app.annotation.bookmarks(ANN) == [(5, "")]


def test_that_a_closed_queue_is_gone_with_its_presentations(app: Application) -> None:
    queue = start(app)
    shown = one(app, queue)
    app.annotation.close_queue(queue)
    with pytest.raises(NotFound, match="closed"):
        app.annotation.next(queue)
    with pytest.raises(NotFound):
        app.annotation.commit(shown.presentation_uid, tie())


def test_that_a_read_only_workspace_shows_but_does_not_label(app: Application) -> None:
    with Application.open(app.folder, read_only=True) as reader:
        shown = one(reader, start(reader))
        with pytest.raises(UserError, match="reading only"):
            reader.annotation.commit(shown.presentation_uid, tie())


def test_that_a_pair_freed_by_undo_is_not_lost_behind_the_cursor(app: Application) -> None:
    queue = start(app)
    shown = app.annotation.next(queue, 6)
    app.annotation.commit(shown[0].presentation_uid, tie())
    app.annotation.undo(ANN)
    app.annotation.close_queue(queue)
    assert [s.pair_id for s in app.annotation.next(start(app), 9)] == [1, 2, 3, 4, 5, 6]


def test_that_steps_are_named_as_the_reviewer_saw_them() -> None:
    assert step_label("label", 4, prefer(-1), "B") == "Right slightly better on pair 4"
    assert step_label("label", 4, JudgementDraft(Verdict.NEITHER), "B") == "Neither valid on pair 4"
    assert step_label("amend", 4, prefer(2), "B") == "Left better on pair 4, amended"


def test_that_an_answer_to_a_clause_of_another_rubric_is_refused(app: Application) -> None:
    queue = start(app)
    first, second = app.annotation.next(queue, 2)
    with pytest.raises(BadInput, match="other"):
        app.annotation.commit(first.presentation_uid, prefer(1, criteria={"other": 1}))
    label = app.annotation.commit(second.presentation_uid, prefer(1, criteria={"help": 1})).value
    with pytest.raises(BadInput, match="other"):
        app.annotation.amend(label.id, prefer(2, criteria={"help": 1, "other": 1}))
    assert rows(app, "SELECT count(*) FROM judgement") == [(1,)]


def test_that_a_presentation_is_still_known_after_its_queue_was_closed(app: Application) -> None:
    queue = start(app)
    kept, dropped = app.annotation.next(queue, 2)
    app.annotation.close_queue(queue, (kept.presentation_uid,))
    app.annotation.commit(kept.presentation_uid, tie())
    with pytest.raises(NotFound):
        app.annotation.commit(dropped.presentation_uid, tie())
