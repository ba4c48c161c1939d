"""Columns of a table that are never narrower than their titles."""

from __future__ import annotations

from collections.abc import Container

from PySide6.QtWidgets import QHeaderView, QTableView


def fit_columns(view: QTableView, stretched: Container[int], least: int) -> None:
    """Widen columns to their titles; the stretched ones take what is left, or ``least`` pixels where less is left.

    The table then scrolls sideways. Call it after a change of the size, of the text size or of the shown columns.
    """
    head = view.horizontalHeader()
    shown = [place for place in range(head.count()) if not head.isSectionHidden(place)]
    taken = 0
    for place in shown:
        if place not in stretched:
            taken += max(view.columnWidth(place), head.sectionSizeHint(place))
            if view.columnWidth(place) < head.sectionSizeHint(place):
                view.setColumnWidth(place, head.sectionSizeHint(place))
    growing = [place for place in shown if place in stretched]
    fits = view.viewport().width() - taken >= sum(max(least, head.sectionSizeHint(place)) for place in growing)
    modes = QHeaderView.ResizeMode
    for place in growing:
        head.setSectionResizeMode(place, modes.Stretch if fits else modes.Interactive)
        if not fits:
            view.setColumnWidth(place, max(least, head.sectionSizeHint(place)))
