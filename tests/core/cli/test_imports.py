"""The import command: it says how a file is read, asks instead of guessing, and accounts for every row and column."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.core.cli.conftest import Said
from tests.fakes.hub_server import REPO, FakeHub, serving

Call = Callable[..., Said]


@pytest.fixture
def ws(call: Call, tmp_path: Path) -> Path:
    assert call("init", tmp_path / "ws").code == 0
    return tmp_path / "ws"


def table(path: Path, *labels: Any, **more: Any) -> Path:
    rows = [
        {"prompt": f"q{i}", "response_a": f"x{i}", "response_b": f"y{i}", "label": label, **more}
        for i, label in enumerate(labels)
    ]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_that_the_last_line_of_json_accounts_for_rows_columns_and_labels(call: Call, ws: Path, tmp_path: Path) -> None:
    path = table(tmp_path / "t.jsonl", "A", "B", "tie", "A", topic="t")
    with path.open("a") as handle:
        handle.write('{"prompt": "q0", "response_a": "y0", "response_b": "x0", "label": "A"}\n{"prompt": "q"}\n')
    told = json.loads(call("import", ws, path, "--json").out.splitlines()[-1])
    counts = [told[key] for key in ("rows", "imported", "duplicates", "repeats", "rejected", "judgements")]
    assert counts == [6, 4, 0, 1, 1, 5]
    assert told["format"] == "table"
    assert told["columns"] == {
        "prompt": "prompt",
        "response_a": "first answer",
        "response_b": "second answer",
        "label": "label",
        "topic": "unused",
    }
    assert told["coding"] == {
        "A": {"count": 3, "reads": "first", "strength": 2},
        "B": {"count": 1, "reads": "second", "strength": 2},
        "tie": {"count": 1, "reads": "tie"},
    }
    assert told["unused"] == {"topic": 4}
    assert any("One label contradicts the same reviewer's earlier label" in note for note in told["notes"])


def test_that_the_text_says_the_same_in_sentences(call: Call, ws: Path, tmp_path: Path) -> None:
    said = call("import", ws, table(tmp_path / "t.jsonl", "A", "None", topic="t"))
    assert said.code == 0
    for words in (
        "2 rows: 2 imported, 0 duplicates (known before), 0 repeats (of earlier rows of the file, also turned round)",
        "label: label, filled in 2 rows",
        "A = first (1), None = no label (1)",
        "Not used: topic (2 rows)",
        "consent unknown",
    ):
        assert words in said.out


def test_that_a_file_without_labels_has_no_coding(call: Call, ws: Path, tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text('{"prompt": "q", "chosen": "x", "rejected": "y"}\n')
    assert call("import", ws, path, "--json").json()["coding"] is None


def test_that_a_label_with_two_meanings_is_a_wrong_call_that_names_each_coding(
    call: Call, ws: Path, tmp_path: Path
) -> None:
    path = table(tmp_path / "t.jsonl", 1, 1, 0)
    said = call("import", ws, path)
    assert (said.code, said.out) == (2, "")
    for words in (
        "--coding first_is_1 (1 = first answer (2), 0 = second answer (1))",
        "--coding second_is_1",
        "Nothing",
    ):
        assert words in said.err
    assert call("sources", ws, "--json").json() == []
    assert call("import", ws, path, "--coding", "second_is_1", "--json").json()["judgements"] == 3


def test_that_a_dry_run_shows_the_reading_and_stores_nothing(call: Call, ws: Path, tmp_path: Path) -> None:
    path = table(tmp_path / "t.jsonl", 1, 0, topic="t")
    said = call("import", ws, path, "--dry-run")
    assert said.code == 0
    for words in ("2 rows, read as Two answers and a label", "Open: label holds", "--coding first_is_1", "user: q0"):
        assert words in said.out
    told = call("import", ws, path, "--dry-run", "--coding", "first_is_1", "--json").json()
    assert (told["rows"], told["questions"], told["coding"]["1"]["reads"]) == (2, [], "first")
    assert "first wins" in call("import", ws, path, "--dry-run", "--coding", "first_is_1").out
    assert call("sources", ws, "--json").json() == []


def test_that_columns_and_values_can_be_named(call: Call, ws: Path, tmp_path: Path) -> None:
    path = tmp_path / "odd.csv"
    path.write_text('"ask, please",l,r,who\nq,x,y,lefty\n')
    assert call("import", ws, path).code == 1
    words = ("--map", "ask, please=prompt", "--map", "l=first", "--map", "r=second", "--map", "who=label")
    told = call("import", ws, path, *words, "--value", "lefty=first", "--json").json()
    assert (told["imported"], told["judgements"], told["coding"]["lefty"]["reads"]) == (1, 1, "first")
    assert told["columns"] == {"ask, please": "prompt", "l": "first answer", "r": "second answer", "who": "label"}


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--map", "label"), "is no NAME=VALUE"),
        (("--map", "nothere=prompt"), "no column 'nothere'"),
        (("--map", "label=wizard"), "cannot be 'wizard'"),
        (("--map", "label=prompt", "--map", "label=label"), "says two things"),
        (("--map", "prompt=first", "--map", "label=first"), "cannot both be first"),
        (("--value", "A=B"), "cannot mean 'B'"),
        (("--value", "Z=first"), "No label column holds 'Z'"),
        (("--coding", "klingon"), "no coding 'klingon'"),
        (("--coding", "one_based"), "is for numbers"),
        (("--format", "xml"), "no import format 'xml'"),
        (("--format", "table:signed", "--coding", "one_based"), "contradict"),
        (("--pairs", "all"), "--pairs cannot be 'all'"),
        (("--reviewer-columns", "label,zed"), "no column 'zed'"),
    ],
)
def test_that_a_wrong_choice_is_a_wrong_call(
    call: Call, ws: Path, tmp_path: Path, words: tuple[str, ...], sentence: str
) -> None:
    said = call("import", ws, table(tmp_path / "t.jsonl", "A", "B"), *words)
    assert (said.code, sentence in said.err) == (2, True), said.err
    assert call("sources", ws, "--json").json() == []


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("--coding", "one_based"), "no column holds any"),
        (("--value", "x=first"), "no column holds any"),
        (("--map", "topic=label"), "has no use for it"),
        (("--reviewer-columns", "topic"), "has no use for it"),
    ],
)
def test_that_a_choice_about_labels_is_refused_where_the_columns_say_who_won(
    call: Call, ws: Path, tmp_path: Path, words: tuple[str, ...], sentence: str
) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text('{"prompt": "q", "chosen": "x", "rejected": "y", "topic": "t"}\n')
    said = call("import", ws, path, *words)
    assert (said.code, sentence in said.err) == (2, True), said.err


def test_that_a_file_of_which_no_row_can_be_used_leaves_no_source(call: Call, ws: Path, tmp_path: Path) -> None:
    path = tmp_path / "same.jsonl"
    path.write_text('{"prompt": "q", "chosen": "x", "rejected": "x"}\n' * 3 + '{"prompt": "q"}\n')
    said = call("import", ws, path, "--json")
    assert (said.code, said.out) == (1, "")
    assert "None of the 4 rows of same.jsonl can be used; nothing was stored." in said.error()["error"]
    assert "the same text; there is nothing to prefer (3 rows, first in line 1)" in said.error()["error"]
    assert "chosen is missing" in said.error()["error"]
    assert call("sources", ws, "--json").json() == []


def test_that_a_new_label_of_a_known_pair_is_told(call: Call, ws: Path, tmp_path: Path) -> None:
    call("import", ws, table(tmp_path / "one.jsonl", "A"))
    told = call("import", ws, table(tmp_path / "two.jsonl", "B"), "--json").json()
    assert (told["duplicates"], told["judgements"], told["known_pair_labels"]) == (1, 1, 1)
    assert "One of the labels stored is a new label of a pair known before." in told["notes"]
    again = call("import", ws, table(tmp_path / "three.jsonl", "tie", "A", "A"), "--json").json()
    assert (again["imported"], again["duplicates"], again["known_pair_labels"]) == (2, 1, 1)


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    content = json.dumps({"prompt": "q", "chosen": "good", "rejected": "bad"}).encode() + b"\n"
    with serving(
        FakeHub({"train.jsonl": content, "load.py": b"", "test.jsonl": content.replace(b"q", b"r")})
    ) as served:
        monkeypatch.setenv("HF_ENDPOINT", served.address)
        yield served


def test_that_a_file_of_a_dataset_of_the_hub_is_listed_named_and_imported(call: Call, ws: Path, hub: FakeHub) -> None:
    listed = call("import", ws, "--hub", REPO, "--list-files", "--json").json()
    assert [(file["path"], file["readable"]) for file in listed["files"]] == [
        ("load.py", False),
        ("test.jsonl", True),
        ("train.jsonl", True),
    ]
    several = call("import", ws, "--hub", REPO)
    assert several.code == 2 and "2 files that can be imported: test.jsonl, train.jsonl" in several.err
    said = call("import", ws, "--hub", REPO, "--file", "train.jsonl", "--json")
    assert (said.code, said.json()["imported"]) == (0, 1)
    assert f"bytes) of {REPO} at" in said.err and hub.address in said.err
    dry = call("import", ws, "--hub", REPO, "--file", "test.jsonl", "--dry-run", "--json")
    assert dry.json()["rows"] == 1
    assert dry.err.index("a dry run shows how the files are read") < dry.err.index("downloading test.jsonl")
    assert {row["state"] for row in call("downloads", ws, "--json").json()["files"]} == {"whole"}
    assert "2 downloaded files in downloads take" in call("check", ws).out
    assert call("downloads", ws, "--parts").code == 2
    assert "Removed 2 downloaded files" in call("downloads", ws, "--clear").out
    assert call("downloads", ws).out == "Nothing was downloaded.\n"
    assert call("check", ws, "--json").json()["counts"]["pairs"] == 1


@pytest.mark.parametrize(
    "words",
    [["--hub", REPO, "a.jsonl"], ["--file", "x", "a.jsonl"], [], ["--list-files"], ["a.jsonl", "--revision", "v"]],
)
def test_that_options_of_the_hub_that_do_not_go_together_are_refused(call: Call, ws: Path, words: list[str]) -> None:
    assert call("import", ws, *words).code == 2
