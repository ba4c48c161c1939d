"""One feedback event in full: its texts, where it comes from, what was decided, and the buttons that decide."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtWidgets import QFrame, QLabel, QVBoxLayout

from app.context import AppContext
from app.data import feedback_words as words
from app.local_time import local_time
from app.widgets.buttons import ActionButton, action_button
from app.widgets.containers import Card, clear_layout
from app.widgets.conversation import conversation_text
from app.widgets.display import Mark
from app.widgets.flow import FlowLayout
from app.widgets.height_fit import HeightFit
from app.widgets.labels import Chip, text_label
from app.widgets.safe_text import SafeText
from core.domain.feedback import Decision, FeedbackEvent

TEXTS: tuple[tuple[str, int], ...] = (("Prompt", 110), ("Answer", 130), ("Wanted instead", 130), ("Note", 90))
"""The texts of an event, and how many design pixels each may take before it scrolls."""
BUTTONS: tuple[tuple[str, str], ...] = (
    ("data.triage_label", "Label batch"),
    ("data.triage_rubric", "Rubric issue"),
    ("data.triage_suite", "Attack item"),
    ("data.triage_reject", "Reject"),
)


class FeedbackDetail(Card):
    """Shows one event; without one it says what to choose."""

    def __init__(self, context: AppContext) -> None:
        super().__init__()
        self._context, self._theme = context, context.theme
        self.title, self.kind, self.time = text_label("", "section"), Chip(""), text_label("", "caption")
        self.attack = text_label(words.ATTACK_NOTE, "error", wrap=True)
        self._labels: dict[str, QLabel] = {}
        self._texts: dict[str, SafeText] = {}
        self._build()
        self.show_nothing()

    def show_nothing(self) -> None:
        """Say that no event is chosen."""
        self.title.setText("Choose an event")
        self.kind.set_chip("")
        self.time.setText("")
        for part in (self.attack, self._body, self._buttons):
            part.hide()

    def show_event(self, event: FeedbackEvent, history: Sequence[Decision]) -> None:
        """Show an event with every decision about it, the newest last."""
        self.title.setText(f"Event {event.id}")
        self.kind.set_chip(words.kind_text(event), "bad" if event.kind == "attack" else "neutral")
        self.time.setText(f"{local_time(words.said_ms(event))} · {words.state_text(event)}")
        self.attack.setVisible(event.kind == "attack")
        for part, (text, marks) in _texts_of(event).items():
            shown = bool(text)
            self._labels[part].setVisible(shown)
            self._texts[part].setVisible(shown)
            if shown:
                self._texts[part].set_text(text, mode="formulas" if marks else "rendered", extra=marks)
        self._removed.setVisible(event.content is None)
        clear_layout(self._facts)
        for name, line in words.facts_of(event):
            self._facts.addWidget(text_label(f"{name}: {line}", "caption", wrap=True, selectable=True))
        for decision in history:
            self._facts.addWidget(text_label(words.decision_line(decision), "", wrap=True, selectable=True))
        self._body.show()
        self._buttons.show()

    def _build(self) -> None:
        head = FlowLayout(row_spacing=2)
        for widget in (self.title, self.kind, self.time):
            head.addWidget(widget)
        self.add(head)
        self.add(self.attack)
        self._body = QFrame()
        column = QVBoxLayout(self._body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        self._removed = text_label(
            "Consent is withdrawn or has ended: the texts are not shown or used any more. Hash and decisions stay.",
            "muted", wrap=True,
        )  # fmt: skip
        column.addWidget(self._removed)
        for part, height in TEXTS:
            self._labels[part] = text_label(part, "caption")
            view = self._texts[part] = SafeText(self._theme, part, size=13)
            HeightFit([view], partial(self._theme.px, height))
            column.addWidget(self._labels[part])
            column.addWidget(view)
        self._facts = QVBoxLayout()
        self._facts.setSpacing(2)
        column.addLayout(self._facts)
        self._buttons = QFrame()
        row = FlowLayout(self._buttons, row_spacing=4)
        actions = self._context.actions
        self._keyed = {key: ActionButton(actions, key, text, "", False, self._theme) for key, text in BUTTONS}
        for button in self._keyed.values():
            row.addWidget(button)
        row.add_gap()
        row.addWidget(action_button(actions, "data.triage_undo", text="Take back", theme=self._theme))
        row.addWidget(action_button(actions, "data.consent", text="Consent…", theme=self._theme))
        actions.keys_changed.connect(self._name_keys)
        self._name_keys()
        self.add(self._buttons)
        self.add(self._body)
        self.column.addStretch(1)

    def _name_keys(self) -> None:
        """Write the keys before the words, where no narrow window cuts them."""
        for action_id, text in BUTTONS:
            self._keyed[action_id].set_label(f"{self._context.actions.key_text(action_id)}  {text}".strip())


def _texts_of(event: FeedbackEvent) -> dict[str, tuple[str, tuple[Mark, ...]]]:
    """Return part -> its text and the marks of role names."""
    content = event.content
    if content is None:
        return {part: ("", ()) for part, _ in TEXTS}
    prompt: tuple[str, tuple[Mark, ...]] = ("", ())
    if content.prompt is not None:
        prompt = conversation_text(content.prompt.messages)
    texts = {"Answer": content.answer, "Wanted instead": content.better, "Note": content.note}
    return {"Prompt": prompt, **{part: (text, ()) for part, text in texts.items()}}
