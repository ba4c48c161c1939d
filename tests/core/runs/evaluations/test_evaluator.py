"""An evaluation of a tiny model: what it stores, and that an interruption changes nothing."""

from __future__ import annotations

import math
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from core.domain.evaluation_events import WORK
from core.domain.evaluation_record import Arm
from core.domain.run_events import Failed, Finished
from core.runs.control_file import ControlFile, request
from core.runs.evaluations.driver import evaluate
from core.runs.evaluations.evaluator import Evaluator
from core.runs.evaluations.folder import EvaluationFolder
from core.runs.evaluations.hosting import EvaluationHost
from core.runs.evaluations.ledger import EVALUATION_LAYOUT, EvaluationLedger
from core.runs.evaluations.status import evaluation_status
from core.runs.evaluations.verify import evaluation_problems
from core.runs.folder import RunFolder
from core.runs.ledger.writer import LedgerWriter
from tests.fakes.openai_server import OpenAiServer

Make = Callable[..., EvaluationFolder]
HOST = EvaluationHost(host="terminal")


def attempt_until(folder: EvaluationFolder, batches: int) -> None:
    """Work until so many batches are stored and end without another word, as a killed process does."""
    ledger = LedgerWriter(folder.ledger, folder.record().evaluation_id, layout=EVALUATION_LAYOUT)
    events = Evaluator(folder, ControlFile(folder.control)).run()
    for event in events:
        ledger.append(event)
        batches -= isinstance(event, WORK)
        if batches == 0:
            break
    events.close()  # type: ignore[attr-defined]
    ledger.close()


def test_that_every_item_is_answered_by_every_arm_and_every_pair_scored(finished: EvaluationFolder) -> None:
    ledger = EvaluationLedger(finished.ledger)
    for arm in ("reference", "aligned"):
        assert {row.item for row in ledger.answers("asks v2", arm)} == {f"ask-{n}" for n in range(5)}
        assert {row.item for row in ledger.scores("rankings v1", arm)} == {f"pair-{n}" for n in range(6)}
        assert all(0 < len(row.token_ids) == row.tokens <= 6 for row in ledger.answers("asks v2", arm))
    assert len(ledger.kl_rows("asks v2", "aligned")) == 3
    assert ledger.kl_rows("asks v2", "reference") == []
    status = evaluation_status(finished)
    assert (status.state, status.share, status.done) == ("finished", 1.0, dict(status.total))


def test_that_the_numbers_are_those_of_the_ledger_recomputed_by_hand(finished: EvaluationFolder) -> None:
    evidence, ledger = finished.evidence(), EvaluationLedger(finished.ledger)
    assert evidence is not None
    ours, theirs = ({r.item: r for r in ledger.scores("rankings v1", arm)} for arm in ("aligned", "reference"))
    decisive = [f"pair-{n}" for n in range(5)]
    right = [ours[i].logp_chosen > ours[i].logp_rejected for i in decisive]
    h = [
        (ours[i].logp_chosen - theirs[i].logp_chosen) - (ours[i].logp_rejected - theirs[i].logp_rejected)
        for i in decisive
    ]
    metrics = evidence["suites"]["rankings v1"]["metrics"]
    assert metrics["ranking_accuracy"]["aligned"]["value"] == sum(right) / 5
    assert metrics["ranking_accuracy"]["aligned"]["n"] == 5
    assert metrics["h"]["aligned"]["value"] == pytest.approx(math.fsum(h) / 5, abs=1e-12)
    assert metrics["preference_accuracy"]["aligned"]["value"] == sum(value > 0 for value in h) / 5
    assert "reference" not in metrics["preference_accuracy"]
    lengths = {arm: {r.item: r.tokens for r in ledger.answers("asks v2", arm)} for arm in ("aligned", "reference")}
    shift = evidence["suites"]["asks v2"]["differences"]["length"]["aligned"]
    by_hand = [lengths["aligned"][i] - lengths["reference"][i] for i in lengths["aligned"]]
    assert shift["value"] == pytest.approx(sum(by_hand) / 5)
    assert (shift["n"], shift["unit"]) == (5, "tokens")
    kl = [row.rb for row in ledger.kl_rows("asks v2", "aligned")]
    measured = evidence["suites"]["asks v2"]["metrics"]
    assert measured["sequence_kl"]["aligned"]["value"] == pytest.approx(sum(kl) / 3)
    rows = EvaluationLedger(finished.ledger).kl_rows("asks v2", "aligned")
    change = [(row.entropy - row.reference_entropy) / row.tokens for row in rows]
    assert measured["entropy_change"]["aligned"]["value"] == pytest.approx(sum(change) / 3)
    assert 0 < measured["entropy"]["aligned"]["value"] < math.log(400)
    assert all(value >= 0 for value in kl)


@pytest.mark.parametrize("batches", [1, 6, 11])
def test_that_an_attempt_that_was_killed_goes_on_to_the_same_evidence(
    finished: EvaluationFolder, make_evaluation: Make, batches: int
) -> None:
    again = make_evaluation(f"again-{batches}")
    attempt_until(again, batches)
    assert evaluation_status(again).state == "interrupted"
    before = EvaluationLedger(again.ledger).batches()
    assert isinstance(evaluate(again.path, HOST), Finished)
    assert again.evidence_file.read_bytes() == finished.evidence_file.read_bytes()
    assert again.outcomes_file.read_bytes() == finished.outcomes_file.read_bytes()
    events = [stored.event for stored in EvaluationLedger(again.ledger).events() if isinstance(stored.event, WORK)]
    assert len(events) == len({(e.event, e.suite, e.arm, e.batch) for e in events})
    assert before.keys() <= EvaluationLedger(again.ledger).batches().keys()


