"""A batch can be chosen in the window, and a desk opens its own."""

from __future__ import annotations

from pathlib import Path

from app.annotate.queue_choice import OpenSlots, QueueChoice, open_queue, read_queues
from core.domain.batch import BatchPolicy
from core.services.application import Application
from core.services.bundles.desk import open_desk
from tests.fakes.workspaces import opened, prefer


def test_that_a_batch_is_offered_and_opened_and_a_desk_opens_its_own(tmp_path: Path) -> None:
    with opened(tmp_path / "ws", 4) as app:
        made = app.batches.create("June", 1, BatchPolicy((1,), limit=3, gold_share=0)).value
        assert list(read_queues(app, 1).batches) == [OpenSlots(made.id, "June", 3)]
        found = open_queue(app, QueueChoice().of_batch(made.id, "June"), 1)
        assert found.queue is not None and (found.queue.total, len(found.first)) == (3, 3)
        app.annotation.commit(found.first[0].presentation_uid, prefer(1))
        assert read_queues(app, 1).batches[0].waiting == 2
        app.bundles.export(made.id, 1, tmp_path / "b")
        assert list(read_queues(app, 1).batches) == [], "its slots are away"
    open_desk(tmp_path / "b", tmp_path / "desk")
    with Application.open(tmp_path / "desk") as app:
        found = open_queue(app, QueueChoice(), 1)
        assert found.queue is not None and found.queue.settings.batch == 1 and found.queue.total == 2
