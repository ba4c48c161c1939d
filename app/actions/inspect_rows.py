"""The rows of the catalog for Inspect."""

from __future__ import annotations

from app.actions.spec import ActionSpec as A

INSPECT_ROWS: tuple[A, ...] = (
    A("inspect.annotate", "Open in Annotate", "Ctrl+Return; R", "annotate", "Label the selected pairs again."),
    A("inspect.tokens", "Score tokens", "T", "text", "What each token of both answers adds to h."),
    A("inspect.leave_out", "Leave out…", "X", "minus", "Ask that the next dataset version leave this pair out."),
    A("inspect.note", "Note…", "N", "edit", "Your note on this pair, kept as a bookmark."),
    A("inspect.tag", "Tags…", "G", "tag", "Words to find this pair by, or to leave it out of a freeze."),
    A("inspect.worst", "Worst pairs first", "W", "sort", "Sort by margin."),
    A("inspect.clear", "Clear the brush", "Esc", "close", "Show all margins."),
    A("inspect.find", "Find pairs", "Ctrl+F; /", "search", "Go to the search field."),
    A("inspect.next", "Next pair", "J", "down", "", repeats=True),
    A("inspect.previous", "Previous pair", "K", "up", "", repeats=True),
    A("inspect.copy_id", "Copy the pair's number", "", "copy", ""),
    A("inspect.export", "Export the list…", "E", "export", "As CSV or JSONL."),
    A("inspect.lab", "Objective lab", "O", "log_axis_x", "The optimum of the objective on this pair's prompt."),
    A("inspect.pairs", "Pairs of the run", "P", "list", "Back from the objective lab."),
    A("inspect.draw", "Draw again", "D", "refresh", "Other answers to the prompt of the objective lab."),
    A("inspect.draw_how", "Draw answers…", "Shift+D", "sliders", "How many answers, from whom, with which seed."),
    A("inspect.table", "Frontier as a table", "Ctrl+T", "table", "The numbers behind the plot.", checkable=True),
)
