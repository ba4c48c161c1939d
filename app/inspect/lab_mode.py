"""The objective lab as the second tab of Inspect: its tabs and the controls of its header."""

from __future__ import annotations

from collections.abc import Iterable

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget

from app.context import AppContext
from app.inspect.lab_presenter import LabPrompt, prompts_of
from app.inspect.lab_view import LabView
from app.widgets.buttons import action_button
from app.widgets.controls import ComboBox, TabBar
from app.widgets.header import PageHeader
from app.widgets.labels import Chip, short
from app.widgets.lazy_part import LazyPart

PAIRS, LAB = 0, 1
_TABS = (
    ("Pairs", "The pairs of the run, worst margin first"),
    ("Objective lab", "One prompt's answers: the optimum over them at any beta, and the five steps to the loss"),
)
_MOST_LETTERS, _SHOWN_LETTERS = 60, 20


class LabMode(QObject):
    """Tabs and header controls of the lab.

    Attributes:
        place: where the lab is, or will be once it is shown.

    Signals:
        chosen(int): another tab was chosen.
    """

    chosen = Signal(int)

    def __init__(self, context: AppContext, header: PageHeader) -> None:
        super().__init__(header)
        self.place = LazyPart(context.theme, lambda: LabView(context), self._begin)
        self._prompt, self._prompts = LabPrompt(""), list[LabPrompt]()
        self._run_id, self._runs = "", list[tuple[str, str]]()
        self.tabs, self.prompts = TabBar(), ComboBox(outside=True)
        self.count, self.seed = Chip(""), Chip("")
        self.tabs.setAccessibleName("What Inspect shows")
        self.tabs.setDrawBase(False)
        self.tabs.setExpanding(False)
        self.tabs.setUsesScrollButtons(False)
        for place, (title, tip) in enumerate(_TABS):
            self.tabs.addTab(title)
            self.tabs.setTabToolTip(place, tip)
        self.prompts.setSizeAdjustPolicy(ComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.prompts.setMinimumContentsLength(_SHOWN_LETTERS)
        self.prompts.setAccessibleName("Prompt of the objective lab")
        self._buttons = [
            action_button(context.actions, "inspect.draw_how", icon_only=True, theme=context.theme),
            action_button(context.actions, "inspect.draw", theme=context.theme),
        ]
        self._controls: list[QWidget] = [self.prompts, *self._buttons]
        for part in (self.tabs, self.count, self.seed):
            header.add_left(part)
        header.add_right(self.prompts)
        self.tabs.currentChanged.connect(self._choose)
        self.prompts.activated.connect(self._choose_prompt)
        self._show_controls(False)

    @property
    def view(self) -> LabView:
        """The lab, made when it is first asked for."""
        return self.place.part

    def _begin(self, view: LabView) -> None:
        view.described.connect(self._describe)
        view.prompt_changed.connect(self._add)
        view.set_run(self._run_id, self._runs)
        view.set_prompt(self._prompt)

    def set_run(self, run_id: str, runs: list[tuple[str, str]]) -> None:
        """Look at another run; ``runs`` are (id, name) of all."""
        self._run_id, self._runs = run_id, runs
        if (view := self.place.made) is not None:
            view.set_run(run_id, runs)

    def add_buttons(self, header: PageHeader) -> None:
        """Put the buttons behind what the page has added to its header."""
        for button in self._buttons:
            header.add_right(button)

    @property
    def on(self) -> bool:
        """Whether the lab is shown."""
        return self.tabs.currentIndex() == LAB

    def show_tab(self, place: int) -> None:
        """Show the pairs, or the lab."""
        self.tabs.setCurrentIndex(place)

    def set_pairs(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Offer the prompts of (pair id, prompt); the one that is looked at stays."""
        found = prompts_of(pairs)
        kept = self._prompt
        if kept.text and kept not in found:
            found.insert(0, kept)
        if found != self._prompts:
            self._prompts = found
            self.prompts.clear()
            for prompt in found:
                self.prompts.addItem(short(" ".join(prompt.text.split()), _MOST_LETTERS))
        if not kept.text and found:
            self._look_at(found[0])
        self._show_current()

    def show_pair(self, pair_id: str, text: str) -> None:
        """Look at the prompt of a pair, with the answers of this very pair."""
        if pair_id and text:
            self._add(LabPrompt(text, pair_id))

    def _add(self, prompt: LabPrompt) -> None:
        if prompt not in self._prompts:
            self._prompts.insert(0, prompt)
            self.prompts.insertItem(0, short(" ".join(prompt.text.split()), _MOST_LETTERS))
        self._look_at(prompt)
        self._show_current()

    def _look_at(self, prompt: LabPrompt) -> None:
        self._prompt = prompt
        if (view := self.place.made) is not None:
            view.set_prompt(prompt)

    def _show_current(self) -> None:
        if self._prompt in self._prompts:
            self.prompts.setCurrentIndex(self._prompts.index(self._prompt))

    def _choose(self, place: int) -> None:
        self._show_controls(place == LAB)
        self.chosen.emit(place)

    def _choose_prompt(self, place: int) -> None:
        self._look_at(self._prompts[place])

    def _show_controls(self, on: bool) -> None:
        for control in self._controls:
            control.setVisible(on)
        for chip in (self.count, self.seed):
            chip.setVisible(on and bool(chip.text()))

    def _describe(self, count: str, seed: str) -> None:
        self.count.set_chip(count)
        self.seed.set_chip(seed)
        self._show_controls(self.on)
