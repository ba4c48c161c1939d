"""Choose the fastest forward pass that agrees with the plain one on the run's model, data and machine.

From fast to general: ``lean`` (hand-written, Llama-shaped, CPU), ``shared`` (any decoder on prefix-shared rows),
``separate`` (padded rows). Each of the first two scores two of the run's own pairs before it is chosen, with the
adapter moved off zero so that every product takes part, and must agree with the padded rows in the log-probs of
policy and reference and in the gradient. One that fails is skipped, and the reason is reported.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from core.domain.errors import BadInput, ModelRefused, UserError
from core.domain.run_config import RunConfig
from core.generation.lm import PolicyAndReference
from core.training.forward.footprint import trim_heap
from core.training.forward.fused_llama import FusedLlamaScorer
from core.training.forward.padded import PaddedScorer
from core.training.forward.prefix_layout import RowScorer
from core.training.forward.prefix_shared import PrefixSharedScorer, attention_windows, base_of
from core.training.forward.scorer import Scorer
from core.training.memory_plan import ModelShape, checkpoint_above, free_bytes
from core.training.text.encoded_pair import EncodedPair

CHECK_PAIRS = 2
CHECK_PROMPT, CHECK_RESPONSE = 24, 12
"""Tokens that a pair is cut to for the check, whose activations would otherwise be the run's peak memory."""


@dataclass(frozen=True, slots=True)
class ForwardTolerance:
    """Allowed difference from the padded rows: of log-probs relative, of the gradient relative to its norm."""

    logps: float
    gradient: float


# Two correct float32 passes over a random GPT-2 differ by 1.3e-5; with a mask that leaks, by 2e-3 to 8e-2.
TOLERANCES = {
    torch.float64: ForwardTolerance(1e-6, 1e-5),
    torch.float32: ForwardTolerance(1e-4, 1e-3),
    torch.bfloat16: ForwardTolerance(3e-2, 0.2),
    torch.float16: ForwardTolerance(1e-2, 0.1),
}


def choose_scorer(
    model: PolicyAndReference, config: RunConfig, encoded: Sequence[EncodedPair], *, kernel: str = ""
) -> Scorer:
    """Return the scorer of a run; its ``note`` says why no faster one was chosen.

    Args:
        model: policy and reference.
        config: ``forward`` names a scorer or is "auto"; ``grad_checkpointing`` "on" recomputes layers.
        encoded: the run's pairs; two of them are scored.
        kernel: name of the CPU's matrix kernel to use where it exists; "" measures.

    Raises:
        ModelRefused: when ``forward`` names a scorer that cannot run this model.
    """
    reasons: list[str] = []
    for name, build in _candidates(model, config, encoded, kernel):
        if config.forward not in ("auto", name):
            continue
        try:
            scorer = build()
            if reason := disagreement(scorer, PaddedScorer(model), model, check_pairs(model, encoded)):
                raise ModelRefused(reason)
        except Exception as error:  # noqa: BLE001 (after any failure of a fast path the next one is tried)
            reasons.append(f"{name}: {_first_line(error)}")
            continue
        scorer.note = "; ".join(reasons)
        _plan_checkpointing(scorer, model, config)
        return scorer
    if config.forward in ("auto", "separate"):
        return PaddedScorer(model, note="; ".join(reasons))
    raise ModelRefused(
        f"The {config.forward} forward pass cannot run this model ({reasons[0].split(': ', 1)[1]}).",
        "Set forward to auto.",
    )


def _candidates(
    model: PolicyAndReference, config: RunConfig, encoded: Sequence[EncodedPair], kernel: str
) -> Iterator[tuple[str, Callable[[], RowScorer]]]:
    checkpointing = config.grad_checkpointing == "on"
    longest = max((pair.length for pair in encoded), default=0)
    yield (
        "lean",
        lambda: FusedLlamaScorer(model, checkpointing=checkpointing, longest=longest, kernel=kernel),
    )
    if next(model.model.parameters()).device.type == "cuda":
        yield "shared", lambda: PrefixSharedScorer(model, checkpointing=checkpointing, flex=True)
    yield "shared", lambda: PrefixSharedScorer(model, checkpointing=checkpointing, kernel=kernel)


def _plan_checkpointing(scorer: RowScorer, model: PolicyAndReference, config: RunConfig) -> None:
    """Set the size of micro-batches above which layers are recomputed, from the memory that is free now."""
    trim_heap()
    base = base_of(model.model)
    device = next(base.parameters()).device
    try:
        shape = ModelShape.of(base.config.to_dict(), base.num_parameters())
    except BadInput:
        return
    scorer.checkpoint_above = checkpoint_above(shape, config, forward=scorer.name, available=free_bytes(device))


