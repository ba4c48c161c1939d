"""How far people agree on held-out pairs: which labels count, and what is said where nothing is known."""

from __future__ import annotations

from typing import Any

import pytest
from scipy import stats

from core.domain.judgement import Judgement, JudgementDraft, Reviewer, ReviewerKind, Task, Verdict
from core.services.runs.people_ceiling import NO_SECOND, people_ceiling
from tests.fakes.workspaces import prefer

ANN = Reviewer(1, "Ann", ReviewerKind.HUMAN)
FILE = Reviewer(2, "File", ReviewerKind.IMPORTED)


def said(pair: int, draft: JudgementDraft | None, **values: Any) -> Judgement:
    facts: dict[str, Any] = {"reviewer": ANN, "task": Task.LABEL, "kind": "label", "current": True, **values}
    return Judgement(
        1, "u", 1, pair, facts["reviewer"], 1, "Help 1.0.0", facts["task"], "A", facts["kind"], draft, None, 0,
        facts["current"],
    )  # fmt: skip


def test_that_the_ceiling_is_the_mean_of_the_largest_shares_of_pairs_with_two_labels_or_more() -> None:
    tie = JudgementDraft(Verdict.TIE)
    judgements = {
        1: [said(1, prefer(-2)), said(1, prefer(-1), task=Task.RETEST)],
        2: [said(2, prefer(-2)), said(2, prefer(3))],
        3: [said(3, prefer(1)), said(3, prefer(2)), said(3, tie)],
        4: [said(4, prefer(1))],
    }
    found = people_ceiling(judgements, {1: "same", 2: "same", 3: "other", 4: "alone"}).estimate
    assert found is not None and (found.n, found.groups) == (3, 2)
    assert found.value == pytest.approx((1 + 1 / 2 + 2 / 3) / 3)
    alone = people_ceiling(judgements, {1: 1, 2: 2, 3: 3}).estimate
    shares = [1, 1 / 2, 2 / 3]
    half = stats.t.ppf(0.975, 2) * stats.tstd(shares) / 3**0.5
    assert alone is not None and alone.high - alone.value == pytest.approx(half, rel=0.25)


def test_that_labels_of_files_gold_pairs_decisions_and_replaced_ones_do_not_count() -> None:
    first = said(1, prefer(-2))
    for other in (
        said(1, prefer(-2), reviewer=FILE),
        said(1, prefer(-2), task=Task.GOLD),
        said(1, prefer(-2), task=Task.ADJUDICATE),
        said(1, prefer(-2), current=False),
        said(1, None, kind="retract"),
        said(1, JudgementDraft(Verdict.NEITHER)),
    ):
        found = people_ceiling({1: [first, other]}, {})
        assert found.estimate is None and found.why == NO_SECOND
