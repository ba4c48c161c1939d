"""What Annotate shows when there is nothing to label: what is missing, and the way to it."""

from __future__ import annotations

from collections.abc import Callable

from app.context import AppContext
from app.widgets.messages import EmptyState

STATES: dict[str, tuple[str, str, str, str]] = {
    "pairs": ("data", "No pairs yet", "Import a file of answers to compare.", "Import pairs"),
    "rubric": (
        "rubrics",
        "No published rubric",
        "A label needs a rubric version that says what better means.",
        "Go to Rubrics",
    ),
    "reviewer": (
        "user",
        "Who is labelling?",
        "Labels are stored under a pseudonym of your choice.",
        "Choose a reviewer…",
    ),
    "done": (
        "check_circle",
        "Everything here is labelled",
        "Freeze the labels into a dataset version, or choose other pairs.",
        "Go to Data",
    ),
}
"""What is missing -> icon, title, sentence, label of the button."""


def empty_state(context: AppContext, missing: str, choose_reviewer: Callable[[], None]) -> EmptyState:
    """Return the screen for what is missing: "pairs", "rubric", "reviewer" or "done"."""
    icon, title, text, label = STATES[missing]
    place = "rubrics" if missing == "rubric" else "data"

    def go() -> None:
        context.navigate(place)

    def choose() -> None:
        context.actions.run("annotate.queue")

    return EmptyState(
        context.theme,
        icon,
        title,
        text,
        main=(label, choose_reviewer if missing == "reviewer" else go),
        second=("Choose what to label…", choose) if missing == "done" else None,
    )
