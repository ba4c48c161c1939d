"""The verdict at the bottom: one button a scale point with its key, then undo, flag, neither, skip, submit."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QIcon, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout

from app.context import AppContext
from app.widgets.buttons import VerdictButton, action_button
from app.widgets.containers import Card
from app.widgets.labels import ElideLabel, restyle
from app.widgets.messages import announce
from core.domain.judgement import Verdict

POINTS: tuple[tuple[str, int, str], ...] = (
    ("annotate.left3", -3, "Left much better"),
    ("annotate.left2", -2, "Left better"),
    ("annotate.left1", -1, "Left slightly better"),
    ("annotate.tie", 0, "Tie"),
    ("annotate.right1", 1, "Right slightly better"),
    ("annotate.right2", 2, "Right better"),
    ("annotate.right3", 3, "Right much better"),
)
ON_SCALE: dict[int, tuple[int, ...]] = {3: (-2, 0, 2), 5: (-3, -2, 0, 2, 3), 7: (-3, -2, -1, 0, 1, 2, 3)}
"""Which strengths a rubric's scale offers; the key of a strength is the same on every scale."""


class VerdictBar(Card):
    """Buttons of the catalog's actions; it decides nothing."""

    def __init__(self, context: AppContext) -> None:
        super().__init__(spacing=10)
        actions = context.actions
        self.offered = ON_SCALE[7]
        self._saved = self._said = self._word = ""
        row = QHBoxLayout()
        row.setSpacing(8)
        self.buttons: dict[int, VerdictButton] = {}
        for action_id, strength, label in POINTS:
            name = actions.specs[action_id].title
            brief = label.replace("slightly", "a bit")
            button = VerdictButton(label, actions.key_text(action_id), name=name, brief=brief)
            button.clicked.connect(lambda _=False, run=action_id: actions.run(run))
            self.buttons[strength] = button
            row.addWidget(button, 1)
        self.add(row)
        lower = QHBoxLayout()
        lower.setSpacing(3)
        self.neither = action_button(actions, "annotate.neither", text="Neither", kind="flat", theme=context.theme)
        self.cannot = action_button(actions, "annotate.cannot", text="Cannot judge", kind="flat", theme=context.theme)
        for widget in (
            action_button(actions, "annotate.undo", kind="flat", theme=context.theme),
            action_button(actions, "annotate.flag", text="Flag", kind="flat", theme=context.theme),
            self.neither,
            self.cannot,
            action_button(actions, "annotate.skip", kind="flat", theme=context.theme),
        ):
            lower.addWidget(widget)
        self._line = ElideLabel("", kind="caption")
        self._line.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        lower.addWidget(self._line, 1)
        self.submit = action_button(
            actions, "annotate.submit", text="Submit && next", kind="primary", show_key=True, theme=context.theme
        )
        self.submit.setIcon(QIcon())
        self.submit.setAccessibleName("Submit and next")
        lower.addSpacing(6)
        lower.addWidget(self.submit)
        self.add(lower)

    def set_scale(self, scale: int) -> None:
        """Offer the points of a rubric's scale."""
        self.offered = ON_SCALE[scale]
        for strength, button in self.buttons.items():
            button.setVisible(strength in self.offered)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Write the verdicts in two lines where one of them would not fit in one."""
        super().resizeEvent(event)
        self._fit()

    def showEvent(self, event: QShowEvent) -> None:
        """Fit once the sheet has given the buttons their font."""
        super().showEvent(event)
        self._fit()

    def _fit(self) -> None:
        self.layout().activate()
        shown = [self.buttons[strength] for strength in self.offered]
        stacked = any(button.needs_two_lines() for button in shown)
        for button in shown:
            button.set_stacked(stacked)

    def set_saved(self, text: str) -> None:
        """Say whether the last judgement is stored; shown whenever there is nothing else to say."""
        self._saved = text
        self._line.setText(self._said or self._word or text)

    def say(self, text: str) -> None:
        """Tell the reviewer something until the answer changes."""
        self._said = text
        self._line.setText(text or self._word or self._saved)
        if text:
            announce(self, text)

    @property
    def line(self) -> str:
        """What is said beside the submit button."""
        return self._line.text()

    def show_choice(self, strength: int | None, verdict: Verdict | None, word: str = "") -> None:
        """Mark the chosen point or the chosen verdict without one; ``word`` says more of it."""
        for value, button in self.buttons.items():
            button.set_chosen(strength is not None and value == strength)
        for button, mine in ((self.neither, Verdict.NEITHER), (self.cannot, Verdict.CANNOT_JUDGE)):
            chosen = "true" if verdict is mine else "false"
            if button.property("chosen") != chosen:
                button.setProperty("chosen", chosen)
                restyle(button)
        self._word, self._said = word, ""
        self._line.setText(word or self._saved)
