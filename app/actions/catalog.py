"""Every action of the window is one row here: menus, palette, tooltips, shortcut editor and cheat sheet come from it.

To add one: append a row, then bind it in the page of its place (``self.on("place.verb", method)``).
The first part of the id says where its keys work; two rows may share keys when they are in different places,
never with ``global``.
"""

from __future__ import annotations

from app.actions.adjudicate_rows import MODES_OF_ANNOTATE
from app.actions.evaluate_rows import EVALUATE_ROWS
from app.actions.feedback_rows import FEEDBACK_ROWS
from app.actions.inspect_rows import INSPECT_ROWS
from app.actions.spec import EVERYWHERE
from app.actions.spec import ActionSpec as A
from app.actions.talk_rows import TALK
from app.actions.team_rows import TEAM
from app.places import PLACES

MENUS: tuple[str, ...] = ("Workspace", "Edit", "View", "Go", "Annotate", "Data", "Runs", "Help")
MODES: dict[str, str] = {
    "audit": "Refusal audit",
    "adjudicate": "Adjudication",
    "quiz": "Quiz",
    "team": "Team",
    "try": "Try",
}
"""What a page shows instead of itself, with keys of its own: all are shown by Annotate."""
PLACE_TITLES: dict[str, str] = {EVERYWHERE: "Everywhere", **{place.id: place.title for place in PLACES}, **MODES}


def _go_to(menu: str, *, in_rail: bool) -> tuple[A, ...]:
    """Return the actions that go to places, made from their rows."""
    return tuple(A(p.action_id, p.title, p.key, p.icon, p.about, menu) for p in PLACES if p.in_rail is in_rail)


_GLOBAL: tuple[A, ...] = (
    A("global.open", "Open a workspace…", "Ctrl+O", "open", "Choose a workspace folder.", "Workspace"),
    A("global.new", "New workspace…", "Ctrl+Shift+N", "plus", "Make an empty workspace in a new folder.", "Workspace"),
    A("global.desk", "Open a review bundle…", "", "import", "A file of slots becomes a desk that labels.", "Workspace"),
    A(
        "global.demo",
        "Open the demo workspace",
        "",
        "demo",
        "A small workspace with labels and a finished run.",
        "Workspace",
    ),
    A(
        "global.demo_reset",
        "Reset the demo workspace…",
        "",
        "reset",
        "A fresh copy; your labels in it are deleted.",
        "Workspace",
    ),
    A(
        "global.backup",
        "Back up the workspace",
        "",
        "save",
        "Write a verified copy into its backups folder.",
        "Workspace",
    ),
    A("global.check", "Check the workspace", "", "gate", "Look for damage and compare the counts.", "Workspace"),
    A(
        "global.missing_work",
        "Missing work…",
        "",
        "warn",
        "Read what was saved once and is missing now, and accept it.",
        "Workspace",
    ),
    A("global.close_workspace", "Close the workspace", "Ctrl+W", "close", "Go back to the first screen.", "Workspace"),
    A("global.quit", "Quit", "Ctrl+Q", "", "Close the window.", "Workspace"),
    A(
        "global.palette",
        "Search commands",
        "Ctrl+K",
        "search",
        "Any command, pair, run or rubric.",
        "Go",
        palette=False,
    ),
    *_go_to("Go", in_rail=True),
    A("global.back", "Back", "Alt+Left", "arrow_left", "Show the place before this one.", "Go"),
    A("global.forward", "Forward", "Alt+Right", "arrow_right", "Show the place that Back left.", "Go"),
    A("global.activity", "Activity", "Ctrl+J", "activity", "Running and finished jobs, and past notices.", "View"),
    *_go_to("View", in_rail=False),
    A("global.zoom_in", "Larger text", "Ctrl++; Ctrl+=", "plus", "Up to 200 %.", "View", repeats=True),
    A("global.zoom_out", "Smaller text", "Ctrl+-", "minus", "Down to 80 %.", "View", repeats=True),
    A("global.zoom_reset", "Normal text size", "Ctrl+0", "", "100 %.", "View"),
    A("global.theme", "Switch light and dark", "", "eye", "Change the theme at once.", "View"),
    A(
        "global.focus_mode",
        "Focus mode",
        "F11",
        "expand",
        "Show only the page.",
        "View",
        True,
    ),
    A("global.next_pane", "Next pane", "F6", "", "Move the keyboard focus to the next part of the window.", "View"),
    A("global.cheat_sheet", "Keyboard shortcuts", "F1; ?", "keyboard", "All keys that work here.", "Help"),
    A(
        "global.reviewer",
        "Choose who is labelling…",
        "",
        "user",
        "Judgements are stored under this reviewer.",
        "Annotate",
    ),
    A("global.logs", "Open the folder of logs", "", "console", "Logs carry no text from your data.", "Help"),
    A("global.about", "About Pairwright", "", "info", "Version, licence and the parts it is built on.", "Help"),
)

