"""Whatever a file holds, every row, column and label of it is accounted for."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.domain.errors import UserError
from core.services.application import Application
from core.services.importing.reading import Choices
from core.services.importing.report import ImportReport
from core.services.importing.service import OpenQuestions
from tests.fakes.fresh import fresh

SETTINGS = settings(max_examples=5, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
MANY = settings(SETTINGS, max_examples=100)
"""The slow group tries twenty times as many tables."""
LABELS = ["A", "b", "tie", "both bad", "None", "", None, "banana", "A>>B", 1, 2, 0, 1.0, True, "yes", 0.5, [1]]
ROW = st.fixed_dictionaries(
    {
        "prompt": st.sampled_from(["q1", "q2", "", None]),
        "response_a": st.sampled_from(["x", "y", "z", 7]),
        "response_b": st.sampled_from(["x", "y"]),
    },
    optional={
        "winner": st.sampled_from(LABELS),
        "rater_1": st.sampled_from(LABELS),
        "rater_2": st.sampled_from(LABELS),
        "judge": st.sampled_from(["e1", "e2", None]),
        "topic": st.sampled_from(["t", "", None]),
        "Prompt": st.just("twin"),
        "score_a": st.sampled_from([1, "2", "3,5", None]),
        "score_b": st.sampled_from([1.5, "2,0", "n/a"]),
    },
)

TABLES = st.lists(ROW, min_size=1, max_size=14)


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Application]:
    with fresh(tmp_path / "ws") as application:
        yield application


def write(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def stored(app: Application) -> tuple[int, int, int]:
    with app.store.read() as session:
        run = session.connection().exec_driver_sql
        return tuple(run(f"SELECT count(*) FROM {name}").scalar_one() for name in ("source", "pair", "judgement"))


def answered(app: Application, path: Path) -> ImportReport | None:
    """Import a file, its questions answered by the first of the possible answers; None when it is refused."""
    before, choices = stored(app), Choices()
    with suppress(UserError):
        while questions := app.imports.preview(path, choices=choices).reading.questions:
            with pytest.raises(OpenQuestions, match=re.escape(questions[0].answers[-1].flag)):
                app.imports.run(path, choices=choices)
            key, answer = questions[0].key, questions[0].answers[0].key
            if key == "coding":
                choices = replace(choices, coding=answer)
            else:
                choices = replace(choices, answers={**choices.answers, key: answer})
        return app.imports.run(path, choices=choices).value
    assert stored(app) == before
    return None


def check_sums(app: Application, tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    path = write(tmp_path / "t.jsonl", rows)
    before = stored(app)
    report = answered(app, path)
    if report is None:
        return
    plain, after = report.to_plain(), stored(app)
    assert report.rows == len(rows)
    assert report.rows == report.imported + report.duplicates + report.repeats + report.rejected
    assert (after[1] - before[1], after[2] - before[2]) == (report.pairs, report.judgements)
    assert set(plain["columns"]) == {name for row in rows for name, cell in row.items()}  # type: ignore[call-overload]
    for name, count in plain["unused"].items():  # type: ignore[attr-defined]
        assert count == sum(row.get(name) not in (None, "") for row in rows)
    if report.reading is not None and report.reading.coding is not None:
        cells = [row.get(name) for row in rows for name in report.reading.coding.columns]
        counted = sum(value.count for value in report.reading.coding.values)
        assert counted == sum(cell not in (None, "") and cell != [1] for cell in cells)
    assert json.dumps(plain)
    assert app.workspace.accounting().adds_up


def check_again(app: Application, tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    path = write(tmp_path / "t.jsonl", rows)
    first = answered(app, path)
    before = stored(app)
    again = answered(app, path)
    assert stored(app) == before
    if first is not None and again is not None:
        assert (again.imported, again.judgements, again.rejected) == (0, 0, first.rejected)
        assert again.duplicates + again.repeats == first.imported + first.duplicates + first.repeats


@SETTINGS
@given(rows=TABLES)
def test_that_rows_columns_and_labels_of_any_table_add_up(
    app: Application, tmp_path: Path, rows: list[dict[str, Any]]
) -> None:
    check_sums(app, tmp_path, rows)


@SETTINGS
@given(rows=TABLES)
def test_that_a_table_imported_again_adds_nothing(app: Application, tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    check_again(app, tmp_path, rows)


@pytest.mark.slow
@MANY
@given(rows=TABLES)
def test_that_a_hundred_tables_add_up(app: Application, tmp_path: Path, rows: list[dict[str, Any]]) -> None:
    check_sums(app, tmp_path, rows)


@pytest.mark.slow
@MANY
@given(rows=TABLES)
def test_that_a_hundred_tables_imported_again_add_nothing(
    app: Application, tmp_path: Path, rows: list[dict[str, Any]]
) -> None:
    check_again(app, tmp_path, rows)
