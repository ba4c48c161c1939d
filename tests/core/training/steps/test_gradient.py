"""What can go wrong inside a step: memory that runs out, numbers that are not finite."""

from __future__ import annotations

import gc
import math
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from core.domain.run_events import Failed, Finished, StepDone, Warned
from core.training import preparing
from core.training.forward.prefix_shared import PrefixSharedScorer
from core.training.steps.gradient import is_out_of_memory
from tests.core.training.tiny_runs import Watcher, run, some_pairs, steps_of

MESSAGES = (
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
    RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)"),
    RuntimeError("[enforce fail at alloc_cpu.cpp:114] DefaultCPUAllocator: can't allocate memory: you tried to"),
    MemoryError(),
)


@pytest.mark.parametrize("error", MESSAGES, ids=("cuda", "mps", "cpu", "python"))
def test_that_every_way_to_run_out_of_memory_is_recognised(error: Exception) -> None:
    assert is_out_of_memory(error)
    assert not is_out_of_memory(RuntimeError("shapes do not match"))
    assert not is_out_of_memory(ValueError("out of memory"))


class SmallMemory(PrefixSharedScorer):
    """A scorer that can train on ``room`` pairs at once, and fails in the backward pass beyond that."""

    room = 2
    error: Exception = MESSAGES[0]

    def score(self, pairs, **options):
        scores = super().score(pairs, **options)
        if scores.logps.requires_grad and len(pairs) > self.room:
            scores.logps.register_hook(self._fail)
        return scores

    def _fail(self, gradient):
        raise self.error


@pytest.fixture(scope="module", autouse=True)
def quick_collections() -> None:
    """Leave what other tests made out of the collection that follows each lack of memory."""
    gc.freeze()


@pytest.fixture
def small_memory(monkeypatch) -> Iterator[type[SmallMemory]]:
    monkeypatch.setattr(preparing, "choose_scorer", lambda model, *_, **__: SmallMemory(model))
    yield SmallMemory
    SmallMemory.room, SmallMemory.error = 2, MESSAGES[0]


@pytest.mark.parametrize("error", MESSAGES[::2], ids=("cuda", "cpu"))
def test_that_running_out_of_memory_halves_the_pass_and_keeps_the_effective_batch(
    tiny_llama_dir: Path, tmp_path: Path, small_memory: type[SmallMemory], error: Exception
) -> None:
    small_memory.error, small_memory.room = error, 2
    options = {"batch_size": 8, "steps": 3}
    found = run(tiny_llama_dir, tmp_path / "small", micro_batch=8, **options)
    warnings = [e for e in found if isinstance(e, Warned)]
    assert [e.code for e in warnings] == ["out_of_memory"] * 2
    assert all(e.step == 1 for e in warnings)
    small_memory.room = 99
    expected = run(tiny_llama_dir, tmp_path / "large", micro_batch=2, **options)
    assert steps_of(found) == steps_of(expected)
    assert all(step.pairs == 8 for step in steps_of(found))


def test_that_no_memory_even_for_one_pair_is_a_failure_that_names_the_remedy(
    tiny_llama_dir: Path, tmp_path: Path, small_memory: type[SmallMemory]
) -> None:
    probe = Watcher(lambda session, step: setattr(small_memory, "room", 0))
    last = run(tiny_llama_dir, tmp_path, micro_batch=1, probe=probe)[-1]
    assert isinstance(last, Failed)
    assert last.kind == "oom"
    assert "max_length" in last.hint
    assert last.traceback == ""


def test_that_memory_is_given_up_on_after_three_halvings(
    tiny_llama_dir: Path, tmp_path: Path, small_memory: type[SmallMemory]
) -> None:
    probe = Watcher(lambda session, step: setattr(small_memory, "room", 0))
    events = run(tiny_llama_dir, tmp_path, micro_batch=16, batch_size=16, pairs=some_pairs(16), probe=probe)
    assert [e.code for e in events if isinstance(e, Warned)] == ["looked"] + ["out_of_memory"] * 3
    assert events[-1].kind == "oom"


