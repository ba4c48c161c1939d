"""Judging a second time: a retest looks like any other pair, is stored apart and measures the flip rate."""

from __future__ import annotations

from PySide6.QtCore import Qt

from core.domain.judgement import Task


def test_that_a_retest_shows_an_own_label_again_and_counts_as_measurement(labeling) -> None:
    session = labeling()
    first = session.label(Qt.Key.Key_1)
    session.label(Qt.Key.Key_6)
    session.page.take_queue("retest")
    session.reach(lambda: session.shown is not None and session.shown.task is Task.RETEST)
    assert session.shown.pair_id == first.pair_id
    same = session.shown.left_is == first.left_is
    session.label(Qt.Key.Key_1 if same else Qt.Key.Key_7)
    report = session.context.services.datasets.label_noise()
    assert (report.counts.retests, report.counts.changed) == (1, 0)