_HOME: tuple[A, ...] = (A("home.continue", "Continue labelling", "Return", "arrow_right", "Open the proposed step."),)

_DATA: tuple[A, ...] = (
    A("data.import", "Import pairs…", "Ctrl+I", "import", "From JSONL, JSON, CSV or Parquet.", "Data"),
    A("data.import_folder", "Import a folder of pairs…", "", "folder", "Every file of pairs in it.", "Data"),
    A("data.import_hub", "From the Hugging Face Hub…", "", "download", "Download a dataset by its name.", "Data"),
    A("data.find", "Find pairs", "Ctrl+F; /", "search", "Go to the search field.", "Data"),
    A("data.clear_filters", "Clear all filters", "Ctrl+Shift+F", "close", "Show every pair.", "Data"),
    A("data.open", "Open the pair", "Return", "expand", "Show it with its history.", "Data"),
    A(
        "data.generate",
        "Generate pairs…",
        "Ctrl+G",
        "model",
        "A policy or a model answers prompts in pairs.",
        "Data",
    ),
    A("data.tag", "Tags of the pairs…", "G", "tag", "Put words on the selected pairs, or take them off.", "Data"),
    A("data.label", "Label these pairs", "Ctrl+L", "annotate", "Annotate the selected or shown pairs.", "Data"),
    A(
        "data.freeze",
        "Freeze a dataset version…",
        "Ctrl+Shift+D",
        "snow",
        "Turn labels into an immutable training set.",
        "Data",
    ),
    A(
        "data.export",
        "Export the dataset version…",
        "Ctrl+E",
        "export",
        "For TRL, UltraFeedback, Argilla, as soft labels; with a card.",
        "Data",
    ),
    A("data.diff", "Compare two dataset versions", "", "compare", "Items added, removed and changed.", "Data"),
    A("data.copy_id", "Copy the pair's number", "", "copy", "", "Data"),
    A("data.preview", "Show or hide the preview", "Space", "columns", "The pair beside the table.", "Data", True),
    *FEEDBACK_ROWS,
)

_RUBRICS: tuple[A, ...] = (
    A("rubrics.new", "New rubric…", "Ctrl+N", "plus", "From a template or empty."),
    A("rubrics.draft", "Draft the next version", "Ctrl+D", "edit", "Copy the newest version to change it."),
    A("rubrics.save", "Save the draft", "Ctrl+S", "save", "Store the draft; nothing is published."),
    A("rubrics.publish", "Publish the draft…", "Ctrl+Return", "lock", "A published version never changes."),
    A("rubrics.discard", "Discard the draft…", "", "trash", "Published versions stay."),
    A("rubrics.diff", "Compare versions", "Ctrl+Shift+D", "compare", "What changed, clause by clause."),
    A("rubrics.add_criterion", "Add a criterion", "Ctrl+Shift+A", "plus", "Append a question to the rubric."),
    A("rubrics.import", "Read from YAML…", "", "import", "Make a draft from a YAML file."),
    A("rubrics.export", "Write to YAML…", "", "export", "The shown version as a YAML file."),
    A("rubrics.stale", "Relabel stale labels", "", "refresh", "Labels made before the meaning changed."),
)

# These ids name side and strength, the keys count from left to right. Changed shortcuts are stored by id.
_VERDICTS: tuple[A, ...] = (
    A("annotate.left3", "Left much better", "1", "", "Strength 3 for the left answer.", "Annotate"),
    A("annotate.left2", "Left better", "2", "", "Strength 2 for the left answer.", "Annotate"),
    A("annotate.left1", "Left slightly better", "3", "", "Strength 1 for the left answer.", "Annotate"),
    A("annotate.tie", "Tie", "4", "", "Equally good.", "Annotate"),
    A("annotate.right1", "Right slightly better", "5", "", "Strength 1 for the right answer.", "Annotate"),
    A("annotate.right2", "Right better", "6", "", "Strength 2 for the right answer.", "Annotate"),
    A("annotate.right3", "Right much better", "7", "", "Strength 3 for the right answer.", "Annotate"),
    A("annotate.neither", "Neither valid", "0", "both_bad", "Both answers are bad.", "Annotate"),
    A("annotate.cannot", "Cannot judge…", "N", "help", "Asks for the reason.", "Annotate"),
)

