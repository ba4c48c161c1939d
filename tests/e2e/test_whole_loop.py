"""The whole loop in the real window: import, label by keyboard, freeze, train, watch, and from a point to its pair.

By default on two dozen pairs and a tiny model. The same test runs on real data and a real model by hand:

    PAIRWRIGHT_LOOP_PAIRS=hh_harmless.jsonl.gz PAIRWRIGHT_LOOP_MODEL=MODEL_DIR PAIRWRIGHT_LOOP_LABELS=30 \\
        PAIRWRIGHT_LOOP_STEPS=100 pytest tests/e2e/test_whole_loop.py -n0 -s
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QApplication, QDialog, QWidget
from pytestqt.exceptions import TimeoutError as QtTimeoutError

from core.domain.run_config import RunConfig
from tests.patience import LIMIT_S

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
LABELS = int(os.environ.get("PAIRWRIGHT_LOOP_LABELS", "8"))
STEPS = int(os.environ.get("PAIRWRIGHT_LOOP_STEPS", "6"))
WAIT_MS = 3_600_000 if "PAIRWRIGHT_LOOP_PAIRS" in os.environ else round(1000 * LIMIT_S)
VERDICTS = (Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_6, Qt.Key.Key_7, Qt.Key.Key_3, Qt.Key.Key_5)


def settings() -> dict[str, Any]:
    """Return what the run is made with."""
    common = {"steps": STEPS, "batch_size": 4, "device": "cpu", "threads": 1, "checkpoint_every": 10, "seed": 7}
    if "PAIRWRIGHT_LOOP_PAIRS" in os.environ:
        return {**common, "lr": 1e-4, "max_length": 384, "eval_every": 20, "kl_every": 50, "probe_pairs": 16}
    tiny = {"template": "none", "lr": 3e-3, "max_length": 512, "lora_r": 8, "probe_pairs": 4, "kl_prompts": 2}
    return {
        **common,
        **tiny,
        "look_share": 1.0,
        "eval_every": 3,
        "kl_every": 3,
        "sample_every": 0,
        "kl_max_new_tokens": 6,
    }


def pairs_file(folder: Path) -> Path:
    """Return the file to import: the one named, or the golden pairs as rows with a winner."""
    if named := os.environ.get("PAIRWRIGHT_LOOP_PAIRS"):
        return Path(named)
    rows = map(json.loads, (GOLDEN / "pairs.jsonl").read_text(encoding="utf-8").splitlines())
    path = folder / "pairs.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


@dataclass
class Loop:
    """Someone who works through the window; each method is one station."""

    running: Any
    qtbot: Any

    def until(self, condition: Callable[[], bool]) -> None:
        try:
            self.qtbot.waitUntil(condition, timeout=WAIT_MS)
        except QtTimeoutError as error:
            raise AssertionError(self.describe()) from error

    def describe(self) -> str:
        """Return what the window does, for a wait in vain."""
        window, tasks = self.running.window, self.running.tasks
        page = window.page(window.place)
        timers = [f"{t.interval()} ms {t.isActive()}" for t in page.findChildren(QTimer) if t.parent() is page]
        work = [*tasks._tasks.values(), *tasks._newest]
        snapshot = getattr(page, "_snapshot", None)
        return f"{window.place}, visible {page.isVisible()}, timers {timers}, work {work}, shows {snapshot}"

    def run(self, action: str) -> None:
        self.running.context.actions.run(action)

    def take_the_keyboard(self, widget: QWidget) -> None:
        """Do what a window manager does when someone turns to the window; shortcuts work only then."""
        QApplication.setActiveWindow(self.running.window)
        widget.setFocus()

    def import_pairs(self, path: Path) -> int:
        page = self.running.page("data")
        self.running.settle()
        self.running.dialogs.answers.append(path)
        self.run("data.import")
        self.until(page.imports.page.go.isEnabled)
        page.imports.page.consent.setCurrentText("Granted")
        page.imports.page.go.click()
        self.until(lambda: page.table.count > 0 and not self.running.tasks.busy)
        return page.table.count

    def publish_rubric(self) -> None:
        services = self.running.context.services
        template = next(t for t in services.rubrics.templates() if t.body.scale == 7)
        services.rubrics.publish(services.rubrics.create("House rules", template.body).value.id)
        reviewer = services.reviewers.add("mira").value
        self.running.context.session.set_reviewer(reviewer.id, reviewer.name)

    def label(self, count: int) -> int:
        page = self.running.page("annotate")
        self.until(lambda: page.state.presentation is not None)
        self.take_the_keyboard(page.first_focus())
        for number in range(count):
            self.until(lambda: page.state.presentation is not None and page.state.saving == 0)
            self.qtbot.keyClick(page.window(), VERDICTS[number % len(VERDICTS)])
            self.qtbot.keyClick(page.window(), Qt.Key.Key_Return)
            self.until(lambda: page.state.saving == 0)
            self.running.settle()
        return len(self.running.context.services.annotation.recent(self.running.context.session.reviewer_id, 1000))

    def freeze(self, name: str) -> Any:
        page = self.running.page("data")
        self.running.settle()

        def wanted(dialog: QDialog) -> bool:
            dialog.form.name.setText(name)  # type: ignore[attr-defined]
            return True

        self.running.dialogs.on_dialog = wanted
        self.run("data.freeze")
        self.until(lambda: len(page.datasets.versions) == 1)
        self.running.settle()
        return page.datasets.versions[0]

    def train(self, model: Path) -> str:
        self.running.context.services.models.add_folder(model)
        page = self.running.page("train")
        self.running.settle()
        self.until(lambda: page.models.count() > 0 and page.datasets.count() > 0)
        page.form.set_config(RunConfig().with_values(settings()))
        page._edited()
        self.run("train.start")
        self.until(lambda: len(self.running.context.services.runs.list()) == 1)
        return self.running.context.services.runs.list()[0].run_id

    def watch(self, run_id: str) -> Any:
        page = self.running.page("runs")
        page.show_item(run_id=run_id)
        over = ("finished", "failed", "stopped", "interrupted")
        self.until(lambda: page._snapshot is not None and page._snapshot.status.state in over)
        self.running.settle()
        assert page._snapshot.status.state == "finished", page._snapshot.log[-5:]
        return page

    def inspect_worst(self, page: Any, step: int) -> Any:
        page.show_pairs(step, step)
        table = page.monitor.tabs.step_pairs
        self.until(lambda: {row.step for row in table.rows_model.rows} == {step})
        margins = [row.margin for row in table.rows_model.rows]
        assert margins == sorted(margins), "worst margin first"
        worst = table.rows_model.rows[0].pair_id
        self.take_the_keyboard(table)
        self.qtbot.keyClick(table, Qt.Key.Key_Return)
        inspect = self.running.window.page("inspect")
        self.until(lambda: inspect.table.current_pair() == worst)
        self.running.settle()
        return inspect


@pytest.mark.timeout(0 if "PAIRWRIGHT_LOOP_STEPS" in os.environ else 600)
def test_that_labels_become_a_policy_and_a_point_leads_back_to_its_pair(
    main_window: Any, tmp_path: Path, qtbot: Any
) -> None:
    running = main_window(workspace=tmp_path / "ws", create=True)
    loop = Loop(running, qtbot)
    imported = loop.import_pairs(pairs_file(tmp_path))
    loop.publish_rubric()
    assert loop.label(LABELS) == LABELS
    version = loop.freeze("mine")
    assert version.counts["train"] > 0
    run_id = loop.train(Path(os.environ.get("PAIRWRIGHT_LOOP_MODEL", GOLDEN / "model")))
    page = loop.watch(run_id)

    reader = running.context.services.runs.reader(run_id)
    losses = reader.series("loss")[1]
    first = reader.pairs_of_range(1, 1, "train")
    assert abs(losses[0] - math.log(2)) < 1e-6
    assert all(visit.row.h == 0.0 for visit in first) and len(first) == 4
    kls = [event.kl for event in reader.kls()]
    assert kls[0] == 0.0 and kls[-1] > 0.0 and min(kls) >= 0.0
    margins = [event.margin for event in reader.evals("dev")]
    assert margins[0] == 0.0
    print(f"\nimported {imported}, labelled {LABELS}, frozen {dict(version.counts)}, {version.root_sha256}")
    print(f"step-0 loss {losses[0]!r}, last {losses[-1]:.4f}, KL {kls[0]} -> {kls[-1]:.3f}, held-out {margins[-1]:.3f}")

    inspect = loop.inspect_worst(page, STEPS)
    labels = [inspect.panel.labels.item(i).text() for i in range(inspect.panel.labels.count())]
    assert any("House rules 1.0.0" in text or "imported" in text for text in labels), labels
    loop.run("inspect.annotate")
    annotate = running.window.page("annotate")
    loop.until(annotate.isVisible)
    loop.until(lambda: annotate.state.presentation is not None)
