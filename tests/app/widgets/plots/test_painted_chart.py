"""A painted chart is used by keyboard from its first moment."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from app.widgets.plots.interval_chart import IntervalChart, IntervalRow


def test_that_keys_that_come_before_the_first_painting_reach_the_marks(qtbot: Any, theme: Any) -> None:
    chart = IntervalChart(theme, "Slices", "points", least=10.0)
    qtbot.addWidget(chart)
    opened: list[object] = []
    chart.opened.connect(opened.append)
    chart.show_rows([IntervalRow(label=n, text="1", value=1.0, low=0.0, high=2.0, key=n) for n in ("de", "en")])
    chart.resize(400, 200)
    chart.show()
    assert chart.spots == []
    for key in (Qt.Key.Key_Down, Qt.Key.Key_Down, Qt.Key.Key_Return):
        QTest.keyClick(chart, key)
    assert opened == ["en"]
