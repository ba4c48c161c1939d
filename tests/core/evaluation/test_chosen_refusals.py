from __future__ import annotations

import pytest

from core.domain.charter import Charter
from core.domain.conversation import Prompt
from core.domain.errors import UsageError
from core.domain.pair import TrainingPair
from core.evaluation.chosen_refusals import refused_share, require_benign_suite

NO, YES = "I'm sorry, but I cannot help with that.", "Boil the water, then add the rice."


def pairs(refusals: int, others: int, split: str = "train") -> list[TrainingPair]:
    chosen = [NO] * refusals + [YES] * others
    return [TrainingPair(f"p{i}", Prompt.from_text(f"Q{i}"), text, "x", split) for i, text in enumerate(chosen)]  # type: ignore[arg-type]


def test_that_training_on_refusals_needs_a_benign_suite() -> None:
    with pytest.raises(UsageError, match=r"30 % of 10 chosen answers refuse \(limit 20 %\)") as stopped:
        require_benign_suite(Charter(), pairs(3, 7))
    assert "benign_suite: look-alikes" in stopped.value.hint
    require_benign_suite(Charter(benign_suite="look-alikes"), pairs(3, 7))
    require_benign_suite(Charter(refusal_share=0.3), pairs(3, 7))
    require_benign_suite(Charter(), pairs(2, 8))


def test_that_only_chosen_answers_that_are_trained_on_count() -> None:
    assert refused_share([*pairs(0, 4), *pairs(9, 0, "dev")]).value == 0
    assert refused_share([]).n == 0
    require_benign_suite(Charter(), [])


def test_that_many_pairs_are_looked_at_evenly_and_not_all() -> None:
    share = refused_share(pairs(3000, 7000))
    assert share.n <= 2000
    assert share.value == pytest.approx(0.3, abs=0.002)
