"""Samples over steps: the same prompt and seed side by side, the words that differ, length and KL."""

from __future__ import annotations

import math
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication

from app.runs.details import DetailTabs
from app.runs.sample_view import SampleView
from app.theme.theme import Theme
from core.domain.run_events import SampleDone
from tests.app.layout_audit import findings
from tests.app.test_layout import LAYOUT_TURNS

SAMPLES = tuple(
    SampleDone(step, pair, f"Question {pair}?", policy, "Turn the old valve to the right.", seed, kl)
    for step, pair, policy, seed, kl in (
        (0, "a", "Turn the old valve to the right.", 7, 0.0),
        (20, "a", "Turn the new valve to the right.", 7, 1.25),
        (20, "b", "All other words.", 8, None),
        (40, "a", "Turn the new valve to the left.", 7, 2.5),
    )
)


@pytest.fixture
def view(theme: Theme, qtbot: Any) -> SampleView:
    found = SampleView(theme)
    qtbot.addWidget(found)
    found.set_samples(SAMPLES, 20)
    return found


def test_that_a_prompt_is_shown_over_its_steps_beside_the_reference(view: SampleView) -> None:
    assert [view.prompt.itemText(i) for i in range(view.prompt.count())] == ["1. Question a?", "2. Question b?"]
    assert (view.at.text(), view.slider.maximum()) == ("step 40", 2)
    assert view.policy.text_shown == "Turn the new valve to the left."
    assert view.reference.text_shown == "Turn the old valve to the right."
    assert view.policy.mode == "diff"
    expected = "policy 7 words · reference 7 words · 25 % of the words differ"
    assert view.about.text() == f"{expected} · KL of this answer 2.500 nats (n 1, no interval)"
    view.slider.setValue(0)
    assert view.at.text() == "step 0" and "the same words" in view.about.text()
    view.show_step(30.0)
    assert (view.at.text(), view.policy.text_shown) == ("step 20", "Turn the new valve to the right.")
    view.show_step(math.nan)
    assert view.at.text() == "step 40"


def test_that_the_prompt_stays_while_new_samples_come_and_none_are_explained(view: SampleView, qtbot: Any) -> None:
    view.prompt.setCurrentIndex(1)
    view.prompt.activated.emit(1)
    assert view.policy.mode == "source", "where most words differ, marks do not help"
    assert "KL" not in view.about.text() and not view.slider.isEnabled()
    view.set_samples([*SAMPLES, SampleDone(40, "b", "Question b?", "New.", "Old.", 8, 1.0)], 20)
    assert view.prompt.currentIndex() == 1 and view.policy.text_shown == "New."
    view.prompt.setCurrentIndex(0)
    view.prompt.activated.emit(0)
    qtbot.mouseClick(view.differences, Qt.MouseButton.LeftButton, pos=view.differences.rect().center())
    view.differences.setChecked(False)
    assert view.policy.mode == "source"
    view.set_samples((), 20)
    assert view._none.text() == "No samples yet. They are drawn every 20 steps and at the end."
    view.set_samples((), 0)
    assert view._none.text() == "No samples are drawn."


@pytest.mark.parametrize("width", [420, 900])
def test_that_no_part_of_the_samples_lies_over_another_however_low_the_tabs_are(
    theme: Theme, qtbot: Any, width: int
) -> None:
    tabs = DetailTabs(theme)
    qtbot.addWidget(tabs)
    tabs.samples.set_samples(SAMPLES, 20)
    tabs.resize(width, 96)
    tabs.show()
    lowest = tabs.minimumHeight()
    tabs.setCurrentWidget(tabs.samples)
    for _ in range(LAYOUT_TURNS):
        QApplication.processEvents()
    assert findings(tabs.samples) == [] and tabs.height() > lowest
    tabs.setCurrentWidget(tabs.log)
    assert tabs.minimumHeight() == lowest
