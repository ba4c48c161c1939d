"""What a GPU asks of the engine, as far as a machine without one can tell.

Tensors of torch's meta device have shapes and no numbers; an operation that mixes them with an index of the CPU raises,
as it does on CUDA.
"""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.nn.attention.flex_attention import create_mask

from core.training.checkpoints import save_load
from core.training.forward import prefix_shared
from core.training.forward.fused_head import score_rows
from core.training.forward.prefix_layout import lay_out, pack
from core.training.forward.prefix_shared import PrefixSharedScorer
from core.training.gate.run import is_repeated
from core.training.steps.gradient import free_memory, is_out_of_memory
from tests.core.training.forward.scorer_twin import adapter_policy, random_pairs

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")


@pytest.mark.parametrize("family", ["llama", "gpt2", "qwen2"])
@pytest.mark.parametrize("checkpointing", [False, True])
def test_that_everything_of_a_packed_pass_is_made_on_the_device_of_the_weights(
    family: str, checkpointing: bool
) -> None:
    policy = adapter_policy(family)
    policy.model.to("meta")
    scorer = PrefixSharedScorer(policy, checkpointing=checkpointing)
    assert scorer.pack_tokens > 0  # rows are packed as on a card
    scores = scorer.score(random_pairs(5), token_weights=None, stats=True)
    assert (scores.logps.device.type, scores.logps.shape) == ("meta", (5, 2))
    scores.logps.sum().backward()
    trained = [p for p in policy.model.parameters() if p.requires_grad]
    assert trained
    assert all(p.grad is not None and p.grad.device.type == "meta" for p in trained)
    assert scorer.response_hidden(random_pairs(5), policy=False).hidden.device.type == "meta"


def test_that_a_block_mask_is_the_dense_one_and_is_built_once_for_rows_of_the_same_lengths() -> None:
    scorer = PrefixSharedScorer(adapter_policy("llama"))
    scorer._attention = "flex_attention"  # as on a card
    rows = [lay_out(pair) for pair in random_pairs(4)]
    packed, longer = pack(rows), [*rows, rows[0]]
    tokens = len(packed.ids)
    for window in (0, 5):
        found = scorer._mask(rows, packed, window, torch.float32)
        dense = create_mask(found.mask_mod, None, None, tokens, tokens, device="cpu")[0, 0]
        assert torch.equal(dense, packed.mask(window))
        assert scorer._mask(rows, pack(rows), window, torch.float32) is found
    assert scorer._mask(longer, pack(longer), 5, torch.float32) is not found
    for window in range(6, 6 + prefix_shared.KEPT_MASKS):
        scorer._mask(rows, packed, window, torch.float32)
    assert scorer._mask(rows, packed, 5, torch.float32) is not found  # only the newest are kept


def test_that_an_index_of_the_cpu_would_be_found() -> None:
    with pytest.raises(RuntimeError, match="same device"):
        torch.zeros(2, device="meta").index_add_(0, torch.tensor([1]), torch.ones(1, device="meta"))


def test_that_large_tiles_give_the_values_of_small_ones() -> None:
    from core.generation.lm_head import HeadSpec

    torch.manual_seed(3)
    head = HeadSpec(torch.randn(50, 8))
    hidden = torch.randn(40, 8, requires_grad=True)
    targets, owner = torch.randint(50, (40,)), torch.arange(40) // 10
    found = []
    for tile in (3, 4096):
        hidden.grad = None
        scores = score_rows(hidden, targets, owner, 4, head, tile=tile)
        scores.logps.sum().backward()
        found.append((scores.logps.detach(), hidden.grad))
    for small, large in zip(*found, strict=True):
        assert torch.allclose(small, large, rtol=1e-5, atol=1e-5)


def test_that_sums_in_another_order_are_no_dropout_on_a_card_and_every_bit_counts_on_the_cpu() -> None:
    first = torch.tensor([[-151.25, -148.5]], dtype=torch.float64)
    reordered, dropped = first * (1 + 1e-14), first + 1e-3
    assert is_repeated(first, reordered, "cuda")
    assert not is_repeated(first, dropped, "cuda")
    assert is_repeated(first, first.clone(), "cpu")
    assert not is_repeated(first, reordered, "cpu")


def test_that_a_checkpoint_asks_only_the_gpu_in_use_for_its_random_state(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def state(index: int) -> torch.Tensor:
        asked.append(index)
        return torch.zeros(16, dtype=torch.uint8)

    cuda: dict[str, Any] = {"is_available": lambda: True, "is_initialized": lambda: True, "current_device": lambda: 2}
    for name, value in {**cuda, "get_rng_state": state, "device_count": lambda: 8}.items():
        monkeypatch.setattr(torch.cuda, name, value)
    states = save_load.random_states()
    assert set(states) == {"cpu", "cuda:2"}
    assert asked == [2]
    put: list[int] = []
    monkeypatch.setattr(torch.cuda, "set_rng_state", lambda _state, index: put.append(index))
    save_load.set_random_states(states)
    assert put == [2]
    monkeypatch.setattr(torch.cuda, "is_initialized", lambda: False)  # a run on the CPU of a machine with cards
    assert set(save_load.random_states()) == {"cpu"}


def test_that_messages_of_every_device_say_that_memory_ran_out(monkeypatch: pytest.MonkeyPatch) -> None:
    emptied: list[str] = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "empty_cache", lambda: emptied.append("cuda"))
    for error in (
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79 GiB"),
        RuntimeError("MPS backend out of memory (MPS allocated: 17.9 GB, other allocations: 2 GB)"),
        RuntimeError("[enforce fail at alloc_cpu.cpp] DefaultCPUAllocator: can't allocate memory"),
        MemoryError(),
    ):
        assert is_out_of_memory(error)
    assert not is_out_of_memory(RuntimeError("CUDA error: device-side assert triggered"))
    free_memory()
    assert emptied == ["cuda"]
