"""Every setting is one row here. The settings page, its search and its tests are generated from these rows.

To add one: append a row; read it with ``context.settings.get("key")``; listen to ``settings.changed``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

Kind = Literal["choice", "bool", "int", "float", "text"]


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting.

    Attributes:
        key: dotted machine name, ``group.name``.
        group: heading on the settings page, one of ``GROUPS``.
        label: its name on the page.
        note: what it does, one sentence.
        kind: decides its editor.
        default: its value while it is not changed.
        choices: (value, label) pairs of a ``choice``.
        low, high, step: bounds of a number.
        unit: shown after a number.
    """

    key: str
    group: str
    label: str
    note: str
    kind: Kind
    default: Any
    choices: tuple[tuple[Any, str], ...] = ()
    low: float = 0
    high: float = 0
    step: float = 1
    unit: str = ""

    def clean(self, value: Any) -> Any:
        """Return ``value`` made valid: clamped, or the default when it is of the wrong kind or unknown."""
        match self.kind:
            case "bool":
                return value if isinstance(value, bool) else self.default
            case "choice":
                return value if value in [choice for choice, _ in self.choices] else self.default
            case "text":
                return value if isinstance(value, str) else self.default
            case "int" | "float":
                return self._clean_number(value)

    def _clean_number(self, value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | float) or value != value:
            return self.default
        clamped = min(self.high, max(self.low, value))
        return int(clamped) if self.kind == "int" else float(clamped)


GROUPS: tuple[str, ...] = ("Appearance", "Annotation", "Plots", "Training", "Backups", "General")

_THEMES = (("auto", "Like the system"), ("light", "Light"), ("dark", "Dark"), ("high_contrast", "High contrast"))

SETTINGS: tuple[Setting, ...] = (
    Setting("look.theme", "Appearance", "Theme", "Colours of the window.", "choice", "auto", _THEMES),
    Setting(
        "look.zoom",
        "Appearance",
        "Text size",
        "Size of all text and controls.",
        "int",
        100,
        low=80,
        high=200,
        step=10,
        unit=" %",
    ),
    Setting("look.menu_bar", "Appearance", "Show the menu bar", "Otherwise Alt shows it for a moment.", "bool", False),
    Setting(
        "annotate.view",
        "Annotation",
        "Show answers as",
        "How answers are drawn; W switches for one pair.",
        "choice",
        "rendered",
        (("rendered", "Markdown"), ("source", "Source")),
    ),
    Setting(
        "annotate.layout",
        "Annotation",
        "Arrange answers",
        "Side by side, or one above the other; V switches.",
        "choice",
        "columns",
        (("columns", "Side by side"), ("rows", "One above the other")),
    ),
    Setting(
        "annotate.link_scroll", "Annotation", "Scroll together", "Both answers scroll as one; L switches.", "bool", True
    ),
    Setting(
        "annotate.diff",
        "Annotation",
        "Mark word differences",
        "Start with the differences marked; D switches.",
        "bool",
        False,
    ),
    Setting(
        "annotate.auto_advance",
        "Annotation",
        "Submit on the verdict key",
        "A verdict key stores the judgement and shows the next pair, where the rubric asks nothing else.",
        "bool",
        False,
    ),
    Setting(
        "annotate.guard_ms",
        "Annotation",
        "Ignore repeated keys for",
        "A second press within this time does nothing, so that one pair is not labelled twice.",
        "int",
        300,
        low=0,
        high=2000,
        step=50,
        unit=" ms",
    ),
    Setting(
        "annotate.break_minutes",
        "Annotation",
        "Suggest a break after",
        "A line that can be dismissed; it never stops anybody. 0 suggests none.",
        "int",
        25,
        low=0,
        high=240,
        step=5,
        unit=" min",
    ),
    Setting(
        "annotate.font",
        "Annotation",
        "Answer text size",
        "Size of prompts and answers.",
        "int",
        14,
        low=11,
        high=24,
        unit=" px",
    ),
    Setting(
        "plots.smoothing",
        "Plots",
        "Smoothing",
        "Weight of the past in the smoothed line; 0 shows the raw line only.",
        "float",
        0.85,
        low=0.0,
        high=0.99,
        step=0.01,
    ),
    Setting(
        "plots.raw", "Plots", "Show the raw line", "Keep the raw values visible under the smoothed line.", "bool", True
    ),
    Setting(
        "plots.outliers",
        "Plots",
        "Ignore outliers when fitting",
        "Fit the value axis to the middle 98 % of the points; the head of a plot counts those outside.",
        "bool",
        False,
    ),
    Setting(
        "train.host",
        "Training",
        "Train in",
        "A process of its own survives a closed window and never disturbs labelling.",
        "choice",
        "process",
        (("process", "A process of its own"), ("thread", "This window's background thread")),
    ),
    Setting(
        "train.on_close",
        "Training",
        "When the window closes during a run",
        "A run in a process of its own can go on without the window.",
        "choice",
        "ask",
        (("ask", "Ask"), ("keep", "Keep training"), ("stop", "Stop and save")),
    ),
    Setting(
        "backups.every_min",
        "Backups",
        "Make a backup every",
        "While something changes; labelling goes on meanwhile.",
        "choice",
        30,
        ((0, "Never"), (10, "10 min"), (30, "30 min"), (60, "1 hour")),
    ),
    Setting(
        "backups.on_close",
        "Backups",
        "Make a backup on closing",
        "When something was added since the newest one. There is always one before an import, a freeze and an upgrade.",
        "bool",
        True,
    ),
    Setting(
        "general.reopen", "General", "Open the last workspace at start", "Otherwise Home is shown first.", "bool", True
    ),
    Setting(
        "general.toast_seconds",
        "General",
        "Show notices for",
        "Notices stay while the mouse is over them, and in Activity. 0 keeps them until they are closed.",
        "int",
        6,
        low=0,
        high=30,
        unit=" s",
    ),
)

BY_KEY: dict[str, Setting] = {row.key: row for row in SETTINGS}
