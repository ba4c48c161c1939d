"""What Annotate shows when there is nothing to label: what is missing, and the way to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.context import AppContext
from app.widgets.messages import EmptyState


@dataclass(frozen=True, slots=True)
class State:
    """One such screen. ``go`` is a place, or "all", "skipped" and "again" for another queue or the same one."""

    icon: str
    title: str
    text: str
    button: str
    go: str


STATES: dict[str, State] = {
    "pairs": State("data", "No pairs yet", "Import a file of answers to compare.", "Import pairs", "data"),
    "rubric": State(
        "rubrics",
        "No published rubric",
        "A label needs a rubric version that says what better means.",
        "Go to Rubrics",
        "rubrics",
    ),
    "reviewer": State(
        "user",
        "Who is labelling?",
        "Labels are stored under a pseudonym of your choice.",
        "Choose a reviewer…",
        "reviewer",
    ),
    "skipped": State(
        "skip",
        "Only the pairs you put aside are left",
        "They were skipped with S and are not labelled yet.",
        "Show them again",
        "skipped",
    ),
    "part": State(
        "check_circle",
        "These pairs are labelled",
        "Nothing of what you chose is left to label.",
        "Go on with all pairs",
        "all",
    ),
    "failed": State(
        "error",
        "The queue could not be opened",
        "Nothing is lost: labels and drafts are stored.",
        "Try again",
        "again",
    ),
    "done": State(
        "check_circle",
        "Everything here is labelled",
        "Freeze the labels into a dataset version, or choose other pairs.",
        "Go to Data",
        "data",
    ),
}


def empty_state(context: AppContext, missing: str, take: Callable[[str], None]) -> EmptyState:
    """Return the screen for what is missing, a key of ``STATES``; ``take`` opens another queue."""
    state = STATES[missing]

    def go() -> None:
        if state.go == "reviewer":
            context.actions.run("global.reviewer")
        elif state.go in ("all", "skipped", "again"):
            take(state.go)
        else:
            context.navigate(state.go)

    def choose() -> None:
        context.actions.run("annotate.queue")

    more = ("Choose what to label…", choose) if missing in ("done", "part", "skipped") else None
    return EmptyState(context.theme, state.icon, state.title, state.text, main=(state.button, go), second=more)
