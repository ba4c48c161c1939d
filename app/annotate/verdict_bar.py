"""The verdict at the bottom: one button a scale point with its key, then undo, flag, neither, skip, submit."""

from __future__ import annotations

from PySide6.QtGui import QIcon, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout

from app.actions.registry import ActionRegistry
from app.annotate.verdict_scale import SCALE_STRENGTHS, VERDICT_POINTS
from app.theme.theme import Theme
from app.widgets.buttons import ActionButton, VerdictButton, action_button
from app.widgets.containers import Card
from app.widgets.labels import ElideLabel, restyle
from app.widgets.messages import announce
from core.domain.judgement import Verdict

LOWER = (
    ("annotate.undo", "Undo"),
    ("annotate.flag", "Flag"),
    ("annotate.neither", "Neither valid"),
    ("annotate.cannot", "Cannot judge"),
    ("annotate.skip", "Skip"),
)
EDGES_PX = 60
"""What the gaps and the edges take of the lower row at least."""
SUBMIT, AMEND, BACK = "Submit && next", "Store the change", "Back to the queue"


class VerdictBar(Card):
    """Buttons that run actions of the catalog, and one line of text.

    The line shows the last message; without one what the verdict says of itself; else whether the last judgement
    is stored.
    """

    def __init__(self, actions: ActionRegistry, theme: Theme) -> None:
        super().__init__(spacing=10)
        self._offered = SCALE_STRENGTHS[7]
        self._save_state = self._message = self._detail = ""
        row = QHBoxLayout()
        row.setSpacing(8)
        self.buttons: dict[int, VerdictButton] = {}
        for point in VERDICT_POINTS:
            name = actions.specs[point.action_id].title
            button = VerdictButton(point.label, actions.key_text(point.action_id), name=name)
            button.clicked.connect(lambda _=False, action_id=point.action_id: actions.run(action_id))
            self.buttons[point.strength] = button
            row.addWidget(button, 1)
        self.add(row)
        lower = QHBoxLayout()
        lower.setSpacing(3)
        flat = [
            action_button(actions, action_id, text=text, kind="flat", show_key=True, theme=theme)
            for action_id, text in LOWER
        ]
        for button in flat:
            lower.addWidget(button)
        self._flat = [button for button in flat if isinstance(button, ActionButton)]
        _, _, self.neither, self.cannot, _ = flat
        self._line = ElideLabel("", kind="caption")
        lower.addStretch(1)
        self.submit = ActionButton(actions, "annotate.submit", SUBMIT, "primary", True, theme)
        self.submit.setIcon(QIcon())
        lower.addSpacing(6)
        lower.addWidget(self.submit)
        self.add(self._line)
        self.add(lower)

    def set_scale(self, scale: int) -> None:
        """Offer the points of a rubric's scale."""
        self._offered = SCALE_STRENGTHS[scale]
        for strength, button in self.buttons.items():
            button.setVisible(strength in self._offered)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Write the verdicts in two lines when one of them does not fit in one."""
        super().resizeEvent(event)
        self._fit()

    def showEvent(self, event: QShowEvent) -> None:
        """Fit the verdicts, because the buttons have their font only now."""
        super().showEvent(event)
        self._fit()

    def _fit(self) -> None:
        if (layout := self.layout()) is not None:
            layout.activate()
        shown = [self.buttons[strength] for strength in self._offered]
        stacked = any(button.needs_two_lines() for button in shown)
        for button in shown:
            button.set_stacked(stacked)
        for button in self._flat:
            button.set_room_for_key(True)
        wanted = sum(button.sizeHint().width() for button in (*self._flat, self.submit))
        if wanted + EDGES_PX > self.width():
            for button in self._flat:
                button.set_room_for_key(False)

    def show_step(self, *, earlier: bool, changed: bool) -> None:
        """Say on the main button what Enter does: submit a pair of the queue, amend an earlier decision or leave it."""
        self.submit.set_label((AMEND if changed else BACK) if earlier else SUBMIT)

    def set_save_state(self, text: str, spoken: str = "") -> None:
        """Take whether the last judgement is stored; ``spoken`` is what a screen reader says of it."""
        self._save_state = text
        self._line.setText(self._message or self._detail or text)
        if spoken:
            announce(self, spoken)

    def show_message(self, text: str) -> None:
        """Tell the reviewer something until the form changes."""
        self._message = text
        self._line.setText(text or self._detail or self._save_state)
        if text:
            announce(self, text)

    @property
    def line(self) -> str:
        """The text beside the submit button."""
        return self._line.text()

    def show_verdict(self, strength: int | None, verdict: Verdict | None, detail: str = "") -> None:
        """Show the chosen point of the scale, or the chosen verdict without one; ``detail`` says more of it."""
        for value, button in self.buttons.items():
            button.set_chosen(strength is not None and value == strength)
        for button, of_button in ((self.neither, Verdict.NEITHER), (self.cannot, Verdict.CANNOT_JUDGE)):
            chosen = "true" if verdict is of_button else "false"
            if button.property("chosen") != chosen:
                button.setProperty("chosen", chosen)
                restyle(button)
        self._detail, self._message = detail, ""
        self._line.setText(detail or self._save_state)
