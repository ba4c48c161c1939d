"""The verdict at the bottom: one button a scale point with its key, then undo, flag, neither, skip, submit."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QSize
from PySide6.QtGui import QIcon, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QWidget

from app.actions.registry import ActionRegistry
from app.annotate.tool_menu import ToolMenu
from app.annotate.verdict_scale import SCALE_STRENGTHS, VERDICT_POINTS
from app.theme.styled_roots import ICON_PROPERTY
from app.theme.theme import Theme
from app.widgets.buttons import ActionButton, action_button
from app.widgets.containers import Card, line
from app.widgets.flow import FlowLayout
from app.widgets.labels import restyle, text_label
from app.widgets.messages import announce
from app.widgets.verdict_button import SMALLEST, VerdictButton, Wording
from core.domain.judgement import Verdict

LOWER = (
    ("annotate.undo", "Undo"),
    ("annotate.flag", "Flag"),
    ("annotate.neither", "Neither valid"),
    ("annotate.cannot", "Cannot judge"),
    ("annotate.skip", "Skip"),
)
LESS_NEEDED = ("annotate.flag", "annotate.skip"), ("annotate.flag", "annotate.cannot", "annotate.skip")
"""What a menu holds where the lower row has no room for all buttons, and where it has still less."""
ICON_PX = 18
GAP_PX, FLAT_GAP_PX = 8, 3
"""Pixels between two verdicts, and between two of the other buttons."""
SUBMIT, AMEND, BACK = "Submit && next", "Store the change", "Back to the queue"


class SideCaption(QWidget):
    """A caption over the verdicts of one side, between two lines, where there is no room for the side on each."""

    def __init__(self, words: str) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(line(), 1)
        row.addWidget(text_label(words, "caption"))
        row.addWidget(line(), 1)
        self.hide()


class VerdictBar(Card):
    """Buttons that run actions of the catalog, and one line of text.

    The line shows the last message; without one what the verdict says of itself; else whether the last judgement
    is stored.
    """

    def __init__(self, actions: ActionRegistry, theme: Theme) -> None:
        super().__init__(spacing=6)
        self._theme, self._fitting = theme, True
        self._letters: list[int] = []
        self._offered = SCALE_STRENGTHS[7]
        self._save_state = self._message = self._detail = ""
        self._scale = QGridLayout()
        self._scale.setHorizontalSpacing(GAP_PX)
        self._scale.setVerticalSpacing(4)
        self.captions = {"left": SideCaption("Left is"), "right": SideCaption("Right is")}
        self._scale.addWidget(self.captions["left"], 0, 0, 1, 3)
        self._scale.addWidget(self.captions["right"], 0, 4, 1, 3)
        self.buttons: dict[int, VerdictButton] = {}
        for column, point in enumerate(VERDICT_POINTS):
            button = self.buttons[point.strength] = VerdictButton(actions, point.action_id, point.label)
            self._scale.addWidget(button, 1, column)
            self._scale.setColumnStretch(column, 1)
        self.add(self._scale)
        lower = FlowLayout(spacing=FLAT_GAP_PX, row_spacing=4)
        flat = [
            action_button(actions, action_id, text=text, kind="flat", show_key=True, theme=theme)
            for action_id, text in LOWER
        ]
        for button in flat:
            lower.addWidget(button)
        self._flat = [button for button in flat if isinstance(button, ActionButton)]
        _, _, self.neither, self.cannot, _ = flat
        self.more = ToolMenu(actions, theme, (), "More verdicts")
        lower.addWidget(self.more)
        self._line = text_label("", "caption", wrap=True)
        self._line.hide()
        lower.add_gap()
        self.submit = ActionButton(actions, "annotate.submit", SUBMIT, "primary", True, theme)
        self.submit.setIcon(QIcon())
        lower.addWidget(self.submit)
        self.add(self._line)
        self.add(lower)
        self._fitting = False

    def set_scale(self, scale: int) -> None:
        """Offer the points of a rubric's scale."""
        self._offered = SCALE_STRENGTHS[scale]
        for strength, button in self.buttons.items():
            button.setVisible(strength in self._offered)
        for column, point in enumerate(VERDICT_POINTS):
            self._scale.setColumnStretch(column, int(point.strength in self._offered))
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Write the verdicts in two lines when one of them does not fit in one."""
        super().resizeEvent(event)
        self._fit()

    def showEvent(self, event: QShowEvent) -> None:
        """Fit the verdicts, because the buttons have their font only now."""
        super().showEvent(event)
        self._fit()

    def changeEvent(self, event: QEvent) -> None:
        """Fit the verdicts to another text size."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._fit()

    def event(self, event: QEvent) -> bool:
        """Fit the words again where a button took its font after the bar was fitted."""
        done = super().event(event)
        if event.type() == QEvent.Type.LayoutRequest and self._letters != self._letter_heights():
            self._fit()
        return done

    def _letter_heights(self) -> list[int]:
        return [one.fontMetrics().height() for one in (*self.buttons.values(), *self._flat, self.submit)]

    def _fit(self) -> None:
        """Fit what is said to the width, once: what it hides and shows resizes the bar again."""
        if not self._fitting:
            self._fitting = True
            self._choose_words()
            self._letters = self._letter_heights()
            self._fitting = False

    def _choose_words(self) -> None:
        """Say as much on the verdicts as has room, on all of them alike; print the other keys where they have room."""
        shown = [self.buttons[strength] for strength in self._offered]
        margins = self.contentsMargins() + self.column.contentsMargins()
        room = self.width() - margins.left() - margins.right()
        width = (room - GAP_PX * (len(shown) - 1)) // len(shown)
        shares = {wording: min(button.share_for(wording, width) for button in shown) for wording in Wording}
        wording = next((one for one in Wording if shares[one] >= 1), Wording.UNDER_CAPTION)
        for button in shown:
            button.show_as(wording, max(SMALLEST, shares[wording]))
        for caption in self.captions.values():
            caption.setVisible(wording is Wording.UNDER_CAPTION)
        self.submit.setMinimumWidth(self.submit.sizeHint().width())
        few, fewer = LESS_NEEDED
        levels = ((True, (), True), (False, (), True), (False, few, True), (False, few, False), (False, fewer, False))
        fitting = (level for level in levels if self._lower_width(*level) <= room)
        self._show_lower(*next(fitting, levels[-1]))

    def _lower_width(self, keys: bool, in_menu: Sequence[str], icons: bool) -> int:
        """Return the width of the lower row with or without keys and icons, some of its buttons in a menu."""
        side = self._theme.px(ICON_PX) if icons else 0
        shown = [button for button, (name, _) in zip(self._flat, LOWER, strict=True) if name not in in_menu]
        widths = [button.width_for(key=keys, icon_px=side) for button in shown]
        widths += [self.submit.minimumWidth(), self.more.sizeHint().width() if in_menu else 0]
        return sum(widths) + FLAT_GAP_PX * len(widths)

    def _show_lower(self, keys: bool, in_menu: Sequence[str], icons: bool) -> None:
        for button, (action_id, _) in zip(self._flat, LOWER, strict=True):
            button.set_room_for_key(keys)
            button.setVisible(action_id not in in_menu)
            button.setProperty(ICON_PROPERTY, ICON_PX if icons else 0)
            self._theme.fit_icon(button) if icons else button.setIconSize(QSize(0, 0))
        self.more.show_actions(in_menu)

    def show_step(self, *, earlier: bool, changed: bool) -> None:
        """Say on the main button what Enter does: submit a pair of the queue, amend an earlier decision or leave it."""
        self.submit.set_label((AMEND if changed else BACK) if earlier else SUBMIT)
        self.submit.setMinimumWidth(self.submit.sizeHint().width())

    def set_save_state(self, text: str, spoken: str = "") -> None:
        """Take whether the last judgement is stored; ``spoken`` is what a screen reader says of it."""
        self._save_state = text
        self._print(self._message or self._detail or text)
        if spoken:
            announce(self, spoken)

    def show_message(self, text: str) -> None:
        """Tell the reviewer something until the form changes."""
        self._message = text
        self._print(text or self._detail or self._save_state)
        if text:
            announce(self, text)

    def _print(self, text: str) -> None:
        """Print a line; without one its row is left out."""
        self._line.setText(text)
        self._line.setVisible(bool(text))

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
        self._print(detail or self._save_state)
