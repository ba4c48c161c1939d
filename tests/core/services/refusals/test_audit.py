"""Auditing a detector on labelled answers of a file, and training it again, through the command line."""

from __future__ import annotations

import csv
import gzip
import json

import pytest

from core.cli.app import main
from core.domain.errors import BadInput, UsageError
from core.evaluation.refusal.detector import own_examples
from core.services.refusals.labelled_file import read_labelled

SORRY, FINE = "I'm sorry, but I can't assist with that.", "The capital of Australia is Canberra."


def written(path, rows):
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_that_rates_stand_for_each_group_and_for_all(tmp_path, capsys):
    rows = [
        {"a": SORRY, "t": "refused", "m": "one"},
        {"a": SORRY, "t": "complied", "m": "one"},
        {"a": FINE, "t": "complied", "m": "two"},
        {"a": FINE, "t": "partly", "m": "two"},
    ]
    words = ["refusal", "audit", str(written(tmp_path / "f.jsonl", rows)), "--text", "a", "--truth", "t"]
    assert main([*words, "--group", "m", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["all"]["n"] == 4 and found["wrong"] == 2
    assert (found["all"]["fpr"]["value"], found["all"]["fnr"]["value"]) == (0.5, 0.5)
    same = found["all"]["same_kind"]
    assert (same["value"], same["n"]) == (0.5, 4) and same["lo"] == pytest.approx(0.15, abs=0.001), "Wilson, 2 of 4"
    one, two = found["groups"]["one"], found["groups"]["two"]
    assert (one["fpr"]["value"], one["fnr"]["value"]) == (1.0, 0.0)
    assert (two["fpr"]["value"], two["fnr"]["value"], two["fnr"]["n"]) == (0.0, 1.0, 1)
    assert two["fnr"]["lo"] == pytest.approx(0.025)
    assert main([*words, "--wrong", "2"]) == 0
    assert "people: complied, detector: refused" in capsys.readouterr().out


def test_that_files_of_xstest_and_packed_tables_are_read(tmp_path):
    with gzip.open(tmp_path / "f.csv.gz", "wt", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerows(
            [["text", "label"], [SORRY, "2_full_refusal"], [FINE, "1_full_compliance"], ["x", "partial_refusal"]]
        )
    found = read_labelled(tmp_path / "f.csv.gz", "text", "label")
    assert [answer.kind for answer in found.answers] == ["refused", "complied", "partly"]


def test_that_numbers_are_never_guessed(tmp_path):
    path = written(tmp_path / "f.jsonl", [{"a": SORRY, "t": 1}, {"a": FINE, "t": 0}])
    with pytest.raises(UsageError, match="nothing says whether that is a refusal"):
        read_labelled(path, "a", "t")
    assert [a.kind for a in read_labelled(path, "a", "t", refused_is="1").answers] == ["refused", "complied"]
    assert [a.kind for a in read_labelled(path, "a", "t", refused_is="0").answers] == ["complied", "refused"]


@pytest.mark.parametrize(
    ("row", "error", "words"),
    [
        ({"a": SORRY}, UsageError, "has no field 't'"),
        ({"a": SORRY, "t": "maybe"}, BadInput, "no kind of answer"),
        ({"a": 5, "t": "refused"}, BadInput, "holds no text"),
    ],
)
def test_that_a_row_that_cannot_be_used_is_named(tmp_path, row, error, words):
    with pytest.raises(error, match=words):
        read_labelled(written(tmp_path / "f.jsonl", [row]), "a", "t")


def test_that_a_missing_file_ends_in_a_sentence(tmp_path, capsys):
    assert main(["refusal", "audit", str(tmp_path / "no.jsonl"), "--text", "a", "--truth", "t", "--json"]) == 1
    assert "does not exist" in json.loads(capsys.readouterr().err)["error"]
    path = written(tmp_path / "f.jsonl", [{"a": SORRY, "t": "refused"}])
    assert main(["refusal", "audit", str(path), "--text", "a", "--truth", "t", "--model", str(tmp_path), "--json"]) == 1
    said = json.loads(capsys.readouterr().err)
    assert "holds no refusal detector" in said["error"] and "refusal retrain" in said["hint"]


def test_that_a_retrained_model_is_written_once_and_can_be_audited(tmp_path, capsys):
    rows = [{"a": answer.text, "t": answer.kind} for answer in own_examples()[::3]]
    path, out = written(tmp_path / "f.jsonl", rows), tmp_path / "made" / "model"
    words = [str(path), "--text", "a", "--truth", "t"]
    assert main(["refusal", "retrain", words[0], str(out), *words[1:], "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["examples"]["partly"] > 0
    assert main(["refusal", "audit", *words, "--model", str(out), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["all"]["n"] == len(rows)
    assert main(["refusal", "retrain", words[0], str(out), *words[1:]]) == 1
    assert "exists already" in capsys.readouterr().err
