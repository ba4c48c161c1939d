"""One prompt under both models in the window: answers as they come, tokens by keys, near pairs, errors and Cancel."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.evaluate.prompt_dialog import PromptDialog
from app.widgets.token_texts import token_words
from core.domain.conversation import Message, Prompt
from core.domain.errors import UserError
from core.domain.estimate import Estimate
from core.domain.prompt_inspection import (
    ONE_PROMPT,
    GivenAnswer,
    InspectedAnswer,
    InspectedToken,
    InspectionRequest,
    LikelyToken,
    NearPair,
    PromptInspection,
)
from core.runs.child_processes.request import Cancelled
from tests.app.evaluate.test_judge import in_tab_order
from tests.app.layout_audit import findings

Build = Callable[..., Any]


REQUEST = InspectionRequest(
    "r1", Prompt((Message("user", "How do I keep bicycle 0 in order?"),)), given=(GivenAnswer("chosen", "Wipe it."),)
)  # fmt: skip


def opened(running: Any, inspect: Callable[..., PromptInspection]) -> PromptDialog:
    """Return the dialog over a window without a workspace, with a service that looks as told."""
    services: Any = SimpleNamespace(prompts=SimpleNamespace(inspect=inspect))
    dialog = PromptDialog(running.window, running.context.with_(open_services=services), REQUEST, "pair-0")
    running.context.theme.style(dialog)
    dialog.show()
    return dialog


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


def test_that_a_prompt_is_looked_at_token_by_token_and_leads_to_its_near_pairs(main_window: Build) -> None:
    running, asked = main_window(), list[InspectionRequest]()

    def inspect(request: InspectionRequest, *, on_progress: Any, on_answer: Any, cancelled: Any) -> PromptInspection:
        asked.append(request)
        if len(asked) == 1:
            raise UserError("The model is gone.", "Put its folder back.")
        on_progress(0, 3, "Loading the models")
        for one in ANSWERS:
            on_answer(one)
        return found_of(request)

    dialog = opened(running, inspect)
    assert dialog.prompt.text_shown == "How do I keep bicycle 0 in order?"
    assert "Press Look" in dialog.card.missing.text() and not dialog._one.isVisible()
    parts = (dialog.samples, dialog.tokens, dialog.strip, dialog.answer, dialog.likely, dialog.nearest, dialog.start)
    assert in_tab_order(dialog, parts)
    dialog.samples.setValue(1)
    QTest.keyClick(dialog.samples, Qt.Key.Key_Return)
    running.qtbot.waitUntil(lambda: dialog.error.text() == "The model is gone. Put its folder back.")
    QTest.keyClick(dialog.start, Qt.Key.Key_Return)
    running.qtbot.waitUntil(lambda: dialog.found is not None)
    running.settle()
    assert (asked[1].samples, asked[1].settings["max_new_tokens"], asked[1].run) == (1, 64, "r1")
    assert asked[1].given == REQUEST.given
    titles = [dialog.answer.itemText(n) for n in range(dialog.answer.count())]
    assert titles == ["chosen: +2.25 nats", "sample 1 of the policy: 0.00 nats"]
    assert dialog.token.text().startswith("Token 3 ·word2: log π −1.00 (rank 1), log ref −3.00 (rank 3)")
    assert dialog.likely.rows[1].cells == ("−2.00", "−1.50", "−0.50", "·other")
    assert "displacement +2.25 nats (implicit reward +0.23 at β 0.1)" in dialog.card.about.text()
    assert ONE_PROMPT in dialog.notes.text() and "n 2" in dialog.notes.text()
    QTest.keyClick(dialog.strip, Qt.Key.Key_Left)
    assert dialog.strip.current == 1 and dialog.token.text().startswith("Token 2 ")
    running.qtbot.waitUntil(lambda: findings(dialog) == [])  # its parts have just come into sight
    QTest.keyClick(dialog.as_table, Qt.Key.Key_Space)
    assert dialog.card.table.isVisible() and dialog.card.values().count("\n") == 4
    dialog.card.table.setCurrentCell(0, 0)
    assert dialog.token.text().startswith("Token 1 ")
    wanted: list[str] = []
    dialog.pair_wanted.connect(wanted.append)
    dialog.nearest.setCurrentCell(0, 0)
    QTest.keyClick(dialog.nearest, Qt.Key.Key_Return)
    assert wanted == ["3"]
    dialog.close()


def test_that_cancel_ends_a_look_and_another_can_begin(main_window: Build) -> None:
    running, begun, stopped = main_window(), threading.Event(), threading.Event()

    def inspect(request: InspectionRequest, *, on_progress: Any, on_answer: Any, cancelled: Any) -> PromptInspection:
        if begun.is_set():
            return found_of(request)
        begun.set()
        while not cancelled():
            stopped.wait(0.01)
        raise Cancelled("It was cancelled.")

    dialog = opened(running, inspect)
    dialog.start.click()
    running.qtbot.waitUntil(begun.is_set)
    assert not dialog.start.isEnabled()
    dialog.line.cancelled.emit()
    running.qtbot.waitUntil(dialog.start.isEnabled)
    assert dialog.error.isHidden()
    dialog.start.click()
    running.qtbot.waitUntil(lambda: dialog.found is not None)
    assert [answer.name for answer in dialog.answers] == ["chosen", "sample 1"], "what is returned holds all answers"
    dialog.close()


def test_that_what_cannot_be_seen_in_a_token_has_a_sign() -> None:
    assert token_words(" a\n") == "·a⏎"
    assert token_words("\u202eb") == "[U+202E·RLO]b" and token_words("") == "∅"
    assert len(token_words("x" * 99)) <= 24
