"""What Home says, worked out from counts and events; knows no widgets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.services.run_views import RunInfo

LABELS_WANTED = 20


@dataclass(frozen=True, slots=True)
class Step:
    """One line of the checklist."""

    title: str
    text: str
    place: str
    done: bool


@dataclass(frozen=True, slots=True)
class NextThing:
    """The one thing to do next: a sentence, a button, and where it leads."""

    title: str
    text: str
    button: str
    place: str


@dataclass(frozen=True, slots=True)
class Line:
    """One event as Home shows it."""

    when: str
    text: str
    who: str
    icon: str
    place: str


def number(value: int) -> str:
    """Return a count with thin groups: 19 204."""
    return f"{value:,}".replace(",", "\u2009")


def checklist(counts: Mapping[str, int], published: bool) -> tuple[Step, ...]:
    """Return the four first steps and which of them are done."""
    labels, runs = counts.get("labels", counts.get("labelled", 0)), counts.get("runs", 0)
    return (
        Step("Import pairs", "JSONL, CSV or Parquet with two answers a prompt.", "data", counts.get("pairs", 0) > 0),
        Step("Publish a rubric", "What “better” means; a template is enough to begin.", "rubrics", published),
        Step(f"Label {LABELS_WANTED} pairs", "Keys 1 to 7, Enter for the next.", "annotate", labels >= LABELS_WANTED),
        Step("Train a first run", "Freeze the labels, press Start, watch.", "train", runs > 0),
    )


def next_thing(counts: Mapping[str, int], published: bool) -> NextThing:
    """Return what should be done next in this workspace."""
    pairs, labelled = counts.get("pairs", 0), counts.get("labelled", 0)
    if not pairs:
        return NextThing("Bring pairs in", "Import a file of prompts with two answers each.", "Import pairs", "data")
    if not published:
        return NextThing(
            "Say what better means", "Publish a rubric; then labelling can begin.", "Write a rubric", "rubrics"
        )
    left = pairs - labelled
    if left > 0:
        text = f"{number(labelled)} of {number(pairs)} pairs are labelled, {number(left)} are open."
        return NextThing("Continue labelling", text, "Continue", "annotate")
    return NextThing("All pairs are labelled", "Freeze the labels and train on them.", "Set up a run", "train")


def running_text(run: RunInfo) -> str:
    """Return a live run in words: its name, state, and the phase while it is not in its steps."""
    phase = run.status.phase if run.status.phase not in ("", "train") else ""
    return " · ".join(part for part in (run.name or run.run_id, run.state, phase) if part)


_ICONS = {"import": "import", "rubric": "rubrics", "judgement": "annotate", "label": "annotate", "dataset": "snow"}
_PLACES = {"import": "data", "pair": "data", "dataset": "data", "rubric": "rubrics", "run": "runs", "model": "train"}


def line_of(event: Any, now_ms: int) -> Line:
    """Return one event of the log as a line."""
    kind = str(event.op).split(".", 1)[0]
    icon = _ICONS.get(kind, {"run": "runs", "model": "model", "reviewer": "user"}.get(kind, "history"))
    return Line(ago(event.at_ms, now_ms), event.summary, event.reviewer, icon, _PLACES.get(kind, ""))


def lines_of(events: Sequence[Any], now_ms: int) -> tuple[Line, ...]:
    """Return events as lines, newest first."""
    return tuple(line_of(event, now_ms) for event in events)


def ago(at_ms: int, now_ms: int) -> str:
    """Return how long ago something was: "now", "12 min", "3 h", else the date."""
    seconds = (now_ms - at_ms) / 1000
    if seconds < 60:
        return "now"
    if seconds < 3600:
        return f"{int(seconds // 60)} min"
    if seconds < 86_400:
        return f"{int(seconds // 3600)} h"
    return datetime.fromtimestamp(at_ms / 1000).strftime("%d %b")
