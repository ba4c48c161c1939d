"""What a run does now and how long it takes, in words; the same for the window and the command line."""

from __future__ import annotations

from core.domain.time_spans import duration, rough
from core.runs.status import RunStatus

PHASE_WORDS: dict[str, str] = {
    "load": "Loading the model",
    "tokenise": "Tokenising",
    "forward": "Comparing forward passes",
    "reference": "Reference log-probs",
    "gate": "Checking before the first step",
    "train": "Training",
    "evaluate": "Held-out probe",
    "kl": "Sampling for the KL",
    "sample": "Sampling side by side",
    "save": "Saving a checkpoint",
    "answer": "Answering",
    "score": "Scoring pairs",
    "measure": "Measuring",
}

_PENDING = {
    "pause": ("Pausing", "running"),
    "stop_and_save": ("Stopping and saving", "running paused stopping"),
    "stop_now": ("Stopping without saving", "running paused stopping"),
    "run": ("Going on", "paused"),
}
"""Words for a request that the run has not answered yet, and the states in which it has not."""


def phase_words(phase: str, detail: str = "") -> str:
    """Return the name of a phase; runs of older versions named the KL's samples in the detail."""
    return PHASE_WORDS["kl"] if (phase, detail) == ("sample", "on-policy KL") else PHASE_WORDS.get(phase, phase)


def state_words(status: RunStatus) -> str:
    """Return what a run that is worked on does at this moment: a pending request, its phase, or that it starts."""
    if status.requested in _PENDING and status.state in _PENDING[status.requested][1].split():
        return _PENDING[status.requested][0]
    if status.state == "paused":
        return "Paused"
    if status.state == "stopping":
        return "Stopping"
    return phase_words(status.phase, status.phase_detail) if status.phase else "Starting"


def pending_words(status: RunStatus) -> str:
    """Return a sentence about a request that the run has not answered yet, "" where there is none.

    It names what is finished first, and how long that takes where it was measured.
    """
    words, states = _PENDING.get(status.requested, ("", ""))
    if status.state not in states.split():
        return ""
    if status.requested == "run":
        return f"{words}."
    if status.state == "paused":
        return f"{words}."
    piece = "this micro-batch" if status.phase == "train" else f"this part of: {_lower(status)}"
    about = "" if status.answer_s is None else f", about {duration(max(1.0, status.answer_s))}"
    return f"{words} after {piece}{about}."


def _lower(status: RunStatus) -> str:
    words = phase_words(status.phase, status.phase_detail) if status.phase else "Starting"
    return words[0].lower() + words[1:]


def time_left_words(status: RunStatus) -> str:
    """Return the time that remains with its spread ("12 to 16 min left"), "" where it is not known."""
    if status.eta_s is None or status.eta_low_s is None or status.eta_high_s is None:
        return ""
    low, high = duration(status.eta_low_s), duration(status.eta_high_s)
    rough_low, rough_high = rough(status.eta_low_s), rough(status.eta_high_s)
    if low == high or rough_low == rough_high:
        return f"{duration(status.eta_s)} left"
    if rough_low.split()[1:] == rough_high.split()[1:]:
        return f"{rough_low.split()[0]} to {rough_high} left"
    return f"{rough_low} to {rough_high} left"
