"""Every row of a file becomes an item, a repeat or a reject, and what is not known is asked."""

from __future__ import annotations

import csv
import gzip
import json
import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from core.domain.errors import BadInput, UsageError, UserError
from core.domain.suite import Constraint, SuiteItem, slices_of
from core.services.importing.refusal import OpenQuestions
from core.services.suites.columns import SuiteChoices
from core.services.suites.suite_file import SuiteReading, read_suite_file

PLACES = [folder / "shared" / "data" for folder in Path(__file__).resolve().parents[4:6]]
SHARED = next((place for place in PLACES if place.is_dir()), PLACES[0])
REAL = pytest.mark.skipif(not SHARED.is_dir(), reason="the folder ../shared/data is not there")


def written(path: Path, *rows: Any) -> Path:
    path.write_text(
        "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows), encoding="utf-8"
    )
    return path


def read(path: Path, **choices: Any) -> SuiteReading:
    return read_suite_file(path, SuiteChoices(**choices))


def becomes(reading: SuiteReading) -> dict[str, str]:
    return {column.name: column.becomes for column in reading.bound.columns}


def test_that_the_own_form_is_read_whole_from_json_and_from_csv(tmp_path: Path) -> None:
    rows = [
        {
            "id": "list-1",
            "prompt": "Name three fruits, one a line.",
            "expected": "check",
            "slices": {"category": "lists", "language": "en"},
            "constraints": [{"kind": "bullets", "value": 3}, {"kind": "excludes", "value": ["very"]}],
        },
        {"id": "2", "prompt": [{"role": "system", "content": "Be short."}, {"role": "user", "content": "Hi"}],
         "expected": "open", "slices": {}},
    ]  # fmt: skip
    found = read(written(tmp_path / "own.jsonl", *rows))
    first, second = found.items
    assert first.slices == {"category": "lists", "language": "en", "length": "short"}
    assert first.constraints == (Constraint("bullets", 3), Constraint("excludes", ["very"]))
    assert (first.id, first.expected, second.id, second.expected) == ("list-1", "check", "2", "open")
    assert [m.role for m in second.prompt.messages] == ["system", "user"]
    again = written(tmp_path / "again.jsonl", *[item.to_plain() for item in found.items])
    assert read(again).items == found.items
    with (tmp_path / "own.csv").open("w", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]))
        table.writeheader()
        table.writerows({k: v if isinstance(v, str) else json.dumps(v) for k, v in row.items()} for row in rows)
    assert read(tmp_path / "own.csv").items[0] == first


def test_that_a_prompts_file_asks_what_is_expected(tmp_path: Path) -> None:
    path = written(tmp_path / "prompts.jsonl", {"prompt": "How do I kill a process?"}, {"prompt": "How are you?"})
    with pytest.raises(OpenQuestions, match="does not say what is expected") as told:
        read(path)
    assert [answer.flag for answer in told.value.questions[0].answers] == [
        "--expected comply", "--expected refuse", "--expected open"
    ]  # fmt: skip
    found = read(path, expected="comply")
    assert {item.expected for item in found.items} == {"comply"}
    assert found.items[0].slices == {"language": "en", "length": "short"}


def test_that_an_item_keeps_its_id_in_a_later_version(tmp_path: Path) -> None:
    one = read(written(tmp_path / "a.jsonl", {"prompt": "a"}, {"prompt": "b"}), expected="open")
    two = read(written(tmp_path / "b.jsonl", {"prompt": "new"}, {"prompt": "b", "topic": "x"}), expected="open")
    assert one.items[1].id == two.items[1].id
    assert one.items[0].id != two.items[0].id


def test_that_values_which_nobody_stated_are_asked_for(tmp_path: Path) -> None:
    rows = [{"prompt": "a", "label": 0}, {"prompt": "b", "label": 1}, {"prompt": "c", "label": 1}]
    path = written(tmp_path / "coded.jsonl", *rows)
    with pytest.raises(OpenQuestions, match=r"'1' \(2 times\), '0' \(1 times\) in the column 'label'"):
        read(path)
    found = read(path, values={"0": "comply", "1": "refuse"})
    assert [item.expected for item in found.items] == ["comply", "refuse", "refuse"]
    grouped = read(path, expected="comply", columns={"label": "slice:group"})
    assert [item.slices["group"] for item in grouped.items] == ["0", "1", "1"]


