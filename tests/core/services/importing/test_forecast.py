"""A forecast counts what an import of the same file would do, and stores nothing."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.services.application import Application
from core.services.importing.reading import Choices
from core.services.importing.refusal import OpenQuestions
from tests.fakes.fresh import fresh

COUNTS = ("rows", "imported", "duplicates", "repeats", "rejected", "pairs")


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Application]:
    with fresh(tmp_path / "ws") as application:
        yield application


def written(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def row(number: int, *, turned: bool = False) -> dict[str, Any]:
    chosen, rejected = (f"b{number}", f"a{number}") if turned else (f"a{number}", f"b{number}")
    return {"prompt": f"q{number}", "chosen": chosen, "rejected": rejected}


@pytest.mark.parametrize("seed", range(4))
def test_that_its_counts_are_those_of_the_import(app: Application, tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    app.imports.run(written(tmp_path / "before.jsonl", [row(n) for n in range(6)]))
    rows: list[dict[str, Any]] = [row(dice.randrange(14), turned=dice.random() < 0.3) for _ in range(60)]
    rows[7] = {"prompt": "no answers"}
    path = written(tmp_path / "file.jsonl", rows)
    pairs = app.pairs.count()
    forecast = app.imports.forecast(path)
    assert app.pairs.count() == pairs and len(app.imports.sources()) == 1
    report = app.imports.run(path).value
    assert {key: getattr(forecast, key) for key in COUNTS} == {key: getattr(report, key) for key in COUNTS}
    assert forecast.rows == forecast.imported + forecast.duplicates + forecast.repeats + forecast.rejected == 60
    again, second = app.imports.forecast(path), app.imports.run(path).value
    assert {key: getattr(again, key) for key in COUNTS} == {key: getattr(second, key) for key in COUNTS}


def test_that_the_list_of_rejects_is_that_of_the_import(app: Application, tmp_path: Path) -> None:
    path = written(tmp_path / "file.jsonl", [row(1), {"prompt": "no"}, row(2), {"prompt": "q", "chosen": "x"}])
    wanted = tmp_path / "rejected.jsonl"
    forecast = app.imports.forecast(path, rejects_to=wanted)
    report = app.imports.run(path).value
    assert wanted.read_text(encoding="utf-8") == Path(report.rejects_path).read_text(encoding="utf-8")
    assert [json.loads(line)["line"] for line in wanted.read_text(encoding="utf-8").splitlines()] == [2, 4]
    assert (forecast.rejected, forecast.labels) == (2, 2)


def test_that_it_can_be_stopped_and_writes_no_list_then(app: Application, tmp_path: Path) -> None:
    path = written(tmp_path / "file.jsonl", [row(n) for n in range(2500)])
    forecast = app.imports.forecast(path, rejects_to=tmp_path / "list.jsonl", cancelled=lambda: True)
    assert forecast.rows == 1000 and not (tmp_path / "list.jsonl").exists()


def test_that_a_file_with_an_open_question_is_not_counted(app: Application, tmp_path: Path) -> None:
    rows = [{"prompt": f"q{n}", "response_a": "x", "response_b": f"y{n}", "label": n % 2 + 1} for n in range(4)]
    path = written(tmp_path / "file.jsonl", rows)
    with pytest.raises(OpenQuestions):
        app.imports.forecast(path)
    assert app.imports.forecast(path, choices=Choices(coding="one_based")).labels == 4


def test_that_columns_tell_what_they_hold_with_the_first_value(app: Application, tmp_path: Path) -> None:
    rows = [{**row(1), "extra": ""}, {**row(2), "extra": "two\nlines"}, {**row(3), "extra": "x" * 500}]
    uses = {use.name: use for use in app.imports.preview(written(tmp_path / "f.jsonl", rows)).reading.columns}
    assert (uses["prompt"].holds, uses["prompt"].sample) == ("text", "q1")
    assert uses["extra"].sample == "two lines"
    talk = [{"chosen": [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "yo"}]}]
    talk[0]["rejected"] = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": "ho"}]
    (use, _) = app.imports.preview(written(tmp_path / "talk.jsonl", talk)).reading.columns
    assert use.holds == "lists" and use.sample.startswith('[{"role": "user", "content": "hi"}')
