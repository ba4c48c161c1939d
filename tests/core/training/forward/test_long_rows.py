"""Rows longer than a window or a rope's original length: what the check of a fast pass must see, and must not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from core.domain.conversation import Message, Prompt
from core.domain.errors import ModelRefused
from core.domain.pair import TrainingPair
from core.domain.run_config import RunConfig
from core.domain.run_events import Finished, Warned
from core.generation.context import forget_lengths, frequency_limit, mask_window, position_limit, stored_masks
from core.generation.windows import length_limits, row_windows
from core.training.forward.padded import PaddedScorer
from core.training.forward.select import choose_scorer, whole_pairs
from tests.core.training.forward.scorer_twin import (
    UPSTREAM,
    BarePolicy,
    adapter_policy,
    assert_same_gradients,
    gradients,
    long_pair,
    random_pairs,
)
from tests.core.training.plain_loop import PLAIN, h_of, plain_losses, rope_restorer
from tests.core.training.tiny_runs import run, steps_of
from tests.tiny_families import family_model
from tests.tiny_models import tiny_model, tiny_tokenizer

SIZES: dict[str, Any] = {"initializer_range": 0.2, "bos_token_id": None, "eos_token_id": 0, "pad_token_id": 1}
LONGROPE = {
    "rope_type": "longrope", "short_factor": [1.0] * 4, "long_factor": [6.0] * 4, "rope_theta": 10000.0,
    "partial_rotary_factor": 1.0,
}  # fmt: skip


def neo(window: int = 256, positions: int = 512) -> Any:
    """A GPT-Neo of one global and one local layer."""
    from transformers import GPTNeoConfig, GPTNeoForCausalLM

    config = GPTNeoConfig(
        vocab_size=400, hidden_size=32, num_layers=2, num_heads=4, attention_types=[[["global", "local"], 1]],
        window_size=window, max_position_embeddings=positions, **SIZES,
    )  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return GPTNeoForCausalLM(config).eval()


def rope(kind: str, original: int = 64) -> Any:
    """A Phi-3 with longrope or a Llama with dynamic rope, whose frequencies depend on the row beyond ``original``."""
    if kind == "longrope":
        parameters = {**LONGROPE, "original_max_position_embeddings": original}
        return tiny_model("phi3", rope_parameters=parameters, original_max_position_embeddings=original)
    parameters = {"rope_type": "dynamic", "factor": 2.0, "rope_theta": 10000.0}
    return tiny_model("llama", rope_parameters=parameters, max_position_embeddings=original)


def saved(model: Any, folder: Path) -> Path:
    model.save_pretrained(folder)
    tiny_tokenizer().save_pretrained(folder)
    return folder


def text_pairs(words: int, count: int = 4) -> list[TrainingPair]:
    """Pairs whose chosen answer is long and whose rejected one is short."""
    return [
        TrainingPair(
            f"p{i}", Prompt((Message("user", f"{i}. Explain the tides."),)), "The moon pulls the sea. " * words, "No."
        )
        for i in range(count)
    ]


def test_that_windows_are_read_from_the_mask_a_model_keeps_and_from_its_config() -> None:
    model = neo(window=16, positions=64)
    assert [mask_window(mask) for mask in stored_masks(model)] == [0, 16]
    assert row_windows(model) == {"window_size": 16, "its stored mask": 16}
    assert position_limit(model) == 64
    assert {16, 64} <= set(length_limits(model))
    assert row_windows(tiny_model("mistral", sliding_window=16)) == {}
    assert 16 in length_limits(tiny_model("mistral", sliding_window=16))


@pytest.mark.parametrize("name", ["gpt2", "openai-gpt", "opt", "biogpt"])
def test_that_a_row_as_long_as_the_table_of_positions_is_read_and_a_longer_one_is_not(name: str) -> None:
    model = family_model(name)
    limit = position_limit(model)
    with torch.no_grad():
        assert model(torch.full((1, limit), 7)).logits.shape[1] == limit
        with pytest.raises((IndexError, RuntimeError)):
            model(torch.full((1, limit + 1), 7))


def test_that_the_longest_pair_and_one_just_past_every_limit_are_checked_whole() -> None:
    pairs = random_pairs(30, longest=40)
    lengths = {p.pair_id: len(p.prompt_ids) + max(len(p.chosen_ids), len(p.rejected_ids)) for p in pairs}
    found = {lengths[pair.pair_id] for pair in whole_pairs(pairs, [20, 50, 4000])}
    assert found == {max(lengths.values()), *(min(n for n in lengths.values() if n > limit) for limit in (20, 50))}


def test_that_a_model_with_a_window_along_the_row_takes_shared_rows_only_below_it() -> None:
    policy = BarePolicy(neo())
    config = RunConfig(lora_r=0)
    assert choose_scorer(policy, config, [long_pair(70, 90, 40)]).name == "shared"
    scorer = choose_scorer(policy, config, [long_pair(70, 120, 80)])
    assert scorer.name == "separate"
    assert "rows of 270 tokens exceed window_size of 256" in scorer.note


def test_that_a_window_no_config_names_shows_in_the_check_of_the_longest_pair(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("core.training.forward.prefix_shared.row_windows", lambda model: {})
    scorer = choose_scorer(BarePolicy(neo()), RunConfig(lora_r=0), [long_pair(150, 160, 140)])
    assert scorer.name == "separate"
    assert "differ from those of its rows alone" in scorer.note


def test_that_a_run_beyond_the_local_window_has_the_losses_of_a_plain_loop_and_says_why_it_is_slow(
    tmp_path: Path,
) -> None:
    folder = saved(neo(), tmp_path / "neo")
    pairs = text_pairs(36)
    events = run(folder, tmp_path / "run", pairs=pairs, **{**PLAIN.to_plain(), "forward": "auto"})
    assert isinstance(events[-1], Finished), events[-1]
    assert any(isinstance(e, Warned) and e.code == "forward" and "window_size" in e.message for e in events)
    assert [e.loss for e in steps_of(events)] == pytest.approx(plain_losses(folder, PLAIN, pairs), rel=1e-5)


@pytest.mark.parametrize("kind", ["longrope", "dynamic"])
def test_that_each_answer_is_scored_as_if_alone_where_the_rope_depends_on_length(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = rope(kind)
    assert frequency_limit(model) == 64
    pairs = [long_pair(20, 90, 5), long_pair(20, 6, 120), long_pair(10, 8, 7)]
    policy = BarePolicy(model)
    scorer = choose_scorer(policy, RunConfig(lora_r=0), pairs)
    assert isinstance(scorer, PaddedScorer)
    assert scorer.alone
    assert "beyond 64 tokens, and rows have 140" in scorer.note
    forget = rope_restorer(model)
    with torch.no_grad():
        for order in (pairs, pairs[::-1]):
            found = scorer.score(order).logps
            expected = torch.stack([h_of(model, pair, forget) for pair in order])
            torch.testing.assert_close(found[:, 0] - found[:, 1], expected, rtol=1e-6, atol=1e-5)
        assert torch.equal(PaddedScorer(policy).score(pairs[::-1]).logps, found)  # as the reference of another run
        monkeypatch.setattr("core.training.forward.padded.frequency_limit", lambda _model: 0)
        together = PaddedScorer(policy).score(pairs[::-1]).logps
    assert (together - found).abs().max() > 0.1  # a shared call gives the short answers other frequencies


@pytest.mark.parametrize("kind", ["longrope", "dynamic"])
def test_that_such_a_run_has_the_losses_of_a_plain_loop_and_its_gate_blames_no_buffer(
    tmp_path: Path, kind: str
) -> None:
    folder = saved(rope(kind), tmp_path / kind)
    pairs = text_pairs(12)
    events = run(folder, tmp_path / "run", pairs=pairs, **{**PLAIN.to_plain(), "forward": "auto"})
    assert isinstance(events[-1], Finished), events[-1]
    assert [e.loss for e in steps_of(events)] == pytest.approx(plain_losses(folder, PLAIN, pairs), rel=1e-5)


def test_that_short_rows_of_such_a_model_still_take_the_fast_pass_and_a_named_one_is_refused_for_long_rows() -> None:
    policy = BarePolicy(rope("dynamic"))
    short, long = [long_pair(10, 20, 8)], [long_pair(10, 90, 8)]
    assert choose_scorer(policy, RunConfig(lora_r=0), short).name == "shared"
    with pytest.raises(ModelRefused, match=r"shared forward pass cannot run this model .*beyond 64 tokens"):
        choose_scorer(policy, RunConfig(lora_r=0, forward="shared"), long)
    forget_lengths(policy.model)


def test_that_checkpointed_layers_of_separate_rows_give_the_same_gradient() -> None:
    policy = adapter_policy("llama")
    pairs = random_pairs(2)
    expected = gradients((PaddedScorer(policy).score(pairs).logps * UPSTREAM).sum(), policy.model)
    calls = 0

    def count(*_: object) -> None:
        nonlocal calls
        calls += 1

    layer = policy.model.get_base_model().get_decoder().layers[0].mlp
    with layer.register_forward_pre_hook(count):
        scorer = choose_scorer(policy, RunConfig(forward="separate", grad_checkpointing="on"), pairs)
        calls = 0
        loss = (scorer.score(pairs).logps * UPSTREAM).sum()
        assert calls == 1
        found = gradients(loss, policy.model)
        assert calls == 2  # the layer ran again for the backward pass
    assert not any(module.training for module in policy.model.modules())
    assert_same_gradients(found, expected, rtol=1e-5)


def test_that_rows_alone_are_the_padded_rows_without_their_padding() -> None:
    policy = adapter_policy("gpt2")
    pairs = random_pairs(4)
    for side in ("left", "right"):
        whole, alone = (PaddedScorer(policy, side=side, alone=flag).score(pairs) for flag in (False, True))
        torch.testing.assert_close(alone.logps, whole.logps, rtol=1e-6, atol=1e-5)
        assert torch.equal(alone.tokens, whole.tokens)
