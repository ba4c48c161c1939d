"""How long the figures of the Team tab take for half a million judgements, at first and after a change. Run by hand.

    python -m pytest -m benchmark -s -n0 tests/benchmarks/test_team_page.py

``PAIRWRIGHT_BENCHMARK_PAIRS`` sets another number of pairs.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from core.domain.judgement import JudgementDraft, Verdict
from core.services.annotation.views import QueueSettings
from core.services.application import Application
from core.services.quality.service import QualityService
from tests.fakes.fresh import fresh
from tests.fakes.team_labels import fill_team

PAIRS = int(os.environ.get("PAIRWRIGHT_BENCHMARK_PAIRS", "285000"))


def line(what: str, work: Callable[[], object]) -> str:
    """Return a row of the table: wall and processor seconds."""
    began, worked = time.perf_counter(), time.thread_time()
    work()
    return f"| {what} | {time.perf_counter() - began:.2f} | {time.thread_time() - worked:.2f} |"


def label_one(app: Application, who: int) -> None:
    queue = app.annotation.open_queue(QueueSettings(who, 2))
    (shown,) = app.annotation.next(queue)
    app.annotation.commit(shown.presentation_uid, JudgementDraft(Verdict.TIE))


@pytest.mark.benchmark
@pytest.mark.timeout(3600)
def test_figures_of_half_a_million_judgements(tmp_path: Path) -> None:
    with fresh(tmp_path / "ws") as app:
        people = fill_team(app, PAIRS)
        count = app.workspace.info().counts["judgements"]
        app.quality.report()  # imports scipy and statsmodels
        service = QualityService(app.store)
        print(f"\n{count:,} judgements, {PAIRS:,} pairs\n| what | s | CPU s |\n|---|---|---|")
        print(line("first time", service.team))
        print(line("nothing changed", service.team))
        label_one(app, people[1])
        print(line("one label later", service.team))
        print(line("accounting", app.workspace.accounting))
