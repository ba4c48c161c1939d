"""Plots beside each other take a new size, and a new theme, one after the other and not in one piece."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.theme.theme import Theme
from app.widgets.plots.curves import CurveSpec
from app.widgets.plots.metric_plot import MetricPlot


@pytest.fixture
def plots(theme: Theme, qtbot: Any) -> Iterator[list[MetricPlot]]:
    """Yield two plots below each other in a window that is shown and settled."""
    window = QWidget()
    qtbot.addWidget(window)
    column = QVBoxLayout(window)
    made = [MetricPlot(theme, name, (CurveSpec(name, "plot_margin", name),)) for name in ("margin", "loss")]
    for plot in made:
        column.addWidget(plot)
        plot.set_curve(plot.title, [1.0, 2.0, 3.0], [0.0, 1.0, 0.5])
    window.resize(500, 500)
    window.show()
    qtbot.waitUntil(lambda: all(plot.plot.is_laid_out for plot in made))
    yield made
    window.hide()


def test_that_a_plot_takes_a_new_size_in_a_later_turn_or_when_it_is_asked(plots: list[MetricPlot], qtbot: Any) -> None:
    before = plots[0].view.width()
    plots[0].window().resize(800, 500)
    assert plots[0].view.width() == before and not plots[0].plot.is_laid_out
    plots[0].plot.take_size()
    assert plots[0].view.width() > before + 250
    qtbot.waitUntil(lambda: plots[1].plot.is_laid_out)
    assert plots[1].view.width() == plots[0].view.width()


def test_that_a_plot_shows_its_curve_in_the_new_colours_once_the_theme_has_settled(
    plots: list[MetricPlot], theme: Theme, qtbot: Any
) -> None:
    theme.apply("dark", 150)
    qtbot.waitUntil(lambda: theme.settled and all(plot.plot.is_laid_out for plot in plots))
    for plot in plots:
        picture = plot.plot.grab().toImage()
        corner = picture.pixelColor(picture.width() - 3, 3)
        assert corner.name().lower() == theme.tokens["surface"].lower()
        seen = {
            picture.pixelColor(x, y).name()
            for x in range(60, picture.width(), 3)
            for y in range(0, picture.height(), 2)
        }
        assert theme.tokens["plot_margin"].lower() in seen
