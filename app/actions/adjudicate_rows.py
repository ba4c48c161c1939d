"""The rows of the catalog for the decision on a pair in conflict, which Annotate shows with keys of its own."""

from __future__ import annotations

from app.actions.audit_rows import AUDIT
from app.actions.quiz_rows import QUIZ
from app.actions.spec import ActionSpec as A
from core.domain.adjudication import CAUSES, OUTCOMES

CAUSE_ACTIONS: dict[str, str] = {cause: f"adjudicate.{cause}" for cause in CAUSES}
OUTCOME_ACTIONS: dict[str, str] = {outcome: f"adjudicate.to_{outcome}" for outcome in OUTCOMES}
ADJUDICATE: tuple[A, ...] = (
    A("annotate.adjudicate", "Adjudicate", "", "compare", "Decide pairs on which reviewers disagree.", "Annotate"),
    *(A(CAUSE_ACTIONS[key], name, str(n), "", "Why they disagree.") for n, (key, name) in enumerate(CAUSES.items(), 1)),
    *(
        A(OUTCOME_ACTIONS[key], name, str(n), "", f"{about[:1].upper()}{about[1:]}.")
        for n, (key, (name, about)) in enumerate(OUTCOMES.items(), 7)
    ),
    A("adjudicate.amend", "Amend the verdict", "A", "edit", "The first pick stays in the history."),
    A(
        "adjudicate.decide",
        "Decide and next",
        "Return; Enter; Ctrl+Return",
        "submit",
        "Store cause and outcome beside the votes, show the next pair.",
    ),
    A("adjudicate.undo", "Undo", "Ctrl+Z", "undo", "Take back the amended verdict, or the first pick."),
    A("adjudicate.later", "Later", "S", "skip", "The first pick is stored; the pair comes again."),
    A("adjudicate.source", "Source or rendered", "W", "source", "The texts as stored, or as Markdown.", checkable=True),
    A("adjudicate.whole", "Show the whole texts", "X", "expand", "Of prompt and answers that are cut."),
    A("adjudicate.panel", "Show or hide the panel", "Ctrl+\\", "columns", "More room for the texts.", checkable=True),
    A("adjudicate.scroll", "Scroll down", "Space", "down", "Both answers.", repeats=True),
    A("adjudicate.scroll_back", "Scroll up", "Shift+Space", "up", "Both answers.", repeats=True),
)
MODES_OF_ANNOTATE: tuple[A, ...] = (*AUDIT, *ADJUDICATE, *QUIZ)
"""The rows of what Annotate shows in place of pairs to label."""
