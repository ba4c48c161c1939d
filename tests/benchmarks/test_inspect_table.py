"""What Inspect computes when it opens the pairs of a run of 200,000 pairs with many looks. Run by hand.

    python -m pytest -m benchmark -s -n0 tests/benchmarks/test_inspect_table.py

``LOOKS`` sets how often the held-out pairs were measured (200 of 200,000 pairs are 40 million rows and 7 GB of disk).
The bar is 150 ms for what the UI thread does from the rows to the shown table; the rows are read in the background. It
prints and does not judge: a number of milliseconds says nothing of another machine.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtWidgets import QApplication

from app.inspect.inspected import narrowed
from app.inspect.lab_presenter import prompts_of
from app.theme.theme import Theme
from app.widgets.pair_table import PairTable
from app.widgets.plots.histogram import MarginHistogram
from core.runs.ledger import schema
from core.services.runs.lineage import LineageRow
from tests.benchmarks.ui_pieces import calibration_ms

PAIRS = 200_000
LOOKS = int(os.environ.get("LOOKS", "200"))
ALL = (float("nan"), float("nan"))


def some_rows(seed: int) -> list[LineageRow]:
    """Return a row for each pair, worst margin first."""
    margins = np.sort(np.random.default_rng(seed).normal(0.2, 0.5, PAIRS)).tolist()
    return [
        LineageRow(
            str(i), 900, "dev", f"How do I do the thing number {i % 150_000}?", z, 10 * z, 0.6, 0.5, z / 2, -z / 2
        )
        for i, z in enumerate(margins)
    ]


def cpu_ms(call: Callable[[], object]) -> float:
    """Return the CPU milliseconds of a call on this thread."""
    begun = time.thread_time()
    call()
    return 1000 * (time.thread_time() - begun)


@pytest.mark.benchmark
def test_what_the_window_computes_when_200_000_pairs_are_listed(theme: Theme, qtbot: Any, capsys: Any) -> None:
    rows = some_rows(1)
    table, histogram = PairTable(theme), MarginHistogram(theme)
    for widget in (table, histogram):
        qtbot.addWidget(widget)
        widget.resize(520, 400)
        widget.show()
        qtbot.waitExposed(widget)
    unit = calibration_ms()
    steps: list[tuple[str, Callable[[], object]]] = [
        ("prompts of the lab", lambda: prompts_of((row.pair_id, row.prompt) for row in rows)),
        ("bars", lambda: histogram.set_values([row.margin for row in rows])),
        ("brush and search", lambda: narrowed(rows, ALL, "")),
        ("table", lambda: table.set_rows(rows, "")),
        ("painted", lambda: (table.viewport().repaint(), QApplication.processEvents())),
        ("read again, nothing new", lambda: (list(rows) != rows, table.set_rows(list(rows), "0"))),
        ("search for a word", lambda: narrowed(rows, ALL, "number 1499")),
    ]
    figures = [(name, cpu_ms(call)) for name, call in steps]
    total = sum(ms for _, ms in figures[:-2])
    with capsys.disabled():
        print(f"\ncalibration {unit:.1f} ms")
        for name, ms in (*figures, ("opened, without the last two (bar 150 ms)", total)):
            print(f"{name:<42}{ms:8.1f} ms {ms / unit:6.2f} x")


@pytest.mark.benchmark
def test_how_long_the_newest_look_of_a_long_run_is_read(tmp_path: Path, capsys: Any) -> None:
    path = tmp_path / "ledger.sqlite"
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA synchronous=OFF")
    db.execute("PRAGMA journal_mode=OFF")
    schema.create(db)
    names = [row[1] for row in db.execute("PRAGMA table_info(pair_rows)") if row[1] != "id"]
    texts = {"kind": "'dev'", "pair_id": "CAST(p.value AS TEXT)", "step": "?", "attempt": "1", "seq": "?"}
    values = ", ".join(texts.get(name, "0.5") for name in names)
    listed = "WITH RECURSIVE p(value) AS (SELECT 1 UNION ALL SELECT value+1 FROM p WHERE value<?)"
    order = [name for name in names if texts.get(name) == "?"]
    for look in range(LOOKS):
        at = [10 * look for _ in order]
        quoted = ", ".join(f'"{name}"' for name in names)
        db.execute(f"{listed} INSERT INTO pair_rows({quoted}) SELECT {values} FROM p", (PAIRS, *at))
    newest = "SELECT MAX(step) FROM pair_rows WHERE kind='dev'"
    (step,) = db.execute(newest).fetchone()
    looked = cpu_ms(lambda: db.execute(newest).fetchone())
    read = cpu_ms(lambda: db.execute("SELECT * FROM pair_rows WHERE kind='dev' AND step=?", (step,)).fetchall())
    one = cpu_ms(lambda: db.execute("SELECT * FROM pair_rows WHERE pair_id='77' ORDER BY step").fetchall())
    unit = calibration_ms()
    with capsys.disabled():
        print(f"\n{PAIRS * LOOKS:,} rows, {path.stat().st_size / 1e9:.2f} GB; calibration {unit:.1f} ms")
        for name, ms in (("which look is the newest", looked), ("its rows", read), ("all looks of a pair", one)):
            print(f"{name:<42}{ms:8.1f} ms {ms / unit:6.2f} x")
    db.close()
