"""TR-DPO: a reference that follows the policy, exact to the bit and never mixed up with the cache."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from core.domain.errors import UsageError
from core.domain.run_config import RunConfig
from core.domain.run_events import Finished
from core.training.checkpoints.fork import fork_checkpoint
from core.training.checkpoints.save_load import objective_differences
from core.training.policy.adapters import POLICY, REFERENCE, adapter_tensors
from core.training.reference import tr_dpo
from core.training.steps.session import TrainSession
from tests.core.training.checkpoints.test_resume import run_until, same_bits
from tests.core.training.tiny_runs import SETTINGS, Watcher, run, steps_of

MOVING = {"ref_refresh_every": 2, "steps": 6}


def policy_of(session: TrainSession) -> dict[str, torch.Tensor]:
    found = adapter_tensors(session.model.model, POLICY)
    return {n.replace(f".{POLICY}.", f".{REFERENCE}."): t.detach().clone() for n, t in found.items()}


def reference_of(session: TrainSession) -> dict[str, torch.Tensor]:
    return {n: t.clone() for n, t in tr_dpo.reference_tensors(session.model).items()}


def test_that_it_is_off_by_default_and_then_no_part_of_the_fingerprint() -> None:
    assert RunConfig().ref_refresh_every == 0
    assert RunConfig(ref_refresh_mix=0.3).fingerprint() == RunConfig().fingerprint()
    moving = RunConfig(ref_refresh_every=5)
    assert (
        len({c.fingerprint() for c in (RunConfig(), moving, RunConfig(ref_refresh_every=5, ref_refresh_mix=1.0))}) == 3
    )


@pytest.mark.parametrize("forward", ["lean", "shared", "separate"])
def test_that_a_whole_refresh_makes_the_policy_its_own_reference(
    tiny_llama_dir: Path, tmp_path: Path, forward: str
) -> None:
    events = run(tiny_llama_dir, tmp_path, **MOVING, ref_refresh_mix=1.0, forward=forward, micro_batch=1)
    assert isinstance(events[-1], Finished), events[-1]
    for step in steps_of(events):
        if step.step % 2:  # the first step after a refresh is a first step again
            assert step.loss == pytest.approx(math.log(2), abs=1e-12)
            assert all(row.h == 0.0 and row.weight == 0.5 for row in step.rows)
        else:
            assert all(row.h != 0.0 for row in step.rows)


def test_that_a_refresh_is_the_mix_of_policy_and_reference(tiny_llama_dir: Path, tmp_path: Path) -> None:
    seen: dict[int, tuple[dict, dict]] = {}
    probe = Watcher(lambda session, step: seen.update({step: (policy_of(session), reference_of(session))}))
    run(tiny_llama_dir, tmp_path, probe=probe, eval_every=1, **{**MOVING, "ref_refresh_mix": 0.25})
    assert all(torch.equal(seen[1][1][name], tensor) for name, tensor in seen[0][1].items())
    policy, before = seen[2][0], seen[2][1]  # a probe looks before the reference moves
    for name, tensor in seen[3][1].items():
        torch.testing.assert_close(tensor, 0.25 * policy[name] + 0.75 * before[name], rtol=1e-6, atol=1e-9)
    assert any(not torch.equal(tensor, seen[2][1][name]) for name, tensor in seen[3][1].items())


def test_that_a_look_measures_against_the_reference_of_its_own_step_also_at_the_end(
    tiny_llama_dir: Path, tmp_path: Path
) -> None:
    equal: dict[int, bool] = {}

    def look(session: TrainSession, step: int) -> None:
        reference = reference_of(session)
        equal[step] = all(torch.equal(reference[name], tensor) for name, tensor in policy_of(session).items())

    run(tiny_llama_dir, tmp_path, probe=Watcher(look), eval_every=1, **MOVING, ref_refresh_mix=1.0)
    assert equal == {0: True, **dict.fromkeys(range(1, 7), False)}


def test_that_a_fork_that_carries_on_where_its_parent_ended_moves_the_reference_first(
    tiny_llama_dir: Path, tmp_path: Path
) -> None:
    options = {"ref_refresh_every": 2, "scheduler": "constant"}
    whole = run(tiny_llama_dir, tmp_path / "whole", **options, steps=6)
    run(tiny_llama_dir, tmp_path / "parent", **options, steps=4)
    config = RunConfig().with_values({**SETTINGS, **options, "steps": 6})
    fork_checkpoint(tmp_path / "parent/checkpoints/step-4", tmp_path / "child", config)
    child = run(tiny_llama_dir, tmp_path / "child", resume=True, **options, steps=6)
    assert steps_of(child) == steps_of(whole)[4:]


def test_that_rows_are_valued_against_the_reference_of_the_moment(tiny_llama_dir: Path, tmp_path: Path) -> None:
    def check(session: TrainSession, step: int) -> None:
        pairs = list(session.encoded.values())
        fresh = [session.scorer.score([pair], policy=False, stats=False).logps[0].tolist() for pair in pairs]
        rows = session.pair_rows(pairs)
        assert [[row.ref_chosen, row.ref_rejected] for row in rows] == fresh
        checked.append(step)

    checked: list[int] = []
    run(tiny_llama_dir, tmp_path, probe=Watcher(check), eval_every=1, **MOVING)
    assert checked == [0, 1, 2, 3, 4, 5, 6]


def test_that_the_cache_is_neither_read_nor_written_while_the_reference_moves(
    tiny_llama_dir: Path, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    still = run(tiny_llama_dir, tmp_path / "still", cache_dir=cache, steps=6)
    files = {path: path.read_bytes() for path in cache.rglob("*") if path.is_file()}
    moving = run(tiny_llama_dir, tmp_path / "moving", cache_dir=cache, **MOVING)
    assert files
    assert {path: path.read_bytes() for path in cache.rglob("*") if path.is_file()} == files
    assert moving[-1].summary["reference_from_cache"] == 0
    assert moving[-1].summary["reference_refreshes"] == 2
    for one, other in zip(steps_of(still)[:2], steps_of(moving)[:2], strict=True):
        assert one.loss == pytest.approx(other.loss, rel=1e-6)
    assert steps_of(still)[2].loss != pytest.approx(steps_of(moving)[2].loss, rel=1e-6)


@pytest.mark.parametrize(("killed_after", "forward"), [(3, "separate"), (5, "auto")])
def test_that_a_killed_run_resumes_bit_for_bit(
    tiny_llama_dir: Path, tmp_path: Path, forward: str, killed_after: int
) -> None:
    options = {**MOVING, "ref_refresh_every": 3, "checkpoint_every": 1, "forward": forward}
    whole = run(tiny_llama_dir, tmp_path / "whole", **options)
    run_until(tiny_llama_dir, tmp_path / "cut", killed_after, **options)
    again = run(tiny_llama_dir, tmp_path / "cut", resume=True, **options)
    assert again[0].resumed_from == killed_after - 1
    assert steps_of(again) == steps_of(whole)[killed_after - 1 :]
    for name in ("reference.safetensors", "adapter/adapter_model.safetensors"):
        assert same_bits(*(tmp_path / run_name / "checkpoints/step-6" / name for run_name in ("whole", "cut")))


def test_that_it_starts_from_a_starting_adapter_and_publishes_the_policy_alone(
    tiny_llama_dir: Path, tmp_path: Path
) -> None:
    run(tiny_llama_dir, tmp_path / "sft")
    start = tmp_path / "sft/adapter"
    events = run(tiny_llama_dir, tmp_path / "next", init_adapter=str(start), **MOVING)
    assert isinstance(events[-1], Finished), events[-1]
    assert steps_of(events)[0].h == 0.0
    published = load_file(tmp_path / "next/adapter/adapter_model.safetensors")
    assert published.keys() == load_file(start / "adapter_model.safetensors").keys()


def test_that_settings_it_cannot_keep_are_refused(tiny_llama_dir: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="adapter"):
        RunConfig(ref_refresh_every=2, lora_r=0)
    with pytest.raises(UsageError, match="base"):
        RunConfig(ref_refresh_every=2, reference="base")
    run(tiny_llama_dir, tmp_path / "parent")
    config = RunConfig().with_values({**SETTINGS, "ref_refresh_every": 2})
    with pytest.raises(UsageError, match="ref_refresh_every"):
        fork_checkpoint(tmp_path / "parent/checkpoints/step-2", tmp_path / "child", config)


def test_that_a_checkpoint_older_than_the_setting_counts_as_one_whose_reference_stood_still() -> None:
    before = RunConfig().to_plain()
    del before["ref_refresh_every"]
    assert objective_differences(before, RunConfig()) == []
    assert objective_differences(before, RunConfig(ref_refresh_every=2)) == ["ref_refresh_every: 0 -> 2"]
