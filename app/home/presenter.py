"""What Home shows, computed from counts and events; no widgets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from app.local_time import day_of, local_time
from core.domain import counting
from core.domain.judgement import ReviewerKind
from core.services.runs.views import RunInfo, state_words

if TYPE_CHECKING:
    from core.services.workspace.service import ActivityItem, WorkspaceInfo

LABELS_WANTED = 20


@dataclass(frozen=True, slots=True)
class HomeFacts:
    """What Home reads in the background.

    Attributes:
        info: identity and counts of the workspace.
        events: the newest events of its log.
        published: whether a rubric version is published.
        labelled: how many pairs people have labelled.
        stale: labels that a later major version of their rubric concerns.
        by_kind: labels by who made them.
    """

    info: WorkspaceInfo
    events: Sequence[ActivityItem]
    published: bool
    labelled: LabelledPairs
    stale: int = 0
    by_kind: Mapping[ReviewerKind, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SetupStep:
    """One line of the checklist."""

    title: str
    text: str
    place: str
    done: bool


@dataclass(frozen=True, slots=True)
class NextStep:
    """What to do next: title, sentence, label of the button, and the place it goes to."""

    title: str
    text: str
    button: str
    place: str


@dataclass(frozen=True, slots=True)
class ActivityLine:
    """One event as Home shows it.

    Attributes:
        place: with ``what`` it leads to what the event speaks of; "" where there is no such thing.
        theirs: what of Data lists the labels that its reviewer made on its day; empty for events that are no labels.
    """

    when: str
    text: str
    reviewer: str
    icon: str
    place: str = ""
    what: Mapping[str, Any] = field(default_factory=dict)
    theirs: Mapping[str, Any] = field(default_factory=dict)


def number(value: int) -> str:
    """Return a count as it is written everywhere: 19,204."""
    return counting.number(value)


@dataclass(frozen=True, slots=True)
class LabelledPairs:
    """How many pairs people have labelled; imported and scripted labels are not counted.

    Attributes:
        people: pairs that at least one person labelled.
        own: pairs that the current reviewer labelled under the newest rubric version; None without a reviewer.
        name: the current reviewer.
        sealed: pairs of sealed tests without such a label; no queue shows them.
        withdrawn: other pairs without such a label whose consent is withdrawn or has ended; no queue shows them either.
    """

    people: int = 0
    own: int | None = None
    name: str = ""
    sealed: int = 0
    withdrawn: int = 0

    @property
    def hidden(self) -> int:
        """Pairs without a label that no queue shows."""
        return self.sealed + self.withdrawn


def checklist(counts: Mapping[str, int], published: bool, labelled: LabelledPairs) -> tuple[SetupStep, ...]:
    """Return the four first steps, and which of them are done."""
    enough = labelled.people >= min(LABELS_WANTED, max(1, counts.get("pairs", 0)))
    return (
        SetupStep("Import pairs", "JSONL, CSV or Parquet, two answers a prompt.", "data", counts.get("pairs", 0) > 0),
        SetupStep("Publish a rubric", "What “better” means; a template is enough to begin.", "rubrics", published),
        SetupStep(f"Label {LABELS_WANTED} pairs", "Keys 1 to 7, Enter for the next.", "annotate", enough),
        SetupStep("Train a first run", "Freeze the labels, press Start, watch.", "train", counts.get("runs", 0) > 0),
    )


def next_step(counts: Mapping[str, int], published: bool, labelled: LabelledPairs) -> NextStep:
    """Return what to do next in this workspace."""
    pairs = counts.get("pairs", 0)
    if not pairs:
        return NextStep("Bring pairs in", "Import a file of prompts with two answers each.", "Import pairs", "data")
    if not published:
        return NextStep(
            "Say what better means", "Publish a rubric; then labelling can begin.", "Write a rubric", "rubrics"
        )
    done = labelled.people if labelled.own is None else labelled.own
    if done + labelled.hidden < pairs:
        title, button = ("Continue labelling", "Continue") if done else ("Begin labelling", "Begin")
        return NextStep(title, left_text(counts, labelled), button, "annotate")
    who = f"{labelled.name} has" if labelled.own is not None else "People have"
    kinds = ((labelled.sealed, "of a sealed test"), (labelled.withdrawn, "without consent"))
    rest = " and ".join(f"{number(count)} {what}" for count, what in kinds if count)
    rest = f" but {rest}" if rest else ""
    text = f"{who} labelled all {number(pairs)}{rest}. Freeze the labels and train on them."
    return NextStep("All pairs are labelled", text, "Set up a run", "train")


def left_text(counts: Mapping[str, int], labelled: LabelledPairs) -> str:
    """Return how many pairs the current reviewer, or all people together, have labelled and how many are left."""
    pairs, every = counts.get("pairs", 0), counts.get("labelled", 0)
    done = labelled.people if labelled.own is None else labelled.own
    who = f"{labelled.name} has" if labelled.own is not None else "People have"
    left = pairs - done - labelled.hidden
    text = f"{who} labelled {number(done) if done else 'none'} of {counting.counted(pairs, 'pair')}"
    text += f", {number(left)} {'is' if left == 1 else 'are'} left." if done else "."
    if every == pairs:
        return f"{text} Each pair has a label by someone, imported and scripted ones included."
    if every > done:
        return f"{text} With imported and scripted labels and those of others it is {number(every)}."
    return text


def kinds_text(by_kind: Mapping[ReviewerKind, int]) -> str:
    """Return how many labels there are and who made them, "" without any.

    >>> kinds_text({ReviewerKind.HUMAN: 1, ReviewerKind.IMPORTED: 1500, ReviewerKind.SCRIPTED: 0})
    '1,501 labels: 1 by people, 1,500 imported, none scripted.'
    """
    total = sum(by_kind.values())
    if not total:
        return ""
    parts = [f"{number(by_kind.get(kind, 0)) if by_kind.get(kind) else 'none'} {words}" for kind, words in _KINDS]
    return f"{counting.counted(total, 'label')}: {', '.join(parts)}."


_KINDS = (
    (ReviewerKind.HUMAN, "by people"),
    (ReviewerKind.IMPORTED, "imported"),
    (ReviewerKind.SCRIPTED, "scripted"),
)


def stale_text(stale: int) -> str:
    """Return what to do about stale labels, "" without any.

    >>> stale_text(1)
    '1 label is stale: its rubric changed in meaning since.'
    """
    if not stale:
        return ""
    words = counting.verb(stale, "is stale: its", "are stale: their")
    return f"{counting.counted(stale, 'label')} {words} rubric changed in meaning since."


def running_text(run: RunInfo) -> str:
    """Return a live run in words: its name and what it does now."""
    return f"{run.name or run.run_id} · {state_words(run.status)}"


_ICONS = {
    "import": "import",
    "rubric": "rubrics",
    "judgement": "annotate",
    "label": "annotate",
    "dataset": "snow",
    "run": "runs",
    "model": "model",
    "reviewer": "user",
}
"""Drawing of an event, by the first part of its operation."""


def line_of(event: ActivityItem, now_ms: int) -> ActivityLine:
    """Return one event of the log as a line."""
    kind = str(event.op).split(".", 1)[0]
    place, what = way_to(event.subject, event.subject_id, event.detail)
    icon = _ICONS.get(kind, "history")
    theirs: dict[str, Any] = {}
    if kind == "label" and event.reviewer_id is not None:
        day = local_time(event.at_ms, "%d %b %Y")
        theirs = {"reviewer_id": event.reviewer_id, "labelled_ms": day_of(event.at_ms), "title": f"Labelled on {day}"}
    return ActivityLine(ago(event.at_ms, now_ms), event.summary, event.reviewer, icon, place, what, theirs)


_WAYS = {
    "pair": ("data", "pair_id"),
    "source": ("data", "source_id"),
    "dataset": ("data", "dataset_id"),
    "rubric_version": ("rubrics", "version_id"),
    "reviewer": ("data", "reviewer_id"),
}
"""Subject of an event -> its place and the keyword that names it there."""


def way_to(subject: str, key: int | None, detail: Mapping[str, Any]) -> tuple[str, dict[str, Any]]:
    """Return the place that shows what an event speaks of and the keywords that name it; ("", {}) where none does.

    >>> way_to("dataset", 3, {}), way_to("run", None, {"run_id": "r1"}), way_to("reviewer", 1, {})
    (('data', {'dataset_id': 3}), ('runs', {'run_id': 'r1'}), ('data', {'reviewer_id': 1}))
    """
    if subject == "run" and detail.get("run_id"):
        return "runs", {"run_id": str(detail["run_id"])}
    if subject == "model":
        return "train", {}
    if subject not in _WAYS or key is None:
        return "", {}
    place, name = _WAYS[subject]
    return place, {name: key}


def lines_of(events: Sequence[ActivityItem], now_ms: int) -> tuple[ActivityLine, ...]:
    """Return events as lines, newest first."""
    return tuple(line_of(event, now_ms) for event in events)


def ago(at_ms: int, now_ms: int) -> str:
    """Return how long ago an event was: "now", "12 min", "3 h", from a day on its date."""
    seconds = (now_ms - at_ms) / 1000
    if seconds < 60:
        return "now"
    if seconds < 3600:
        return f"{int(seconds // 60)} min"
    if seconds < 86_400:
        return f"{int(seconds // 3600)} h"
    return local_time(at_ms, "%d %b")
