"""An arm that cannot go on: it is named with the reason, the other arms lose nothing, and a later attempt resumes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.domain.errors import ModelRefused, StorageFull
from core.domain.evaluation_events import AnswerRow, ScoreRow
from core.domain.evaluation_record import Arm
from core.domain.run_events import Failed, Finished, Warned
from core.runs.evaluations.driver import evaluate
from core.runs.evaluations.folder import EvaluationFolder
from core.runs.evaluations.hosting import EvaluationHost
from core.runs.evaluations.ledger import EvaluationLedger
from tests.app.evaluate.fakes import ScriptedModel, finish, make_evaluation, make_run, suites
from tests.fakes.openai_server import OpenAiServer

BASE = suites(6)[1:3]


class ReferenceOverflows(ScriptedModel):
    """The arm that is worked on first gives no number for its pairs."""

    def score(self, arm: Arm, suite: str, batch: Sequence[Any]) -> list[ScoreRow]:
        rows = super().score(arm, suite, batch)
        return rows if arm.is_policy else [replace(row, logp_chosen=math.nan) for row in rows]


class Raising(ScriptedModel):
    """The policy's answers raise an error."""

    error: Exception = RuntimeError()

    def answer(self, arm: Arm, suite: str, batch: Sequence[Any]) -> list[AnswerRow]:
        if arm.is_policy:
            raise self.error
        return super().answer(arm, suite, batch)


class Full(Raising):
    error = StorageFull("The disk is full; what was acknowledged before is safe.")


class Broken(Raising):
    error = RuntimeError("shape mismatch")


class Unloadable(ScriptedModel):
    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        raise ModelRefused("The adapter does not fit the model.", "Choose another.")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("failing") / "ws"
    make_run(place)
    return place


def attempt(folder: EvaluationFolder, model: type[ScriptedModel]) -> tuple[Failed, list[Warned]]:
    events: list[Any] = []
    ended = evaluate(folder.path, EvaluationHost(host="terminal", make_model=model, on_event=events.append))
    assert isinstance(ended, Failed)
    assert folder.evidence() is None
    return ended, [event for event in events if isinstance(event, Warned)]


def test_that_no_number_of_one_arm_ends_that_arm_alone_and_a_resumed_evaluation_gives_the_same_evidence(
    workspace: Path,
) -> None:
    made = suites(6)
    folder = make_evaluation(workspace, 1, made=made)
    ended, told = attempt(folder, ReferenceOverflows)
    assert ended.message.startswith("Arm reference failed: reference gives a log-prob that is no finite number")
    assert "resuming does only what is missing" in ended.message and "float32" in ended.hint
    assert [event.code for event in told] == ["arm_failed"] and "The other arms go on." in told[0].message
    ledger = EvaluationLedger(folder.ledger)
    for suite in made[1:]:
        assert {row.item for row in ledger.answers(suite.title, "aligned")} == {item.id for item in suite.items}
    assert len(ledger.scores("preferences v1", "aligned")) == 6
    assert ledger.scores("preferences v1", "reference") == []

    class Counting(ScriptedModel):
        asked: list[str] = []

        def answer(self, arm: Arm, suite: str, batch: Sequence[Any]) -> list[AnswerRow]:
            self.asked.append(arm.name)
            return super().answer(arm, suite, batch)

    assert isinstance(
        evaluate(folder.path, EvaluationHost(host="terminal", make_model=ReferenceOverflows, reset=True)), Failed
    ), "a cause that is still there fails it again"
    resumed = finish(folder, Counting)
    assert set(Counting.asked) == {"reference"}, "what is stored of the other arms is not asked again"
    straight = finish(make_evaluation(workspace, 2, made=made))
    assert (resumed.evidence() or {})["suites"] == (straight.evidence() or {})["suites"]


def test_that_an_endpoint_that_dies_in_the_middle_is_named_and_asked_again_for_the_rest_alone(workspace: Path) -> None:
    server = OpenAiServer()
    dead = (400, {"error": "the model was unloaded"})
    answer = {"choices": [{"message": {"content": "Yes."}, "finish_reason": "stop"}]}
    try:
        first, second = (Arm(name, "endpoint", url=server.url, served_model=name) for name in ("first", "second"))
        folder = make_evaluation(workspace, 3, made=BASE, extra=(first, second))
        server.replies = [*[(200, answer)] * 5, dead]
        ended, _ = attempt(folder, ScriptedModel)
        assert ended.message.startswith("Arm first failed: The server at 127.0.0.1:")
        assert "the model was unloaded" in ended.message
        asked = [body["model"] for _, body, _ in server.asked]
        assert asked == ["first"] * 6 + ["second"] * 12, "an arm that failed is not asked for its other suites"
        ledger = EvaluationLedger(folder.ledger)
        assert len(ledger.answers(BASE[0].title, "first")) == 4, "the batches before the failure are kept"
        server.asked.clear()
        assert isinstance(evaluate(folder.path, EvaluationHost(host="terminal", make_model=ScriptedModel)), Finished)
        assert [body["model"] for _, body, _ in server.asked] == ["first"] * 8
    finally:
        server.stop()


def test_that_a_model_that_cannot_be_loaded_is_told_once_for_the_arms_that_share_it(workspace: Path) -> None:
    ended, told = attempt(make_evaluation(workspace, 4, made=BASE), Unloadable)
    assert ended.message.startswith("2 arms (reference, aligned) failed: The adapter does not fit the model.")
    assert ended.hint == "Choose another." and len(told) == 2


def test_that_a_full_disk_ends_the_attempt_at_once(workspace: Path) -> None:
    ended, told = attempt(make_evaluation(workspace, 5, made=BASE), Full)
    assert (ended.kind, told) == ("storage_full", [])


def test_that_an_error_of_the_program_names_the_arm_and_the_suite(workspace: Path) -> None:
    folder = make_evaluation(workspace, 6, made=BASE)
    ended, _ = attempt(folder, Broken)
    assert "an error in the program (arm aligned, look-alikes v1): RuntimeError: shape mismatch" in ended.message
    assert ended.traceback
