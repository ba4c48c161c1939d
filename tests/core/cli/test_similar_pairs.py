"""``train --rank``: what it prints."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from core.domain.pair_similarity import PairSimilarity, SimilarPairs
from tests.core.cli.conftest import Said


def test_that_the_command_prints_the_most_alike_first_and_how_a_pair_is_taken_out(
    call: Callable[..., Said], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    row = {"prompt": "Hi?", "chosen": "Hello.", "rejected": "No."}
    (tmp_path / "pairs.jsonl").write_text(json.dumps(row) + "\n", encoding="utf-8")
    made = [PairSimilarity(str(n), -10.0 * n, -1.0 * n, 4, 5) for n in (3, 1, 2)]
    monkeypatch.setattr("core.cli.train.similar_pairs", lambda *_: SimilarPairs.ranked(made, 4))
    words = ("train", "--pairs", tmp_path / "pairs.jsonl", "--model", tmp_path, "--rank")
    said = call(*words)
    assert said.code == 0
    assert [line.split()[0] for line in said.out.splitlines()[1:]][-4:-1] == ["1", "2", "3"]
    assert "3 pairs of 3 are shown" in said.out
    assert [pair["pair_id"] for pair in call(*words, "--json").json()["pairs"]] == ["1", "2", "3"]
    resumed = call("train", "--resume", tmp_path, "--rank", "--json")
    assert resumed.code == 2 and "--rank" in resumed.error()["hint"]