_ANNOTATE: tuple[A, ...] = (
    *_VERDICTS,
    A(
        "annotate.submit",
        "Submit and next",
        "Return; Enter; Ctrl+Return",
        "submit",
        "Store the judgement, show the next pair.",
        "Annotate",
    ),
    A("annotate.undo", "Undo", "Ctrl+Z", "undo", "Retract the last judgement.", "Annotate"),
    A("annotate.redo", "Redo", "Ctrl+Shift+Z; Ctrl+Y", "redo", "Store the retracted judgement again.", "Annotate"),
    A("annotate.skip", "Skip", "S", "skip", "Show another pair; this one comes again later.", "Annotate"),
    A("annotate.flag", "Flag…", "F", "flag", "Personal data, unsafe, broken and so on.", "Annotate"),
    A("annotate.bookmark", "Bookmark", "M", "tag", "Find the pair again later.", "Annotate", True),
    A("annotate.rationale", "Write the rationale", "R", "edit", "Escape leaves the field.", "Annotate"),
    A(
        "annotate.edit",
        "Edit the preferred answer…",
        "E",
        "edit",
        "Store an improved text with the judgement.",
        "Annotate",
    ),
    A(
        "annotate.highlight",
        "Tag the selected words",
        "H",
        "pin",
        "Say what the selected words are: an error, unsafe, good.",
        "Annotate",
    ),
    A("annotate.next_criterion", "Next criterion", "J", "down", "1 to 7 then answer it.", "Annotate", repeats=True),
    A(
        "annotate.previous_criterion",
        "Previous criterion",
        "K",
        "up",
        "1 to 7 then answer it.",
        "Annotate",
        repeats=True,
    ),
    A(
        "annotate.guide",
        "Read the rubric",
        "G",
        "guide",
        "The whole text: clauses, anchors and examples.",
        "Annotate",
        True,
    ),
    A("annotate.panel", "Show or hide the panel", "Ctrl+\\", "columns", "More room for the answers.", "Annotate", True),
    A("annotate.diff", "Word differences", "D", "diff", "Mark the words only one answer has.", "Annotate", True),
    A("annotate.layout", "Side by side or stacked", "V", "columns", "How the answers are arranged.", "Annotate", True),
    A("annotate.link", "Scroll together", "L", "link", "Both answers scroll as one.", "Annotate", True),
    A(
        "annotate.source",
        "Source or rendered",
        "W",
        "source",
        "The text as it is stored, or as Markdown.",
        "Annotate",
        True,
    ),
    A("annotate.whole", "Show the whole texts", "X", "expand", "Of prompt and answers that are cut.", "Annotate"),
    A("annotate.prompt", "All turns of the prompt", "T", "text", "Show or hide the earlier turns.", "Annotate", True),
    A("annotate.scroll", "Scroll down", "Space", "down", "Both answers.", "Annotate", repeats=True),
    A("annotate.scroll_back", "Scroll up", "Shift+Space", "up", "Both answers.", "Annotate", repeats=True),
    A("annotate.older", "Earlier decision", "[", "left", "Show your previous judgement.", "Annotate", repeats=True),
    A("annotate.newer", "Later decision", "]", "right", "Show the judgement after this one.", "Annotate", repeats=True),
    A("annotate.amend", "Amend this decision", "A", "edit", "Replace the judgement that is shown.", "Annotate"),
    A("annotate.pause", "Pause", "P", "pause", "Hide the text and stop the clock.", "Annotate", True),
    A("annotate.leave_field", "Leave the field", "Esc", "", "Back to the verdict keys.", "Annotate", palette=False),
    A("annotate.queue", "Choose what to label…", "Ctrl+B", "filter", "Rubric version, filter and order.", "Annotate"),
)

_TRAIN: tuple[A, ...] = (
    A("train.start", "Start the run", "Ctrl+Return", "train", "After the preflight has passed."),
    A("train.queue", "Add to the queue", "Ctrl+Shift+Return", "list", "It starts when the machine is free."),
    A("train.sweep", "Sweep…", "", "columns", "The same run under several values and seeds."),
    A("train.preflight", "Run the preflight", "Ctrl+P", "gate", "Model, tokens, memory and one dry step."),
    A("train.tokens", "Show tokens and what is scored…", "", "search", "Of some pairs: tokens, mask and differences."),
    A("train.copy_from", "Copy the settings of a run…", "", "copy", "Start from what another run used."),
    A("train.command_line", "Show the command line", "", "console", "The same run without the window."),
    A("train.add_model", "Add a model…", "", "model", "A Hugging Face folder or a GGUF file."),
    A("train.advanced", "Show advanced settings", "Ctrl+Shift+A", "sliders", "", checkable=True),
)

