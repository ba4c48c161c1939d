"""The process that parses: what it sends is what would be parsed here, and its end is one sentence."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from core.domain.errors import BadInput, UserError
from core.services.application import Application
from core.services.importing import job
from core.services.importing import service as importing
from core.services.importing.limits import Limits
from core.services.importing.process import child
from core.services.importing.process.batches import ParsedHere
from core.services.importing.process.child import ParsedInChild, needs_child
from core.services.importing.reading import Choices
from tests.fakes.fresh import fresh

ROWS = [
    {
        "prompt": f"Was ist {i}? \u2028 😀",
        "response1": f"eins {i}",
        "response2": f"zwei {i}",
        "winner": ["A", "B"][i % 2],
    }
    for i in range(60)
]


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Application]:
    """A workspace in which every file is parsed in a child process, ten records at a time."""
    monkeypatch.setattr(importing, "needs_child", lambda path, preview=False: True)
    monkeypatch.setattr(job, "BATCH_ROWS", 10)
    with fresh(tmp_path / "ws") as application:
        yield application


def lines(path: Path, rows: list[Any]) -> Path:
    text = "".join(row if isinstance(row, str) else json.dumps(row) + "\n" for row in rows)
    path.write_text(text, encoding="utf-8")
    return path


def test_that_a_child_sends_what_would_be_parsed_here(tmp_path: Path) -> None:
    rows: list[Any] = [*ROWS, "{broken\n", {**ROWS[0], "response1": 7}, {**ROWS[0], "response1": "\ud83d"}]
    path = lines(tmp_path / "a.jsonl", rows)
    choices = Choices(columns={"winner": "label"})
    here, there = ParsedHere(path, choices, Limits()), ParsedInChild(path, choices, Limits())
    try:
        assert there.found() == here.found()
        assert list(there.batches(25, 30)) == list(here.batches(25, 30))
        assert there.remarks() == here.remarks()
    finally:
        there.close()


def test_that_an_import_through_a_child_tells_and_stores_the_same(
    app: Application, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = lines(tmp_path / "mine.jsonl", [*ROWS, "{broken\n"])
    report = app.imports.run(path, choices=Choices(columns={"winner": "label"})).value
    preview = app.imports.preview(path, choices=Choices(columns={"winner": "label"}))
    monkeypatch.setattr(importing, "needs_child", lambda path, preview=False: False)
    with fresh(tmp_path / "other") as other:
        again = other.imports.run(path, choices=Choices(columns={"winner": "label"})).value
        assert replace(again, seconds=0, rejects_path="") == replace(report, seconds=0, rejects_path="")
        assert (
            replace(other.imports.preview(path, choices=Choices(columns={"winner": "label"})), known_as="mine")
            == preview
        )
        assert [other.pairs.detail(key).pair for key in other.pairs.ids()] == [
            app.pairs.detail(key).pair for key in app.pairs.ids()
        ]


def test_that_errors_of_the_child_are_those_of_this_process(app: Application, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="HTML page"):
        app.imports.run(lines(tmp_path / "page.jsonl", ["<html></html>"]))
    open_file = lines(tmp_path / "open.jsonl", [{**row, "winner": i % 2} for i, row in enumerate(ROWS)])
    with pytest.raises(importing.OpenQuestions) as caught:
        app.imports.run(open_file, choices=Choices(columns={"winner": "label"}))
    assert caught.value.questions
    with pytest.raises(BadInput, match="cannot be read"):
        app.imports.run(tmp_path / "none.jsonl")


def test_that_a_cancel_kills_the_child_and_keeps_whole_batches(app: Application, tmp_path: Path) -> None:
    path = lines(tmp_path / "mine.jsonl", ROWS)
    seen: list[int] = []
    report = app.imports.run(path, on_progress=lambda p: seen.append(p.imported), cancelled=lambda: len(seen) > 2).value
    assert report.cancelled
    assert report.rows == report.imported == app.pairs.count() < 60
    (left,) = app.imports.unfinished()
    assert (left.state, left.rows, left.path) == ("stopped", report.rows, str(path))
    whole = app.imports.resume(left.source_id).value
    assert (whole.rows, whole.imported, whole.duplicates, whole.cancelled) == (60, 60, 0, False)
    assert app.imports.unfinished() == []
    assert app.workspace.accounting().adds_up


@pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9")
@pytest.mark.parametrize(
    ("death", "sentence"),
    [("kill", r"ended before it was done \(signal SIGKILL\)"), ("memory", "needs more than 4.0 GiB of memory")],
)
def test_that_a_child_that_dies_is_one_sentence_with_what_is_stored(
    app: Application, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, death: str, sentence: str
) -> None:
    monkeypatch.setattr(child, "_MODULE", "tests.fakes.dying_parser")
    monkeypatch.setenv("PAIRWRIGHT_TEST_DEATH", death)
    path = lines(tmp_path / "mine.jsonl", ROWS)
    with pytest.raises(UserError, match=sentence) as caught:
        app.imports.run(path)
    assert caught.value.message.endswith("20 rows of this file are stored.")
    (left,) = app.imports.unfinished()
    assert (left.state, left.rows) == ("interrupted", 20)
    assert app.workspace.check().findings == ()


def test_that_files_read_by_native_libraries_and_large_ones_get_a_process(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": ["x"]}), tmp_path / "a.parquet")
    small = lines(tmp_path / "small.jsonl", ROWS)
    large = tmp_path / "large.jsonl"
    with large.open("wb") as file:
        file.truncate(17 << 20)
    paths = [tmp_path / "a.parquet", small, large, tmp_path / "none", tmp_path]
    assert [needs_child(path) for path in paths] == [True, False, True, False, False]
    assert [needs_child(path, preview=True) for path in paths] == [True, False, False, False, False]


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited where the platform can")
def test_that_a_file_which_fills_the_memory_ends_the_child_alone(
    app: Application, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(child, "MEMORY", 900 << 20)
    cells = "[" + ",".join(["[]"] * 10_000_000) + "]"
    path = tmp_path / "bomb.json"
    path.write_text(f'{{"prompt": {cells}, "chosen": {cells}}}')
    with pytest.raises(UserError, match=r"needs more than 0\.9 GiB of memory"):
        app.imports.run(path)
