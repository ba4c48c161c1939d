"""F6: the keyboard focus moves from one part of the window to the next."""

from __future__ import annotations

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QAbstractButton, QWidget


def panes_of(root: QWidget) -> list[QWidget]:
    """Return one focusable widget for each visible part, in reading order.

    A part is the nearest ancestor with a ``part`` property (card, side panel, list, rail); of each part
    the first focusable widget that is not a plain button is taken, else its first button.
    """
    found: dict[QWidget, QWidget] = {}
    for widget in root.findChildren(QWidget):
        if not widget.isVisibleTo(root) or not widget.isEnabled() or not widget.focusPolicy() & Qt.FocusPolicy.TabFocus:
            continue
        part = part_of(widget, root)
        held = found.get(part)
        if held is None or (isinstance(held, QAbstractButton) and not isinstance(widget, QAbstractButton)):
            found[part] = widget
    return sorted(found.values(), key=lambda w: _corner(part_of(w, root), root))


def part_of(widget: QWidget, root: QWidget) -> QWidget:
    """Return the part a widget belongs to, or the root."""
    walk: QWidget | None = widget
    while walk is not None and walk is not root:
        if walk.property("part") in ("card", "side", "list", "rail", "header", "status"):
            return walk
        walk = walk.parentWidget()
    return root


def next_pane(root: QWidget, current: QWidget | None) -> QWidget | None:
    """Return the widget that gets the focus after ``current``, or None when none can."""
    panes = panes_of(root)
    if not panes:
        return None
    parts = [part_of(p, root) for p in panes]
    here = part_of(current, root) if current is not None and root.isAncestorOf(current) else None
    place = parts.index(here) + 1 if here in parts else 0
    return panes[place % len(panes)]


def _corner(part: QWidget, root: QWidget) -> tuple[int, int]:
    point = part.mapTo(root, QPoint(0, 0)) if part is not root else QPoint(0, 0)
    return (point.y() // 40, point.x())
