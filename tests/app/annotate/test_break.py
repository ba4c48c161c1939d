"""A break is suggested after 25 minutes of labelling, by a line; nothing is held up."""

from __future__ import annotations

from PySide6.QtCore import Qt

from app.annotate.labelling_block import LabellingBlock


def test_that_a_break_is_suggested_after_the_time_of_the_settings_and_labelling_goes_on(labeling):
    session = labeling(pairs=4)
    session.context.settings.set("annotate.break_minutes", 5)
    now = [0.0]
    session.state.clock = lambda: now[0]

    def told():
        return [one for one in session.context.notices.kept if "labelled for" in one.text]

    for now[0] in (1000.0, 1200.0):
        session.label(Qt.Key.Key_1)
    assert not told()
    now[0] = 1300.0
    session.label(Qt.Key.Key_1)
    (notice,) = told()
    assert notice.text == "You have labelled for 5 minutes." and session.shown is not None
    notice.run()
    assert session.state.paused
    assert len(session.labels()) == 3


def test_that_a_break_another_person_or_no_wish_begin_anew():
    block = LabellingBlock()
    assert not block.is_break_due(1, 0, 5) and not block.is_break_due(2, 299, 5) and not block.is_break_due(2, 400, 5)
    assert block.is_break_due(2, 599, 5) and not block.is_break_due(2, 600, 5)
    assert not block.is_break_due(2, 900, 5), "five minutes without a label are a break"
    assert not block.is_break_due(2, 1190, 0) and not block.is_break_due(2, 1480, 0)
