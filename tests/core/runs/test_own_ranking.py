"""What a preflight says of the model's own preference."""

from __future__ import annotations

import math

import pytest

from core.domain.run_events import PairMetrics
from core.runs.child_processes.own_ranking import ranking_check


def row(chosen: float, rejected: float, tokens: tuple[int, int] = (2, 2)) -> PairMetrics:
    return PairMetrics("p", 0.7, chosen, rejected, chosen, rejected, 0.0, 0.0, 0.5, *tokens)


def test_that_log_probs_are_compared_per_token_and_ties_count_one_half() -> None:
    rows = [row(-4.0, -3.0, (4, 2)), row(-2.0, -2.0), row(-1.0, -5.0), row(-9.0, -1.0)]
    (check,) = ranking_check(rows)
    assert check.level == "ok"
    assert "higher log-prob per token in 2.5 of 4 tried pairs (share 0.62 [" in check.text


@pytest.mark.parametrize(("agree", "level"), [(0, "warn"), (1, "warn"), (2, "ok"), (8, "ok")])
def test_that_a_model_that_disagrees_with_nearly_all_labels_is_a_warning(agree: int, level: str) -> None:
    """Wilson 95 %: 1 of 8 is at most 0.47, 2 of 8 at most 0.59."""
    rows = [row(-1.0, -2.0)] * agree + [row(-2.0, -1.0)] * (8 - agree)
    (check,) = ranking_check(rows)
    assert (check.level, bool(check.hint)) == (level, level == "warn")


def test_that_nothing_is_said_without_a_reference() -> None:
    assert ranking_check([]) == []
    assert ranking_check([row(math.nan, -1.0)]) == []
