"""How retests find what they repeat: by their pair, so that the work grows with the retests and not with the labels."""

from __future__ import annotations

from pathlib import Path

from core.store import retest_pairs
from core.store.plain import fetch
from tests.fakes.workspaces import opened


def test_that_the_label_that_a_retest_repeats_is_searched_by_its_pair(tmp_path: Path) -> None:
    with opened(tmp_path / "ws", 1) as app, app.store.read() as session:
        plan = [row[3] for row in fetch(session, "EXPLAIN QUERY PLAN " + retest_pairs.RETESTS.format(""))]
    (step,) = [line for line in plan if line.startswith("SEARCH o ")]
    assert step == "SEARCH o USING INDEX judgement_pair (pair_id=? AND id<?)"
