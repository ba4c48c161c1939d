"""An import that was interrupted is known, goes on behind what it stored, and its counts add up."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.domain.errors import BadInput, NotFound, StorageFull
from core.services.application import Application
from core.services.importing import job
from core.services.importing.reading import Choices
from tests.fakes.fresh import fresh

CHOICES = Choices(columns={"q": "prompt"})


@pytest.fixture
def app(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Application]:
    monkeypatch.setattr(job, "BATCH_ROWS", 10)
    with fresh(tmp_path / "ws") as application:
        yield application


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file of 55 records of which each eleventh is bad."""
    rows = [{"q": f"q{i}", "chosen": 7 if i % 11 == 5 else f"good {i}", "rejected": f"bad {i}"} for i in range(55)]
    target = tmp_path / "mine.jsonl"
    target.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return target


def interrupt(app: Application, path: Path, monkeypatch: pytest.MonkeyPatch, batch: int) -> None:
    """Import until the disk is full at some batch."""
    real, calls = job.repository.add_batch, []

    def failing(*args: Any) -> Any:
        calls.append(1)
        if len(calls) == batch:
            raise StorageFull("The disk is full.")
        return real(*args)

    with monkeypatch.context() as patch:
        patch.setattr(job.repository, "add_batch", failing)
        with pytest.raises(StorageFull):
            app.imports.run(path, choices=CHOICES)


def sums(app: Application) -> tuple[int, ...]:
    (entry,) = app.workspace.accounting().imports
    return entry.rows, entry.imported, entry.duplicates, entry.rejected, entry.judgements


@pytest.mark.parametrize("batch", [2, 3, 5])
def test_that_an_interrupted_import_goes_on_as_if_nothing_had_happened(
    app: Application, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch: int
) -> None:
    interrupt(app, path, monkeypatch, batch)
    (left,) = app.imports.unfinished()
    assert (left.source_name, left.rows, left.state) == ("mine", 10 * (batch - 1), "interrupted")
    report = app.imports.resume(left.source_id).value
    with fresh(tmp_path / "whole") as other:
        whole = other.imports.run(path, choices=CHOICES).value
        assert sums(app) == sums(other) == (55, 50, 0, 5, 50)
        listed = [Path(r.rejects_path).read_text(encoding="utf-8") for r in (report, whole)]
    assert listed[0] == listed[1]
    counts = ("rows", "imported", "duplicates", "rejected", "judgements", "repeats", "reasons", "fmt", "source_name")
    assert [getattr(report, name) for name in counts] == [getattr(whole, name) for name in counts]
    assert app.imports.unfinished() == []
    assert app.workspace.check().findings == ()
    assert app.imports.run(path, choices=CHOICES).value.imported == 0


def test_that_an_import_interrupted_twice_counts_each_record_once(
    app: Application, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupt(app, path, monkeypatch, 3)
    interrupt(app, path, monkeypatch, 2)  # begun anew, which reads from the first record
    (left,) = app.imports.unfinished()
    assert left.rows == 10
    report = app.imports.resume(left.source_id).value
    assert (report.rows, report.rejected, app.pairs.count()) == (55, 5, 50)


def test_that_a_file_that_changed_or_went_cannot_go_on_and_one_that_moved_can(
    app: Application, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupt(app, path, monkeypatch, 3)
    (left,) = app.imports.unfinished()
    moved = path.rename(tmp_path / "moved.jsonl")
    with pytest.raises(BadInput, match="is not there; the import of mine cannot go on"):
        app.imports.resume(left.source_id)
    other = tmp_path / "other.jsonl"
    other.write_bytes(moved.read_bytes() + b"\n")
    with pytest.raises(BadInput, match="is not the file that was being imported"):
        app.imports.resume(left.source_id, other)
    assert app.imports.resume(left.source_id, moved).value.imported == 50


def test_that_a_source_can_be_given_up_and_enters_no_dataset_version(
    app: Application, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupt(app, path, monkeypatch, 3)
    (left,) = app.imports.unfinished()
    assert "mine is given up" in app.imports.give_up(left.source_id).value
    assert app.imports.unfinished() == []
    assert app.imports.sources()[0].consent == "withdrawn"
    assert app.workspace.accounting().adds_up
    with pytest.raises(NotFound):
        app.imports.resume(left.source_id)
    with pytest.raises(NotFound):
        app.imports.give_up(99)


def test_that_a_finished_import_and_one_without_pairs_leave_no_mark(
    app: Application, path: Path, tmp_path: Path
) -> None:
    app.imports.run(path, choices=CHOICES)
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"prompt": "q", "chosen": "x", "rejected": "x"}\n')
    with pytest.raises(BadInput):
        app.imports.run(bad)
    assert app.imports.unfinished() == []
