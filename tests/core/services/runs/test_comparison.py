"""Runs against a baseline: held-out differences pair by pair, and what makes two runs comparable."""

from __future__ import annotations

import math
import shutil
import sqlite3
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from core.domain.errors import UsageError
from core.domain.fingerprint_fields import FIELDS, compare_fields
from core.domain.run_comparison import Difference, RunComparison
from core.domain.run_config import SETTINGS, RunConfig
from core.domain.run_events import KlDone
from core.domain.run_settings import NEVER
from core.runs.run_reader import RunReader
from core.services.runs.compared_samples import ComparedAnswers, compared_samples
from core.services.runs.comparison import _kl_difference, common_steps, compare_runs
from tests.fakes.compared_runs import MOVED_A, MOVED_B, PROMPTS, made_run, pairs_of


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, RunReader]:
    """Two runs of the same pairs, one that lacks a pair and has another label, and one of other pairs."""
    place = tmp_path_factory.mktemp("runs")
    fewer = pairs_of(PROMPTS[:4], flipped=[3])
    return {
        "a": made_run(place, "a", pairs_of(PROMPTS), MOVED_A, beta=0.1),
        "b": made_run(place, "b", pairs_of(PROMPTS), MOVED_B, kl=2.0, beta=0.5, seed=7),
        "fewer": made_run(place, "fewer", fewer, MOVED_B[:4]),
        "others": made_run(place, "others", pairs_of((5, 6, 7, 8, 9)), MOVED_B),
    }


def difference(found: RunComparison, metric: str, run: int = 0) -> Difference:
    return next(one for one in found.against[run].differences if one.metric == metric)


def test_that_differences_are_those_of_the_same_pairs_with_prompts_drawn_together(runs: dict[str, RunReader]) -> None:
    found = compare_runs([runs["a"], runs["b"]])
    wanted = [(3 + 1) - (1 + 1), (1.5 - 1) - (0.5 - 1), (2.5 + 0.5) - 1.5, -1.5 + 0.5, -0.25 - 0.25]
    h = difference(found, "h")
    assert h.estimate is not None and h.paired and h.estimate.unit == "nats"
    assert h.estimate.value == pytest.approx(sum(wanted) / 5)
    assert (h.estimate.n, h.estimate.groups) == (5, 4)
    # The bootstrap by brute force: whole prompts are drawn with the seed of the estimator, pair by pair summed up.
    counts = np.random.default_rng((20_240_229, 4)).multinomial(4, [0.25] * 4, size=2000)
    means = []
    for draw in counts:
        drawn = [(value, draw[prompt]) for value, prompt in zip(wanted, PROMPTS, strict=True)]
        means.append(sum(v * k for v, k in drawn) / sum(k for _, k in drawn))
    assert (h.estimate.low, h.estimate.high) == pytest.approx(tuple(np.percentile(means, (2.5, 97.5))))
    accuracy, chosen = difference(found, "accuracy").estimate, difference(found, "displacement_chosen").estimate
    assert accuracy is not None and (accuracy.value, accuracy.unit) == (pytest.approx(0.0), "pp")
    assert chosen is not None and chosen.value == pytest.approx((2 + 1 + 0.5 - 1 - 0.5) / 5)
    flips = found.against[0].flips
    assert (flips.gained, flips.lost) == (("d1",), ("d4",))
    kl = difference(found, "kl")
    assert kl.estimate is not None and not kl.paired and kl.estimate.value == pytest.approx(1.0)
    assert kl.estimate.high == pytest.approx(1.0 + 1.959963984540054 * math.hypot(0.3, 0.3))
    assert "not paired" in kl.estimate.estimator


