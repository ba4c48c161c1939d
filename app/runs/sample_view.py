"""Policy and reference side by side: the same prompt and seed over the steps, with the words that differ."""

from __future__ import annotations

import math
from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLabel, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from app.runs.sample_series import PromptSamples, by_prompt, facts, none_yet
from app.theme.theme import Theme
from app.widgets.buttons import push_button
from app.widgets.containers import WholeColumn
from app.widgets.controls import ComboBox, Slider
from app.widgets.flow import FlowLayout
from app.widgets.labels import text_label
from app.widgets.safe_text import SafeText
from app.widgets.word_diff import compare
from core.domain.counting import counted
from core.domain.run_events import SampleDone

_LABEL = "Make pairs of the newest samples, sides drawn anew for each showing, and label them"


class SampleView(QWidget):
    """The samples of one run. The newest step is shown until the slider or a pinned step chooses another.

    Signals:
        label_wanted(): the newest samples shall be labelled blind.
    """

    label_wanted = Signal()

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._prompts: list[PromptSamples] = []
        self._held = math.nan
        self._stack = QStackedWidget()
        self._none = text_label("", "muted", wrap=True)
        self._none.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._stack.addWidget(self._none)
        shown = WholeColumn(spacing=4)
        shown.column.setContentsMargins(0, 4, 0, 0)
        shown.column.addLayout(self._head(theme))
        shown.column.addLayout(self._panes(theme), 1)
        self._stack.addWidget(shown)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self._stack)

    def _head(self, theme: Theme) -> FlowLayout:
        row = FlowLayout(row_spacing=2)
        self.prompt = ComboBox(outside=True)
        self.prompt.setAccessibleName("Prompt that was answered")
        self.slider = Slider(Qt.Orientation.Horizontal)
        self.slider.setFixedWidth(theme.px(140))
        self.slider.setAccessibleName("Step of the samples")
        self.at = text_label("", "caption")
        self.differences = QCheckBox("Differences")
        self.differences.setToolTip("Mark the words that only one of both answers has")
        self.differences.setChecked(True)
        self.about = text_label("", "caption", wrap=True)
        row.add(self.prompt, least=14)
        look = QWidget()
        beside = QHBoxLayout(look)
        beside.setContentsMargins(0, 0, 0, 0)
        beside.addWidget(self.slider)
        beside.addWidget(self.at)
        look.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.label = push_button("Label blind", "flat", theme=theme, icon="annotate", tooltip=_LABEL)
        self.label.clicked.connect(self.label_wanted)
        for part in (look, self.differences, self.label):
            row.addWidget(part)
        row.add(self.about, least=18)
        self.prompt.activated.connect(lambda _: self._show())
        self.slider.valueChanged.connect(self._slid)
        self.differences.toggled.connect(lambda _: self._show())
        return row

    def _panes(self, theme: Theme) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(8)
        self._titles: list[QLabel] = []
        self.policy = SafeText(theme, "Answer of the policy", size=13, mode="source")
        self.reference = SafeText(theme, "Answer of the reference", size=13, mode="source")
        for view in (self.policy, self.reference):
            column = QVBoxLayout()
            column.setSpacing(2)
            title = text_label("", "section", wrap=True)
            self._titles.append(title)
            column.addWidget(title)
            column.addWidget(view, 1)
            row.addLayout(column, 1)
        return row

    def set_samples(self, samples: Sequence[SampleDone], every: int) -> None:
        """Take the samples of a run; ``every`` so many steps new ones are drawn. The chosen prompt stays chosen."""
        chosen = self._chosen
        kept = (chosen.pair_id, chosen.seed) if chosen else None
        self._prompts = by_prompt(samples)
        self._none.setText(none_yet(every))
        self._stack.setCurrentIndex(int(bool(self._prompts)))
        self.prompt.clear()
        self.prompt.addItems([f"{number}. {one.title}" for number, one in enumerate(self._prompts, 1)])
        self.prompt.setAccessibleDescription(counted(len(self._prompts), "prompt"))
        keys = [(one.pair_id, one.seed) for one in self._prompts]
        self.prompt.setCurrentIndex(keys.index(kept) if kept in keys else 0)
        self._show()

    def show_step(self, step: float) -> None:
        """Show the last samples at or before a step; NaN is the newest."""
        self._held = step
        self._show()

    @property
    def _chosen(self) -> PromptSamples | None:
        place = self.prompt.currentIndex()
        return self._prompts[place] if 0 <= place < len(self._prompts) else None

    def _slid(self, place: int) -> None:
        if (chosen := self._chosen) is not None:
            last = place == len(chosen.samples) - 1
            self._held = math.nan if last else float(chosen.samples[place].step)
            self._show()

    def _show(self) -> None:
        if (chosen := self._chosen) is None:
            return
        held = [place for place, step in enumerate(chosen.steps) if step <= self._held]
        place = len(chosen.samples) - 1 if math.isnan(self._held) else (held[-1] if held else 0)
        self.slider.blockSignals(True)
        self.slider.setRange(0, len(chosen.samples) - 1)
        self.slider.setValue(place)
        self.slider.blockSignals(False)
        self.slider.setEnabled(len(chosen.samples) > 1)
        sample = chosen.samples[place]
        diff = compare(sample.policy, sample.reference)
        self.at.setText(f"step {sample.step:,}")
        self.slider.setAccessibleDescription(self.at.text())
        self.about.setText(facts(sample, diff))
        self._titles[0].setText(f"Policy at step {sample.step:,}")
        self._titles[1].setText(f"Reference, seed {chosen.seed}")
        marked = self.differences.isChecked() and not diff.mostly
        mode = "diff" if marked else "source"
        self.policy.set_text(sample.policy, mode=mode, marks=diff.left if marked else None)
        self.reference.set_text(sample.reference, mode=mode, marks=diff.right if marked else None)
