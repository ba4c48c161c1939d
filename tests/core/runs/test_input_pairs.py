from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from core.domain.conversation import Message
from core.domain.errors import BadInput
from core.runs.input_pairs import read_pairs

GOOD = {"prompt": "Why?", "chosen": "Because.", "rejected": "No."}
TALK = [{"role": "user", "content": "Hi"}]


def write(path: Path, *rows: object) -> Path:
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return path


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "pairs.jsonl"


def test_that_strings_are_kept_byte_for_byte(path: Path) -> None:
    text = "\n\nHuman: a\n\nAssistant: b\n\nHuman: c\n\nAssistant:"
    pair = read_pairs(write(path, {"prompt": text, "chosen": " x ", "rejected": "\ty"}))[0]
    assert pair.prompt.as_text() == text
    assert (pair.chosen, pair.rejected) == (" x ", "\ty")
    assert (pair.pair_id, pair.split, pair.weight) == ("line-1", "train", 1.0)


@pytest.mark.parametrize(
    "row",
    [
        {"prompt": TALK, "chosen": "A", "rejected": "B"},
        {"prompt": TALK, "chosen": [{"role": "assistant", "content": "A"}], "rejected": "B"},
        {
            "chosen": [*TALK, {"role": "assistant", "content": "A"}],
            "rejected": [*TALK, {"role": "assistant", "content": "B"}],
        },
    ],
    ids=["messages and texts", "answer as message", "whole conversations"],
)
def test_that_messages_and_texts_may_be_mixed(path: Path, row: dict) -> None:
    pair = read_pairs(write(path, row))[0]
    assert pair.prompt.messages == (Message("user", "Hi"),)
    assert (pair.chosen, pair.rejected) == ("A", "B")


def test_that_id_weight_and_split_are_taken_over(path: Path) -> None:
    rows = [{**GOOD, "id": 7, "weight": 0.5, "split": "dev"}, {**GOOD, "id": "x", "target": 0.8, "is_tie": True}]
    first, second = read_pairs(write(path, *rows))
    assert (first.pair_id, first.weight, first.split) == ("7", 0.5, "dev")
    assert (second.pair_id, second.target, second.is_tie) == ("x", 0.8, True)


def test_that_gz_files_blank_lines_and_a_byte_order_mark_are_read(tmp_path: Path) -> None:
    path = tmp_path / "pairs.jsonl.gz"
    path.write_bytes(gzip.compress(b"\xef\xbb\xbf" + json.dumps(GOOD).encode() + b"\n\n" + json.dumps(GOOD).encode()))
    assert [p.pair_id for p in read_pairs(path)] == ["line-1", "line-3"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("{", "not JSON"),
        ("[1]", "not an object"),
        ("[" * 200_000, "not JSON"),
        ({"prompt": "a", "chosen": "b"}, "no 'rejected'"),
        ({"chosen": "b", "rejected": "c"}, "no 'prompt'"),
        ({**GOOD, "rejected": "Because."}, "same text"),
        ({**GOOD, "split": "exam"}, "split"),
        ({**GOOD, "weight": -1}, "weight"),
        ({**GOOD, "weight": float("nan")}, "weight"),
        ({**GOOD, "target": 0.2}, "target"),
        ({**GOOD, "id": None}, "id"),
        ({**GOOD, "prompt": 5}, "neither text nor"),
        ({**GOOD, "prompt": []}, "no message"),
        ({**GOOD, "prompt": [{"role": "robot", "content": "x"}]}, "Unknown role"),
        ({**GOOD, "prompt": [{"role": "assistant", "content": "x"}]}, "ends with a message of the assistant"),
        ({**GOOD, "chosen": [{"role": "user", "content": "x"}]}, "one message of the assistant"),
        ({**GOOD, "chosen": "\ud800"}, "surrogate"),
        ({**GOOD, "chosen": "a\x00"}, "NUL"),
    ],
)
def test_that_a_bad_line_is_named_with_its_reason(path: Path, row: object, reason: str) -> None:
    with pytest.raises(BadInput, match=reason) as caught:
        read_pairs(write(path, GOOD, row))
    assert "Line 2" in caught.value.message


def test_that_an_id_used_twice_is_refused(path: Path) -> None:
    with pytest.raises(BadInput, match="used in line 1"):
        read_pairs(write(path, {**GOOD, "id": 1}, {**GOOD, "id": "1"}))


def test_that_missing_empty_and_foreign_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("")
    (tmp_path / "latin.jsonl").write_bytes(b'{"prompt": "\xe9"}')
    (tmp_path / "broken.gz").write_bytes(b"\x1f\x8b broken")
    for name in ("missing", "empty", "latin.jsonl", "broken.gz"):
        with pytest.raises(BadInput):
            read_pairs(tmp_path / name)


@pytest.mark.parametrize("value", ["false", "yes", 2, [], None])
def test_that_a_tie_is_marked_by_true_or_false_only(path: Path, value: object) -> None:
    with pytest.raises(BadInput, match=r"is_tie is .* not true or false"):
        read_pairs(write(path, {"prompt": "Hi", "chosen": "A", "rejected": "B", "is_tie": value}))
