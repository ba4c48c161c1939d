"""The side of a talk: decoder, history, system prompt, the rendered template, and what the saved votes come to."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from app.theme.theme import Theme
from app.widgets.containers import Collapsible, ScrollColumn, line
from app.widgets.controls import SpinBox
from app.widgets.display import Mark
from app.widgets.field_grid import FieldGrid
from app.widgets.flow import FlowLayout
from app.widgets.inputs import LabeledSlider, SegmentedControl
from app.widgets.labels import text_label
from app.widgets.safe_text import SafeText
from core.domain.counting import counted
from core.domain.talk import History, TalkSettings
from core.domain.talk_events import RenderedPrompt

_SYSTEM_LINES = 3
_MOST_TOKENS, _MOST_SEED = 4096, 2**31 - 1


class TalkSettingsPanel(QWidget):
    """Reads and shows what the next message is asked with.

    Signals:
        changed(): a setting of the decoder, the history or the system prompt was changed.
        template_wanted(): the rendered template was opened.
    """

    changed = Signal()
    template_wanted = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        first = TalkSettings()
        self.drawing = SegmentedControl("How tokens are drawn", [("sample", "Sample"), ("greedy", "Greedy")])
        self.temperature = LabeledSlider("Temperature", 0.05, 2.0, 0.05, first.temperature)
        self.top_p = LabeledSlider("Top-p", 0.05, 1.0, 0.05, first.top_p)
        self.penalty = LabeledSlider("Repetition penalty", 1.0, 2.0, 0.05, first.repetition_penalty)
        self.penalty.setToolTip("Above 1 tokens of the prompt and the answer so far become less likely; 1 is off.")
        self.tokens, self.seed = SpinBox(), SpinBox()
        self.tokens.setRange(1, _MOST_TOKENS)
        self.tokens.setValue(first.max_new_tokens)
        self.seed.setRange(0, _MOST_SEED)
        self.tokens.setAccessibleName("Max new tokens")
        self.seed.setAccessibleName("Seed")
        self.same_seed = QCheckBox("The same seed for all")
        self.same_seed.setChecked(True)
        self.same_seed.setAccessibleName("The same seed for all who answer")
        goes_on = [("own", "Own answers"), ("one", "The better one")]
        self.history = SegmentedControl("What the next message goes on from", goes_on)
        self.history.setToolTip(
            "Own answers: each side goes on from its own, and no pair can be saved from the second turn on. "
            "Better: both go on from the preferred answer, or the left one."
        )
        self.system = QPlainTextEdit()
        self.system.setAccessibleName("System prompt")
        self.system.setPlaceholderText("None")
        self.system.setTabChangesFocus(True)
        self.system_tokens, self.template_tokens = text_label("", "caption"), text_label("", "caption")
        self.template = SafeText(theme, "Rendered template", size=12, mode="source")
        self.fold = Collapsible("Rendered template", self.template, theme=theme, open_=False)
        self.votes = text_label("", "hint", wrap=True)
        self._theme = theme
        self._build()
        self._scale()
        theme.changed.connect(self._scale)
        self.drawing.set_value("sample")
        self.history.set_value("own")
        self._connect()

    def _build(self) -> None:
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        scroll = ScrollColumn(margin=12, spacing=8, name="Settings of the talk")
        outer.addWidget(scroll)
        column = scroll.column
        head = FlowLayout(spacing=8)
        head.addWidget(text_label("Decoder", "section"))
        head.add_gap()
        head.addWidget(self.drawing)
        column.addLayout(head)
        sliders = [(slider.label, slider) for slider in (self.temperature, self.top_p, self.penalty)]
        numbers = [(text_label(name, "muted"), box) for name, box in (("Max tokens", self.tokens), ("Seed", self.seed))]
        row = QHBoxLayout()
        row.addWidget(FieldGrid([*sliders, *numbers], most=1))
        row.addStretch(1)
        column.addLayout(row)
        column.addWidget(self.same_seed)
        column.addWidget(line())
        column.addWidget(text_label("History", "section"))
        column.addWidget(self.history)
        column.addWidget(line())
        title = QHBoxLayout()
        title.addWidget(text_label("System prompt", "section"), 1)
        title.addWidget(self.system_tokens)
        column.addLayout(title)
        column.addWidget(self.system)
        self.fold.head.addWidget(self.template_tokens)
        column.addWidget(self.fold)
        column.addWidget(line())
        column.addWidget(text_label("Votes here", "section"))
        column.addWidget(self.votes)
        column.addStretch(1)

    def _scale(self) -> None:
        """Give the texts heights that follow the size of the text."""
        self.system.setFixedHeight(self._theme.px(26 * _SYSTEM_LINES))
        self.template.setMinimumHeight(self._theme.px(190))

    def _connect(self) -> None:
        self.drawing.changed.connect(self._draw)
        self.history.changed.connect(lambda _: self.changed.emit())
        self.temperature.changed.connect(lambda _: self.changed.emit())
        self.top_p.changed.connect(lambda _: self.changed.emit())
        self.penalty.changed.connect(lambda _: self.changed.emit())
        self.tokens.valueChanged.connect(lambda _: self.changed.emit())
        self.seed.valueChanged.connect(lambda _: self.changed.emit())
        self.same_seed.toggled.connect(lambda _: self.changed.emit())
        self.system.textChanged.connect(self.changed)
        self.fold.toggled.connect(lambda on: self.template_wanted.emit() if on else None)

    def _draw(self, _value: object) -> None:
        for slider in (self.temperature, self.top_p):
            slider.setEnabled(self.drawing.value == "sample")
        self.changed.emit()

    def settings(self) -> TalkSettings:
        """Return the settings of the decoder."""
        greedy = self.drawing.value == "greedy"
        return TalkSettings(
            0.0 if greedy else self.temperature.value, self.top_p.value, 0, self.tokens.value(), self.seed.value(),
            self.same_seed.isChecked(), self.penalty.value,
        )  # fmt: skip

    @property
    def chosen_history(self) -> History:
        """What the next message goes on from."""
        return "one" if self.history.value == "one" else "own"

    def show_seed(self, seed: int) -> None:
        """Show the seed of the answers that are shown."""
        self.seed.blockSignals(True)
        self.seed.setValue(min(seed, _MOST_SEED))
        self.seed.blockSignals(False)

    def show_template(self, found: RenderedPrompt | None) -> None:
        """Show what the model read, its special tokens marked; None for nothing yet."""
        marks, at = [], 0
        for text, special in found.parts if found is not None else ():
            if special:
                marks.append(Mark(at, at + len(text), "strong"))
            at += len(text)
        self.template.set_text(found.text if found is not None else "", mode="source", extra=marks)
        self.template_tokens.setText(counted(found.tokens, "token") if found is not None else "")
        system = found.system_tokens if found is not None else 0
        self.system_tokens.setText(counted(system, "token") if system else "")
