"""The rows of the catalog for Evaluate."""

from __future__ import annotations

from app.actions.spec import ActionSpec as A

EVALUATE_ROWS: tuple[A, ...] = (
    A("evaluate.new", "New evaluation…", "Ctrl+N", "plus", "Choose a run, suites and arms."),
    A(
        "evaluate.thresholds",
        "Thresholds…",
        "T",
        "sliders",
        "Of guardrails and of accepting labels, with error rates.",
    ),
    A("evaluate.pause", "Pause or go on", "Ctrl+P", "pause", "At the end of the batch."),
    A("evaluate.resume", "Start or resume the evaluation", "", "train", "From where it stopped."),
    A("evaluate.cancel", "Cancel the evaluation…", "", "stop", "The answers so far are kept; it can be resumed."),
    A("evaluate.table", "Plots as tables", "Ctrl+T", "table", "The numbers behind every plot.", checkable=True),
    A("evaluate.ask_people", "Ask people…", "", "annotate", "Blind votes between two arms, as a queue in Annotate."),
    A("evaluate.vote", "Vote now", "V", "annotate", "Opens the shown round of votes as a queue in Annotate."),
    A("evaluate.judge", "Ask a judge…", "", "annotate", "A model on an endpoint compares two arms, in both orders."),
    A("evaluate.find", "Find items", "Ctrl+F; /", "search", "In prompts and answers of the suite."),
    A("evaluate.next", "Next item", "J", "down", "", repeats=True),
    A("evaluate.previous", "Previous item", "K", "up", "", repeats=True),
    A("evaluate.inspect", "Look closer…", "I", "inspect", "One prompt under policy and reference, token by token."),
    A("evaluate.tag_policy", "The cause is the policy", "1", "", "Tags the failure, then shows the next."),
    A("evaluate.tag_label", "The cause is a label", "2", "", "Tags the failure, then shows the next."),
    A("evaluate.tag_rubric", "The cause is the rubric", "3", "", "Tags the failure, then shows the next."),
    A("evaluate.tag_suite", "The cause is the suite", "4", "", "Tags the failure, then shows the next."),
    A("evaluate.tag_detector", "The cause is the detector", "5", "", "Tags the failure, then shows the next."),
    A("evaluate.tag_accepted", "Accept the failure", "6", "", "Tags the failure, then shows the next."),
    A(
        "evaluate.send",
        "Send the failure on…",
        "S",
        "arrow_right",
        "To labelling, a rubric or the next dataset version.",
    ),
    A("evaluate.release", "Make a release…", "Ctrl+R", "gate", "Of this evaluation, once its gate passed."),
    A("evaluate.compare", "Compare cycles…", "Ctrl+D", "compare", "What changed from n to n + 1, and what it bought."),
    A("evaluate.withdraw", "Withdraw the release…", "", "close", "Noted for good, with the reason."),
    A("evaluate.verify", "Verify the release", "", "check_circle", "Measures it again from its contract."),
    A("evaluate.open_folder", "Open the evaluation's folder", "", "folder", ""),
)
"""See :mod:`app.actions.catalog`."""
