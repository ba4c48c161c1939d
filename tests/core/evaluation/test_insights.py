from __future__ import annotations

import inspect
import math
import pkgutil
import random

import pytest

from core.domain.run_events import Failed, GateReport, KlDone, SampleDone, TokenReport
from core.evaluation import insight_rules
from core.evaluation.insight_rules import registry
from core.evaluation.insight_rules.registry import RULES
from core.evaluation.insights import RULE_MODULES, RunSoFar, find_insights
from tests.core.evaluation.rows import of_margin, probe, row, step


def codes(**values) -> list[str]:
    return [insight.code for insight in find_insights(RunSoFar(**values))]


def only(code: str, **values):
    (found,) = [insight for insight in find_insights(RunSoFar(**values)) if insight.code == code]
    return found


def kl(number: int, value: float, se: float = 0.1) -> KlDone:
    return KlDone(number, value, se, value, 2 * se, value / 20, 16, 48, 0.1)


def healthy(count: int = 200):
    noise = random.Random(0)
    return [
        step(
            i,
            loss=math.log(2) - 0.002 * i,
            margin=0.005 * i,
            accuracy=0.6,
            reward_chosen=0.002 * i + noise.gauss(0, 0.02),
            reward_rejected=-0.003 * i,
        )
        for i in range(1, count + 1)
    ]


def test_that_every_rule_that_is_written_is_registered():
    returns_insight = {
        name: function
        for module in RULE_MODULES
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__annotations__.get("return") == "Insight | None" and not name.startswith("_")
    }
    forgotten = [name for name, function in returns_insight.items() if function not in RULES]
    assert forgotten == [], f"The rules {forgotten} are never called: decorate them with @insight_rule."
    assert len(returns_insight) == len(RULES) > 0


def test_that_every_module_of_rules_is_imported():
    modules = {f"{insight_rules.__name__}.{found.name}" for found in pkgutil.iter_modules(insight_rules.__path__)}
    assert modules == {module.__name__ for module in RULE_MODULES} | {registry.__name__}


def test_that_a_run_without_events_has_nothing_to_say():
    assert find_insights(RunSoFar()) == []


def test_that_a_healthy_run_has_nothing_to_say():
    rows = [of_margin(random.Random(i).gauss(0.5, 1), tokens_chosen=10 + i % 7, tokens_rejected=13) for i in range(60)]
    evals = [probe(s, split, 0.6, 0.1, margin=0.3) for s in (20, 40) for split in ("train", "dev")]
    assert codes(steps=healthy(), evals=evals, kls=[kl(50, 1.0)], rows=rows, kl_budget=5.0, total_steps=400) == []


def test_that_a_falling_chosen_reward_is_named_with_its_step_and_pairs():
    noise = random.Random(1)
    steps = [
        step(i, loss=0.5, margin=0.01 * i, reward_chosen=0.2 - 0.002 * i + noise.gauss(0, 0.02)) for i in range(1, 301)
    ]
    rows = [row("mild", -1.0, -5.0), row("worst", -9.0, -30.0), row("fine", 2.0, -1.0), row("wrong", -3.0, 4.0)]
    found = only("chosen_falls", steps=steps, rows=rows)
    assert 90 <= found.since_step <= 140
    assert found.pair_ids == ("worst", "mild")
    assert found.title == "Chosen reward falls while the margin grows"


def test_that_noise_around_zero_is_no_falling_reward():
    noise = random.Random(2)
    steps = [step(i, loss=0.6, margin=0.001 * i, reward_chosen=noise.gauss(0, 0.1)) for i in range(1, 201)]
    assert "chosen_falls" not in codes(steps=steps)


def test_that_a_kl_over_budget_is_an_error_only_when_it_is_sure():
    sure = only("kl_over_budget", kls=[kl(50, 1.0), kl(100, 5.6), kl(150, 6.0)], kl_budget=5.0)
    assert (sure.severity, sure.since_step) == ("error", 100)
    maybe = only("kl_over_budget", kls=[kl(50, 5.1, se=0.5)], kl_budget=5.0)
    assert maybe.severity == "warning"
    assert "kl_over_budget" not in codes(kls=[kl(50, 5.1)], kl_budget=0.0)
    assert "kl_over_budget" not in codes(kls=[kl(50, 6.0), kl(100, 4.0)], kl_budget=5.0)


def test_that_full_accuracy_is_remarkable_only_early():
    steps = [step(i, accuracy=1.0, loss=0.3) for i in range(1, 31)]
    assert only("accuracy_one_early", steps=steps, total_steps=200).since_step == 10
    assert "accuracy_one_early" not in codes(steps=steps, total_steps=40)
    assert "accuracy_one_early" not in codes(steps=steps, total_steps=0)


def test_that_a_loss_that_stays_at_ln_2_is_noticed_after_fifty_steps():
    flat = [step(i) for i in range(1, 61)]
    assert "loss_flat" not in codes(steps=flat[:49])
    assert only("loss_flat", steps=flat).since_step == 1
    assert only("loss_flat", steps=[step(i, grad_norm=0.0) for i in range(60)]).severity == "error"


def test_that_flat_means_the_start_of_the_runs_own_loss():
    gate = GateReport(True, 25.0, 25.0, 0.0)
    steps = [step(i, loss=25.0) for i in range(60)]
    assert "loss_flat" in codes(steps=steps, gate=gate)
    assert "loss_flat" not in codes(steps=steps)


