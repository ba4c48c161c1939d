"""Preference items under other templates: accuracy in each language, against a table by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from core.domain.evaluation_events import ScoreRow
from core.domain.evaluation_record import Arm, EvaluationRecord
from core.domain.suite import SuiteItem
from core.runs.evaluations.template_margins import template_margins
from tests.app.evaluate.fakes import CONFIG, ask

H = {"training": [2.0, 1.0, -1.0, 1.0], "plain": [1.0, -1.0, -2.0, 3.0]}
LANGUAGES = ("en", "de", "de", "en")


def record() -> EvaluationRecord:
    arms = (Arm("reference", "reference"), Arm("aligned", "aligned"))
    return EvaluationRecord(
        evaluation_id="e", name="n", created_ms=1, run={}, run_config={}, arms=arms, suites=(), config=CONFIG,
        templates=("plain",), training_template="chatml",
    )  # fmt: skip


def test_that_each_language_has_its_accuracy_and_its_change_under_every_template() -> None:
    items = [
        SuiteItem(f"i{n}", ask(f"Ask {n}?"), "preference", {"language": language}, (), "good", "bad")
        for n, language in enumerate(LANGUAGES)
    ]
    made = record()
    scores: dict[str, dict[str, ScoreRow]] = {}
    for template, values in H.items():
        for arm in made.arms:
            name = arm.name if template == "training" else arm.under(template).name
            scores[name] = {
                f"i{n}": ScoreRow("s", name, f"i{n}", h if arm.is_policy else 0.0, 0.0, 4, 4)
                for n, h in enumerate(values)
            }
    found, _ = template_margins(made, items, scores)
    rows = found["aligned"]["templates"]
    accuracy = {t: {k: one["accuracy"]["value"] for k, one in row["languages"].items()} for t, row in rows.items()}
    assert accuracy == {"training": {"de": 0.5, "en": 1.0}, "plain": {"de": 0.0, "en": 1.0}}
    change = rows["plain"]["languages"]["de"]["accuracy_change"]
    assert (change["value"], change["n"]) == (pytest.approx(-0.5), 2)
    assert "accuracy_change" not in rows["training"]["languages"]["de"]
    alone = [replace(item, slices={"language": "en"}) for item in items]
    assert "languages" not in template_margins(made, alone, scores)[0]["aligned"]["templates"]["plain"]