def test_that_other_betas_are_compared_in_nats_and_their_losses_not_at_all(runs: dict[str, RunReader]) -> None:
    found = compare_runs([runs["a"], runs["b"]])
    mean_h = [sum(c - r for c, r in moved) / 5 for moved in (MOVED_A, MOVED_B)]
    assert [run.values["h"].value for run in found.runs] == pytest.approx(mean_h)
    assert runs["b"].evals("dev")[-1].margin == pytest.approx(0.5 * mean_h[1])
    assert difference(found, "loss").why == "Losses cannot be compared: Beta (β) differs."
    assert found.warnings == (
        "B varies: seed 7, not 0; its β is 0.5, not 0.1.",
        "β differs, so margins are compared in nats (h = margin / β).",
    )
    assert [one.name for one in found.differing] == ["beta", "seed"]


def test_that_pairs_of_one_run_or_with_the_other_label_are_counted_and_left_out(
    runs: dict[str, RunReader],
) -> None:
    found = compare_runs([runs["a"], runs["fewer"]])
    pairs = found.against[0].pairs
    assert (pairs.both, pairs.prompts, pairs.only_baseline, pairs.only_run, pairs.relabelled) == (3, 2, 2, 1, 1)
    h = difference(found, "h").estimate
    assert h is not None and (h.n, h.value) == (3, pytest.approx((2 + 1 + 1.5) / 3))
    assert found.notes[-1] == (
        "B and A measured the same 3 pairs of 2 prompts; 3 pairs that only one of them measured are left out "
        "(1 with the other label)."
    )


def test_that_runs_without_common_pairs_are_compared_unpaired_and_say_so(runs: dict[str, RunReader]) -> None:
    found = compare_runs([runs["a"], runs["others"]])
    h = difference(found, "h")
    assert h.estimate is not None and not h.paired and h.estimate.estimator.startswith("difference of means; Welch")
    assert h.estimate.value == pytest.approx((4 + 0.5 + 3 - 1.5 - 0.25 - (2 - 0.5 + 1.5 - 0.5 + 0.25)) / 5)
    assert found.notes[-1].startswith("B and A share no held-out pair, so their means are compared, unpaired")


def test_that_a_step_is_compared_where_every_run_was_measured(runs: dict[str, RunReader], tmp_path: Path) -> None:
    a, b = runs["a"], runs["b"]
    assert common_steps([a, b]) == [2, 4]
    half = compare_runs([a, b], step=2)
    h = difference(half, "h").estimate
    assert h is not None and h.value == pytest.approx((2 + 1 + 1.5 - 1 - 0.5) / 5 / 2)
    assert [run.step for run in half.runs] == [2, 2]
    with pytest.raises(UsageError, match=r"no held-out probe at step 3 of a and b\."):
        compare_runs([a, b], step=3)
    with pytest.raises(UsageError, match="cannot be compared with itself"):
        compare_runs([a, a])
    short = RunReader(tmp_path / "b")
    shutil.copytree(b.folder.path, short.folder.path)
    with sqlite3.connect(short.folder.ledger) as db:
        db.execute("DELETE FROM evals WHERE step = 4")
    shared = compare_runs([a, short])
    assert (shared.step, shared.common_steps, [run.step for run in shared.runs]) == (2, (2,), [2, 2])
    assert shared.notes[0] == "All are compared at step 2; there are later held-out probes (A step 4)."
    newest = compare_runs([a, short], newest=True)
    assert newest.step is None
    assert newest.notes[0].startswith("The newest held-out probes are of different steps (A step 4, B step 2)")


