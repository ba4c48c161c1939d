"""What the labelling screen shows when there is no pair: what is missing, and the way to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import Signal

from app.annotate.queue_choice import Missing
from app.theme.theme import Theme
from app.widgets.messages import EmptyState

Step = Literal["data", "rubrics", "reviewer", "skipped", "all", "again", "votes"]
"""Where the main button leads: a place of the window, the choice of a reviewer, another queue, the same one again."""


@dataclass(frozen=True, slots=True)
class EmptyText:
    """The drawing and the words of one such state, and where its main button leads."""

    icon: str
    title: str
    text: str
    button: str
    step: Step


EMPTY_STATES: dict[Missing, EmptyText] = {
    "pairs": EmptyText("data", "No pairs yet", "Import a file of answers to compare.", "Import pairs", "data"),
    "rubric": EmptyText(
        "rubrics",
        "No published rubric",
        "A label needs a rubric version that says what better means.",
        "Go to Rubrics",
        "rubrics",
    ),
    "reviewer": EmptyText(
        "user",
        "Who is labelling?",
        "Labels are stored under a pseudonym of your choice.",
        "Choose a reviewer…",
        "reviewer",
    ),
    "skipped": EmptyText(
        "skip",
        "Only the pairs you put aside are left",
        "They were skipped with S and are not labelled yet.",
        "Show them again",
        "skipped",
    ),
    "part": EmptyText(
        "check_circle",
        "These pairs are labelled",
        "Nothing of what you chose is left to label.",
        "Label all pairs",
        "all",
    ),
    "sealed": EmptyText(
        "lock",
        "The rest belongs to a sealed test",
        "Test items of a frozen dataset version are not shown again, so that they still measure what was not seen.",
        "Go to Data",
        "data",
    ),
    "withdrawn": EmptyText(
        "lock",
        "For the rest consent was withdrawn",
        "Pairs without consent are not labelled or trained on any more. Labels that were given stay stored, and count "
        "again if consent is granted again. The Feedback tab of Data lists what was withdrawn.",
        "Go to Data",
        "data",
    ),
    "voted": EmptyText(
        "check_circle",
        "You have voted on everything here",
        "What you put aside comes back when the queue is opened again. The win rate stands on the Evaluate page.",
        "See the votes",
        "votes",
    ),
    "quizzed": EmptyText(
        "check_circle",
        "No item of the quiz is left for you",
        "Each gold item is answered once. Pairs that you labelled or decided yourself are not asked. The lead sees how "
        "it went, sets the quiz, and may waive it.",
        "Label pairs",
        "all",
    ),
    "practised": EmptyText(
        "check_circle",
        "Nothing is left to practise",
        "Practice offers gold items outside of the quiz that show clauses on which you name another side than others. "
        "They come of adjudication.",
        "Label pairs",
        "all",
    ),
    "failed": EmptyText(
        "error",
        "The queue could not be opened",
        "Nothing is lost: labels and drafts are stored.",
        "Try again",
        "again",
    ),
    "done": EmptyText(
        "check_circle",
        "Everything here is labelled",
        "Freeze the labels into a dataset version, or choose other pairs.",
        "Go to Data",
        "data",
    ),
}


class NothingToLabel(EmptyState):
    """The screen for what is missing.

    Signals:
        step_requested(str): the main button was pressed; a ``Step``.
        choice_requested(): the second button, which asks what to label, was pressed.
    """

    step_requested = Signal(str)
    choice_requested = Signal()

    def __init__(self, theme: Theme, missing: Missing) -> None:
        text = EMPTY_STATES[missing]
        other = missing in ("voted", "done", "part", "skipped", "sealed", "withdrawn", "quizzed", "practised")
        more = ("Choose what to label…", self._request_choice) if other else None
        self._step = text.step
        super().__init__(theme, text.icon, text.title, text.text, main=(text.button, self._request_step), second=more)

    def _request_step(self) -> None:
        self.step_requested.emit(self._step)

    def _request_choice(self) -> None:
        self.choice_requested.emit()