def test_that_a_smaller_pass_is_remembered_across_a_resume(
    tiny_llama_dir: Path, tmp_path: Path, small_memory: type[SmallMemory]
) -> None:
    small_memory.room = 2
    run(tiny_llama_dir, tmp_path, micro_batch=8, batch_size=8, steps=2)
    (tmp_path / "adapter").rename(tmp_path / "old")
    again = run(tiny_llama_dir, tmp_path, micro_batch=8, batch_size=8, steps=2, resume=True)
    assert not any(isinstance(e, Warned) for e in again)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_that_a_number_that_is_not_finite_stops_before_the_step_and_names_its_pair(
    tiny_llama_dir: Path, tmp_path: Path, monkeypatch, value: float
) -> None:
    class Poisoned(PrefixSharedScorer):
        calls = 0

        def score(self, pairs, **options):
            scores = super().score(pairs, **options)
            if torch.is_grad_enabled() and scores.logps.requires_grad:
                Poisoned.calls += 1
                if Poisoned.calls == 7:  # two in the gate, four in the first step
                    self.victim = pairs[0].pair_id
                    scores.logps = scores.logps + torch.tensor([[value, 0.0]], dtype=scores.logps.dtype)
            return scores

    made: list[Poisoned] = []

    def choose(model, *_, **__):
        made.append(Poisoned(model))
        return made[-1]

    before: dict[str, torch.Tensor] = {}

    def remember(session, step) -> None:
        before.update({n: p.detach().clone() for n, p in session.model.trainable().items()})
        before["model"] = session.model

    monkeypatch.setattr(preparing, "choose_scorer", choose)
    events = run(tiny_llama_dir, tmp_path, batch_size=4, micro_batch=1, probe=Watcher(remember), eval_every=1)
    last = events[-1]
    assert isinstance(last, Failed)
    assert (last.kind, last.step) == ("nan", 1)
    assert last.pair_ids == (made[0].victim,)
    assert sum(isinstance(e, StepDone) for e in events) == 1
    model = before.pop("model")
    assert all(torch.equal(before[name], parameter) for name, parameter in model.trainable().items())


def test_that_a_gradient_that_is_not_finite_stops_before_the_step(
    tiny_llama_dir: Path, tmp_path: Path, monkeypatch
) -> None:
    from core.training import loop

    monkeypatch.setattr(loop, "clip_gradients", lambda *_: math.nan)
    last = run(tiny_llama_dir, tmp_path)[-1]
    assert (last.kind, last.step, len(last.pair_ids)) == ("nan", 0, 3)


def test_that_losses_over_the_whole_step_see_all_its_pairs_whatever_the_split(
    tiny_llama_dir: Path, tmp_path: Path
) -> None:
    options = {"loss": "aot", "batch_size": 6, "steps": 3, "lr": 1e-2}
    whole = run(tiny_llama_dir, tmp_path / "whole", micro_batch=6, **options)
    split = run(tiny_llama_dir, tmp_path / "split", micro_batch=2, **options)
    assert isinstance(split[-1], Finished)
    for one, other in zip(steps_of(whole), steps_of(split), strict=True):
        assert one.loss == pytest.approx(other.loss, rel=1e-6)
        assert one.grad_norm == pytest.approx(other.grad_norm, rel=1e-5)


def test_that_a_gate_too_large_for_memory_takes_fewer_pairs(tiny_llama_dir: Path, tmp_path: Path, monkeypatch) -> None:
    class SmallForward(PrefixSharedScorer):
        def score(self, pairs, **options):
            if len(pairs) > 4:
                raise MESSAGES[0]
            return super().score(pairs, **options)

    monkeypatch.setattr(preparing, "choose_scorer", lambda model, *_, **__: SmallForward(model))
    events = run(tiny_llama_dir, tmp_path, steps=1, micro_batch=2)
    assert isinstance(events[-1], Finished)
