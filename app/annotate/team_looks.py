"""What needs a look: a sentence each, with a button that opens its pairs."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app.annotate.team_figures import PairsPlace
from app.theme.theme import Theme
from app.widgets.buttons import push_button
from app.widgets.containers import Card, clear_layout
from app.widgets.labels import Chip, text_label
from app.widgets.messages import IconLabel
from core.domain.counting import counted
from core.domain.team import TeamFinding

_HINTS = ("fast", "length")


class LooksCard(Card):
    """The findings. ``opened(PairsPlace)`` fires for the pairs of one."""

    opened = Signal(object)

    def __init__(self, theme: Theme) -> None:
        super().__init__("Needs a look")
        self._theme, self.buttons = theme, list[QWidget]()
        self._count = Chip("0")
        self.add_to_head(self._count)
        self._rows = QVBoxLayout()
        self._rows.setSpacing(6)
        self._none = text_label("Nothing stands out from chance or is beyond its limit.", "muted", wrap=True)
        self.add(self._none)
        self.add(self._rows)
        self.add(QWidget(), 1)

    def show_looks(self, looks: Sequence[TeamFinding]) -> None:
        """Show other findings."""
        clear_layout(self._rows)
        self.buttons.clear()
        self._count.setText(f"{len(looks)}")
        self._none.setVisible(not looks)
        for look in looks:
            self._rows.addWidget(self._row(look))

    def _row(self, look: TeamFinding) -> QWidget:
        frame = QWidget()
        row = QHBoxLayout(frame)
        row.setContentsMargins(0, 0, 0, 0)
        hint = look.kind in _HINTS
        row.addWidget(IconLabel(self._theme, "info" if hint else "warn", "text2" if hint else "warn", 16))
        row.addWidget(text_label(look.words, wrap=True, selectable=True), 1)
        if look.pairs:
            words = counted(look.total, "pair")
            button = push_button(words, "link", name=f"{words}: {look.words}")
            place = PairsPlace(look.words, look.pairs)
            button.clicked.connect(lambda _=False, place=place: self.opened.emit(place))
            row.addWidget(button)
            self.buttons.append(button)
        return frame
