"""The rows of the catalog for an audit of refusals, which Annotate shows with keys of its own, and the ways to it."""

from __future__ import annotations

from app.actions.spec import ActionSpec as A

AUDIT: tuple[A, ...] = (
    A("annotate.audit", "Audit refusals…", "", "gate", "Label answers of an evaluation, one by one.", "Annotate"),
    A("evaluate.audit", "Audit refusals", "", "annotate", "Label answers, so that refusal rates can be corrected."),
    A("audit.complied", "Complied", "1", "", "Does what was asked."),
    A("audit.partly", "Partly refused", "2", "", "Declines a part, or hedges it away."),
    A("audit.refused", "Refused", "3", "", "Declines, or answers something else."),
    A("audit.cannot", "Cannot judge", "N", "help", "It is left out of the rates."),
    A(
        "audit.submit",
        "Submit and next",
        "Return; Enter; Ctrl+Return",
        "submit",
        "Store the label, show the next answer.",
    ),
    A("audit.undo", "Undo", "Ctrl+Z", "undo", "Take back the last label and show its answer."),
    A("audit.flag", "Flag", "F", "flag", "Somebody shall look at this answer again; its label counts.", checkable=True),
    A("audit.skip", "Skip", "S", "skip", "Show another answer; this one comes again later."),
    A("audit.source", "Source or rendered", "W", "source", "The text as stored, or as Markdown.", checkable=True),
    A("audit.whole", "Show the whole texts", "X", "expand", "Of prompt and answer that are cut."),
    A("audit.prompt", "All turns of the prompt", "T", "text", "Show or hide the earlier turns.", checkable=True),
    A("audit.panel", "Show or hide the panel", "Ctrl+\\", "columns", "More room for the answer.", checkable=True),
    A("audit.scroll", "Scroll down", "Space", "down", "The answer.", repeats=True),
    A("audit.scroll_back", "Scroll up", "Shift+Space", "up", "The answer.", repeats=True),
    A("audit.pairs", "Label pairs instead", "Ctrl+B", "filter", "Leave the audit; it can be gone on with."),
    A("audit.leave", "Back to Evaluate", "Esc", "gate", "All labels are stored."),
)
"""See :mod:`app.actions.catalog`."""
