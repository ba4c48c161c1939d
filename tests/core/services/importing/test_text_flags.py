"""What looks wrong in the texts is told with lines before and after an import, and a repeated prompt can be cut off."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.domain.errors import BadInput, UsageError
from core.domain.pair_table import PairFilter
from core.services.application import Application
from core.services.importing.reading import Choices
from tests.fakes.fresh import fresh

ROWS = (
    {"prompt": "q1", "chosen": "same", "rejected": "same "},
    {"prompt": "q2", "chosen": "same", "rejected": "sa\u200bme"},
    {"prompt": "Name one river.", "chosen": "Name one river.\n\nThe Rhine.", "rejected": "Name one river.\nA hill."},
    {"prompt": "q4", "chosen": "<|im_start|>assistant\nhi", "rejected": "ho"},
    {"prompt": "q5", "chosen": "", "rejected": "ho"},
    {"prompt": "q6", "chosen": "fine", "rejected": "good"},
)


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Application]:
    with fresh(tmp_path / "ws") as application:
        yield application


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "pairs.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in ROWS), encoding="utf-8")
    return file


def test_that_flags_are_counted_with_their_first_lines(app: Application, path: Path) -> None:
    preview = app.imports.preview(path)
    report = app.imports.run(path).value
    assert preview.flags == report.flags
    assert {entry.key: (entry.count, entry.lines) for entry in report.flags} == {
        "equal_looking": (2, (1, 2)),
        "empty_answer": (1, (5,)),
        "repeats_prompt": (1, (3,)),
        "template_tokens": (1, (4,)),
        "hidden_characters": (1, (2,)),
    }
    assert report.reading is not None
    for notes in (preview.reading.notes, report.reading.notes):
        assert any("differ only in blanks" in note and "(lines 1, 2)" in note for note in notes)
        assert any("--cut-prompt" in note for note in notes)
    assert report.to_plain()["flags"]["equal_looking"] == {"count": 2, "lines": [1, 2]}  # type: ignore[index]
    assert (report.imported, report.rejected) == (6, 0)


def test_that_the_prompt_is_cut_off_on_request_only(app: Application, path: Path) -> None:
    (offer,) = app.imports.preview(path).reading.offers
    assert (offer.key, offer.default, [answer.key for answer in offer.answers]) == ("cut_prompt", "no", ["no", "yes"])
    cut = Choices(answers={"cut_prompt": "yes"})
    assert app.imports.preview(path, choices=cut).reading.offers == (offer,)
    assert [pair.first.text for pair in app.imports.preview(path, choices=cut).samples][2] == "The Rhine."
    report = app.imports.run(path, choices=cut).value
    assert "repeats_prompt" not in {entry.key for entry in report.flags}
    texts = {pair.prompt.last_text: {pair.a.text, pair.b.text} for pair in app.pairs.texts(app.pairs.ids()).values()}
    assert texts["Name one river."] == {"The Rhine.", "A hill."}
    assert texts["q1"] == {"same", "same "}
    with pytest.raises(UsageError, match="cut_prompt cannot be 'maybe'"):
        app.imports.preview(path, choices=Choices(answers={"cut_prompt": "maybe"}))


def test_that_flagged_pairs_are_found_and_the_pair_says_why(app: Application, path: Path) -> None:
    app.imports.run(path)
    assert app.pairs.ids(PairFilter(text_flag="equal_looking")) == [1, 2]
    assert app.pairs.count(PairFilter(text_flag="mojibake")) == 0
    assert app.pairs.detail(2).text_flags == ("equal_looking", "hidden_characters")
    assert app.pairs.detail(6).text_flags == ()
    with pytest.raises(BadInput, match="Unknown text flag"):
        PairFilter(text_flag="pii")


KTO = (
    {"prompt": "a", "completion": "good", "label": True},
    {"prompt": "b", "completion": "alone", "label": True},
    {"prompt": "a", "completion": "bad", "label": False},
    {"prompt": "a", "completion": "worse", "label": False},
    {"prompt": "a", "completion": "odd", "label": "perhaps"},
)


def test_that_marked_answers_are_paired_by_prompt_on_request_and_every_row_is_accounted_for(
    app: Application, tmp_path: Path
) -> None:
    file = tmp_path / "kto.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in KTO), encoding="utf-8")
    preview = app.imports.preview(file)
    (question,) = preview.reading.questions
    assert "2 pairs, 1 answer alone" in question.answers[0].meaning
    with pytest.raises(UsageError, match="pair the answers to equal prompts"):
        app.imports.run(file)
    for imported, duplicates in ((3, 0), (0, 3)):
        report = app.imports.run(file, choices=Choices(answers={"pairing": "by_prompt"})).value
        assert (report.rows, report.imported, report.duplicates, report.rejected) == (5, imported, duplicates, 2)
        assert set(report.reasons) == {
            "no answer with another mark stands to its prompt",
            "label is 'perhaps', which marks no answer as good or bad",
        }
    pairs = app.pairs.texts(app.pairs.ids()).values()
    assert sorted(sorted((pair.a.text, pair.b.text)) for pair in pairs) == [["bad", "good"], ["good", "worse"]]
    assert app.pairs.judgements(app.pairs.ids()).keys() == set(app.pairs.ids())
