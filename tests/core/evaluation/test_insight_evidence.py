"""Insights that name their own pairs and spans, and are silent about noise."""

from __future__ import annotations

import json
import math
import random

import pytest

from core.domain.run_events import KlDone, TokenReport
from core.evaluation.insights import RunSoFar, find_insights
from tests.core.evaluation.rows import of_margin, probe, row, step

LN2 = math.log(2)


def found_in(code: str, **values):
    return next((i for i in find_insights(RunSoFar(**values)) if i.code == code), None)


def kl(number: int, value: float, se: float) -> KlDone:
    return KlDone(number, value, se, value, 2 * se, value / 20, 16, 48, 0.75)


def look(number: int, rows, split: str = "dev"):
    loss = sum(r.loss for r in rows) / len(rows)
    margin = sum(r.margin for r in rows) / len(rows)
    return probe(number, split, margin=margin, loss=loss, pairs=len(rows), rows=tuple(rows))


def test_that_all_truncated_pairs_are_named_however_many():
    cut = tuple(f"t{i}" for i in range(120))
    insight = found_in("truncated", tokens=TokenReport(400, 120, 1, 0, 50, 90, 120, ("d",), cut))
    assert insight.count == 121
    assert insight.pair_ids[0] == "d" and set(cut) < set(insight.pair_ids)
    assert "121 of 400 pairs" in insight.why


def test_that_a_diverged_run_is_an_error_with_its_pairs_and_span():
    losses = [LN2, 0.69, 0.7, 4.0, 900.0, 11_322.0, 8_000.0, 9_000.0, 7_000.0, 12_000.0]
    steps = [
        step(i, loss=loss, rows=(row(f"p{i}", -min(loss, 500.0 + i), 0.0), of_margin(5.0, "fine")))
        for i, loss in enumerate(losses, 1)
    ]
    insight = found_in("diverged", steps=steps, start_loss=LN2)
    assert insight.severity == "error"
    assert insight.spans[0][1] == 10 and 2 <= insight.since_step <= 6
    assert "fine" not in insight.pair_ids and insight.pair_ids[0] == "p10"
    assert found_in("loss_above_start", steps=steps, start_loss=LN2) is None


def test_that_a_short_run_of_few_steps_can_diverge_too():
    steps = [step(i, loss=loss) for i, loss in enumerate((LN2, 0.8, 30.0, 400.0, 900.0, 700.0), 1)]
    assert found_in("diverged", steps=steps, start_loss=LN2) is not None


def test_that_a_single_spike_is_no_divergence():
    steps = [step(i, loss=500.0 if i == 38 else 0.5) for i in range(1, 41)]
    assert found_in("diverged", steps=steps, start_loss=LN2) is None
    assert found_in("loss_above_start", steps=steps, start_loss=LN2) is None


def test_that_a_loss_above_ln_2_is_named_and_one_at_ln_2_within_noise_is_not():
    noise = random.Random(0)
    above = [step(i, loss=0.90 + noise.gauss(0, 0.05)) for i in range(1, 31)]
    level = [step(i, loss=LN2 + noise.gauss(0, 0.05)) for i in range(1, 31)]
    insight = found_in("loss_above_start", steps=above, start_loss=LN2)
    assert insight.severity == "warning" and "0.6931" in insight.why
    assert found_in("loss_above_start", steps=level, start_loss=LN2) is None


def test_that_the_start_of_a_loss_without_a_closed_form_is_its_first_steps():
    falling = [step(i, loss=25.0 - 0.1 * i) for i in range(1, 31)]
    rising = [step(i, loss=25.0 + 0.1 * i) for i in range(1, 31)]
    assert found_in("loss_above_start", steps=falling) is None
    assert found_in("loss_above_start", steps=rising) is not None


def test_that_noise_of_the_loss_seldom_gives_an_insight():
    alarms = 0
    for seed in range(60):
        noise = random.Random(seed)
        steps = [step(i, loss=LN2 + noise.gauss(0, 0.1)) for i in range(1, 101)]
        alarms += found_in("loss_above_start", steps=steps, start_loss=LN2) is not None
    assert alarms <= 2


