"""Answers under other templates and to training pairs: what is asked, stored, resumed and computed of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from core.domain.conversation import Message, Prompt
from core.domain.errors import UsageError
from core.domain.evaluation_record import TRAINED, Arm
from core.domain.measured_evidence import MeasuredEvidence
from core.domain.run_events import Finished, Warned
from core.domain.suite import Constraint, Suite, SuiteItem
from core.runs.evaluations.cost import MeasuredSpeed, expected_cost
from core.runs.evaluations.driver import evaluate
from core.runs.evaluations.folder import EvaluationFolder
from core.runs.evaluations.hosting import EvaluationHost
from core.runs.evaluations.ledger import EvaluationLedger
from core.runs.evaluations.local_model import LocalModel
from core.runs.evaluations.suite_items import drawn, index_aligned
from core.runs.evaluations.work import planned, trained_items
from core.runs.folder import RunFolder
from core.services.evaluations.requests import held_out_suite
from core.training.forward.padded import PaddedScorer
from tests.core.runs.evaluations.conftest import SMALL, new_evaluation, open_suite, preference_suite
from tests.core.runs.evaluations.test_evaluator import attempt_until

HOST = EvaluationHost(host="terminal")
ASKS = {"en": "Say something about {}.", "de": "Sag etwas über {}."}


def languages(count: int = 4) -> Suite:
    """Requests in two languages, index-aligned; an answer passes where it has an e."""
    items = [
        SuiteItem(
            f"ask-{n}.{code}", Prompt((Message("user", ask.format(n)),)), "check", {"language": code},
            (Constraint("contains", ["e"]),),
        )
        for code, ask in ASKS.items()
        for n in range(count)
    ]  # fmt: skip
    return Suite("languages", 1, tuple(items))


def templated(path: Path, run: RunFolder) -> EvaluationFolder:
    config = SMALL.with_values({"kl_prompts": 0})
    return new_evaluation(path, run, suites=(languages(), held_out_suite(run)), config=config, templates=True)


@pytest.fixture(scope="module")
def answered(tmp_path_factory: pytest.TempPathFactory, trained_run: RunFolder) -> EvaluationFolder:
    """Return a finished evaluation under other templates that no test changes."""
    folder = templated(tmp_path_factory.mktemp("templated") / "evaluation", trained_run)
    assert isinstance(evaluate(folder.path, HOST), Finished)
    return folder


def test_that_policy_and_reference_answer_every_request_under_every_template(answered: EvaluationFolder) -> None:
    record, ledger = answered.record(), EvaluationLedger(answered.ledger)
    assert record.templates == ("plain", "alpaca", "llama3") and record.training_template == ""
    assert record.template_answers == 2 * 3 * 8
    sizes = {}
    for arm in (*record.compared_arms, *record.template_arms):
        rows = ledger.answers("languages v1", arm.name)
        assert {row.item for row in rows} == {item.id for item in languages().items}
        sizes[arm.name] = {row.item: row.prompt_tokens for row in rows}
    assert sizes["aligned · plain"] == sizes["reference · plain"] != sizes["aligned · llama3"]
    assert all(sizes["aligned"][i] > n for i, n in sizes["aligned · plain"].items())
    assert ledger.answers("dev v1", "aligned · plain") == []


def test_that_the_matrix_is_that_of_the_outcomes_and_the_gate_reads_its_worst(answered: EvaluationFolder) -> None:
    evidence = answered.evidence()
    assert evidence is not None
    found = evidence["suites"]["languages v1"]["matrix"]["checks_passed"]
    assert (found["requests"], found["languages"]) == (4, ["en", "de"])
    assert found["templates"] == {
        "training": "Model's own", "plain": "Plain text", "alpaca": "Alpaca", "llama3": "Llama 3",
    }  # fmt: skip
    passed = {(row["arm"], row["item"]): row["passed"] for row in answered.outcomes()}
    own = {(c["template"], c["language"]): c for c in found["arms"]["aligned"]["cells"]}
    assert len(own) == 4 * 3
    for template, arm in (("training", "aligned"), ("alpaca", "aligned · alpaca")):
        hits = [passed[arm, f"ask-{n}.de"] for n in range(4)]
        assert own[template, "de"]["rate"]["value"] == sum(hits) / 4 and own[template, "de"]["rate"]["n"] == 4
    assert own["training", ""]["change"] is None and own["plain", ""]["change"]["n"] == 8
    worst = dict(MeasuredEvidence.from_plain(evidence).of("worst_template"))["languages v1"]
    smallest = min(own[name, ""]["change"]["value"] for name in ("plain", "alpaca", "llama3"))
    assert worst.value == smallest and worst.has_interval
    assert found["arms"]["aligned"]["worst_change"]["value"] == smallest


def test_that_training_pairs_are_scored_and_answered_beside_held_out_ones(
    answered: EvaluationFolder, trained_run: RunFolder
) -> None:
    record, ledger = answered.record(), EvaluationLedger(answered.ledger)
    assert record.trained_pairs == 2  # as many as are held out
    train = {pair.pair_id for pair in trained_run.pairs() if pair.split == "train"}
    scored = {arm.name: {row.item for row in ledger.scores(TRAINED, arm.name)} for arm in record.arms}
    assert scored["aligned"] == scored["reference"] <= train and len(scored["aligned"]) == 2
    assert {row.item for row in ledger.answers(TRAINED, "aligned")} == scored["aligned"]
    assert not (train & {row["item"] for row in answered.outcomes()})


@pytest.mark.parametrize("batches", [9, pytest.param(3, marks=pytest.mark.slow)])
def test_that_a_killed_evaluation_under_templates_goes_on_to_the_same_evidence(
    answered: EvaluationFolder, tmp_path: Path, trained_run: RunFolder, batches: int
) -> None:
    again = templated(tmp_path / "again", trained_run)
    attempt_until(again, batches)
    assert isinstance(evaluate(again.path, HOST), Finished)
    assert again.evidence_file.read_bytes() == answered.evidence_file.read_bytes()
    assert again.outcomes_file.read_bytes() == answered.outcomes_file.read_bytes()


def test_that_the_work_is_what_the_record_says_and_the_cost_counts_it(answered: EvaluationFolder) -> None:
    record = answered.record()
    plan = planned(record, {s.title: answered.items()[s.title] for s in record.suites}, trained_items(record))
    counts = {kind: sum(len(w.items) for w in plan if w.kind == kind) for kind in ("answers", "scores", "kl_answers")}
    assert counts == {"answers": record.answers, "scores": record.pairs, "kl_answers": record.kl_answers}
    cost = expected_cost(record, MeasuredSpeed(load_s=0, prompt_s=1, token_s=0, pair_s=1))
    assert cost.parts["answers"] == record.answers and cost.parts["scores"] == record.pairs
    without = next(one for one in cost.cheaper if one.option == "without --templates")
    assert record.template_pairs == 2 * 3 * 2
    assert without.seconds == cost.seconds - record.template_answers - record.template_pairs


def test_that_held_out_pairs_are_ranked_under_every_template_against_the_reference_under_the_same(
    answered: EvaluationFolder, trained_run: RunFolder
) -> None:
    ledger, evidence = EvaluationLedger(answered.ledger), answered.evidence()
    assert evidence is not None
    title = held_out_suite(trained_run).title
    found = evidence["suites"][title]["template_margins"]["aligned"]
    assert list(found["templates"]) == ["training", "plain", "alpaca", "llama3"]
    for template, end in (("training", ""), ("llama3", " · llama3")):
        ours, theirs = ({r.item: r for r in ledger.scores(title, f"{arm}{end}")} for arm in ("aligned", "reference"))
        h = [
            (ours[i].logp_chosen - theirs[i].logp_chosen) - (ours[i].logp_rejected - theirs[i].logp_rejected)
            for i in ours
        ]
        row = found["templates"][template]
        assert (row["h"]["value"], row["h"]["n"]) == (pytest.approx(sum(h) / 2), 2)
        assert row["accuracy"]["value"] == sum(value > 0 for value in h) / 2
    first, other = (found["templates"][name]["h"]["value"] for name in ("training", "llama3"))
    assert found["templates"]["llama3"]["h_change"]["value"] == pytest.approx(other - first)
    assert "h_change" not in found["templates"]["training"]
    assert found["consistent"]["n"] == 2
    plain_rows = {r.item: r for r in ledger.scores(title, "aligned · plain")}
    model = LocalModel(trained_run.path, 0, SMALL, {})
    items = answered.items()[title]
    encoded, _ = model.encoded_pairs(Arm("aligned", "aligned", template="plain"), items)
    texts = [model.model.tokenizer.decode([*pair.prompt_ids, *pair.chosen_ids]) for pair in encoded]
    by_id = {item.id: item for item in items}
    for pair, text in zip(encoded, texts, strict=True):
        item = by_id[pair.pair_id]
        assert text == f"{item.prompt.last_text}{item.chosen}<|end|>", "one user turn is plain text itself"
        assert plain_rows[pair.pair_id].tokens_chosen == sum(pair.chosen_mask)
    alpaca, _ = model.encoded_pairs(Arm("aligned", "aligned", template="alpaca"), items[:1])
    text = model.model.tokenizer.decode([*alpaca[0].prompt_ids, *alpaca[0].chosen_ids])
    assert text.endswith(f"### Response:\n{items[0].chosen}<|end|>")


def test_that_templates_need_a_suite_in_several_languages(tmp_path: Path, trained_run: RunFolder) -> None:
    with pytest.raises(UsageError, match="several languages") as refused:
        new_evaluation(tmp_path / "e", trained_run, suites=(open_suite(),), templates=True)
    assert "languages" in refused.value.hint
    plain = new_evaluation(tmp_path / "f", trained_run, suites=(languages(), preference_suite()))
    assert plain.record().templates == () and plain.record().trained_pairs == 0


def test_that_a_limit_takes_requests_in_all_their_languages() -> None:
    items = languages(6).items
    few, more = drawn(items, 5), drawn(items, 9)
    assert len(few) == 4 and len(more) == 8 and {i.id for i in few} < {i.id for i in more}
    assert all(len(row) == 2 for row in index_aligned(few).values())
    assert index_aligned(open_suite().items) == {} and index_aligned(items[:6]) == {}
    assert len(index_aligned(items[:-1])) == 5  # one request lacks its German


def test_that_the_fast_forward_pass_scores_as_padded_rows_do(trained_run: RunFolder) -> None:
    model = LocalModel(trained_run.path, 0, SMALL, {})
    for arm in (Arm("aligned", "aligned"), Arm("reference", "reference")):
        pairs, _ = model.encoded_pairs(arm, preference_suite().items)
        assert model.forward_note == ""
        fast, slow = model.score(arm, "", pairs), model.score(arm, "", pairs, scorer=PaddedScorer(model.model))
        for one, other in zip(fast, slow, strict=True):
            assert (one.item, one.tokens_chosen, one.tokens_rejected) == (
                other.item, other.tokens_chosen, other.tokens_rejected,
            )  # fmt: skip
            assert one.logp_chosen == pytest.approx(other.logp_chosen, rel=1e-5)
            assert one.logp_rejected == pytest.approx(other.logp_rejected, rel=1e-5)


def test_that_the_reason_for_a_slower_decoder_is_said_once(
    make_evaluation: Callable[..., EvaluationFolder],
) -> None:
    class Slow(LocalModel):
        @contextmanager
        def decoding(self, arm: Any, prompts: Any) -> Iterator[str]:
            with super().decoding(arm, prompts):
                yield "fused: no such family"

    seen: list[Any] = []
    folder = make_evaluation(suites=(open_suite(),))
    assert isinstance(evaluate(folder.path, EvaluationHost("terminal", seen.append, make_model=Slow)), Finished)
    said = [event for event in seen if isinstance(event, Warned) and event.code == "decoder"]
    assert [event.message for event in said] == ["A slower way is used, with the same results: fused: no such family."]
