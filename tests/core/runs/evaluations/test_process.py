"""The evaluator as a process of its own: killed, watched, paused, cancelled and resumed from outside."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import pytest

from core.domain.errors import UsageError, WorkspaceInUse
from core.domain.evaluation_events import WORK
from core.domain.run_events import Finished
from core.runs.evaluations import control
from core.runs.evaluations.driver import evaluate
from core.runs.evaluations.folder import EvaluationFolder
from core.runs.evaluations.hosting import EvaluationHost
from core.runs.evaluations.ledger import EvaluationLedger
from core.runs.evaluations.status import EvaluationStatus, evaluation_status
from core.runs.evaluations.words import done_words

Make = Callable[..., EvaluationFolder]
PATIENCE_S = 300.0


def until(holds: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end, "it did not happen"
        threading.Event().wait(0.02)


def batches(folder: EvaluationFolder) -> int:
    return len(EvaluationLedger(folder.ledger).batches())


@pytest.mark.slow
def test_that_a_process_killed_at_several_places_goes_on_to_the_same_evidence(
    finished: EvaluationFolder, make_evaluation: Make
) -> None:
    folder = make_evaluation("killed")
    for wanted in (1, 4, 9):
        host = control.start(folder)
        until(lambda wanted=wanted, host=host: batches(folder) >= wanted or not host.alive())
        host.kill()
        assert evaluation_status(folder).state in ("interrupted", "finished")
        if evaluation_status(folder).state == "finished":
            break
    else:
        last = control.start(folder)
        until(lambda last=last: evaluation_status(folder).state == "running" or not last.alive())
        with pytest.raises(WorkspaceInUse):
            control.start(folder)
        assert last.wait(PATIENCE_S) == 0
    assert folder.evidence_file.read_bytes() == finished.evidence_file.read_bytes()
    assert folder.outcomes_file.read_bytes() == finished.outcomes_file.read_bytes()


def test_that_any_window_sees_what_is_done_and_how_long_the_rest_takes(make_evaluation: Make) -> None:
    folder = make_evaluation()
    seen: list[EvaluationStatus] = []

    def look(event: object) -> None:
        if isinstance(event, WORK):
            seen.append(evaluation_status(folder))

    assert isinstance(evaluate(folder.path, EvaluationHost(host="terminal", on_event=look)), Finished)
    assert {status.state for status in seen} == {"running"}
    assert [status.share for status in seen] == sorted(status.share for status in seen)
    assert {status.phase for status in seen} == {"answer", "score", "kl"}
    assert seen[0].eta_s is None  # nothing is known of answers yet
    assert seen[-1].eta_s == pytest.approx(0.0)
    known = [status for status in seen if status.eta_s is not None]
    assert all(s.eta_low_s <= s.eta_s <= s.eta_high_s for s in known)  # type: ignore[operator]
    assert done_words(evaluation_status(folder)) == "22 of 22 answers, 12 of 12 scored pairs, 6 of 6 KL answers"


def test_that_an_evaluation_that_nobody_works_on_cannot_be_paused_or_cancelled(finished: EvaluationFolder) -> None:
    for ask in (control.pause, control.cancel):
        with pytest.raises(UsageError, match="it is finished"):
            ask(finished)
    with pytest.raises(UsageError, match="This evaluation is finished"):
        control.start(finished)


def test_that_evaluations_are_found_by_id_beginning_and_name(finished: EvaluationFolder) -> None:
    place = finished.path.parent
    name = finished.record().name
    assert [folder.path for folder in control.list_evaluations(place)] == [finished.path]
    for word in (str(finished.path), "e" * 32, "eeee", name):
        assert control.find_evaluation(word, place).path == finished.path
