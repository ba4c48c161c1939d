"""What the queue shows, worked out away from widgets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.domain.counting import counted, verb
from core.services.runs.views import RunInfo, state_words, time_left_words

if TYPE_CHECKING:  # it loads the database library, which the window does not wait for
    from core.services.runs.queue import QueueView, ToldInfo

_TOLD = {"refused": "could not be started", "failed": "failed", "interrupted": "was interrupted"}


@dataclass(frozen=True, slots=True)
class QueueRows:
    """The queue in words.

    Attributes:
        summary: what goes on, in one line.
        running: a line for each run that is worked on.
        waiting: (run id, two lines) in the order in which they start.
        told: (run id, what happened) of runs that did not go well.
        hint: what happens next, "" where that is plain.
    """

    paused: bool
    summary: str
    running: tuple[str, ...]
    waiting: tuple[tuple[str, str], ...]
    told: tuple[tuple[str, str], ...]
    hint: str


def queue_rows(view: QueueView, *, read_only: bool = False) -> QueueRows:
    """Return the queue in words."""
    trained, left = len(view.running), len(view.waiting)
    parts = [
        f"{trained} training" if trained else "",
        f"{left} waiting" if left else "",
        "paused" if view.paused else "",
    ]
    return QueueRows(
        view.paused,
        " · ".join(part for part in parts if part) or "Nothing is trained and nothing waits.",
        tuple(_running(info) for info in view.running),
        tuple((info.run_id, f"{place}  {info.name}\n{_about(info)}") for place, info in enumerate(view.waiting, 1)),
        tuple((one.told.run_id, _told(one)) for one in view.told),
        _hint(view, read_only),
    )


def _running(info: RunInfo) -> str:
    status = info.status
    steps = f"step {status.step:,} of {status.total_steps:,}" if status.total_steps else ""
    where = "from a command line" if status.host == "terminal" else ""
    return " · ".join(part for part in (info.name, state_words(status), steps, time_left_words(status), where) if part)


def _about(info: RunInfo) -> str:
    record, status = info.record, info.status
    begun = f"goes on from step {status.step:,}" if status.step else ""
    model = record.model_dir.rstrip("/").rsplit("/", 1)[-1]
    facts = (
        begun,
        str(record.dataset.get("title") or "pairs file"),
        model,
        f"{record.config.loss}, β {record.config.beta:g}",
    )
    return " · ".join(part for part in (*facts, f"seed {record.config.seed}") if part)


def _told(one: ToldInfo) -> str:
    return f"{one.name or one.told.run_id[:8]} {_TOLD[one.told.kind]}: {one.told.reason} {one.told.hint}".rstrip()


def _hint(view: QueueView, read_only: bool) -> str:
    if not view.waiting:
        return ""
    if view.paused:
        return "Nothing starts while the queue is paused; a run that is trained goes on."
    if read_only:
        return (
            "This window only reads the workspace; the window that writes, or `runs queue start`, starts the next run."
        )
    if view.running:
        count = len(view.running)
        return f"The next one starts when {counted(count, 'run')} {verb(count, 'has', 'have')} ended."
    return "The next one starts in a few seconds."
