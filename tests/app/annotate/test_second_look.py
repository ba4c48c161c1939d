"""Judging a second time: a retest looks like any other pair, is stored apart and measures the flip rate."""

from __future__ import annotations

from PySide6.QtCore import Qt

from core.domain.judgement import Task
from tests.app.annotate.test_page import answer, labelling

__all__ = ["labelling"]


def test_that_a_retest_shows_an_own_label_again_and_counts_as_measurement(labelling, qtbot) -> None:
    running, page = labelling
    first = answer(qtbot, running, page, Qt.Key.Key_1)
    answer(qtbot, running, page, Qt.Key.Key_6)
    page.take_queue("retest")
    qtbot.waitUntil(lambda: page.desk.current is not None and page.desk.current.task is Task.RETEST)
    assert page.desk.current.pair_id == first.pair_id
    same = page.desk.current.left_is == first.left_is
    answer(qtbot, running, page, Qt.Key.Key_1 if same else Qt.Key.Key_7)
    report = running.context.services.datasets.label_noise()
    assert (report.counts.retests, report.counts.changed) == (1, 0)
