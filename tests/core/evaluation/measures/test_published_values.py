"""Measures on public data against the values that were published or counted of it; skipped where the data is not."""

from __future__ import annotations

import gzip
import json
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.evaluation.measures.agreement import cohen, count_verdicts, percent
from core.evaluation.measures.preference import longer_preferred

DATA = Path(__file__).resolve().parents[5] / "shared" / "data"


def rows_of(name: str) -> list[dict[str, Any]]:
    path = DATA / f"{name}.jsonl.gz"
    if not path.exists():
        pytest.skip(f"{path} is not on this machine")
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def test_that_two_people_agree_on_refusals_as_published() -> None:
    kinds = ["1_full_compliance", "2_full_refusal", "3_partial_refusal"]
    rows = rows_of("xstest_completions_2annotators")
    sides = [np.array([kinds.index(row[f"annotation_{n}"]) for row in rows]) for n in (1, 2)]
    kappa = cohen(*sides, 3)
    assert (kappa.value, kappa.n) == (pytest.approx(0.937, abs=5e-4), 2250)
    items = np.tile(np.arange(len(rows)), 2)
    agreed = percent(count_verdicts(items, np.concatenate(sides), 3))
    assert agreed.value == pytest.approx(0.964, abs=5e-4) and agreed.low < 0.964 < agreed.high


def test_that_longer_answers_are_preferred_as_counted() -> None:
    rows = rows_of("hhh_alignment")
    for part, share in (("helpful", 0.695), ("harmless", 0.621)):
        own = [row for row in rows if row["slice"] == part]
        found = longer_preferred([len(row["chosen"]) for row in own], [len(row["rejected"]) for row in own])
        # of all pairs, as it was counted; the measure leaves out pairs whose answers are equally long
        assert found.value * found.n / len(own) == pytest.approx(share, abs=6e-4), part


def test_that_the_first_answer_wins_more_often_where_the_order_was_not_drawn_and_no_item_has_a_cycle() -> None:
    decisive = [row for row in rows_of("finegrained_qa_pairs") if str(row["label"]) in ("1", "2")]
    assert (sum(str(row["label"]) == "1" for row in decisive), len(decisive)) == (1577, 2616)
    chosen = [len(row[f"response{row['label']}"]) for row in decisive]
    rejected = [len(row[f"response{3 - int(row['label'])}"]) for row in decisive]
    assert longer_preferred(chosen, rejected).value == pytest.approx(0.512, abs=6e-4)
    beats: dict[int, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for row in decisive:
        winner, loser = row[f"response{row['label']}"], row[f"response{3 - int(row['label'])}"]
        beats[row["item_id"]][winner].add(loser)
    assert not [item for item, won in beats.items() if any(_reaches(won, text, text) for text in list(won))]


def _reaches(won: dict[str, set[str]], start: str, end: str) -> bool:
    """Return whether a chain of wins leads from ``start`` to ``end``."""
    seen, open_ = set[str](), list(won.get(start, ()))
    while open_:
        text = open_.pop()
        if text == end:
            return True
        if text not in seen:
            seen.add(text)
            open_ += won.get(text, ())
    return False
