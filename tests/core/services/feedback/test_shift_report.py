"""The shift between training, suites and feedback as the window asks for it: three collections, and a way to stop."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from core.domain.conversation import Prompt
from core.domain.feedback import FeedbackContent
from core.domain.suite import Suite, SuiteItem
from core.services.application import Application
from tests.fakes.workspaces import opened


class StoppedError(Exception):
    """Stands for a press on Cancel."""


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Application]:
    """Two suites and feedback, twelve prompts in all of each kind."""
    with opened(tmp_path / "ws") as app:
        for name in ("one", "two"):
            items = [SuiteItem(f"{name}{n}", Prompt.from_text(f"Suite {name} {n}"), "open") for n in range(6)]
            app.suites.add(Suite(name, 1, tuple(items), origin="workspace"))
        for n in range(12):
            app.feedback.add(FeedbackContent("attack", Prompt.from_text(f"Say it {n} times.")))
        yield app


def test_that_suites_are_one_collection_and_each_comparison_is_announced(app: Application) -> None:
    steps: list[tuple[int, int]] = []
    report = app.feedback_shift.report(
        suites=["one", "two"], together=True, on_step=lambda done, total, _: steps.append((done, total))
    )
    assert report.sizes == {"suites": 12, "feedback": 12}
    assert steps == [(0, 1)]
    (one,) = report.comparisons
    assert (one.first, one.second, one.n_first) == ("suites", "feedback", 12)
    assert set(report.lines()) and report.notes == ()


def test_that_what_a_step_raises_ends_the_comparison(app: Application) -> None:
    def stop(done: int, _total: int, _words: str) -> None:
        if done == 1:
            raise StoppedError

    with pytest.raises(StoppedError):
        app.feedback_shift.report(suites=["one", "two"], on_step=stop)
