"""A button of the verdict scale: its words and its key, which are always read whole."""

from __future__ import annotations

from enum import IntEnum

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QPainter, QPaintEvent
from PySide6.QtWidgets import QPushButton, QSizePolicy, QStyle, QStyleOptionButton

from app.actions.registry import ActionRegistry

EDGES_PX = 8
"""What the frame of a verdict takes from its words, both sides together."""
SMALLEST = 0.7
"""Share of the text size below which words are not made smaller."""


class Wording(IntEnum):
    """How much a button says: ever less, as room becomes scarce.

    ONE_LINE: "Left slightly better". TWO_LINES: the same, the last word under the others. UNDER_CAPTION: "slightly
    better" in two lines, where a caption over several buttons says "Left is".
    """

    ONE_LINE = 0
    TWO_LINES = 1
    UNDER_CAPTION = 2


class VerdictButton(QPushButton):
    """A verdict that runs an action of the catalog, with the key of that action printed on it as it is now.

    ``set_chosen`` shows it as the current answer. The key is drawn, not part of the label. Where not even single words
    fit, they are drawn smaller, down to ``SMALLEST``.

    Args:
        actions: run the action, and know its keys.
        action_id: the action; its title is the accessible name, which stays whatever is drawn.
        text: the verdict in full, its side first: "Left slightly better"; the title without it.
        about: what it means, for the tooltip.
    """

    def __init__(self, actions: ActionRegistry, action_id: str, text: str = "", *, about: str = "") -> None:
        super().__init__()
        title = actions.specs[action_id].title
        self._actions, self._action_id, self._about = actions, action_id, about
        self._label, self._keys, self._wording, self._share = text or title, "", Wording.ONE_LINE, 1.0
        self.setCheckable(True)
        self.setProperty("verdict", "true")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(title)
        self.clicked.connect(lambda: actions.run(action_id))
        actions.keys_changed.connect(self._follow_keys)
        self._follow_keys()

    def _follow_keys(self) -> None:
        """Print the key as it is now: as it was edited, or as the layout of the keyboard has it."""
        keys, name = self._actions.key_text(self._action_id), self.accessibleName()
        self._keys = keys
        self.setAccessibleDescription(f"Key {keys}" if keys else "")
        told = f"{name}: {self._about}" if self._about else name
        self.setToolTip(f"{told} ({keys})" if keys else told)
        self.updateGeometry()
        self.update()

    def set_chosen(self, chosen: bool) -> None:
        """Show it as chosen or not."""
        self.setChecked(chosen)

    def minimumSizeHint(self) -> QSize:
        """Ask for the key and a few letters."""
        return QSize(self.fontMetrics().horizontalAdvance("mmm 0"), self.sizeHint().height())

    def sizeHint(self) -> QSize:
        """Ask for the whole label and the key."""
        base, metrics = super().sizeHint(), self.fontMetrics()
        high = max(base.height(), len(self._lines(self._wording)) * metrics.height() + 2 * EDGES_PX)
        return QSize(metrics.horizontalAdvance(f"{self._label}   {self._keys}") + 28, high)

    def share_for(self, wording: Wording, width: int) -> float:
        """Return the share of the text size at which a wording fits into a width; 1 where it fits as it is."""
        metrics = QFontMetrics(self._whole_font())
        words = max(metrics.horizontalAdvance(line) for line in self._lines(wording))
        key = metrics.horizontalAdvance(self._keys) + self._gap(wording) if self._keys else 0
        return min(1.0, (width - EDGES_PX) / max(1, words + key))

    def show_as(self, wording: Wording, share: float = 1.0) -> None:
        """Draw a wording, at a share of the text size, so that the buttons of a row look alike."""
        if (wording, share) != (self._wording, self._share):
            self._wording, self._share = wording, share
            font = self._whole_font()
            font.setPixelSize(max(1, int(font.pixelSize() * share)))
            self.setFont(font if share < 1 else QFont())
            self.updateGeometry()
            self.update()

    def shown_words(self) -> str:
        """Return the words as they are drawn, cut short where even the smallest do not fit."""
        metrics = self.fontMetrics()
        taken = metrics.horizontalAdvance(self._keys) + self._gap(self._wording) if self._keys else 0
        room = self.width() - EDGES_PX - taken + 2
        lines = self._lines(self._wording)
        return "\n".join(metrics.elidedText(line, Qt.TextElideMode.ElideRight, room) for line in lines)

    def paintEvent(self, event: QPaintEvent) -> None:  # noqa: ARG002 - Qt passes it
        """Draw the frame by the style, then the words, and the key beside them."""
        painter = QPainter(self)
        option = QStyleOptionButton()
        self.initStyleOption(option)
        self.style().drawControl(QStyle.ControlElement.CE_PushButtonBevel, option, painter, self)
        words, (left, right) = self.shown_words(), self._places()
        for text, place in ((words, left), (self._keys, right)):
            option.text, option.rect = text, place  # type: ignore[attr-defined]
            self.style().drawControl(QStyle.ControlElement.CE_PushButtonLabel, option, painter, self)

    def _whole_font(self) -> QFont:
        """Return the font at the whole text size."""
        parent, font = self.parentWidget(), QFont(self.font())
        if parent is not None:
            font.setPixelSize(parent.font().pixelSize())
        return font

    def _lines(self, wording: Wording) -> list[str]:
        """Return the words in lines."""
        if wording is Wording.ONE_LINE:
            return [self._label]
        first, _, last = self._label.rpartition(" ")
        if wording is Wording.UNDER_CAPTION:
            first = first.partition(" ")[2]
        return [first, last] if first else [last]

    @staticmethod
    def _gap(wording: Wording) -> int:
        """Pixels between the words and the key."""
        return 10 if wording is Wording.ONE_LINE else 6

    def _places(self) -> tuple[QRect, QRect]:
        """Return where words and key are drawn: side by side, together in the middle."""
        metrics = self.fontMetrics()
        words = max(metrics.horizontalAdvance(line) for line in self.shown_words().split("\n"))
        key = metrics.horizontalAdvance(self._keys)
        whole = words + (self._gap(self._wording) + key if key else 0)
        start, high = (self.width() - whole) // 2, self.height()
        return QRect(start, 0, words, high), QRect(start + whole - key, 0, key, high)
