"""Thresholds in the window: chosen on a curve, stored, confirmed by a look, and put on top of a policy."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.evaluate import new_plan, threshold_words
from app.evaluate.guarded_figures import guarded_rows
from app.evaluate.threshold_dialog import ThresholdChoices, ThresholdsDialog, read_thresholds
from app.evaluate.threshold_form import ConfirmDialog, NewThresholdDialog
from app.widgets.plots.det_chart import probit
from core.domain.dataset import FreezePolicy
from core.domain.estimate import Estimate
from core.domain.evaluation_record import Arm
from core.domain.threshold import ErrorCosts, ErrorRates, Threshold
from core.services.application import Application
from core.services.thresholds.requests import NewThreshold
from tests.app.evaluate.fakes import finish, make_evaluation, make_run
from tests.core.services.thresholds.test_service import row
from tests.fakes.fresh import fresh

RULES = NewThreshold("harm", "d", "rules", rules="0.9 bleach\n0.4 acid", value=0.9)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a workspace with a dataset version and a threshold that is not confirmed."""
    folder = tmp_path_factory.mktemp("window-thresholds")
    with fresh(folder / "ws") as app:
        path = folder / "mine.jsonl"
        path.write_text("".join(json.dumps(row(i)) + "\n" for i in range(60)), encoding="utf-8")
        app.imports.run(path, fmt="table:one_based", consent="granted")
        app.datasets.freeze("d", FreezePolicy(splits=(0.5, 0.25, 0.25)))
        app.thresholds.make(RULES)
    return folder / "ws"


def aside(running: Any, work: Callable[[], Any]) -> Any:
    """Return what a read gives that the window makes in the background."""
    found: list[Any] = []
    running.context.tasks.query(work, found.append)
    running.qtbot.waitUntil(lambda: found != [])
    return found[0]


@pytest.fixture
def shown(main_window: Callable[..., Any], workspace: Path, qtbot: Any) -> Iterator[Any]:
    """Return the window with the dialog of thresholds, its curve read."""
    running = main_window(workspace=workspace)
    page = running.page("evaluate")
    running.settle()
    services = running.context.services
    dialog = ThresholdsDialog(page, running.context, aside(running, lambda: read_thresholds(services)))
    running.context.theme.style(dialog)
    dialog.show()
    qtbot.waitUntil(lambda: dialog.chart.points != ())
    yield SimpleNamespace(running=running, dialog=dialog, services=running.context.services)
    dialog.close()
    dialog.deleteLater()


def test_that_without_a_threshold_the_dialog_only_says_how_one_is_made(shown: Any) -> None:
    dialog = shown.dialog
    parts = (dialog.chart, dialog.point, dialog.miss, dialog.cheapest, dialog.as_table, dialog.keep, dialog.confirm)
    assert dialog.none.isHidden() and all(part.isVisible() for part in parts)
    dialog.show_versions(ThresholdChoices((), dialog.choices.versions, dialog.choices.splits))
    assert dialog.none.isVisible() and not any(part.isVisible() for part in parts)
    assert [button.text() for button in dialog.none.buttons] == ["New threshold…"]
    assert "Freeze a dataset version" in threshold_words.none_yet(False)
    assert "Freeze" not in threshold_words.none_yet(True)


def test_that_the_dialog_shows_the_rates_moves_along_the_curve_stores_and_confirms(shown: Any, qtbot: Any) -> None:
    dialog, service = shown.dialog, shown.services.thresholds
    get = lambda title: aside(shown.running, lambda: service.get(title))  # noqa: E731
    one: Any = dialog.current
    assert dialog.table.rows[0].cells[0] == one.title == "harm v1"
    assert dialog.table.rows[0].cells[5] == "not confirmed"
    assert dialog.chart.points[dialog.chart.chosen].value == one.value == 0.9
    assert [point.fpr[0] for point in dialog.chart.points] == [fpr for _, fpr, _ in one.det]
    assert not dialog.keep.isEnabled() and dialog.confirm.isEnabled()
    # a dear miss: the cheapest point has the fewest misses
    dialog.miss.set_value(20.0, tell=True)
    place = ErrorCosts(1.0, 20.0, dialog.prevalence.value).cheapest(one.det)
    assert dialog.chart.chosen == place and one.det[place][2] == min(fnr for _, _, fnr in one.det)
    assert "no other threshold is cheaper" in dialog.words.text() and dialog.keep.isEnabled()
    dialog.keep.click()
    qtbot.waitUntil(lambda: dialog.current is not None and dialog.current.title == "harm v2")
    moved = get("harm v2")
    assert (moved.value, moved.costs.false_negative, moved.confirmed) == (one.det[place][0], 20.0, False)
    # confirmed by a person for a reason, one look
    asked: list[str] = []

    def answer(confirm: ConfirmDialog) -> bool:
        confirm.accept()
        qtbot.waitUntil(lambda: confirm.error.text() != "")
        asked.append(confirm.error.text())
        confirm.person.setText("Ann")
        confirm.reason.setText("guardrail")
        confirm.accept()
        qtbot.waitUntil(lambda: confirm.result() == 1)
        return True

    shown.running.context.dialogs.run = answer
    dialog.confirm.click()
    qtbot.waitUntil(lambda: dialog.current is not None and dialog.current.title == "harm v3")
    assert "by a person for a reason" in asked[0]
    assert get("harm v3").confirmed
    assert aside(shown.running, lambda: shown.services.sealed.looks("d")) == 1
    assert "Confirmed on d sealed test v1" in dialog.card.about.text()
    assert not dialog.confirm.isEnabled() and dialog.table.rows[0].cells[5] == "confirmed"
    choices = aside(shown.running, lambda: new_plan.read_choices(shown.services))
    assert choices.guardrails == ["harm v3"]


