"""The rows of the catalog for the team's quality, which Annotate shows with keys of its own, and the ways to it."""

from __future__ import annotations

from app.actions.spec import ActionSpec as A

_TABLE = "Every judgement as a row of a CSV file; private notes are left out."
_BUNDLES = "Slots to another desk as one file, and back; a shared folder can be watched."
TEAM: tuple[A, ...] = (
    A(
        "annotate.team",
        "Team",
        "Ctrl+Shift+T",
        "users",
        "Progress and agreement of all reviewers.",
        "Annotate",
    ),
    A("annotate.reviewers", "Reviewers…", "Ctrl+Shift+R", "user", "Add, rename, switch, name the lead.", "Annotate"),
    A("annotate.bundles", "Bundles…", "Ctrl+Shift+B", "export", _BUNDLES, "Annotate"),
    A("team.label", "Label pairs instead", "Ctrl+B", "annotate", "Back to the labelling screen."),
    A("team.refresh", "Read again", "F5", "refresh", "Reads only what is new."),
    A("team.table", "Numbers as tables", "T", "table", "The values behind all charts.", checkable=True),
    A("team.export", "Table of all judgements…", "Ctrl+E", "export", _TABLE),
    A("team.new_batch", "New batch…", "Ctrl+N", "plus", "Which pairs, who labels, which shares; told before."),
    A("team.bundles", "Bundles…", "Ctrl+Shift+B", "export", _BUNDLES),
    A("team.work", "Label this batch", "Ctrl+L", "annotate", "Your own slots of the chosen batch."),
    A(
        "team.due",
        "Add what is due",
        "Ctrl+D",
        "clock",
        "Third labels and decisions of conflicts, second ones of flags.",
    ),
    A("team.hand_over", "Hand over…", "Ctrl+H", "users", "Open slots to another reviewer; slots of a lost desk again."),
    A("team.quiz", "Quiz…", "Q", "check_circle", "Gold items, pass mark, explanations, who is spared it."),
    A("team.ask", "Ask for a change…", "C", "edit", "Of a clause; the next draft takes it as its note."),
    A("team.reviewers", "Reviewers…", "Ctrl+Shift+R", "user", "Add, rename, switch, name the lead."),
)
"""See :mod:`app.actions.catalog`."""