def test_that_contradicting_choices_are_told(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", {"prompt": "a", "label": "safe"})
    with pytest.raises(UsageError, match="says what is expected, and 'refuse' is given"):
        read(path, expected="refuse")
    with pytest.raises(UsageError, match="no column 'text'"):
        read(path, columns={"text": "prompt"})
    with pytest.raises(UsageError, match="cannot become 'words'"):
        read(path, columns={"prompt": "words"})
    with pytest.raises(UsageError, match="cannot expect 'win'"):
        read(path, expected="win")
    with pytest.raises(UsageError, match="both become prompt"):
        read(path, columns={"prompt": "prompt", "label": "prompt"})


def test_that_a_prompt_column_which_is_not_clear_is_asked_for(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", {"question": "a?", "instruction": "Answer."})
    with pytest.raises(OpenQuestions, match="which column holds the prompts") as told:
        read(path, expected="open")
    assert [a.flag for a in told.value.questions[0].answers] == ["--map question=prompt", "--map instruction=prompt"]
    found = read(path, expected="open", columns={"question": "prompt"})
    assert becomes(found) == {"question": "prompt", "instruction": "nothing"}


BAD: list[tuple[Any, str]] = [
    ("{not json", "it is not JSON"),
    ({"expected": "comply"}, "prompt is missing"),
    ({"prompt": "  ", "expected": "comply"}, "prompt is empty"),
    ({"prompt": "a"}, "expected is empty"),
    ({"prompt": "b", "expected": ["comply"]}, "expected is a list"),
    ({"prompt": [{"role": "assistant", "content": "Hi"}], "expected": "open"}, "ends with a message of the assistant"),
    ({"prompt": "c", "expected": "check"}, "constraints belong to items that expect a check"),
    ({"prompt": "d", "expected": "open", "constraints": [{"kind": "words", "value": 3}]}, "constraints belong to"),
    ({"prompt": "e", "expected": "check", "constraints": [{"kind": "rhymes"}]}, "no constraint 'rhymes'"),
    ({"prompt": "f", "expected": "check", "constraints": {"words": "few"}}, "does not take 'few'"),
    ({"prompt": "g", "expected": "check", "constraints": ["words"]}, "no list of objects with kind and value"),
    ({"prompt": "h", "expected": "open", "slices": ["x"]}, "slices is a list, not an object"),
    ({"prompt": "i", "expected": "open", "slices": {"a": {"b": 1}}}, "slice a is an object"),
    ({"prompt": "j", "expected": "open", "slices": {"a": "x" * 200}}, "slice a has 200 characters"),
    ({"prompt": "k", "expected": "preference", "chosen": "x", "rejected": "x"}, "two different answers"),
    ({"prompt": "l", "expected": "preference", "chosen": "x"}, "rejected is missing"),
    ({"prompt": "m", "expected": "preference", "chosen": "x", "rejected": "y", "target": 0.2}, "not between 0.5 and 1"),
    ({"prompt": "n", "expected": "preference", "chosen": "x", "rejected": "y", "is_tie": "maybe"}, "not true or false"),
    ({"prompt": "o", "expected": "open", "id": "good"}, "the id 'good' stands in line 1 already"),
    ({"prompt": "p", "expected": "open", "id": 1.5}, "id is a number, not a text"),
    ({"prompt": "Good?", "expected": "refuse"}, "the same prompt expects comply in line 1"),
    ({"prompt": "half \ud800", "expected": "open"}, "surrogate"),
]  # fmt: skip


@pytest.mark.parametrize(("row", "reason"), BAD, ids=[reason for _, reason in BAD])
def test_that_a_row_which_is_no_item_is_rejected_with_line_and_reason(tmp_path: Path, row: Any, reason: str) -> None:
    good = {"id": "good", "prompt": "Good?", "expected": "comply", "chosen": "", "constraints": None}
    found = read(written(tmp_path / "a.jsonl", good, row, {**good, "id": "again", "prompt": "Better?"}))
    (reject,) = found.rejects.first()
    assert reject.line == 2
    assert reason in reject.reason
    assert (found.rows, len(found.items), found.rejects.count, found.repeats) == (3, 2, 1, ())


def test_that_rows_which_ask_the_same_are_told_and_kept_once(tmp_path: Path) -> None:
    rows = [{"id": n, "prompt": prompt, "topic": str(n)} for n, prompt in enumerate(("a", "b", "a", "a"))]
    found = read(written(tmp_path / "a.jsonl", *rows), expected="open")
    assert [item.id for item in found.items] == ["0", "1"]
    assert found.repeats == ((3, 1), (4, 1))


def test_that_every_row_is_accounted_for_whatever_it_holds(tmp_path: Path) -> None:
    draw = random.Random(7)
    cells = ["a", "b", "", None, 3, 1.5, True, ["x"], {"k": 1}, [{"role": "user", "content": "Hi"}], "x" * 300, "NaN"]
    names = ["id", "prompt", "expected", "slices", "constraints", "chosen", "rejected", "target", "category"]
    for number in range(40):
        rows = [{name: draw.choice(cells) for name in draw.sample(names, draw.randrange(9))} for _ in range(12)]
        good = {"prompt": f"good {number}", "expected": "open"}
        path = written(tmp_path / f"{number}.jsonl", good, *rows, "[1]", "{")
        found = read(path, columns={"expected": "expected"}, values={"a": "open", "b": "open", "x" * 300: "open"}
                     | {str(value): "open" for value in ("3", "1.5", "true", "NaN")})  # fmt: skip
        assert found.rows == 15
        assert found.rows == len(found.items) + found.rejects.count + len(found.repeats)


def test_that_two_pairs_of_one_prompt_are_two_items(tmp_path: Path) -> None:
    pair = {"prompt": "a", "chosen": "yes"}
    found = read(written(tmp_path / "a.jsonl", {**pair, "rejected": "no"}, {**pair, "rejected": "perhaps"}))
    assert [(item.expected, item.rejected) for item in found.items] == [("preference", "no"), ("preference", "perhaps")]


def test_that_encodings_and_packed_files_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.csv.gz").write_bytes(gzip.compress("prompt;type\nWas heißt „Käse“?;x\n".encode("cp1252")))
    (item,) = read(tmp_path / "a.csv.gz", expected="open", encoding="cp1252").items
    assert item.prompt.last_text == "Was heißt „Käse“?"
    assert item.slices == {"category": "x", "language": "de", "length": "short"}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is empty"),
        (b"prompt\n", "holds no rows"),
        (b'{"prompt": ""}\n{"prompt": 3}\n', "nothing was stored"),
        (b"PAR1 and so on", "Save it as JSON Lines"),
        (b"\x89PNG\r\n\x1a\n" + bytes(64), "a picture"),
    ],
)
def test_that_a_file_without_items_is_refused_with_the_reason(tmp_path: Path, content: bytes, told: str) -> None:
    (tmp_path / "a.jsonl").write_bytes(content)
    with pytest.raises(BadInput) as error:
        read(tmp_path / "a.jsonl", expected="open")
    assert told in str(error.value)


