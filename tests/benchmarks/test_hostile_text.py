"""How long the UI thread is held by texts that are slow to draw, and by comparing two long answers.

    python -m pytest -m benchmark -s -n0 tests/benchmarks/test_hostile_text.py

It prints milliseconds and multiples of a loop of plain Python and does not judge. What bounds the work is tested in
tests/app/widgets/test_safe_text.py: how much of a text is laid out.
"""

from __future__ import annotations

import random
from typing import Any

import pytest

from app.theme.theme import Theme
from app.widgets.safe_text import SafeText
from app.widgets.word_diff import compare
from tests.app.widgets.test_safe_text import SLOW
from tests.benchmarks.ui_pieces import calibration_ms, measure


@pytest.mark.benchmark
def test_that_texts_that_are_slow_to_draw_hold_the_ui_thread_for_short_pieces_only(
    theme: Theme, qtbot: Any, capsys: Any
) -> None:
    view = SafeText(theme, "Answer A")
    qtbot.addWidget(view)
    theme.style(view)
    view.resize(420, 500)
    view.show()
    unit, lines = calibration_ms(), []
    for name, text in SLOW.items():
        pieces = measure(lambda shown=text: view.set_text(shown, mode="rendered"), lambda: True)
        lines.append(pieces.line(name, unit))
    draw = random.Random(1)
    texts = [" ".join(draw.choice("abcdefgh") * draw.randint(1, 4) for _ in range(2920)) for _ in range(2)]
    lines.append(measure(lambda: compare(*texts), lambda: True).line("differences of 2,920 words", unit))
    with capsys.disabled():
        print(f"\ncalibration {unit:.1f} ms\n" + "\n".join(lines))
