"""Which labels of a pair are a real conflict."""

from __future__ import annotations

import pytest

from core.domain.conflict import LabelSaid, conflict_of
from core.domain.judgement import Verdict


def said(*values: int | str) -> list[LabelSaid]:
    """Return labels: a strength, 0 for a tie, "neither", "cannot", or a flag on a slight preference for A."""
    words = {"neither": LabelSaid(Verdict.NEITHER), "cannot": LabelSaid(Verdict.CANNOT_JUDGE)}
    return [
        words.get(v, LabelSaid(Verdict.PREFER, -1, (v,)))
        if isinstance(v, str)
        else LabelSaid(Verdict.PREFER if v else Verdict.TIE, v or None)
        for v in values
    ]


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (said(-2, -1, 2), "signs differ (2 for A, 1 for B), strengths 4 apart"),
        (said(-1, 1), "signs differ (1 for A, 1 for B)"),
        (said(0, 3), "strengths 3 apart"),
        (said("neither", -1), "neither valid, say 1"),
        (said("pii", "unsafe"), "flagged: personal data, unsafe content"),
        (said("pii"), "flagged: personal data"),
    ],
)
def test_that_a_conflict_says_which_rules_apply(labels, words):
    conflict = conflict_of(labels)
    assert conflict is not None and conflict.words() == words


@pytest.mark.parametrize("labels", [said(-1, -3), said(0, 2), said("cannot", 2), said("neither", "neither"), []])
def test_that_labels_of_one_opinion_are_none(labels):
    assert conflict_of(labels) is None
