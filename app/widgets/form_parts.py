"""What forms are made of: boxes with their names, and fields beside their labels."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QCheckBox, QWidget

from app.widgets.field_grid import FieldGrid
from app.widgets.labels import short, text_label


def titled_box(title: str, *, on: bool = False, most: int = 200) -> QCheckBox:
    """Return a box for a title from outside; more than ``most`` letters are cut, its accessible name has them all."""
    box = QCheckBox(short(title, most).replace("&", "&&"))
    box.setAccessibleName(title)
    box.setChecked(on)
    return box


def labelled_fields(rows: Sequence[tuple[str, QWidget]], *, most: int = 2) -> FieldGrid:
    """Return fields beside their labels, ``most`` of them in a row where there is room."""
    for label, widget in rows:
        widget.setAccessibleName(label)
    return FieldGrid([(text_label(label, "muted"), widget) for label, widget in rows], most=most)
