"""Inspect: what a pair of a finished run shows; all tests look at one window and leave it as it was."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from typing import Any

import pytest

from app.inspect.page import InspectPage
from app.widgets.safe_text import SafeText
from core.paths import resources_dir


@pytest.fixture(scope="module")
def page(shared_window: Callable[..., Any], tmp_path_factory: pytest.TempPathFactory) -> InspectPage:
    """Return the page with the demo's run and its worst pair shown."""
    folder = tmp_path_factory.mktemp("shown") / "demo"
    shutil.copytree(resources_dir() / "demo" / "workspace", folder)
    demo = shared_window(workspace=folder)
    shown = demo.page("inspect")
    demo.qtbot.waitUntil(lambda: shown.panel.curve.last_step() > 0)
    demo.settle()
    return shown


def _margins(page: Any) -> list[float]:
    return [row.margin for row in page.table.rows_model.rows]


def test_that_a_pair_says_z_h_step_and_what_its_answers_moved(page: Any) -> None:
    row = page._rows[0]
    assert page.panel.margin.text().endswith("nats · step 40, held-out")
    assert f"z {row.margin:+.3f}".replace("-", "−") in page.panel.margin.text()
    for words in (page.panel.stats[name].full for name in ("Chosen", "Rejected")):
        assert words.endswith("nats against the reference") and "log-prob" not in words
    stats = page.panel.stats["Chosen"]
    stats.resize(30, stats.height())
    assert stats.toolTip().count("Displacement: ") == 1, "the explanation stays at every width"


def test_that_the_worst_pair_comes_first_with_its_margin_over_all_steps(page: Any) -> None:
    assert _margins(page) == sorted(_margins(page)) and _margins(page)[0] < 0
    curve = page.panel.curve.curves["pair"]
    assert curve.steps.size >= 2
    assert curve.values[-1] == pytest.approx(_margins(page)[0])


def test_that_a_pair_names_sides_labels_clause_and_reviewer(page: Any) -> None:
    letters = {name: chip.text() for name, chip in page.panel.sides.items()}
    assert sorted(letters.values()) == ["A", "B"]
    line = page.panel.labels.item(0).text()
    assert line.startswith("rule-steps: ") and "Workshop help desk" in line
    assert f"{letters['Chosen']} better" in line


def test_that_texts_from_outside_are_shown_safely(page: Any) -> None:
    assert all(isinstance(view, SafeText) for view in (page.panel.prompt, page.panel.chosen, page.panel.rejected))