def test_that_a_cancelled_evaluation_keeps_its_answers_and_resumes(make_evaluation: Make) -> None:
    folder = make_evaluation()

    def cancel(event: object) -> None:
        if isinstance(event, WORK):
            request(folder.control, "stop_and_save")

    last = evaluate(folder.path, EvaluationHost(host="terminal", on_event=cancel))
    assert isinstance(last, Finished) and last.reason == "stopped"
    status = evaluation_status(folder)
    assert (status.state, sum(status.done.values())) == ("stopped", 6)
    assert folder.evidence() is None
    assert isinstance(evaluate(folder.path, EvaluationHost(host="terminal", reset=True)), Finished)
    assert evaluation_status(folder).state == "finished"


def test_that_a_finished_folder_verifies_and_an_altered_answer_is_found(
    finished: EvaluationFolder, tmp_path: Path
) -> None:
    assert list(evaluation_problems(finished)) == []
    copy = EvaluationFolder(tmp_path / "copy")
    shutil.copytree(finished.path, copy.path)
    with copy.evidence_file.open("a", encoding="utf-8") as file:
        file.write(" ")
    assert list(evaluation_problems(copy)) == [f"evidence.json in {copy.path} is missing or cut short."]
    shutil.copy(finished.evidence_file, copy.evidence_file)
    with sqlite3.connect(copy.ledger) as db:
        db.execute("UPDATE answers SET text = 'better' WHERE id = 1")
    assert "was altered after it was stored" in next(iter(evaluation_problems(copy)))


def test_that_another_policy_than_the_one_asked_for_is_refused(make_evaluation: Make, trained_run: RunFolder) -> None:
    folder = make_evaluation()
    path = folder.request
    path.write_text(path.read_text().replace('"policy": "', '"policy": "0'))
    last = evaluate(folder.path, HOST)
    assert isinstance(last, Failed)
    assert "evaluation.json" in last.message


def test_that_arms_share_prompts_but_for_their_system_text(make_evaluation: Make) -> None:
    arms = (
        Arm("aligned", "aligned"),
        Arm("aligned without system", "aligned_without_system"),
        Arm("reference with rubric", "reference_with_rubric", system_prompt="Prefer short answers."),
    )
    folder = make_evaluation(arms=arms)
    assert isinstance(evaluate(folder.path, HOST), Finished)
    ledger = EvaluationLedger(folder.ledger)
    tokens = {
        arm: [row.prompt_tokens for row in sorted(ledger.answers("asks v2", arm), key=lambda row: row.item)]
        for arm in ("reference", "aligned", "aligned without system", "reference with rubric")
    }
    assert tokens["reference"] == tokens["aligned"]
    assert all(a < b < c for a, b, c in zip(
        tokens["aligned without system"], tokens["aligned"], tokens["reference with rubric"], strict=True))  # fmt: skip
    seeds = {arm: {row.item: row.seed for row in ledger.answers("asks v2", arm)} for arm in tokens}
    assert all(own == seeds["reference"] for own in seeds.values())


def test_that_the_policy_of_a_checkpoint_is_another_than_the_result(make_evaluation: Make, tmp_path: Path) -> None:
    result, checkpoint = make_evaluation("result"), make_evaluation("checkpoint", step=2)
    first, second = (folder.record().arms[1].inputs["policy"] for folder in (result, checkpoint))
    assert first != second
    for folder in (result, checkpoint):
        assert isinstance(evaluate(folder.path, HOST), Finished)
    scores = [EvaluationLedger(f.ledger).scores("rankings v1", "aligned")[0].logp_chosen for f in (result, checkpoint)]
    assert scores[0] != scores[1]
    again = [EvaluationLedger(f.ledger).scores("rankings v1", "reference")[0].logp_chosen for f in (result, checkpoint)]
    assert again[0] == again[1]


def test_that_a_server_answers_the_same_prompts_with_the_same_seeds(make_evaluation: Make) -> None:
    server = OpenAiServer()
    try:
        folder = make_evaluation(arms=(Arm("aligned", "aligned"), Arm("here", "endpoint", url=server.url)))
        assert isinstance(evaluate(folder.path, HOST), Finished)
    finally:
        server.stop()
    ledger = EvaluationLedger(folder.ledger)
    rows = ledger.answers("asks v2", "here")
    assert [row.text for row in rows] == ["Hi."] * 5
    assert {row.item: row.seed for row in rows} == {row.item: row.seed for row in ledger.answers("asks v2", "aligned")}
    assert ledger.scores("rankings v1", "here") == []
    asked = [body["messages"] for _, body, _ in server.asked]
    assert [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Tell me about the tides."},
    ] in asked
    evidence = folder.evidence()
    assert evidence is not None
    metrics = evidence["suites"]["asks v2"]["metrics"]
    assert metrics["length"]["here"] == {**metrics["length"]["here"], "value": 3.0, "n": 5, "unit": "tokens"}
    assert "here" not in metrics["sequence_kl"]