def test_that_answers_are_compared_in_length_prompt_by_prompt(tmp_path: Path) -> None:
    one = ["Yes.", "Yes, on Monday.", "No.", "We open at nine in the morning."]
    two = ["Yes, we do so.", "Yes, on Monday.", "No, never again.", "We open at nine."]
    a = made_run(tmp_path, "a", pairs_of(PROMPTS), MOVED_A, answers=one)
    b = made_run(tmp_path, "b", pairs_of(PROMPTS), MOVED_B, answers=two)
    found = compare_runs([a, b])
    told = difference(found, "length")
    longer = np.array([4 - 1, 0, 3 - 1, 4 - 7], dtype=float)
    wanted = stats.t.interval(0.95, 3, longer.mean(), stats.sem(longer))
    assert told.estimate is not None and told.paired and told.estimate.unit == "words"
    assert (told.estimate.value, told.estimate.n) == (pytest.approx(longer.mean()), 4)
    assert (told.estimate.low, told.estimate.high) == pytest.approx(wanted)
    assert [run.values["length"].value for run in found.runs] == pytest.approx([3.0, 3.5])
    earlier = compare_runs([a, b], step=2)
    assert earlier.runs[0].values["length"].value == pytest.approx(4.0)
    none = made_run(tmp_path, "none", pairs_of(PROMPTS), MOVED_B)
    assert difference(compare_runs([a, none]), "length").why == "One of both has no samples."
    thai = made_run(tmp_path, "thai", pairs_of(PROMPTS), MOVED_B, answers=["\u0e43\u0e0a\u0e48 \u0e04\u0e48\u0e30"])
    letters = difference(compare_runs([a, thai]), "length").estimate
    assert letters is not None and (letters.unit, letters.value) == ("characters", 6 - 4)


def test_that_another_objective_is_told_apart_from_what_is_varied(runs: dict[str, RunReader]) -> None:
    record = runs["a"].record()
    other = replace(
        record,
        config=RunConfig().with_values({"loss": "ipo", "row_rules": "1", "lr": 2e-5, "steps": 4, "dtype": "float32"}),
        inputs={**record.inputs, "model": "f" * 64},
        dataset={"title": "help v2", "root_sha256": "d" * 64, "rubrics": ["Help 2.0.0"]},
    )
    found = compare_fields([record, other])
    sentences = {one.field.name: one.sentences[1] for one in found if one.differs[1]}
    assert sentences.keys() == {"mask", "eos", "dataset", "rubric", "loss", "model", "optimizer"}
    assert sentences["loss"] == "loss ipo, not sigmoid"
    assert sentences["optimizer"] == "learning rate 2e-05, not 1e-05"
    assert sentences["eos"].startswith("its EOS token is another one (scored: the template's first special token, not")
    assert sentences["rubric"] == "its labels answer another rubric (Help 2.0.0, not none)"
    assert sentences["dataset"].startswith("it was trained on other pairs (help v2 dddddddd, not ")
    assert not any(one.differs[0] for one in found)


def test_that_each_setting_of_a_fingerprint_is_in_exactly_one_field() -> None:
    named = [name for field in FIELDS for name in field.settings]
    assert sorted(named) == sorted(name for name, one in SETTINGS.items() if one.fingerprint != NEVER)


def test_that_answers_stand_beside_each_other_where_prompt_and_seed_are_the_same(tmp_path: Path) -> None:
    a = made_run(tmp_path, "a", pairs_of(PROMPTS), MOVED_A, answers=("Yes.", "No."))
    b = made_run(tmp_path, "b", pairs_of(PROMPTS), MOVED_B, answers=("Maybe.",))
    assert compared_samples([a, b]) == (ComparedAnswers("Question 0?", 0, ("Yes.", "Maybe.")),)
    assert compared_samples([a, b], 2)[0].answers == ("Well, Yes.", "Well, Maybe.")
    assert compared_samples([a, b], 1) == ()


def test_that_a_kl_of_the_start_is_not_compared_with_one_of_a_trained_policy() -> None:
    start = KlDone(0, 0.0, 0.0, 0.0, 0.0, 0.0, 16, 32, 0.0)
    trained = KlDone(29, 0.05, 0.01, 0.05, 0.01, 0.001, 16, 32, 0.5)
    found = _kl_difference(trained, start)
    assert found.estimate is None
    assert found.why == "The KL of this run is that of the start, where policy = reference."
    assert _kl_difference(start, trained).why.startswith("The KL of the baseline")
