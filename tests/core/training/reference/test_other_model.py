"""A third model as the reference: its log-probs, its cache, what the gate says, and what is refused."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from core.domain.errors import ModelRefused, UsageError
from core.domain.run_config import RunConfig
from core.domain.run_events import EvalDone, Failed, Finished, GateReport, KlDone, Warned
from core.runs.hosting.probes import StandardProbe
from core.training.checkpoints.fork import fork_checkpoint
from core.training.forward.padded import PaddedScorer
from core.training.policy.model import load_model
from core.training.text.tokenise import encode_pairs
from tests.core.training.tiny_runs import SETTINGS, run, some_pairs, steps_of
from tests.tiny_models import save_tiny, tiny_tokenizer


@pytest.fixture(scope="module")
def third_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of another family with the same tokenizer."""
    return save_tiny(tmp_path_factory.mktemp("third") / "third", "gpt_neox", seed=5)


def by_hand(folder: Path, pairs: Any) -> dict[str, tuple[float, float]]:
    """Sums of the log-probs of both responses under the model in ``folder``, by pair id (nats)."""
    model = load_model(folder, RunConfig(lora_r=0, device="cpu"))
    encoded, _ = encode_pairs(pairs, model.tokenizer, RunConfig())
    with torch.no_grad():
        logps = PaddedScorer(model).score(encoded, stats=False).logps.tolist()
    return {pair.pair_id: (w, v) for pair, (w, v) in zip(encoded, logps, strict=True)}


@pytest.mark.parametrize("forward", ["auto", "separate"])
@pytest.mark.parametrize("lora_r", [2, 0])
def test_that_margins_are_measured_against_the_third_model(
    forward: str, lora_r: int, tiny_llama_dir: Path, third_dir: Path, tmp_path: Path
) -> None:
    options = {"forward": forward, "lora_r": lora_r, "steps": 1, "lr": 1e-4, "reference_model": str(third_dir)}
    events = run(tiny_llama_dir, tmp_path, **options)
    assert isinstance(events[-1], Finished), events[-1]
    theirs, ours = by_hand(third_dir, some_pairs()), by_hand(tiny_llama_dir, some_pairs())
    (step,) = steps_of(events)
    for row in step.rows:
        assert (row.ref_chosen, row.ref_rejected) == pytest.approx(theirs[row.pair_id], rel=1e-5)
        w, v = (a - b for a, b in zip(ours[row.pair_id], theirs[row.pair_id], strict=True))
        assert row.h == pytest.approx(w - v, rel=1e-3, abs=1e-3)
        assert row.loss == pytest.approx(math.log1p(math.exp(-0.1 * (w - v))), rel=1e-3)
    (gate,) = [event for event in events if isinstance(event, GateReport)]
    assert gate.passed
    assert gate.h_max > 1
    assert "another model" in gate.checks["noise_floor"]
    assert "does not start at the reference" in gate.checks["loss_closed_form"]


def test_that_the_cache_belongs_to_the_third_model_alone(tiny_llama_dir: Path, third_dir: Path, tmp_path: Path) -> None:
    options = {"steps": 2, "reference_model": str(third_dir), "cache_dir": tmp_path / "cache"}
    first = run(tiny_llama_dir, tmp_path / "first", **options)
    other = save_tiny(tmp_path / "other", seed=9)
    second = run(other, tmp_path / "second", **options)
    assert first[-1].summary["reference_computed"] > 0  # type: ignore[union-attr]
    assert second[-1].summary["reference_computed"] == 0  # type: ignore[union-attr]
    plain = run(tiny_llama_dir, tmp_path / "plain", steps=2, cache_dir=tmp_path / "cache")
    assert plain[-1].summary["reference_computed"] > 0  # type: ignore[union-attr]


def test_that_probes_measure_the_kl_to_the_third_model(tiny_llama_dir: Path, third_dir: Path, tmp_path: Path) -> None:
    options = {"reference_model": str(third_dir), "steps": 1, "kl_prompts": 2, "kl_max_new_tokens": 4}
    events = run(tiny_llama_dir, tmp_path, probe=StandardProbe(), forward="auto", sample_every=0, **options)
    assert [e for e in events if isinstance(e, Warned) and e.code == "probe_failed"] == []
    assert all(e.kl_chosen is not None and e.kl_chosen > 0.01 for e in events if isinstance(e, EvalDone))
    assert any(isinstance(e, KlDone) and e.kl > 0.01 for e in events)


def test_that_another_tokenizer_is_refused_by_name(tiny_llama_dir: Path, tmp_path: Path) -> None:
    folder = save_tiny(tmp_path / "short")
    tiny_tokenizer(vocab=300).save_pretrained(folder)
    events = run(tiny_llama_dir, tmp_path / "run", reference_model=str(folder))
    assert isinstance(events[-1], Failed) and "other token ids" in events[-1].message


def test_that_the_fingerprint_changes_with_the_third_model_and_not_without(
    tiny_llama_dir: Path, third_dir: Path
) -> None:
    from core.model_files.identity import run_inputs, verify_reference

    plain = run_inputs(some_pairs(), RunConfig(), tiny_llama_dir)
    with_third = run_inputs(some_pairs(), RunConfig(reference_model=str(third_dir)), tiny_llama_dir)
    assert "reference" not in plain
    assert {**with_third, "reference": ""} == {**plain, "reference": ""}
    verify_reference(str(third_dir), with_third["reference"])
    with pytest.raises(ModelRefused, match="was altered"):
        verify_reference(str(third_dir), "other")


def test_that_settings_of_other_references_are_refused_beside_it(third_dir: Path) -> None:
    config = RunConfig(reference_model=str(third_dir))
    with pytest.raises(UsageError, match="reference=init would be ignored"):
        replace(config, reference="init")
    with pytest.raises(UsageError, match="cannot follow"):
        replace(config, ref_refresh_every=3)


def test_that_a_fork_keeps_the_third_model(tiny_llama_dir: Path, third_dir: Path, tmp_path: Path) -> None:
    options = {"steps": 1, "checkpoint_every": 1, "forward": "separate", "reference_model": str(third_dir)}
    run(tiny_llama_dir, tmp_path / "parent", **options)
    config = RunConfig().with_values({**SETTINGS, **options, "reference_model": ""})
    source = tmp_path / "parent" / "checkpoints" / "step-1"
    with pytest.raises(UsageError, match="reference_model"):
        fork_checkpoint(source, tmp_path / "fork", config)
    events = run(tiny_llama_dir, tmp_path / "parent", resume=True, **{**options, "steps": 2, "reference_model": ""})
    assert isinstance(events[-1], Failed) and "reference: another content" in events[-1].message