def test_that_gradient_spikes_are_marked_one_by_one():
    steps = [step(i, grad_norm=60.0 if i in (20, 21, 33) else 1.0 + 0.1 * (i % 5)) for i in range(1, 41)]
    insight = found_in("gradient_spikes", steps=steps)
    assert insight.spans == ((20, 21), (33, 33))
    assert insight.severity == "warning"
    assert found_in("gradient_spikes", steps=steps, clip=1.0).severity == "info"
    assert found_in("gradient_spikes", steps=[step(i, grad_norm=2.0) for i in range(40)]) is None


def test_that_a_run_that_is_always_clipped_says_so():
    steps = [step(i, grad_norm=2.0) for i in range(1, 41)]
    assert "40 of 40 steps" in found_in("gradient_clipped", steps=steps, clip=1.0).why
    assert found_in("gradient_clipped", steps=steps, clip=0.0) is None


def test_that_steps_without_a_rate_are_counted_and_marked():
    steps = [step(i, lr=0.0 if i > 30 else 1e-5) for i in range(1, 41)]
    insight = found_in("lr_zero", steps=steps)
    assert (insight.spans, insight.severity) == (((31, 40),), "warning")
    assert found_in("lr_zero", steps=[step(i, lr=0.0) for i in range(1, 41)]).severity == "error"
    warm_up = [step(i, lr=0.0 if i == 1 else 1e-5) for i in range(1, 41)]
    assert found_in("lr_zero", steps=warm_up) is None


def test_that_steps_that_teach_nothing_are_called_wasted():
    steps = [step(i, gradient_weight=0.5 if i < 60 else 0.001, loss=0.1) for i in range(1, 101)]
    insight = found_in("wasted_steps", steps=steps)
    assert (insight.since_step, insight.spans) == (60, ((60, 100),))
    assert found_in("wasted_steps", steps=steps[:62]) is None


def test_that_a_falling_chosen_answer_is_judged_on_the_probe_pair_by_pair():
    noise = random.Random(3)
    start = [row(f"p{i}") for i in range(24)]
    later = [row(f"p{i}", -3 + noise.gauss(0, 1), -9 + noise.gauss(0, 1)) for i in range(20)]
    later += [row(f"p{i}", 1.0, -2.0) for i in range(20, 24)]
    insight = found_in("chosen_falls", evals=[look(0, start), look(20, later)])
    assert insight.count == 20 and "p23" not in insight.pair_ids
    assert (insight.pairs_kind, insight.pairs_steps) == ("dev", (20, 20))
    assert insight.title == "Chosen reward falls while the margin grows"
    assert dict(insight.figures)["both answers down"] == "20 of 24 pairs"


def test_that_a_margin_that_does_not_surely_grow_is_not_said_to_grow():
    noise = random.Random(4)
    later = [row(f"p{i}", -6 + noise.gauss(0, 1), -6 + noise.gauss(0, 2)) for i in range(24)]
    insight = found_in("chosen_falls", evals=[look(20, later)])
    assert "does not surely grow" in insight.title


def test_that_chosen_answers_that_wander_around_zero_do_not_fall():
    noise = random.Random(5)
    later = [row(f"p{i}", noise.gauss(0, 3), noise.gauss(-2, 3)) for i in range(24)]
    assert found_in("chosen_falls", evals=[look(20, later)]) is None


def test_that_a_ranking_worse_than_the_references_is_named_with_the_pairs_that_were_lost():
    lost = [row(f"lost{i}", -5.0, 0.0) for i in range(9)]
    kept = [of_margin(1.0, f"kept{i}") for i in range(15)]
    insight = found_in("worse_than_reference", evals=[look(40, lost + kept)])
    assert set(insight.pair_ids) == {f"lost{i}" for i in range(9)}
    assert dict(insight.figures)["gained, lost"].startswith("0, 9")
    assert found_in("worse_than_reference", evals=[look(40, lost[:4] + kept)]) is None
    assert found_in("worse_than_reference", evals=[look(0, lost + kept)]) is None


