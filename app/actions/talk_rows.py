"""The rows of the catalog for a talk with a policy, which Runs shows with keys of its own, and the way to it."""

from __future__ import annotations

from app.actions.spec import ActionSpec as A

TALK: tuple[A, ...] = (
    A("runs.try", "Try this run", "Ctrl+Shift+Y", "text", "Talk with its policy beside its reference.", "Runs"),
    A(
        "runs.label_samples",
        "Label the samples blind",
        "",
        "annotate",
        "Pairs of the newest samples of the run.",
        "Runs",
    ),
    A("try.back", "Back to the runs", "Ctrl+B", "arrow_left", "The talk stays as it is."),
    A("try.send", "Send", "Ctrl+Return", "submit", "All who answer get the message."),
    A("try.stop", "Stop the answers", "Esc", "stop", "What was written stays."),
    A("try.again", "Again, new seed", "Ctrl+R", "refresh", "Ask the last message again."),
    A("try.new", "New talk", "Ctrl+Shift+T", "plus", "With the same models; what was saved stays."),
    A("try.blind", "Blind", "B", "eye_off", "Hide which of two answers is whose until it is saved.", checkable=True),
    A("try.colour", "Colour tokens", "C", "tag", "By log π − log ref of each token, in nats.", checkable=True),
    A("try.write", "Write a message", "W", "edit", "Put the cursor into the field."),
    A("try.left3", "Left much better", "1", "", ""),
    A("try.left2", "Left better", "2", "", ""),
    A("try.left1", "Left slightly better", "3", "", ""),
    A("try.tie", "Tie", "4", "", ""),
    A("try.right1", "Right slightly better", "5", "", ""),
    A("try.right2", "Right better", "6", "", ""),
    A("try.right3", "Right much better", "7", "", ""),
    A("try.neither", "Neither", "8", "both_bad", "No answer is acceptable."),
    A("try.no_vote", "No vote", "0", "skip", "Take the vote back that is not saved."),
    A("try.names", "Show names", "N", "eye", "Which answer is whose; later votes on it are not blind."),
    A("try.pair", "Save as pair", "P", "save", "With the vote as your judgement, if there is one."),
    A("try.failure", "Save as failure…", "F", "flag", "As feedback, with the prompt and how it was made."),
    A("try.undo", "Undo the last label", "Ctrl+Z", "undo", "A retraction is appended."),
)
"""See :mod:`app.actions.catalog`."""
VOTES: dict[str, int] = {
    "try.left3": -3, "try.left2": -2, "try.left1": -1, "try.tie": 0, "try.right1": 1, "try.right2": 2, "try.right3": 3,
}  # fmt: skip
"""Action -> strength, negative for the left answer, 0 for a tie; from left to right."""
