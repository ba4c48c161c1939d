"""An event about an answer of a policy carries how the answer was made, and nobody's sealed test."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from core.domain.errors import BadInput, NotFound
from core.paths import resources_dir
from core.runs.evaluations.ledger import EvaluationLedger
from core.services.application import Application


def test_that_an_event_leads_back_to_evaluation_suite_item_and_seed(app: Application, evaluation: str) -> None:
    service = app.policy_answers
    assert service.suites(evaluation) == ["rankings v1", "checked v1"]
    found = service.of_evaluation(evaluation, "checked v1")
    folder = app.evaluations.find(evaluation)
    (row, *_) = EvaluationLedger(folder.ledger).answers("checked v1", service.arms(evaluation)[0])
    answer = service.one(found, row.item)
    assert (answer.answer, answer.generation["seed"], answer.generation["finished"]) == (
        row.text, row.seed, row.finished
    )  # fmt: skip
    event = app.feedback.add(answer.feedback("complaint", note="it never said so")).value
    content = app.feedback.get(event.id).content
    assert content is not None and content.prompt is not None
    assert content.prompt.last_text == f"Say {row.item[1:]}."
    record = folder.record()
    assert content.run == record.run["run_id"]
    assert {key: content.generation[key] for key in ("evaluation", "suite", "item", "temperature")} == {
        "evaluation": record.evaluation_id, "suite": "checked v1", "item": row.item,
        "temperature": record.config.temperature,
    }  # fmt: skip


def test_that_a_sealed_test_an_unknown_arm_and_an_unknown_item_are_refused(app: Application, evaluation: str) -> None:
    service = app.policy_answers
    with pytest.raises(BadInput, match="sealed test"):
        service.of_evaluation(evaluation, "sealed:d v1")
    with pytest.raises(NotFound, match="no arm 'nobody'"):
        service.of_evaluation(evaluation, arm="nobody")
    with pytest.raises(NotFound, match="no answer to 'c99'"):
        service.one(service.of_evaluation(evaluation, "checked v1"), "c99")


def test_that_a_sample_of_a_run_becomes_a_correction_with_its_step_and_seed(tmp_path: Path) -> None:
    shutil.copytree(resources_dir() / "demo" / "workspace", tmp_path / "ws")
    with Application.open(tmp_path / "ws") as app:
        (run,) = app.runs.list()
        samples = app.runs.reader(run.run_id).samples()
        found = app.policy_answers.of_run(run.run_id)
        newest = [one for one in samples if one.step == samples[-1].step]
        assert [(one.item, one.answer) for one in found] == [(one.pair_id, one.policy) for one in newest]
        event = app.feedback.add(found[0].feedback("correction", better="Another answer.")).value
        app.triage.to_labelling([event.id], 1)
        content = app.feedback.get(event.id).content
        assert content is not None and content.prompt is not None
        assert content.prompt.last_text in newest[0].prompt
        assert (content.generation["step"], content.generation["seed"]) == (newest[0].step, newest[0].seed)
        with pytest.raises(NotFound, match="no samples of step 99999"):
            app.policy_answers.of_run(run.run_id, 99999)
