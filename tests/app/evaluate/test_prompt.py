"""One prompt under both models in the window: answers as they come, tokens by keys, near pairs, errors and Cancel."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.evaluate import prompt_figures as figures
from core.domain.errors import UserError
from core.domain.estimate import Estimate
from core.domain.prompt_inspection import (
    ONE_PROMPT,
    InspectedAnswer,
    InspectedToken,
    InspectionRequest,
    LikelyToken,
    NearPair,
    PromptInspection,
)
from core.runs.child_processes.request import Cancelled
from tests.app.evaluate.fakes import finish, make_evaluation, make_run, suites
from tests.app.evaluate.test_judge import in_tab_order
from tests.app.evaluate.test_page import shown
from tests.app.evaluate.test_releases import answered
from tests.app.layout_audit import findings

Build = Callable[..., Any]


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    workspace = tmp_path_factory.mktemp("prompt") / "ws"
    make_run(workspace)
    finish(make_evaluation(workspace, 1, made=suites(3)[:1]))
    return workspace


def token(text: str, policy: float, reference: float) -> InspectedToken:
    likely = (LikelyToken(text, policy, reference), LikelyToken(" other", -2.0, -1.5))
    return InspectedToken(text, policy, reference, 1, 3, 0.5, 0.75, 0.25, likely)


def answer(name: str, author: Any, *changes: float) -> InspectedAnswer:
    tokens = tuple(token(f" word{n}", -3.0 + change, -3.0) for n, change in enumerate(changes))
    return InspectedAnswer(name, author, "".join(one.text for one in tokens), tokens, True)


ANSWERS = (answer("chosen", "given", 0.5, -0.25, 2.0), answer("sample 1", "policy", 0.0))


def found_of(request: InspectionRequest) -> PromptInspection:
    assert request.prompt is not None
    return PromptInspection(
        {"run_id": "r1"}, 0.1, request.prompt, 64, "temperature 1", ANSWERS,
        Estimate(1.5, 1.0, 2.0, 2, "nats", "mean of samples"), (NearPair("3", 0.75, "How?", "So.", "No."),), 20,
    )  # fmt: skip


def test_that_an_item_is_looked_at_token_by_token_and_leads_to_its_near_pairs(
    main_window: Build, measured: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = main_window(workspace=measured, size=(1280, 800))
    page, asked = shown(running, 1), list[InspectionRequest]()
    page.tabs.setCurrentWidget(page.tabs.items)
    running.qtbot.waitUntil(lambda: page.tabs.items.panel.row is not None)

    def inspect(request: InspectionRequest, *, on_progress: Any, on_answer: Any, cancelled: Any) -> PromptInspection:
        asked.append(request)
        if len(asked) == 1:
            raise UserError("The model is gone.", "Put its folder back.")
        on_progress(0, 3, "Loading the models")
        for one in ANSWERS:
            on_answer(one)
        return found_of(request)

    monkeypatch.setattr(running.context.services.prompts, "inspect", inspect)

    def look(dialog: Any) -> None:
        assert dialog.prompt.text_shown == "How do I keep bicycle 0 in order?"
        assert "Press Look" in dialog.card.missing.text() and not dialog._one.isVisible()
        parts = (
            dialog.samples,
            dialog.tokens,
            dialog.strip,
            dialog.answer,
            dialog.likely,
            dialog.nearest,
            dialog.start,
        )
        assert in_tab_order(dialog, parts)
        dialog.samples.setValue(1)
        QTest.keyClick(dialog.samples, Qt.Key.Key_Return)
        running.qtbot.waitUntil(lambda: dialog.error.text() == "The model is gone. Put its folder back.")
        QTest.keyClick(dialog.start, Qt.Key.Key_Return)
        running.qtbot.waitUntil(lambda: dialog.found is not None)
        running.settle()
        assert asked[1].samples == 1 and asked[1].settings["max_new_tokens"] == 64 and asked[1].run == "r1"
        assert [one.name for one in asked[1].given] == [
            "chosen",
            "rejected",
            "answer of reference",
            "answer of aligned",
        ]
        assert [dialog.answer.itemText(n) for n in range(2)] == [
            "chosen: +2.25 nats", "sample 1 of the policy: 0.00 nats",
        ]  # fmt: skip
        assert dialog.token.text().startswith("Token 3 ·word2: log π −1.00 (rank 1), log ref −3.00 (rank 3)")
        assert dialog.likely.rows[1].cells == ("·other", "−2.00", "−1.50", "−0.50")
        assert "displacement +2.25 nats (implicit reward +0.23 at β 0.1)" in dialog.card.about.text()
        assert ONE_PROMPT in dialog.notes.text() and "n 2" in dialog.notes.text()
        dialog.strip.setFocus()
        QTest.keyClick(dialog.strip, Qt.Key.Key_Right)
        assert dialog.strip.current == 0 and dialog.token.text().startswith("Token 1 ")
        QTest.keyClick(dialog.as_table, Qt.Key.Key_Space)
        assert dialog.card.table.isVisible() and dialog.card.values().count("\n") == 4
        dialog.card.table.setCurrentCell(1, 0)
        assert dialog.token.text().startswith("Token 2 ")
        assert findings(dialog) == []
        dialog.nearest.setFocus()
        dialog.nearest.setCurrentCell(0, 0)
        QTest.keyClick(dialog.nearest, Qt.Key.Key_Return)

    answered(running, "evaluate.inspect", look)
    running.settle()
    assert running.window.page("data").isVisible()


def test_that_cancel_ends_a_look_and_another_can_begin(
    main_window: Build, measured: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    running = main_window(workspace=measured, size=(1280, 800))
    page, begun = shown(running, 1), threading.Event()
    page.tabs.setCurrentWidget(page.tabs.items)
    running.qtbot.waitUntil(lambda: page.tabs.items.panel.row is not None)
    stopped = threading.Event()

    def inspect(request: InspectionRequest, *, on_progress: Any, on_answer: Any, cancelled: Any) -> PromptInspection:
        if begun.is_set():
            return found_of(request)
        begun.set()
        while not cancelled():
            stopped.wait(0.01)
        raise Cancelled("It was cancelled.")

    monkeypatch.setattr(running.context.services.prompts, "inspect", inspect)

    def look(dialog: Any) -> None:
        dialog.start.click()
        running.qtbot.waitUntil(begun.is_set)
        assert not dialog.start.isEnabled()
        dialog.line.cancelled.emit()
        running.qtbot.waitUntil(dialog.start.isEnabled)
        assert dialog.error.isHidden()
        dialog.start.click()
        running.qtbot.waitUntil(lambda: dialog.found is not None)
        dialog.reject()

    answered(running, "evaluate.inspect", look)


def test_that_what_cannot_be_seen_in_a_token_has_a_sign() -> None:
    assert figures.token_words(" a\n") == "·a⏎"
    assert figures.token_words("\u202eb") == "[RLO]b" and figures.token_words("") == "∅"
    assert len(figures.token_words("x" * 99)) <= 24
