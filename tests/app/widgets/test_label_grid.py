"""Rows of labels are renewed in place, so that nothing jumps under the eye of a reader."""

from __future__ import annotations

from typing import Any

from PySide6.QtWidgets import QLabel, QWidget

from app.widgets.label_grid import Cell, LabelGrid


def labels(grid: LabelGrid) -> list[QLabel]:
    return [grid.itemAt(place).widget() for place in range(grid.count())]  # type: ignore[misc]


def test_that_rows_of_the_same_form_keep_their_labels_and_others_are_made_anew(qapp: Any) -> None:
    place, grid = QWidget(), LabelGrid()
    place.setLayout(grid)
    head = [Cell("arm one", "strong", outside=True, span=2), Cell("1/9", "caption")]
    grid.show_rows([head, [Cell("FPR"), Cell("4.8", "mono"), Cell("n 1")]])
    before = labels(grid)
    grid.show_rows([head, [Cell("FPR"), Cell("5.0", "error"), Cell("n 2")], [Cell("nothing", wrap=True, span=3)]])
    assert labels(grid)[:5] == before and before[3].property("type") == "error"
    assert grid.texts == [["arm one", "1/9"], ["FPR", "5.0", "n 2"], ["nothing"]]
    grid.show_rows([[Cell("nothing yet", wrap=True, span=3)]])
    assert grid.texts == [["nothing yet"]] and not set(labels(grid)) & set(before)
    assert all(label.isHidden() for label in before)
