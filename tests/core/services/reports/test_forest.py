"""Forest plots and tables of a report: no text is cut, none covers another, no number is broken into lines."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest

from core.domain.estimate import Estimate
from core.services.reports.forest import Bar, forest
from core.services.reports.html_text import table

WIDE = 8.0
"""Width of a wide letter at the size of the plot's text; a text of all such letters is wider than any real one."""


def estimate(value: float, low: float, high: float, unit: str = "nats") -> Estimate:
    return Estimate(value, low, high, 42, unit, "mean", groups=42)


def texts_of(svg: str) -> list[tuple[float, str, str]]:
    """Return place, anchor and words of every text of a plot."""
    found = re.findall(r'<text x="([\d.]+)" y="[\d.]+"( text-anchor="\w+")?[^>]*>([^<]+)<', svg)
    return [(float(x), anchor, words) for x, anchor, words in found]


def test_that_the_picture_is_as_wide_as_its_longest_text() -> None:
    svg = forest(
        [Bar("KL", estimate(0.0, 0.0, 0.5, "nats in the first 32 tokens of the policy's answers"))], "B minus A"
    )
    width = float(re.findall(r'viewBox="0 0 ([\d.]+) ', svg)[0])
    x, _, words = next(one for one in texts_of(svg) if "first 32 tokens" in one[2])
    assert x + 0.85 * WIDE * len(words) < width, words


@pytest.mark.parametrize(
    ("low", "high", "shown"),
    [(-0.317, 0.00721, ["0", "−0.333"]), (-1.0, 1.0, ["0", "−1.1", "1.1"]), (0.001, 0.4, ["0", "0.42"])],
)
def test_that_ends_of_the_axis_that_would_cover_the_zero_are_left_out(
    low: float, high: float, shown: list[str]
) -> None:
    svg = forest([Bar("h", estimate((low + high) / 2, low, high))], "B minus A")
    ticks = [one for one in texts_of(svg) if 'class="tick"' in svg and "middle" in one[1]]
    assert [words for _, _, words in ticks] == shown
    ends = sorted((x - WIDE * len(words) / 2, x + WIDE * len(words) / 2) for x, _, words in ticks)
    assert all(right[0] > left[1] - WIDE for left, right in pairwise(ends))


def test_that_numbers_and_intervals_stand_on_one_line_and_words_may_break() -> None:
    cells = ["42", "0.00290", "[−0.0213, −0.00373]", "+1,234", "−7.1 pp", "12 %", "nats per token", "3 pairs", ""]
    kinds = re.findall(r'<td class="([^"]*)">', table([cells]))
    assert [kind == "outside number" for kind in kinds] == [True, True, True, True, False, True, False, False, False]
