"""What Home says, worked out from counts and events; knows no widgets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from core.services.runs.views import RunInfo

LABELS_WANTED = 20


@dataclass(frozen=True, slots=True)
class SetupStep:
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


@dataclass(frozen=True, slots=True)
class Labelled:
    """How many pairs have a label, by whose hand; imported and scripted labels are nobody's.

    Attributes:
        people: pairs that at least one person labelled.
        own: pairs that the present reviewer labelled under the newest rubric version; None without a reviewer.
        name: the present reviewer.
    """

    people: int = 0
    own: int | None = None
    name: str = ""


def checklist(counts: Mapping[str, int], published: bool, labelled: Labelled) -> tuple[SetupStep, ...]:
    """Return the four first steps and which of them are done."""
    enough = labelled.people >= min(LABELS_WANTED, max(1, counts.get("pairs", 0)))
    return (
        SetupStep("Import pairs", "JSONL, CSV or Parquet, two answers a prompt.", "data", counts.get("pairs", 0) > 0),
        SetupStep("Publish a rubric", "What “better” means; a template is enough to begin.", "rubrics", published),
        SetupStep(f"Label {LABELS_WANTED} pairs", "Keys 1 to 7, Enter for the next.", "annotate", enough),
        SetupStep("Train a first run", "Freeze the labels, press Start, watch.", "train", counts.get("runs", 0) > 0),
    )


def next_thing(counts: Mapping[str, int], published: bool, labelled: Labelled) -> NextThing:
    """Return what should be done next in this workspace."""
    pairs = counts.get("pairs", 0)
    if not pairs:
        return NextThing("Bring pairs in", "Import a file of prompts with two answers each.", "Import pairs", "data")
    if not published:
        return NextThing(
            "Say what better means", "Publish a rubric; then labelling can begin.", "Write a rubric", "rubrics"
        )
    done = labelled.people if labelled.own is None else labelled.own
    if done < pairs:
        title, button = ("Continue labelling", "Continue") if done else ("Begin labelling", "Begin")
        return NextThing(title, left_text(counts, labelled), button, "annotate")
    who = f"{labelled.name} has" if labelled.own is not None else "People have"
    text = f"{who} labelled all {number(pairs)}. Freeze the labels and train on them."
    return NextThing("All pairs are labelled", text, "Set up a run", "train")


def left_text(counts: Mapping[str, int], labelled: Labelled) -> str:
    """Return what the present reviewer, or people together, have labelled and not, and what others hold already."""
    pairs, every = counts.get("pairs", 0), counts.get("labelled", 0)
    done = labelled.people if labelled.own is None else labelled.own
    who = f"{labelled.name} has" if labelled.own is not None else "People have"
    left = pairs - done
    text = f"{who} labelled {number(done) if done else 'none'} of {number(pairs)} pairs"
    text += f", {number(left)} {'is' if left == 1 else 'are'} left." if done else "."
    if every == pairs:
        return f"{text} Each pair has a label by someone, imported and scripted ones included."
    if every > done:
        return f"{text} With imported and scripted labels and those of others it is {number(every)}."
    return text


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
