"""Labelling again after the rubric changed in meaning: what changed is shown, the old label only afterwards."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Qt

from core.domain.judgement import screen_words
from core.domain.rubric import ChangeLevel


def test_that_what_changed_is_shown_and_the_earlier_label_only_after_the_new_one(labeling) -> None:
    session = labeling(pairs=3)
    services = session.context.services
    session.label(Qt.Key.Key_2)
    (earlier,) = services.annotation.recent(session.context.session.reviewer_id)
    draft = services.rubrics.new_draft(session.state.rubric.rubric_id).value
    first, *others = draft.body.criteria
    body = replace(draft.body, criteria=(replace(first, question=f"{first.question} In every step?"), *others))
    services.rubrics.save_draft(draft.id, body)
    services.rubrics.publish(draft.id, ChangeLevel.MAJOR, "Every step.")
    session.page.take_queue("stale")
    card = session.panel.changes
    session.reach(lambda: session.shown is not None and session.shown.changed is not None)
    assert card.isVisible() and "In every step?" in card.texts[0].toPlainText()
    assert "is hidden" in card.words and not session.panel.rows[0].changed.isHidden()
    now = session.shown
    session.press(Qt.Key.Key_6, Qt.Key.Key_Return)
    before = screen_words(earlier.draft, now.left_is)
    session.reach(lambda: session.bar.line == f"Pair {now.pair_id}: Right better now, {before} under 1.0.0")
    assert not card.isVisible()
