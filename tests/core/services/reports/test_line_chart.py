"""Curves as SVG: gaps stay gaps, peaks survive thinning, and labels do not cover each other."""

from __future__ import annotations

import math
import re

from core.services.reports.html_text import document, outside, table
from core.services.reports.line_chart import ChartCurve, line_chart, nice_ticks, thinned


def test_that_a_gap_interrupts_line_and_band_and_a_lone_point_is_a_dot() -> None:
    nan = math.nan
    curve = ChartCurve("h", [0, 1, 2, 3], [0.0, 1.0, nan, 2.0], [-1.0, 0.5, nan, 1.5], [1.0, 1.5, nan, 2.5], colour=2)
    svg = line_chart([curve], "Margins", "nats", 0.0)
    assert (svg.count("<polyline"), svg.count("<polygon"), svg.count("<circle")) == (1, 1, 1)
    assert 'class="band f2"' in svg and "dashed" not in svg
    assert line_chart([ChartCurve("h", [1], [nan])], "Margins", "nats") == "<p>Margins: nothing was measured.</p>"


def test_that_ends_that_fall_together_are_labelled_below_each_other() -> None:
    svg = line_chart([ChartCurve("one", [0, 9], [0, 1.0]), ChartCurve("two", [0, 9], [0, 1.0], dashed=True)], "T", "u")
    places = [float(y) for y in re.findall(r'y="([\d.]+)" class="t0"', svg)]
    assert len(places) == 2 and places[1] - places[0] >= 14
    assert "two (dashed)" in svg and svg.count(" dashed") == 1


def test_that_thinning_keeps_the_lowest_and_the_highest_value() -> None:
    values = [math.sin(n / 50) for n in range(100_000)]
    values[70_001], values[3] = 99.0, -99.0
    kept = thinned(ChartCurve("loss", range(100_000), values))
    assert len(kept.steps) <= 640 and 99.0 in kept.values and -99.0 in kept.values
    assert kept.steps[0] == 0 and kept.steps[-1] == 99_999 and list(kept.steps) == sorted(kept.steps)


def test_that_ticks_are_round_numbers_inside() -> None:
    assert nice_ticks(-1.02, 0.51) == [-1.0, -0.5, 0.0, 0.5]
    assert nice_ticks(3.0, 3.0) == [3.0]


def test_that_text_from_outside_stays_text() -> None:
    assert outside("<script>alert('&')\u202e\x00\n") == "&lt;script&gt;alert(&#x27;&amp;&#x27;)⟨U+202E⟩⟨U+0000⟩\n"
    html = document("<b>", [table([["<i>", 1]], ["<u>"], other=[(0, 1)])])
    assert not re.search(r"<(script|b|i|u|link|img|iframe)\b", html) and "default-src 'none'" in html
    assert '<td class="outside number other">1</td>' in html
