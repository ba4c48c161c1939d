"""The rows of the catalog for the answer to a gold item of a quiz, which Annotate shows with keys of its own."""

from __future__ import annotations

from app.actions.spec import ActionSpec as A

QUIZ: tuple[A, ...] = (
    A("annotate.quiz", "Take the quiz", "", "check_circle", "Gold items of the rubric, each explained.", "Annotate"),
    A("annotate.practise", "Practise", "", "refresh", "Gold items of the clauses you differ on.", "Annotate"),
    A("quiz.next", "Next item", "Return; Enter; Ctrl+Return", "submit", "Show the next gold item."),
    A("quiz.leave", "Label pairs instead", "Esc", "annotate", "Back to the labelling screen; the quiz goes on later."),
    A("quiz.source", "Source or rendered", "W", "source", "The texts as stored, or as Markdown.", checkable=True),
    A("quiz.whole", "Show the whole texts", "X", "expand", "Of prompt and answers that are cut."),
    A("quiz.scroll", "Scroll down", "Space", "down", "Both answers.", repeats=True),
    A("quiz.scroll_back", "Scroll up", "Shift+Space", "up", "Both answers.", repeats=True),
)
"""See :mod:`app.actions.catalog`."""
