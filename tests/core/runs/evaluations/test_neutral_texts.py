"""Neutral texts of a suite and the similarity of answers, against a plain forward pass of the model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import stats
from transformers import AutoModelForCausalLM, AutoTokenizer

from core.domain.conversation import Prompt
from core.domain.evaluation_events import ScoreRow
from core.domain.evaluation_record import Arm
from core.domain.run_config import RunConfig
from core.domain.run_events import Finished
from core.domain.suite import Suite, SuiteItem
from core.runs.evaluations.columns import ArmRows, Column, text_columns
from core.runs.evaluations.driver import evaluate
from core.runs.evaluations.folder import EvaluationFolder
from core.runs.evaluations.hosting import EvaluationHost
from core.runs.evaluations.ledger import EvaluationLedger
from core.runs.evaluations.neutral_texts import encode_neutral
from core.runs.evaluations.similarity_figures import similarity_figures
from core.runs.folder import RunFolder
from core.training.text.tokenise import PairEncoder
from tests.core.runs.evaluations.conftest import preference_suite
from tests.tiny_models import tiny_tokenizer

TEXTS = (
    "The moon pulls the sea twice a day.",
    "Maple trees lose their leaves in autumn.",
    "x",
    "Is 91 a prime number?",
)
NEUTRAL = Suite(
    "calm", 1, tuple(SuiteItem(f"text-{n}", Prompt.from_text(text), "neutral") for n, text in enumerate(TEXTS))
)


@pytest.fixture(scope="module")
def base(trained_run: RunFolder) -> tuple[torch.nn.Module, object]:
    """Return the model that the run began with, and its tokenizer."""
    place = Path(trained_run.record().model_dir)
    return AutoModelForCausalLM.from_pretrained(place, dtype=torch.float32).eval(), AutoTokenizer.from_pretrained(place)


def test_that_a_neutral_text_is_read_token_by_token_and_never_answered(
    make_evaluation: Callable[..., EvaluationFolder], base: tuple[torch.nn.Module, object]
) -> None:
    folder = make_evaluation(suites=(NEUTRAL,), arms=(Arm("aligned", "aligned"), Arm("bare", "aligned_without_system")))
    record = folder.record()
    assert (record.suites[0].texts, record.suites[0].answered, record.answers, record.kl_answers) == (4, 0, 0, 0)
    assert record.pairs == 2 * 4
    assert isinstance(evaluate(folder.path, EvaluationHost(host="terminal")), Finished)
    model, tokenizer = base
    by_hand = {}
    for item in NEUTRAL.items:
        ids = tokenizer(item.prompt.last_text, return_tensors="pt")["input_ids"]  # type: ignore[operator]
        if ids.shape[1] > 1:
            with torch.no_grad():
                by_hand[item.id] = float(model(ids, labels=ids).loss)  # the library's own mean over tokens
    rows = {row.item: row for row in EvaluationLedger(folder.ledger).scores("calm v1", "reference")}
    assert rows.keys() == by_hand.keys() == {"text-0", "text-1", "text-3"}
    for id_, loss in by_hand.items():
        assert -rows[id_].logp_chosen / rows[id_].tokens_chosen == pytest.approx(loss, rel=1e-5)
    evidence = folder.evidence()
    assert evidence is not None
    suite = evidence["suites"]["calm v1"]
    assert suite["metrics"].keys() == {"neutral_nll"}
    found = suite["metrics"]["neutral_nll"]
    assert found.keys() == {"reference", "aligned"}
    assert found["reference"]["value"] == pytest.approx(np.mean(list(by_hand.values())), rel=1e-5)
    assert (found["reference"]["n"], found["reference"]["unit"]) == (3, "nats a token")
    change = suite["differences"]["neutral_nll"]["aligned"]
    assert change["value"] == pytest.approx(found["aligned"]["value"] - found["reference"]["value"])
    assert change["lo"] < change["value"] < change["hi"]


def test_that_the_similarity_of_answers_is_that_of_the_models_own_states(
    finished: EvaluationFolder, trained_run: RunFolder, base: tuple[torch.nn.Module, object]
) -> None:
    model, tokenizer = base
    rows = {row.item: row for row in EvaluationLedger(finished.ledger).scores("rankings v1", "reference")}
    encoder = PairEncoder(tokenizer, trained_run.record().config)
    for item in preference_suite().items[:3]:
        before = encoder.prompt_ids(item.prompt)
        sums, counts = [], []
        for answer, tokens in (
            (item.chosen, rows[item.id].tokens_chosen), (item.rejected, rows[item.id].tokens_rejected)
        ):  # fmt: skip
            ids = [*before, *tokenizer(answer)["input_ids"], tokenizer.eos_token_id]  # type: ignore[operator, attr-defined]
            assert len(ids) - len(before) == tokens
            with torch.no_grad():
                states = model(torch.tensor([ids]), output_hidden_states=True).hidden_states[-1][0]
            sums.append(states[len(before) - 1 : -1].double().sum(0))
            counts.append(tokens)
        cross, own = float(sums[0] @ sums[1]), float(sums[0] @ sums[0])
        assert rows[item.id].ches == pytest.approx(cross - own, rel=1e-4)
        assert rows[item.id].ches_by_length == pytest.approx(
            cross / (counts[0] * counts[1]) - own / counts[0] ** 2, rel=1e-4, abs=1e-4
        )
    evidence = finished.evidence()
    assert evidence is not None
    found = evidence["suites"]["rankings v1"]["metrics"]["ches"]["reference"]
    assert found["n"] == 5
    assert found["value"] == pytest.approx(np.mean([rows[f"pair-{n}"].ches_by_length for n in range(5)]))


def test_that_a_tokenizer_with_a_bos_reads_it_first_and_a_long_text_is_cut() -> None:
    plain = PairEncoder(tiny_tokenizer(chat=False, bos=True), RunConfig().with_values({"template": "none"}))
    found, left_out = encode_neutral(plain, NEUTRAL.items, 4)
    assert all(row.prompt_ids == (2,) for row in found)
    assert {row.pair_id: (len(row.chosen_ids), row.truncated) for row in found}["text-0"] == (3, True)
    assert left_out == []
    assert not next(row for row in found if row.pair_id == "text-2").truncated


def test_that_the_correlation_with_displacement_is_scipys_and_few_pairs_have_none() -> None:
    rng = np.random.default_rng(3)
    alike, moved = rng.normal(size=30), rng.normal(size=30)
    rows = {
        f"p{n}": ScoreRow("s", "reference", f"p{n}", -5.0, -5.0, 4, 4, ches_by_length=float(v))
        for n, v in enumerate(alike)
    }
    reference = ArmRows(Arm("reference", "reference"), {}, rows)
    values = {f"p{n}": float(v) for n, v in enumerate(moved)}
    column = Column("displacement_chosen", "mean", "", values, "nats")
    groups = {id_: id_ for id_ in values}
    (found,) = similarity_figures(reference, [column], groups).values()
    assert found.value == pytest.approx(stats.spearmanr(alike, moved).statistic)
    assert found.has_interval
    assert found.n == 30
    few = Column("displacement_chosen", "mean", "", dict(list(values.items())[:9]), "nats")
    assert similarity_figures(reference, [few], groups) == {}
    old = ArmRows(reference.arm, {}, {id_: ScoreRow("s", "reference", id_, -5.0, -5.0, 4, 4) for id_ in rows})
    assert similarity_figures(old, [column], groups) == {}
    assert text_columns(reference, NEUTRAL.items) == []
