"""The mixes of prompts: shares by counting, intervals as statsmodels computes them, lengths in order."""

from __future__ import annotations

import pytest
from statsmodels.stats.proportion import proportion_confint

from core.services.feedback.mixes import mixes_of

TRAINING = (["one two three"] * 3 + ["word " * 30] * 2, ["coding", "coding", "", "writing", ""])
FEEDBACK = (["Wie geht es dir und was machst du heute?", "word " * 200], ["coding", "safety"])


def test_that_shares_are_counts_over_those_that_have_a_value_with_wilson_intervals() -> None:
    category, language, length = mixes_of({"training": TRAINING, "feedback": FEEDBACK})
    found = {row.value: [(share.value, share.n) for share in row.shares] for row in category.rows}
    assert found == {
        "coding": [(2 / 3, 3), (1 / 2, 2)], "writing": [(1 / 3, 3), (0.0, 2)], "safety": [(0.0, 3), (1 / 2, 2)],
    }  # fmt: skip
    for row in category.rows:
        for share in row.shares:
            expected = proportion_confint(round(share.value * share.n), share.n, method="wilson")
            assert (share.low, share.high) == pytest.approx(expected, abs=1e-3)
    assert [row.value for row in length.rows] == ["up to 5", "6 to 10", "21 to 40", "over 160"]
    assert [share.value for share in length.rows[0].shares] == [3 / 5, 0.0]
    assert "de" in {row.value for row in language.rows}
    for mix in (category, language, length):
        for place in range(2):
            assert sum(row.shares[place].value for row in mix.rows) == pytest.approx(1.0)


def test_that_a_collection_without_values_is_in_no_mix_and_large_ones_are_thinned_evenly() -> None:
    category, _, length = mixes_of({"a": (["short"] * 7000, [""] * 7000), "b": (["short"], ["x"])})
    assert category.collections == ("b",)
    assert [share.n for share in length.rows[0].shares] == [2334, 1]