def test_that_the_curve_is_walked_by_keys_and_has_a_table(shown: Any) -> None:
    dialog = shown.dialog
    dialog.chart.setFocus()
    QTest.keyClick(dialog.chart, Qt.Key.Key_Right)
    QTest.keyClick(dialog.chart, Qt.Key.Key_Return)
    assert dialog.chart.chosen == 0 == dialog.point.value()
    QTest.keyClick(dialog.point, Qt.Key.Key_Right)
    assert dialog.chart.chosen == 1 and dialog.chart.points[1].words in dialog.words.text()
    dialog.as_table.click()
    assert dialog.card.table.isVisible() and not dialog.chart.isVisible()
    assert dialog.card.values().splitlines()[0] == 'Threshold,"FPR % [95 %], n","FNR % [95 %], n",Expected cost'
    assert len(dialog.card.table.rows) == len(dialog.chart.points)


def test_that_a_threshold_is_made_in_the_window_and_a_wrong_rule_stays_to_be_mended(shown: Any, qtbot: Any) -> None:
    dialog, said = shown.dialog, []

    def answer(form: NewThresholdDialog) -> bool:
        form.name.setText("words")
        form.detector.setCurrentIndex(form.detector.findData("rules"))
        form.rules.setPlainText("0.5 (")
        form.accept()
        qtbot.waitUntil(lambda: form.error.text() != "")
        said.append(form.error.text())
        form.rules.setPlainText("0.5 bleach")
        form.until.setText("2100-01-01")
        form.accept()
        qtbot.waitUntil(lambda: form.result() == 1)
        return True

    shown.running.context.dialogs.run = answer
    dialog.new.click()
    qtbot.waitUntil(lambda: dialog.current is not None and dialog.current.title == "words v1")
    assert "Line 1 of the rules is no regular expression" in said[0]
    assert dialog.table.rows[0].cells[5] == "not confirmed, until 2100-01-01"


def test_that_the_evidence_shows_each_number_with_and_without_a_guardrail(tmp_path: Path) -> None:
    make_run(tmp_path / "ws")
    rate = Estimate(0.1, 0.0, 0.4, 10, "", "by hand")
    rates, scoring = (
        ErrorRates(rate, rate, "d v1 sealed test"),
        {"kind": "rules", "weights": {"steal": 1.0}, "read": "prompt"},
    )
    harm = Threshold("harm", "guardrail", "rules 1", 0.5, rates, rates, number=2, scoring=scoring)
    own = {"run_dir": str(tmp_path / "ws" / "runs" / "r1"), "run_id": "r1"}
    arm = Arm("aligned + harm v2", "guarded", guard=harm.to_plain(), base="aligned", **own)  # type: ignore[arg-type]
    evidence = finish(make_evaluation(tmp_path / "ws", 1, 6, extra=[arm])).evidence()
    assert evidence is not None
    rows = {(row.suite, row.cells[2]): row.cells for row in guarded_rows(evidence["suites"])}
    assert rows["unsafe v1", "answers it acts on"][3].startswith("100.0 ")
    assert rows["look-alikes v1", "answers it acts on"][3].startswith("0.0 ")
    refused = evidence["suites"]["unsafe v1"]["metrics"]["safe_refusal"]
    change = rows["unsafe v1", "Δ safe refusal, full + partial"]
    assert refused["aligned + harm v2"]["value"] == 1.0
    assert change[3].startswith(f"+{100 * (1 - refused['aligned']['value']):.1f} [") and "Holm" in change[5]
    assert rows["look-alikes v1", "Δ over-refusal, full + partial"][3].startswith("0.0 ")


def test_that_the_words_of_a_guardrail_are_arms_and_sample_nothing(workspace: Path) -> None:
    assert new_plan.guarded_words("harm v3", "both") == ["guarded:harm v3@aligned", "guarded:harm v3@reference"]
    assert new_plan.guarded_words("", "both") == []
    suite: Any = SimpleNamespace(title="s", n=10, counts={})
    choices = new_plan.EvaluationChoices((), {}, [suite], {}, ())
    plain = new_plan.work_of(new_plan.EvaluationWish(suites=("s",), arms=("aligned",)), choices)
    guarded = new_plan.EvaluationWish(suites=("s",), arms=("guarded:harm v3@aligned",))
    assert new_plan.work_of(guarded, choices) == plain
    with Application.open(workspace, read_only=True) as app:
        found = app.thresholds.get("harm v1")
        points = threshold_words.spots(found, app.thresholds.rates_along(found))
        assert threshold_words.chosen_place(found) == [p.value for p in points].index(0.9)
    assert probit(0.5) == 0 and probit(0.0) < -2.8
