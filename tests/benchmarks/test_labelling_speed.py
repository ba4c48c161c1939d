"""How fast labelling is with 100,000 pairs: opening, the next pair, a durable commit, undo. Printed, and bounded.

Run alone: ``pytest tests/benchmarks/test_labelling_speed.py -m benchmark -s``.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from core.domain.conversation import Prompt
from core.domain.ids import canonical_json
from core.domain.pair import Response, make_pair
from core.services.annotation.service import QueueSettings
from core.services.application import Application
from core.store.sqlite.database import Session, Store
from core.store.sqlite.writer import Priority
from core.store.tables import PairRow, PairSourceRow, PromptRow
from tests.fakes.workspaces import add_source, opened, prefer

PAIRS = 100_000


def fill(store: Store, count: int) -> None:
    """Store pairs of about 1.5 kB in batches, as an import does."""
    from sqlalchemy import insert

    source = store.write(lambda session: add_source(session, "big"), "filling")
    words = "the quick brown fox jumps over the lazy dog and looks back " * 10

    def batch(first: int) -> Callable[[Session], None]:
        def job(session: Session) -> None:
            prompts, pairs, links = [], [], []
            for n in range(first, min(first + 5000, count)):
                key = 1000 + n
                prompt = Prompt.from_text(f"Question {n}? {words[:200]}")
                pair, _ = make_pair(prompt, Response(f"One {n}. {words}"), Response(f"Two {n}. {words}"))
                body = canonical_json(prompt.to_plain())
                prompts.append({"id": key, "sha256": prompt.sha256, "turns": 1, "text": prompt.as_text(), "body": body})
                pairs.append(
                    {"id": key, "sha256": pair.sha256, "prompt_id": key, "source_id": source, "created_ms": 1,
                     "a_sha256": pair.a.sha256, "b_sha256": pair.b.sha256, "a_text": pair.a.text, "b_text": pair.b.text}
                )  # fmt: skip
                links.append({"pair_id": key, "source_id": source, "row": n})
            for table, rows in ((PromptRow, prompts), (PairRow, pairs), (PairSourceRow, links)):
                session.connection().execute(insert(table), rows)

        return job

    for first in range(0, count, 5000):
        store.write(batch(first), "filling", Priority.BULK)


def timed(work: Callable[[], object]) -> float:
    """Return how many milliseconds ``work`` took."""
    began = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - began)


def p95(values: list[float]) -> float:
    """Return the 95th percentile."""
    return sorted(values)[int(0.95 * len(values))]


@pytest.mark.benchmark
@pytest.mark.timeout(900)
def test_that_labelling_stays_fast_with_100_000_pairs(tmp_path: Path) -> None:
    folder = tmp_path / "ws"
    app = opened(folder)
    filled = timed(lambda: fill(app.store, PAIRS))
    app.close()
    size = (folder / "workspace.db").stat().st_size / 2**20
    began = time.perf_counter()
    app = Application.open(folder)
    opening = 1000 * (time.perf_counter() - began)
    counting = timed(app.workspace.info)
    arranging = timed(lambda: app.annotation.open_queue(QueueSettings(1, 1, order="random", seed=1)))
    queue = app.annotation.open_queue(QueueSettings(1, 1, order="random", seed=1))
    app.annotation.commit(app.annotation.next(queue)[0].presentation_uid, prefer(1))
    nexts, commits, undos, cpu = [], [], [], []
    for number in range(400):
        shown = []
        nexts.append(timed(lambda s=shown: s.extend(app.annotation.next(queue))))
        used = time.process_time()
        commits.append(timed(lambda s=shown: app.annotation.commit(s[0].presentation_uid, prefer(1))))
        cpu.append(1000 * (time.process_time() - used))
        if number % 20 == 0:
            undos.append(timed(lambda: app.annotation.undo(1)))
            app.annotation.redo(1)
    checking = timed(lambda: app.workspace.check())
    copying = timed(lambda: app.workspace.backup())
    closing = timed(app.close)
    print(
        f"\n{PAIRS:,} pairs, {size:.0f} MB, load {os.getloadavg()[0]:.1f}: fill {filled / 1000:.1f} s, "
        f"open {opening:.0f} ms, counts {counting:.1f} ms, queue {arranging:.0f} ms\n"
        f"next p50 {statistics.median(nexts):.1f} p95 {p95(nexts):.1f} max {max(nexts):.1f} ms | "
        f"commit p50 {statistics.median(commits):.1f} p95 {p95(commits):.1f} max {max(commits):.1f} ms "
        f"(cpu p50 {statistics.median(cpu):.1f} p95 {p95(cpu):.1f}) | undo p50 {statistics.median(undos):.1f} ms\n"
        f"check {checking / 1000:.1f} s, backup {copying / 1000:.1f} s, close {closing:.0f} ms"
    )
    assert p95(nexts) <= 20
    assert p95(commits) <= 50
