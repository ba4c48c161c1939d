"""A judge is asked from the page Evaluate: what is sent is told, other hosts are named, Cancel keeps verdicts."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from core.domain.judging import UNCALIBRATED
from core.services.judging.service import JudgeRequest
from tests.app.evaluate.fakes import finish, make_evaluation, make_run, suites
from tests.app.evaluate.test_page import shown
from tests.app.evaluate.test_releases import answered
from tests.fakes.openai_server import OpenAiServer
from tests.patience import LIMIT_S

Build = Callable[..., Any]
ELSEWHERE = "http://203.0.113.9:8080/v1"
VERDICT = (200, {"choices": [{"message": {"content": "Because. VERDICT: 1"}, "finish_reason": "stop"}]})


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Path:
    workspace = tmp_path_factory.mktemp("judge") / "ws"
    make_run(workspace)
    finish(make_evaluation(workspace, 1, made=suites(3)[:2]))
    return workspace


@pytest.fixture
def server() -> Iterator[OpenAiServer]:
    made = OpenAiServer()
    yield made
    made.stop()


def in_tab_order(dialog: Any, parts: Sequence[Any]) -> bool:
    """Return whether Tab goes through these widgets in this order."""
    chain, widget = [], dialog
    for _ in range(400):
        widget = widget.nextInFocusChain()
        chain.append(widget)
        if widget is dialog:
            break
    places = [chain.index(part) for part in parts]
    return places == sorted(places)


def test_that_a_judge_is_asked_in_both_orders_and_marked_until_it_is_calibrated(
    main_window: Build, measured: Path, tmp_path: Path, server: OpenAiServer
) -> None:
    running = main_window(workspace=Path(shutil.copytree(measured, tmp_path / "ws")), size=(1280, 800))
    page = shown(running, 1)
    part = page.tabs.proxies
    server.replies = [VERDICT] * 6

    def fill(dialog: Any) -> None:
        parts = (
            dialog.url,
            dialog.model,
            dialog.rubric,
            *dialog.suites.values(),
            dialog.first,
            dialog.second,
            dialog.limit,
        )
        assert in_tab_order(dialog, (*parts, *dialog.tests.values(), dialog.start))
        running.qtbot.waitUntil(lambda: dialog.plan.text().startswith("6 pairs of answers, 12 requests"))
        QTest.keyClick(dialog.suites["look-alikes v1"], Qt.Key.Key_Space)
        running.qtbot.waitUntil(lambda: dialog.plan.text().startswith("3 pairs of answers, 6 requests"))
        assert "in both orders" in dialog.plan.text() and dialog.host_fields.isHidden()
        dialog.url.setText(ELSEWHERE)
        running.qtbot.waitUntil(dialog.host_fields.isVisible)
        assert "every prompt and answer that is compared would be sent there" in dialog.host_about.text()
        QTest.keyClick(dialog, Qt.Key.Key_Return)
        assert dialog.error.text() == "Type 203.0.113.9 to allow that prompts and answers are sent there."
        assert dialog.isVisible() and dialog.focusWidget() is dialog.host
        dialog.host.setText("203.0.113.9")
        assert dialog.problem == "" and dialog.request.confirmed_host == "203.0.113.9"
        dialog.second.setCurrentText("aligned")
        running.qtbot.waitUntil(lambda: "two different arms" in dialog.plan.text())
        dialog.second.setCurrentText("reference")
        dialog.host.clear()
        dialog.url.setText(server.url)
        running.qtbot.waitUntil(lambda: dialog.host_fields.isHidden() and dialog.problem == "")
        QTest.keyClick(dialog.url, Qt.Key.Key_Return)
        assert not dialog.isVisible()

    answered(running, "evaluate.judge", fill)
    assert page.tabs.currentWidget() is part
    running.qtbot.waitUntil(lambda: bool(part.data.judges))
    said = {row.cells[1]: row.cells[2:4] for row in part.judges.rows}
    assert said["decided alike in both orders"][0].startswith("0.0 [") and len(server.asked) == 6
    assert said["aligned wins against reference"][0].startswith("50.0") and part.judge_mark.text() == UNCALIBRATED
    assert not any("203.0.113.9" in str(one) for one in server.asked)


class Held(list[Any]):
    """Replies of which the third waits until it is let go."""

    def __init__(self) -> None:
        super().__init__([VERDICT] * 6)
        self.go = threading.Event()

    def pop(self, place: Any = 0) -> Any:
        if len(self) == 4:
            self.go.wait(LIMIT_S)
        return super().pop(place)


def test_that_cancel_keeps_the_verdicts_so_far(
    main_window: Build, measured: Path, tmp_path: Path, server: OpenAiServer
) -> None:
    running = main_window(workspace=Path(shutil.copytree(measured, tmp_path / "ws")), size=(1280, 800))
    page, services = shown(running, 1), running.context.services
    part = page.tabs.proxies
    page.tabs.setCurrentWidget(part)
    running.qtbot.waitUntil(lambda: bool(part.data.register))
    server.replies = held = Held()
    part._ask_judge(JudgeRequest(f"{1:032x}", "aligned", "reference", server.url, 1, suites=("preferences v1",)))
    running.qtbot.waitUntil(lambda: len(server.asked) == 3)
    assert part.asking.isVisible()
    part.asking.cancelled.emit()
    held.go.set()
    running.qtbot.waitUntil(lambda: bool(part.data.judges))
    running.settle()
    (report,) = services.judging.reports(f"{1:032x}")
    assert report.unread.n == 3 and len(server.asked) == 3, "the third was under way; the others were not sent"
