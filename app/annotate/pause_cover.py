"""What stands in place of the pair while the reviewer pauses: nothing of the pair, no verdict, one way on."""

from __future__ import annotations

from PySide6.QtCore import QElapsedTimer, Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.actions.registry import ActionRegistry
from app.theme.theme import Theme
from app.widgets.buttons import push_button
from app.widgets.labels import text_label
from app.widgets.messages import IconLabel
from core.domain.time_spans import duration

TICK_MS = 1000


class PauseCover(QWidget):
    """Says that it is paused, since when, and which key goes on. Signal: ``ended()``, the button was pressed."""

    ended = Signal()

    def __init__(self, actions: ActionRegistry, theme: Theme) -> None:
        super().__init__()
        self._actions = actions
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 24, 24, 24)
        column.setSpacing(8)
        column.addStretch(2)
        column.addWidget(IconLabel(theme, "pause", "text3", 44), 0, Qt.AlignmentFlag.AlignHCenter)
        self._since = text_label("", "muted")
        about = text_label("The pair is hidden and no time is counted. What you filled in is kept.", "muted", wrap=True)
        for label in (text_label("Paused", "hero"), self._since, about):
            label.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            column.addWidget(label)
        self.button = push_button("", "primary", name="Go on")
        self.button.clicked.connect(self.ended)
        column.addSpacing(4)
        column.addWidget(self.button, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(3)
        self._clock = QElapsedTimer()
        self._timer = QTimer(self)
        self._timer.setInterval(TICK_MS)
        self._timer.timeout.connect(self._print)
        actions.keys_changed.connect(self._print_key)

    def begin(self) -> None:
        """Count from now on."""
        self._clock.start()
        self._print()
        self._print_key()

    @property
    def words(self) -> str:
        """How long it has been paused, as it is shown."""
        return self._since.text()

    def showEvent(self, event: QShowEvent) -> None:
        """Count while it is seen."""
        super().showEvent(event)
        self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        """Stop the clock's hand, not the clock."""
        super().hideEvent(event)
        self._timer.stop()

    def _print(self) -> None:
        self._since.setText(f"for {duration(self._clock.elapsed() / 1000 if self._clock.isValid() else 0)}")

    def _print_key(self) -> None:
        self.button.setText(f"Go on   {self._actions.key_text('annotate.pause')}")
        self.button.setAccessibleName("Go on labelling")
