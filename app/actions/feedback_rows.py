"""The actions of the Feedback tab of Data; rows of the catalog."""

from __future__ import annotations

from app.actions.spec import ActionSpec as A

FEEDBACK_ROWS: tuple[A, ...] = (
    A("data.feedback_add", "Add a feedback event…", "Ctrl+Shift+A", "plus", "What somebody said of a policy.", "Data"),
    A(
        "data.feedback_answer",
        "Feedback on an answer…",
        "",
        "text",
        "Of an evaluation or a sample of a run.",
        "Data",
    ),
    A("data.feedback_import", "Import feedback…", "Ctrl+Shift+I", "import", "From JSONL, JSON or CSV.", "Data"),
    A("data.triage_label", "Send the event to labelling", "1", "annotate", "As a pair that people label blind."),
    A("data.triage_rubric", "Send the event to a rubric", "2", "rubrics", "As a request for a change."),
    A("data.triage_suite", "Send the event to a suite", "3", "flag", "As an item, attacks in a slice of their own."),
    A("data.triage_reject", "Reject the event", "4", "close", "With a reason."),
    A("data.triage_undo", "Take the decision back", "Ctrl+Z", "undo", "The event is new again."),
    A("data.feedback_next", "Next event", "J", "down", "", repeats=True),
    A("data.feedback_previous", "Previous event", "K", "up", "", repeats=True),
    A("data.consent", "Consent of the event…", "C", "lock", "Grant or withdraw it, and see what that touches."),
)