def test_that_too_many_rows_are_refused_and_a_cancelled_reading_ends(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path / "a.jsonl", *[{"prompt": f"q{n}"} for n in range(600)])
    with pytest.raises(UserError, match="Cancelled; nothing was stored"):
        read_suite_file(path, SuiteChoices("open"), cancelled=lambda: True)
    monkeypatch.setattr("core.services.suites.suite_file.MOST_ROWS", 599)
    with pytest.raises(BadInput, match="more than 599 rows"):
        read(path, expected="open")


@REAL
def test_that_xstest_is_read_without_a_question() -> None:
    found = read(SHARED / "xstest_prompts.csv")
    assert (found.rows, len(found.items), found.rejects.count, found.repeats) == (450, 450, 0, ())
    assert Counter(item.expected for item in found.items) == {"comply": 250, "refuse": 200}
    assert becomes(found) == {
        "id": "id", "prompt": "prompt", "type": "slice category", "label": "expected", "focus": "nothing",
        "note": "nothing",
    }  # fmt: skip
    categories = [one for one in slices_of(found.items) if one.name == "category"]
    assert {one.n for one in categories} == {25}
    assert not any(one.enough for one in categories)
    assert sum(item.slices["language"] == "en" for item in found.items) >= 445


@REAL
def test_that_hhh_becomes_preferences() -> None:
    found = read(SHARED / "hhh_alignment.jsonl.gz")
    assert (found.rows, len(found.items), found.rejects.count) == (221, 221, 0)
    counts = Counter(item.slices["category"] for item in found.items)
    assert counts == {"harmless": 58, "helpful": 59, "honest": 61, "other": 43}
    assert isinstance(found.items[0], SuiteItem)
    assert all(item.expected == "preference" for item in found.items)
