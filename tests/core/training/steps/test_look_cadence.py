"""How often a run measures: counted by hand on a made-up model, and followed by a run and its resume."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from core.domain.look_plan import LooksPlanned, look_words
from core.domain.run_config import RunConfig
from core.domain.run_events import CheckpointSaved, Finished, StepDone, from_plain, to_plain
from core.training.steps.look_cadence import LookWork, ModelSizes, plan_looks, share_of
from core.training.text.encoded_pair import EncodedPair
from tests.core.training.tiny_runs import Watcher, run, run_until, some_pairs

SIZES = ModelSizes(body=1000, head=100)


def pairs(count: int, prompt: int = 6, answer: int = 2) -> list[EncodedPair]:
    ids, mask = tuple(range(answer)), (1,) * answer
    return [EncodedPair(f"p{i}", tuple(range(prompt)), ids, ids, mask, mask) for i in range(count)]


def test_that_the_work_of_steps_and_measurements_is_that_counted_by_hand() -> None:
    config = RunConfig(batch_size=4, probe_pairs=3, kl_prompts=5, kl_max_new_tokens=7)
    work = LookWork.of(config, SIZES, pairs(20), pairs(2))
    tokens, answered = 6 + 2 + 2, 4
    assert work.step == 4 * (2 * 1000 * tokens + 2 * 100 * answered)  # forward and backward
    assert work.eval == (2 + 2) * (1000 * tokens + 3 * 100 * answered)  # as many training pairs as held-out ones
    assert work.start == (2 + 2) * (1000 * tokens + 100 * answered)
    answer = 6 * 1000 + 7 * 2 * 1100 + 2 * 13 * 1000 + 2 * 7 * 100
    assert work.kl == 700 * 1000 + 5 * answer
    full = LookWork.of(RunConfig(batch_size=4, lora_r=0), SIZES, pairs(20), pairs(2))
    assert full.step == 4 * (3 * 1000 * tokens + 3 * 100 * answered)


def test_that_the_smallest_multiple_of_the_cadences_that_keeps_to_the_share_is_taken() -> None:
    rng = random.Random(5)
    for _ in range(200):
        config = RunConfig(
            batch_size=rng.randint(1, 32),
            eval_every=rng.choice((0, 1, 7, 20)),
            kl_every=rng.choice((0, 3, 50)),
            sample_every=rng.choice((0, 10)),
            look_share=rng.choice((0.0, 0.05, 0.15, 0.5)),
        )
        train, dev, total = pairs(rng.randint(1, 60), answer=rng.randint(1, 30)), pairs(rng.randint(0, 40)), 60
        plan = plan_looks(config, SIZES, train, dev, total)
        work = LookWork.of(config, SIZES, train, dev)
        asked = LooksPlanned.as_set(config)

        def share(factor: int, config: RunConfig = config, work: LookWork = work) -> float:
            every = LooksPlanned(config.eval_every * factor, config.kl_every * factor, config.sample_every * factor)
            return share_of(work, config, every, 60)

        fits = [factor for factor in range(1, 61) if share(factor) <= config.look_share]
        if fits:
            assert plan.factor == fits[0]
            assert plan.share <= config.look_share
            assert (plan.probe_pairs, plan.kl_prompts) == (None, None)
        else:  # only the last measurement is left, and it is made smaller
            assert plan.share <= min(share(factor) for factor in range(1, 61)) + 1e-12
        assert plan.every == {kind: every * plan.factor for kind, every in asked.every.items()}


def test_that_the_last_measurement_of_a_short_run_has_as_many_pairs_and_answers_as_the_share_allows() -> None:
    rng = random.Random(6)
    seen = set()
    for _ in range(200):
        given = {"batch_size": rng.randint(1, 64), "look_share": rng.choice((0.05, 0.15, 0.5)), "sample_every": 0}
        config, total = RunConfig().with_values(given), rng.randint(1, 30)
        train, dev = pairs(200), pairs(rng.randint(0, 40))
        plan = plan_looks(config, SIZES, train, dev, total)
        sized = {"probe_pairs": plan.probe_pairs or 32, "kl_prompts": plan.kl_prompts or 16}
        last = LooksPlanned(*[every * plan.factor for every in (20, 50, 0)])

        def share(sizes: dict[str, int], config: RunConfig = config, last: LooksPlanned = last) -> float:
            work = LookWork.of(config.with_values(sizes), SIZES, train, dev)  # noqa: B023 (called in this round)
            return share_of(work, config, last, total)  # noqa: B023

        assert plan.share == pytest.approx(share(sized))
        parts = [{"probe_pairs": max(8, -(-32 // n)), "kl_prompts": max(4, -(-16 // n))} for n in range(1, 33)]
        fitting = [sizes for sizes in parts if share(sizes) <= config.look_share]
        assert sized == (fitting[0] if fitting else {"probe_pairs": 8, "kl_prompts": 4})
        seen.add((plan.probe_pairs, bool(fitting)))
    assert seen == {(None, True), (16, True), (11, True), (8, True), (8, False)}


def test_that_what_decides_the_run_is_not_made_smaller() -> None:
    short = RunConfig(look_share=0.01)
    assert plan_looks(short, SIZES, pairs(40), pairs(20), 1).probe_pairs == 8
    assert "a probe has 8 pairs of a split and a KL 4 answers" in look_words(
        plan_looks(short, SIZES, pairs(40), pairs(20), 1)
    )
    kept = plan_looks(short.with_values({"best_metric": "loss", "kl_budget": 1.0}), SIZES, pairs(40), pairs(20), 1)
    assert (kept.probe_pairs, kept.kl_prompts) == (None, None)
    assert plan_looks(short.with_values({"look_share": 0.0}), SIZES, pairs(40), pairs(20), 1).kl_prompts is None


def test_that_what_decides_the_run_is_measured_as_often_as_it_is_set() -> None:
    busy = {"eval_every": 1, "kl_every": 2, "sample_every": 2, "batch_size": 1}
    config = RunConfig().with_values({**busy, "best_metric": "loss", "kl_budget": 3.0})
    plan = plan_looks(config, SIZES, pairs(40), pairs(20), 40)
    assert (plan.eval_every, plan.kl_every) == (1, 2)
    assert plan.sample_every > 2
    assert "goes by what it measures" in look_words(plan)


def test_that_a_share_of_1_keeps_the_cadences_as_they_are_set_and_so_does_a_run_from_before() -> None:
    busy = {"eval_every": 1, "kl_every": 1, "sample_every": 1, "batch_size": 1}
    plan = plan_looks(RunConfig().with_values({**busy, "look_share": 1.0}), SIZES, pairs(40), pairs(20), 40)
    assert (plan.factor, plan.every) == (1, {"eval": 1, "kl": 1, "sample": 1})
    stored = RunConfig().with_values(busy).to_plain()
    stored.pop("look_share")
    assert RunConfig.as_stored(stored).look_share == 1.0


def test_that_the_plan_survives_the_ledger() -> None:
    plan = plan_looks(RunConfig(eval_every=1), SIZES, pairs(40), pairs(20), 40)
    assert from_plain(to_plain(plan)) == plan


def test_that_a_run_measures_at_its_planned_steps_and_a_resumed_one_at_the_same(
    tiny_llama_dir: Path, tmp_path: Path
) -> None:
    options = {"steps": 12, "eval_every": 1, "kl_every": 0, "sample_every": 0, "look_share": 0.25}
    whole, first, second = Watcher(), Watcher(), Watcher()
    events = run(tiny_llama_dir, tmp_path / "whole", probe=whole, pairs=some_pairs(24, 1), **options)
    (plan,) = [event for event in events if isinstance(event, LooksPlanned)]
    assert plan.factor > 1
    assert whole.calls == [(step, step == 12) for step in range(13) if step % plan.eval_every == 0 or step == 12]
    kinds = [type(event) for event in events]
    assert kinds.index(LooksPlanned) < kinds.index(StepDone) < kinds.index(CheckpointSaved)
    run_until(tiny_llama_dir, tmp_path / "cut", 7, probe=first, pairs=some_pairs(24, 1), **options)
    again = run(tiny_llama_dir, tmp_path / "cut", probe=second, pairs=some_pairs(24, 1), resume=True, **options)
    assert isinstance(again[-1], Finished)
    assert [event for event in again if isinstance(event, LooksPlanned)] == [plan]
    assert sorted({*first.calls, *second.calls}) == whole.calls
