"""Pairs on a desk: under a rubric version of another meaning they are labelled here."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.domain.batch import BatchPolicy
from core.domain.errors import BadInput
from core.domain.judgement import Task
from core.domain.rubric import ChangeLevel, Criterion, RubricBody
from core.services.annotation.views import QueueSettings
from core.services.application import Application
from core.services.bundles.desk import open_desk
from tests.fakes.workspaces import opened, prefer


def test_that_labels_of_a_desk_are_renewed_here_after_a_major_version(tmp_path: Path) -> None:
    with opened(tmp_path / "home", 3) as app:
        app.batches.create("June", 1, BatchPolicy((1,), gold_share=0, retest_share=0))
        early = app.annotation.next(app.annotation.open_queue(QueueSettings(1, 1)))[0]
        open_desk(app.bundles.export(1, 1, tmp_path / "ann.work").value.path, tmp_path / "desk")
        with Application.open(tmp_path / "desk") as desk:
            queue = desk.annotation.open_queue(desk.batches.queue(1, 1))
            for shown in desk.annotation.next(queue, 2):
                desk.annotation.commit(shown.presentation_uid, prefer(2, criteria={"help": 2}))
            desk.bundles.send_back(tmp_path / "ann.return")
        app.bundles.merge([tmp_path / "ann.return"])
        draft = app.rubrics.new_draft(1).value
        app.rubrics.save_draft(draft.id, RubricBody("p", (Criterion("help", "Helpful", "Which solves it?"),)))
        second = app.rubrics.publish(draft.id, ChangeLevel.MAJOR, "Said anew").value
        again = app.annotation.open_queue(QueueSettings(1, second.id, task=Task.RELABEL))
        assert again.total == 2
        for shown in app.annotation.next(again, 2):
            app.annotation.commit(shown.presentation_uid, prefer(1, criteria={"help": 1}))
        assert app.rubrics.stale(second.id) == 0
        # Under the meaning of the batch the desk still answers alone.
        assert app.annotation.open_queue(QueueSettings(1, 1)).total == 2
        left = [one for one in app.pairs.ids() if one == early.pair_id]
        with pytest.raises(BadInput, match="labelled on that desk"):
            app.annotation.commit(early.presentation_uid, prefer(1))
        assert left