def check_pairs(model: PolicyAndReference, encoded: Sequence[EncodedPair]) -> list[EncodedPair]:
    """Return the pairs of the check: two, cut short, and the longest where it exceeds an attention window."""
    usable = [p for p in encoded if all(p.response_tokens()) and p.prompt_ids]
    pairs = [_cut_short(pair) for pair in (usable[:1] + usable[-1:])[:CHECK_PAIRS]]
    try:
        window = max(attention_windows(base_of(model.model).config).values())
    except UserError:
        window = 0
    longest = max(usable, key=lambda p: p.length, default=None)
    if window and longest is not None and longest.length >= window:
        pairs.append(longest)
    return pairs


def _cut_short(pair: EncodedPair) -> EncodedPair:
    """Return the last tokens of the prompt and the first of each response."""

    def cut(ids: tuple[int, ...], mask: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
        first = mask.index(1)
        part = slice(max(0, first - 2), first + CHECK_RESPONSE)
        return ids[part], mask[part]

    chosen, chosen_mask = cut(pair.chosen_ids, pair.chosen_mask)
    rejected, rejected_mask = cut(pair.rejected_ids, pair.rejected_mask)
    return replace(
        pair,
        prompt_ids=pair.prompt_ids[-CHECK_PROMPT:],
        chosen_ids=chosen,
        rejected_ids=rejected,
        chosen_mask=chosen_mask,
        rejected_mask=rejected_mask,
    )


def disagreement(scorer: Scorer, twin: Scorer, model: PolicyAndReference, pairs: Sequence[EncodedPair]) -> str:
    """Return how ``scorer`` differs from ``twin`` on ``pairs`` beyond rounding, or "" where it does not."""
    if not pairs:
        return ""
    watched = _watched(model.model)
    dtype = base_of(model.model).get_input_embeddings().weight.dtype
    allowed = TOLERANCES.get(dtype, TOLERANCES[torch.float16])
    with adapter_off_zero(model.model), torch.enable_grad():
        found, expected = (_probe(s, pairs, watched) for s in (scorer, twin))
    for what, got, want in zip(("policy", "reference"), found[:2], expected[:2], strict=True):
        off = float(((got - want).abs() / want.abs().clamp_min(1.0)).max())
        if not off <= allowed.logps:
            return f"{what} log-probs differ from the plain rows by {off:.1e}"
    off = _relative(found[2], expected[2])
    return "" if off <= allowed.gradient else f"gradients differ from those of the plain rows by {off:.1e}"


def _probe(
    scorer: Scorer, pairs: Sequence[EncodedPair], watched: list[nn.Parameter]
) -> tuple[Tensor, Tensor, list[Tensor | None]]:
    """Return the log-probs of policy and reference, and the gradient of a fixed linear combination of the first."""
    scores = scorer.score(pairs, stats=False)
    mix = torch.linspace(-1.0, 1.5, scores.logps.numel(), dtype=scores.logps.dtype, device=scores.logps.device)
    grads: list[Tensor | None] = []
    if watched:
        objective = (scores.logps * mix.view_as(scores.logps)).sum()
        grads = list(torch.autograd.grad(objective, watched, allow_unused=True))
    reference = scorer.score(pairs, policy=False, stats=False)
    return scores.logps.detach(), reference.logps.detach(), grads


def _watched(model: nn.Module) -> list[nn.Parameter]:
    """Return the tensors whose gradient is compared: the adapter, or the vectors when everything trains."""
    train = [p for p in model.parameters() if p.requires_grad]
    vectors = [p for p in train if p.ndim == 1]
    return vectors if vectors and not hasattr(model, "peft_config") else train


def _relative(found: list[Tensor | None], expected: list[Tensor | None]) -> float:
    """Return the norm of the difference relative to the norm of ``expected``, over all tensors."""
    error = size = 0.0
    for got, want in zip(found, expected, strict=True):
        if want is None:
            error += 0.0 if got is None else float(got.double().square().sum())
            continue
        given = torch.zeros_like(want) if got is None else got
        error += float((given.double() - want.double()).square().sum())
        size += float(want.double().square().sum())
    return math.sqrt(error / size) if size else math.sqrt(error)


@contextmanager
def adapter_off_zero(model: Any) -> Iterator[None]:
    """Move every trainable B of a LoRA off zero within the context, then restore its bits.

    A fresh adapter has B = 0, so an error in its product would not be visible.
    """
    moved = [(p, p.detach().clone()) for n, p in model.named_parameters() if ".lora_B." in n and p.requires_grad]
    generator = torch.Generator().manual_seed(0)
    try:
        with torch.no_grad():
            for parameter, _ in moved:
                noise = torch.randn(parameter.shape, generator=generator) * 0.02
                parameter.add_(noise.to(parameter.device, parameter.dtype))
        yield
    finally:
        with torch.no_grad():
            for parameter, before in moved:
                parameter.copy_(before)


def _first_line(error: Exception) -> str:
    text = error.message if isinstance(error, UserError) else str(error)
    return (text.strip().splitlines() or [type(error).__name__])[0].rstrip(".")