_RUNS: tuple[A, ...] = (
    A("runs.new", "New run…", "N", "plus", "Data, model and method are chosen under Train.", "Runs"),
    A("runs.all", "All runs as a table", "Ctrl+L", "table", "Sort, filter, compare, rename, archive, delete.", "Runs"),
    A("runs.export_log", "Export the numbers…", "", "export", "For TensorBoard or trackio, with intervals.", "Runs"),
    A("runs.report", "Report of the chosen runs…", "", "export", "One HTML file that opens offline.", "Runs"),
    A("runs.queue", "Queue…", "Q", "list", "Runs that wait: order, pause, remove, and what did not go well.", "Runs"),
    A("runs.sweep", "Sweep…", "Ctrl+Shift+W", "columns", "This run under several values and seeds.", "Runs"),
    A(
        "runs.frontier",
        "Frontier…",
        "Ctrl+Shift+K",
        "crosshair",
        "Held-out accuracy against KL to the reference.",
        "Runs",
    ),
    A("runs.enqueue", "Add the run to the queue", "", "list", "It starts or goes on when the machine is free.", "Runs"),
    A("runs.deleted", "Deleted runs…", "", "undo", "Restore one, or remove it for good.", "Runs"),
    A("runs.pause", "Pause or go on", "Ctrl+P", "pause", "At the end of the step.", "Runs"),
    A("runs.stop_save", "Stop and save", "Ctrl+Shift+S", "save", "Finish the step, write a checkpoint, end.", "Runs"),
    A("runs.stop_now", "Stop now…", "", "stop", "End without a checkpoint of the last steps.", "Runs"),
    A("runs.checkpoint", "Write a checkpoint now", "", "save", "The run goes on.", "Runs"),
    A("runs.resume", "Resume the run", "", "train", "From its newest checkpoint.", "Runs"),
    A("runs.fork", "Fork the run…", "Ctrl+Shift+F", "fork", "Go on from a checkpoint under other settings.", "Runs"),
    A("runs.export_run", "Export the run…", "", "export", "As an adapter, merged weights or GGUF.", "Runs"),
    A("runs.reproduce", "Reproduce the run…", "", "redo", "Train it again and compare every number.", "Runs"),
    A("runs.follow", "Follow the newest step", "Space", "arrow_right", "Until you move the plot.", "Runs", True),
    A("runs.raw", "Raw line", "R", "runs", "Show the raw values under the smoothed line.", "Runs", True),
    A("runs.log_y", "Log y axis", "Y", "log_axis", "Points that are not positive are counted.", "Runs", True),
    A("runs.log_x", "Log x axis", "X", "log_axis_x", "For every plot; 0 has no place there.", "Runs", True),
    A("runs.smooth_less", "Less smoothing", "[", "minus", "", "Runs", repeats=True),
    A("runs.smooth_more", "More smoothing", "]", "smooth", "", "Runs", repeats=True),
    A("runs.fit", "Fit all", "Home", "expand", "Show the whole run.", "Runs"),
    A("runs.enlarge", "Enlarge the next plot", "M", "expand", "One after the other, then all again.", "Runs"),
    A("runs.step_back", "Crosshair one step back", "Left", "left", "", "Runs", repeats=True),
    A("runs.step_on", "Crosshair one step on", "Right", "right", "", "Runs", repeats=True),
    A("runs.step_back10", "Crosshair ten steps back", "Shift+Left", "left", "", "Runs", repeats=True),
    A("runs.step_on10", "Crosshair ten steps on", "Shift+Right", "right", "", "Runs", repeats=True),
    A(
        "runs.pin",
        "Pairs of this step",
        "Return",
        "pin",
        "List the pairs behind the point, worst margin first.",
        "Runs",
    ),
    A(
        "runs.range",
        "Pairs up to this step",
        "Shift+Return",
        "pin",
        "From the step that was chosen last to the crosshair; Shift and a drag do the same.",
        "Runs",
    ),
    A("runs.plots", "Choose the plots…", "Shift+P", "sliders", "Which are shown, in how many columns.", "Runs"),
    A("runs.plot_earlier", "Move the plot earlier", "Ctrl+Shift+Left", "left", "The one with the focus.", "Runs"),
    A("runs.plot_later", "Move the plot later", "Ctrl+Shift+Right", "right", "The one with the focus.", "Runs"),
    A("runs.export", "Export the plots…", "E", "export", "As PNG, SVG or CSV.", "Runs"),
    A("runs.table", "Plots as tables", "Ctrl+T", "table", "The values behind every plot.", "Runs", True),
    A("runs.inspect", "Inspect this run", "Ctrl+Return", "inspect", "Its worst pairs.", "Runs"),
    A("runs.copy_command", "Copy the command line", "", "console", "", "Runs"),
    A("runs.open_folder", "Open the run's folder", "", "folder", "", "Runs"),
)

CATALOG: tuple[A, ...] = (
    *_GLOBAL,
    *_HOME,
    *_DATA,
    *_RUBRICS,
    *_ANNOTATE,
    *MODES_OF_ANNOTATE,
    *TEAM,
    *_TRAIN,
    *_RUNS,
    *TALK,
    *INSPECT_ROWS,
    *EVALUATE_ROWS,
)
