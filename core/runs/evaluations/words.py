"""What an evaluation does now and how long it takes, in words; the same for the window and the command line."""

from __future__ import annotations

from core.domain.counting import counted
from core.domain.time_spans import duration
from core.runs.evaluations.status import EvaluationStatus
from core.runs.progress_words import phase_words

_UNITS = {"answers": "answer", "scores": "scored pair", "kl_answers": "KL answer"}
_PENDING = {"pause": "Pausing after this batch", "stop_and_save": "Cancelling after this batch"}


def work_words(status: EvaluationStatus) -> str:
    """Return what an evaluation does at this moment, and how much of it is done."""
    if status.state == "running" and status.requested in _PENDING:
        return _PENDING[status.requested]
    if status.state == "paused":
        return "Paused"
    if status.state != "running":
        return status.message or status.state.capitalize()
    words = phase_words(status.phase) if status.phase else "Starting"
    return f"{words}: {status.phase_detail}" if status.phase_detail else words


def done_words(status: EvaluationStatus) -> str:
    """Return how much of each kind of work is done ("12 of 240 answers, 60 of 60 scored pairs")."""
    return ", ".join(
        f"{status.done.get(kind, 0):,} of {counted(total, _UNITS[kind])}"
        for kind, total in status.total.items()
        if total
    )


def left_words(status: EvaluationStatus) -> str:
    """Return the time that remains ("about 12 m 00 s left"), "" where it is not known."""
    return "" if status.eta_s is None else f"about {duration(status.eta_s)} left"