def test_that_a_held_out_loss_that_rises_within_noise_is_not_said_to_rise():
    noise = random.Random(6)

    def losses(at: int, mean: float, spread: float):
        return look(at, [of_margin(mean + noise.gauss(0, spread), f"p{i}") for i in range(12)])

    sure = [losses(10, 1.0, 0.01), losses(20, 0.9, 0.01), losses(30, 0.8, 0.01), losses(40, 0.7, 0.01)]
    insight = found_in("dev_loss_rises", evals=sure)
    assert insight.since_step == 10 and "change, same pairs" in dict(insight.figures)
    noisy = [losses(10, 1.0, 3.0), losses(20, 0.95, 3.0), losses(30, 0.9, 3.0), losses(40, 0.95, 3.0)]
    best = min(noisy, key=lambda e: e.loss)
    if best is not noisy[0]:
        noisy = [best, *[e for e in noisy if e is not best]]
    assert found_in("dev_loss_rises", evals=noisy) is None


def test_that_a_train_probe_ahead_of_held_out_needs_a_sure_gap():
    train = look(40, [of_margin(1.0 + 0.02 * i, f"t{i}") for i in range(20)], "train")
    dev = look(40, [of_margin(0.3 + 0.02 * i, f"d{i}") for i in range(20)])
    insight = found_in("train_dev_gap", evals=[train, dev])
    assert (insight.severity, insight.title) == ("info", "The train probe runs ahead of held-out")
    assert dict(insight.figures)["gap of the margins"].startswith("+0.700 [")
    near = look(40, [of_margin(0.95 + 0.05 * i, f"d{i}") for i in range(20)])
    assert found_in("train_dev_gap", evals=[train, near]) is None


def test_that_a_kl_whose_interval_reaches_the_budget_nears_it():
    insight = found_in("kl_near_budget", kls=[kl(20, 3.0, 0.2), kl(40, 4.8, 0.3)], kl_budget=5.0)
    assert (insight.since_step, insight.spans) == (40, ((40, 40),))
    assert "first 48 tokens" in insight.why and "75 % of the samples cut" in insight.why
    assert found_in("kl_near_budget", kls=[kl(40, 3.0, 0.3)], kl_budget=5.0) is None
    assert found_in("kl_near_budget", kls=[kl(40, 6.0, 0.3)], kl_budget=5.0) is None


def test_that_rows_are_read_for_the_steps_of_the_insight_when_events_have_none():
    asked = []

    def rows_of(kind: str, first: int, last: int):
        asked.append((kind, first, last))
        return [row("bad", -9.0, 9.0), of_margin(2.0, "good")]

    evals = [probe(20, "train", 0.95, 0.03, margin=3.0), probe(20, "dev", 0.6, 0.05, margin=0.4)]
    assert found_in("train_dev_gap", evals=evals, rows_of=rows_of).pair_ids == ("bad",)
    assert ("dev", 20, 20) in asked


@pytest.mark.parametrize("seed", range(20))
def test_that_every_insight_explains_itself_and_is_strict_json(seed):
    noise = random.Random(seed)
    rows = [row(f"p{i}", noise.gauss(-4, 2), noise.gauss(-4, 4), tokens_chosen=30) for i in range(40)]
    steps = [
        step(i, loss=noise.gauss(2, 3), grad_norm=noise.choice([1.0, 90.0]), lr=noise.choice([0.0, 1e-5]))
        for i in range(1, 61)
    ]
    evals = [look(s, rows, split) for s in (20, 40, 60) for split in ("dev", "train")]
    found = find_insights(
        RunSoFar(steps, evals, [kl(60, 9.0, 0.2)], kl_budget=5.0, clip=1.0, start_loss=LN2, total_steps=60)
    )
    assert found
    for insight in found:
        assert all((insight.title, insight.why, insight.try_, insight.formula, insight.confirm, insight.span_words))
        assert json.dumps(insight.to_plain(), allow_nan=False)
        assert insight.count == len(set(insight.pair_ids))
