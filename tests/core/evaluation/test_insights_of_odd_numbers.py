"""Numbers that are not finite make no insight that quotes them: one rule alone speaks of them."""

from __future__ import annotations

import math
import random
from dataclasses import replace

import pytest

from core.domain.insight import Insight
from core.domain.run_events import KlDone
from core.evaluation.insights import RunSoFar, find_insights
from tests.core.evaluation.rows import of_margin, probe, step

STEP_FIELDS = ("loss", "margin", "reward_chosen", "reward_rejected", "gradient_weight", "grad_norm", "lr")
PROBE_FIELDS = ("loss", "margin", "h", "reward_chosen", "reward_rejected", "kl_chosen", "ref_accuracy")
ROW_FIELDS = ("loss", "logp_chosen", "h", "margin", "weight")


def words(insight: Insight) -> str:
    return " ".join([insight.title, insight.why, *(f"{name} {value}" for name, value in insight.figures)])


def odd_run(seed: int, value: float, share: float) -> RunSoFar:
    """A run of which a share of the values of some fields is ``value``."""
    noise = random.Random(seed)

    def odd(names: tuple[str, ...]) -> dict[str, float]:
        return {name: value for name in names if noise.random() < share}

    steps = [
        step(i, **{**{n: noise.gauss(0.5 - 0.003 * i, 0.1) for n in STEP_FIELDS}, **odd(STEP_FIELDS)})
        for i in range(1, 61)
    ]
    rows = tuple(replace(of_margin(noise.gauss(0.2, 1), f"p{i}"), **odd(ROW_FIELDS)) for i in range(30))
    evals = [
        probe(at, split, 0.6, 0.1, rows=rows, **{**dict.fromkeys(PROBE_FIELDS, 0.5 + 0.01 * at), **odd(PROBE_FIELDS)})
        for at in (0, 20, 40, 60)
        for split in ("dev", "train")
    ]
    kls = [KlDone(at, *(value if noise.random() < share else 2.0 for _ in range(5)), 16, 48, 0.1) for at in (0, 60)]
    return RunSoFar(steps, evals, kls, rows, kl_budget=3.0, clip=1.0, total_steps=100, start_loss=math.log(2))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e300])
@pytest.mark.parametrize("share", [0.02, 0.3, 1.0])
def test_that_no_rule_quotes_a_number_that_is_none(value: float, share: float) -> None:
    for seed in range(12):
        for insight in find_insights(odd_run(seed, value, share)):
            assert insight.code == "not_finite" or "nan" not in words(insight).lower().split(), words(insight)


@pytest.mark.parametrize("value", [math.nan, 0.0])
def test_that_a_kl_which_is_no_number_says_nothing_of_its_budget(value: float) -> None:
    kl = KlDone(10, value, 0.1, value, 0.1, value, 16, 48, 0.1)
    assert find_insights(RunSoFar(kls=[kl], kl_budget=3.0)) == []


def test_that_the_best_held_out_loss_is_a_number() -> None:
    losses = [math.nan, 0.5, 0.6, 0.7]
    evals = [probe(10 * i, loss=loss) for i, loss in enumerate(losses)]
    (found,) = [i for i in find_insights(RunSoFar(evals=evals)) if i.code == "dev_loss_rises"]
    assert (found.since_step, "0.5000 at step 10" in found.why) == (10, True)
