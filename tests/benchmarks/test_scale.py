"""A workspace of a million pairs and half a million judgements: what each act takes, and the memory. Run by hand.

    python -m pytest -m benchmark -s -n0 tests/benchmarks/test_scale.py

``PAIRS`` and ``LABELLED`` set other numbers of pairs and of labelled pairs; ``KEPT`` names a folder in which the
workspace is made once and kept. It is made in a process of its
own, so that the memory of this one is that of a program which opens it.
"""

from __future__ import annotations

import multiprocessing
import os
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

from core.domain.dataset import FreezePolicy
from core.domain.judgement import JudgementDraft, Verdict
from core.services.annotation.views import QueueSettings
from core.services.application import Application
from core.services.quality.service import QualityService
from tests.benchmarks.test_labelling_speed import p95
from tests.fakes.fresh import fresh
from tests.fakes.team_labels import fill_team

PAIRS = int(os.environ.get("PAIRS", "1000000"))
LABELLED = int(os.environ.get("LABELLED", "285000"))
T = TypeVar("T")
KEPT = os.environ.get("KEPT", "")
WHO = 2
"""The first of the people; the lead of the workspace is the reviewer before."""


def make(folder: str) -> None:
    """Make the workspace."""
    with fresh(Path(folder)) as app:
        fill_team(app, PAIRS, labelled=LABELLED)


def peak_mb() -> float:
    """Return the peak of this process's resident memory, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def line(what: str, goal: str, work: Callable[[], T]) -> T:
    """Print a row of the table: wall and processor seconds, and the peak of memory so far; return what came of it."""
    began, worked = time.perf_counter(), time.process_time()
    found = work()
    wall, used = time.perf_counter() - began, time.process_time() - worked
    print(f"| {what} | {goal} | {wall:.3f} | {used:.3f} | {peak_mb():.0f} |", flush=True)
    return found


def label(app: Application, times: int) -> list[float]:
    """Label pairs one after the other; return the seconds until each next pair is known."""
    queue, seconds = app.annotation.open_queue(QueueSettings(WHO, 2)), []
    for _ in range(times):
        began = time.perf_counter()
        (shown,) = app.annotation.next(queue)
        seconds.append(time.perf_counter() - began)
        app.annotation.commit(shown.presentation_uid, JudgementDraft(Verdict.TIE))
    return seconds


@pytest.mark.benchmark
@pytest.mark.timeout(7200)
def test_what_each_act_takes_on_a_million_pairs(tmp_path: Path) -> None:
    folder = Path(KEPT) if KEPT else tmp_path / "ws"
    if not folder.exists():
        builder = multiprocessing.get_context("spawn").Process(target=make, args=(str(folder),))
        builder.start()
        builder.join()
        assert builder.exitcode == 0
    print(f"\n{(folder / 'workspace.db').stat().st_size / 2**20:,.0f} MiB; memory before {peak_mb():.0f} MB")
    print("| what | goal | s | CPU s | peak MB |\n|---|---|---|---|---|")
    app = line("open", "2 s", lambda: Application.open(folder))
    with app:
        print(f"{app.workspace.info().counts}")
        line("first page of the table", "150 ms", app.pairs.page)
        line("open a queue", "", lambda: app.annotation.close_queue(app.annotation.open_queue(QueueSettings(WHO, 2))))
        seconds = line("200 labels", "", lambda: label(app, 200))
        print(f"next pair p95 {1000 * p95(seconds):.1f} ms, goal 20 ms")
        service = QualityService(app.store)
        line("quality page, first time", "", service.team)
        label(app, 1)
        line("quality page, one label later", "3 s", service.team)
        line("backup", "15 s", app.workspace.backup)
        line("freeze", "60 s", lambda: app.datasets.freeze("big", FreezePolicy(require_consent=False)))
