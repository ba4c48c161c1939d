from __future__ import annotations

import pytest

from core.runs.progress_words import pending_words, phase_words, state_words, time_left_words
from core.runs.status import RunStatus


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (RunStatus("running"), "Starting"),
        (RunStatus("running", phase="train"), "Training"),
        (RunStatus("running", phase="kl"), "Sampling for the KL"),
        (RunStatus("running", phase="sample", phase_detail="on-policy KL"), "Sampling for the KL"),
        (RunStatus("running", phase="sample"), "Sampling side by side"),
        (RunStatus("paused", phase="train"), "Paused"),
        (RunStatus("stopping", phase="save"), "Stopping"),
        (RunStatus("running", phase="train", requested="pause"), "Pausing"),
        (RunStatus("paused", phase="train", requested="pause"), "Paused"),
        (RunStatus("paused", phase="train", requested="run"), "Going on"),
        (RunStatus("running", phase="train", requested="run"), "Training"),
        (RunStatus("running", phase="kl", requested="stop_and_save"), "Stopping and saving"),
    ],
)
def test_that_the_words_name_the_request_or_the_phase(status: RunStatus, words: str) -> None:
    assert state_words(status) == words


def test_that_every_phase_of_a_run_has_words() -> None:
    from typing import get_args, get_type_hints

    from core.domain.run_events import PhaseChanged

    for phase in get_args(get_type_hints(PhaseChanged)["phase"]):
        assert phase_words(phase) != phase


@pytest.mark.parametrize(
    ("status", "sentence"),
    [
        (RunStatus("running", phase="train", requested="pause"), "Pausing after this micro-batch."),
        (
            RunStatus("running", phase="train", requested="stop_and_save", answer_s=6.2),
            "Stopping and saving after this micro-batch, about 6 s.",
        ),
        (
            RunStatus("running", phase="reference", requested="stop_now", answer_s=0.2),
            "Stopping without saving after this part of: reference log-probs, about 1 s.",
        ),
        (RunStatus("paused", phase="train", requested="run"), "Going on."),
        (RunStatus("running", phase="train", requested="run"), ""),
        (RunStatus("paused", phase="train", requested="pause"), ""),
        (RunStatus("finished", requested="stop_and_save"), ""),
    ],
)
def test_that_a_request_says_what_is_finished_first(status: RunStatus, sentence: str) -> None:
    assert pending_words(status) == sentence


@pytest.mark.parametrize(
    ("eta", "words"),
    [
        ((None, None, None), ""),
        ((50.0, 49.8, 50.2), "50 s left"),
        ((50.0, 40.0, 61.0), "40 to 61 s left"),
        ((840.0, 720.0, 960.0), "12 to 16 min left"),
        ((6000.0, 3000.0, 9000.0), "50 min to 2 h left"),
        ((125.0, 124.0, 126.0), "2 min 05 s left"),
    ],
)
def test_that_the_time_left_shows_its_spread(eta: tuple[float | None, float | None, float | None], words: str) -> None:
    assert time_left_words(RunStatus("running", eta_s=eta[0], eta_low_s=eta[1], eta_high_s=eta[2])) == words
