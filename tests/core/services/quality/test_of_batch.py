"""Agreement, figures and clauses of one batch: only what was given in its slots."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.domain.batch import BatchPolicy
from core.services.application import Application
from tests.fakes.workspaces import opened, person, prefer


def work(app: Application, batch: int, who: int, strength: int) -> None:
    """Answer all slots of a reviewer by one strength."""
    queue = app.annotation.open_queue(app.batches.queue(batch, who))
    while shown := app.annotation.next(queue):
        draft = prefer(strength, criteria={"help": strength})
        app.annotation.commit(shown[0].presentation_uid, draft)


def test_that_a_batch_is_measured_apart_and_stands_among_the_groups(tmp_path: Path) -> None:
    with opened(tmp_path / "ws", 10) as app:
        bo = person(app.store, "Bo").id
        made = []
        for name, sign in (("alike", 2), ("apart", -2)):
            policy = BatchPolicy((1, bo), limit=4, second_share=1.0, gold_share=0, retest_share=0)
            made.append(app.batches.create(name, 1, policy).value.id)
            work(app, made[-1], 1, 2)
            work(app, made[-1], bo, sign)
        whole = app.quality.report()
        assert whole.everything is not None and (whole.everything.labels, whole.everything.items) == (16, 8)
        assert whole.everything.measures["percent"].value == pytest.approx(0.5)
        groups = {name: one.measures["percent"].value for name, one in whole.groups["batch"].items()}
        assert groups == {"alike": 1.0, "apart": 0.0}
        apart = app.quality.team(batch_id=made[1])
        assert apart.quality.everything is not None and apart.quality.everything.items == 4
        assert apart.quality.everything.measures["percent"].value == 0.0 and len(apart.quality.disagreed) == 4
        assert {one.name: one.labels for one in apart.quality.reviewers} == {"Ann": 4, "Bo": 4}
        assert [row.versions[0].agreement.items for row in apart.boards[0].rows] == [4, 4]
        assert app.quality.team(batch_id=made[1]) is apart and app.quality.report() is whole
        app.annotation.undo(bo)
        again = app.quality.report(made[1]).everything
        assert again is not None and again.items == 3
