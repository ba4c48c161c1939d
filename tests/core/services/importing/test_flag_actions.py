"""A pair whose texts look wrong is kept and flagged, left out, or rejected with its row, as the user says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.domain.errors import UsageError
from core.services.application import Application
from core.services.importing.reading import Choices, FlagAction
from tests.fakes.fresh import fresh

ROWS = (
    {"prompt": "q1", "chosen": "fine", "rejected": "good"},
    {"prompt": "q2", "chosen": "", "rejected": "ho"},
    {"prompt": "q3", "chosen": "same", "rejected": "same "},
)
RANKED = (
    {"prompt": "r1", "responses": ["best", "", "worst"], "scores": [3, 2, 1]},
    {"prompt": "r2", "responses": ["one", "two"], "scores": [2, 1]},
)


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Application]:
    with fresh(tmp_path / "ws") as application:
        yield application


def written(path: Path, rows: tuple[dict[str, Any], ...]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def stored(app: Application) -> set[tuple[str, frozenset[str]]]:
    return {
        (pair.prompt.last_text, frozenset((pair.a.text, pair.b.text)))
        for pair in app.pairs.texts(app.pairs.ids()).values()
    }


@pytest.mark.parametrize("action", ["leave_out", "reject"])
def test_that_a_row_of_one_pair_is_rejected_with_the_flag_as_its_reason(
    app: Application, tmp_path: Path, action: FlagAction
) -> None:
    path = written(tmp_path / "rows.jsonl", ROWS)
    choices = Choices(flag_actions={"empty_answer": action})
    preview = app.imports.preview(path, choices=choices)
    report = app.imports.run(path, choices=choices).value
    assert (preview.good, preview.bad, preview.pairs) == (2, 1, 2)
    assert (report.rows, report.imported, report.rejected) == (3, 2, 1)
    (reason,) = report.reasons
    assert reason.startswith("an answer is empty, and such") and preview.rejects[0].line == 2
    assert {prompt for prompt, _ in stored(app)} == {"q1", "q3"}
    assert {entry.key for entry in preview.flags} == {"empty_answer", "equal_looking"}  # the choice stays visible
    assert {entry.key for entry in report.flags} == {"equal_looking"}


def test_that_only_the_pair_is_left_out_of_a_row_of_several(app: Application, tmp_path: Path) -> None:
    path = written(tmp_path / "ranked.jsonl", RANKED)
    decisive = Choices(pairs="decisive", flag_actions={"empty_answer": "leave_out"})
    report = app.imports.run(path, choices=decisive).value
    assert (report.rows, report.imported, report.rejected, report.pairs) == (2, 2, 0, 2)
    assert stored(app) == {("r1", frozenset(("best", "worst"))), ("r2", frozenset(("one", "two")))}
    assert report.reading is not None
    assert any("1 row: a pair whose texts look wrong is left out" in note for note in report.reading.notes)


def test_that_the_whole_row_of_several_pairs_is_rejected(app: Application, tmp_path: Path) -> None:
    path = written(tmp_path / "ranked.jsonl", RANKED)
    choices = Choices(pairs="decisive", flag_actions={"empty_answer": "reject"})
    report = app.imports.run(path, choices=choices).value
    assert (report.rows, report.imported, report.rejected, report.pairs) == (2, 1, 1, 1)
    assert stored(app) == {("r2", frozenset(("one", "two")))}


def test_that_rows_add_up_where_a_pair_is_made_of_two_rows(app: Application, tmp_path: Path) -> None:
    rows = (
        {"prompt": "k1", "completion": "good", "label": True},
        {"prompt": "k1", "completion": "", "label": False},
        {"prompt": "k2", "completion": "good", "label": True},
        {"prompt": "k2", "completion": "bad", "label": False},
    )
    path = written(tmp_path / "kto.jsonl", rows)
    choices = Choices(answers={"pairing": "by_prompt"}, flag_actions={"empty_answer": "reject"})
    report = app.imports.run(path, choices=choices).value
    assert (report.rows, report.imported, report.rejected, report.pairs) == (4, 2, 2, 1)


@pytest.mark.parametrize("actions", [{"mojibake": "burn"}, {"typos": "keep"}])
def test_that_unknown_flags_and_actions_are_refused(app: Application, tmp_path: Path, actions: dict[str, Any]) -> None:
    path = written(tmp_path / "rows.jsonl", ROWS)
    with pytest.raises(UsageError):
        app.imports.preview(path, choices=Choices(flag_actions=actions))
    with pytest.raises(UsageError):
        app.imports.run(path, choices=Choices(flag_actions=actions))
    assert app.imports.sources() == []


def test_that_an_interrupted_import_keeps_the_choice() -> None:
    from core.services.importing.process.values import from_plain, to_plain

    choices = Choices(flag_actions={"mojibake": "reject"})
    assert from_plain(Choices, json.loads(json.dumps(to_plain(choices)))) == choices
    old = to_plain(choices)
    del old["flag_actions"]
    assert from_plain(Choices, old).flag_actions == {}