def test_that_a_gap_needs_intervals_that_are_apart():
    rows = (of_margin(-2.0, "worst"), of_margin(-1.0, "bad"), of_margin(1.0, "good"))
    evals = [
        probe(20, "train", 0.7, 0.05, margin=1.0),
        probe(20, "dev", 0.66, 0.05, margin=0.5),
        probe(40, "train", 0.95, 0.03, margin=3.0),
        probe(40, "dev", 0.6, 0.05, margin=0.4, rows=rows),
    ]
    found = only("train_dev_gap", evals=evals)
    assert found.since_step == 40
    assert found.pair_ids == ("worst", "bad")
    assert "train_dev_gap" not in codes(evals=evals[:2])


def test_that_a_held_out_loss_past_its_best_names_the_best_step():
    losses = {20: 0.68, 40: 0.60, 60: 0.63, 80: 0.66}
    assert only("dev_loss_rises", evals=[probe(s, loss=v) for s, v in losses.items()]).since_step == 40
    assert "dev_loss_rises" not in codes(evals=[probe(s, loss=v) for s, v in list(losses.items())[:3]])


@pytest.mark.parametrize("field", ["loss", "margin", "grad_norm"])
def test_that_a_number_that_is_not_finite_comes_first(field):
    steps = [*[step(i) for i in range(1, 60)], step(60, **{field: math.nan})]
    assert find_insights(RunSoFar(steps=steps, kls=[kl(50, 5.1, se=1.0)], kl_budget=5.0))[0].code == "not_finite"
    assert only("not_finite", steps=steps).since_step == 60


def test_that_a_run_stopped_by_nan_names_the_pairs():
    failed = Failed("nan", "…", step=7, pair_ids=("p1", "p2"))
    found = only("not_finite", failed=failed)
    assert (found.since_step, found.pair_ids) == (7, ("p1", "p2"))


def test_that_truncation_counts_above_one_in_twenty():
    report = TokenReport(100, 4, 2, 0, 50, 90, 120, ("d",), ("t",))
    found = only("truncated", tokens=report)
    assert found.pair_ids == ("d", "t")
    assert found.title.startswith("6 %")
    assert "truncated" not in codes(tokens=TokenReport(100, 5, 0, 0, 50, 90, 120))
    assert "truncated" in codes(steps=[step(1, pairs=8, truncated=1, loss=0.5)])


@pytest.mark.parametrize(("chosen", "word"), [(30, "longer"), (10, "shorter")])
def test_that_an_answer_length_that_gives_the_label_away_is_named(chosen, word):
    rows = [row(f"p{i}", tokens_chosen=chosen if i < 28 else 20, tokens_rejected=20) for i in range(40)]
    found = only("length_leak", rows=rows)
    assert word in found.title
    assert found.pair_ids[0] == "p0"
    assert "length_leak" not in codes(rows=rows[:20])


def test_that_a_few_pairs_that_pull_are_named_strongest_first():
    rows = [of_margin(9.0, f"done{i}", tokens_chosen=9 + i % 3) for i in range(58)]
    rows += [of_margin(-1.0, "b"), of_margin(-4.0, "a")]
    found = only("few_pairs_pull", rows=rows, steps=[step(9, loss=0.1)])
    assert found.pair_ids[:2] == ("a", "b")


def test_that_rows_come_from_the_newest_probe_when_none_are_given():
    old, new = probe(1, rows=(row("old"),)), probe(2, rows=(row("new"),))
    assert RunSoFar(evals=[old, new, probe(3)]).pair_rows() == new.rows
    assert [r.pair_id for r in RunSoFar(steps=[step(1, rows=(row("s"),))]).pair_rows()] == ["s"]


def sampled(at: int, policy: str, reference: str = "Turn the valve to the right.", name: str = "p") -> SampleDone:
    return SampleDone(at, name, "How?", policy, reference, seed=1)


def test_that_new_refusals_are_told_with_the_test_that_so_few_samples_allow():
    no = "I'm sorry, but I can't help with that."
    few = [sampled(0, "Turn it.", name="a"), *(sampled(10, no, name=name) for name in "abc"), sampled(10, "Turn it.")]
    found = only("refusals_rise", samples=few)
    assert (found.severity, found.since_step, found.pair_ids) == ("info", 10, ("a", "b", "c"))
    assert dict(found.figures)["newly, no longer"] == "3, 0 (p 0.25, n 4)"
    many = [sampled(10, no, name=f"p{i}") for i in range(6)]
    assert only("refusals_rise", samples=many).severity == "warning", "2 / 2^6 is below 0.05"
    assert "refusals_rise" not in codes(samples=[sampled(10, no, no) for _ in range(6)])
    assert "refusals_rise" not in codes(samples=[sampled(10, no), sampled(10, "Turn it.", no)])


def test_that_h_before_any_step_means_a_wrong_reference():
    start = [probe(0, rows=(row("a", 0.5, 0.0), row("b"), row("c", math.nan, 0.0)))]
    found = only("reference_broken", evals=start, start_loss=math.log(2))
    assert (found.severity, found.pair_ids) == ("error", ("c", "a"))
    assert "reference_broken" not in codes(evals=start)
    same = [probe(0, rows=(row("a", 0.01, 0.0), row("b")))]
    assert "reference_broken" not in codes(evals=same, start_loss=math.log(2))
