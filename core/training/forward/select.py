"""Choose the fastest forward pass that agrees with the plain one on the run's model, data and machine.

From fast to general: ``lean`` (hand-written, Llama-shaped, CPU), ``shared`` (any decoder on prefix-shared rows),
``separate`` (padded rows). Each of the first two scores pairs of the run before it is chosen, with the adapter moved
off zero so that every product takes part: two short ones, whose log-probs and gradient must be those of padded rows,
then whole ones (the longest, and one past every length at which the model may compute otherwise), whose token
log-probs must be those of one unpadded row a call. One that fails is skipped, and the reason is reported.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from core.domain.errors import BadInput, ModelRefused, UserError
from core.domain.run_config import RunConfig
from core.generation.context import base_of, frequency_limit
from core.generation.footprint import trim_heap
from core.generation.lm import PolicyAndReference
from core.generation.lm_head import HeadSpec
from core.generation.windows import length_limits
from core.training.forward.fused_llama import FusedLlamaScorer
from core.training.forward.padded import PaddedScorer
from core.training.forward.prefix_layout import RowScorer
from core.training.forward.prefix_shared import PrefixSharedScorer
from core.training.forward.recompute import recomputable_layers
from core.training.forward.router_loss import RouterLoss
from core.training.forward.scorer import Scorer
from core.training.memory_plan import ModelShape, checkpoint_above, free_bytes
from core.training.text.encoded_pair import EncodedPair

CHECK_PAIRS = 2
CHECK_PROMPT, CHECK_RESPONSE = 24, 12
"""Tokens that a pair is cut to for the check of gradients, which would otherwise be the run's peak memory."""
CHECK_TILE = 64
"""Rows of logits at once in the check of whole pairs, which keeps nothing for a backward pass."""


@dataclass(frozen=True, slots=True)
class ForwardTolerance:
    """Allowed difference from the plain rows.

    Attributes:
        logps: of a response's log-prob, relative. gradient: relative to its norm.
        token: of a token's log-prob in nats, relative where that is above 1.
    """

    logps: float
    gradient: float
    token: float


# Two correct float32 passes over a random GPT-2 differ by 1.3e-5; with a mask that leaks, by 2e-3 to 8e-2. Single
# tokens in 16 bits differ by as much as a wrong mask changes them, so that there only sums are compared.
TOLERANCES = {
    torch.float64: ForwardTolerance(1e-6, 1e-5, 1e-6),
    torch.float32: ForwardTolerance(1e-4, 1e-3, 3e-3),
    torch.bfloat16: ForwardTolerance(3e-2, 0.2, math.inf),
    torch.float16: ForwardTolerance(1e-2, 0.1, math.inf),
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
    if config.router_aux_loss:
        if reason := depends_on_length(model, encoded):
            raise ModelRefused(f"router_aux_loss cannot be used: {reason}.", "Set router_aux_loss=0.")
        if config.forward not in ("auto", "separate"):
            raise ModelRefused("router_aux_loss needs each response in a row of its own.", "Set forward to auto.")
        note = "separate rows, because router_aux_loss is a loss of each response's tokens"
        return PaddedScorer(model, note=note, router=RouterLoss(base_of(model.model)))
    if reason := depends_on_length(model, encoded):
        if config.forward not in ("auto", "separate"):
            raise _refused(config.forward, reason)
        return _separate(model, config, encoded, [f"one answer a call: {reason}"], alone=True)
    reasons: list[str] = []
    plain = PlainRows(model, encoded)
    for name, build in _candidates(model, config, encoded, kernel):
        if config.forward not in ("auto", name):
            continue
        try:
            scorer = build()
            if reason := plain.disagreement(scorer):
                raise ModelRefused(reason)
        except Exception as error:  # noqa: BLE001 (after any failure of a fast path the next one is tried)
            reasons.append(f"{name}: {_first_line(error)}")
            continue
        scorer.note = "; ".join(reasons)
        _plan_checkpointing(scorer, model, config)
        return scorer
    if config.forward in ("auto", "separate"):
        return _separate(model, config, encoded, reasons)
    raise _refused(config.forward, reasons[0].split(": ", 1)[1])


def _refused(forward: str, reason: str) -> ModelRefused:
    return ModelRefused(f"The {forward} forward pass cannot run this model ({reason}).", "Set forward to auto.")


def _separate(
    model: PolicyAndReference,
    config: RunConfig,
    encoded: Sequence[EncodedPair],
    reasons: Sequence[str],
    *,
    alone: bool = False,
) -> PaddedScorer:
    wanted = config.grad_checkpointing == "on"
    notes = list(reasons)
    if wanted and not recomputable_layers(base_of(model.model).get_decoder()):
        notes.append("gradient checkpointing is off: this family's layers cannot be recomputed")
    scorer = PaddedScorer(model, note="; ".join(notes), checkpointing=wanted, alone=alone)
    _require_computable(scorer, model, check_pairs(encoded))
    _plan_checkpointing(scorer, model, config)
    return scorer


def _require_computable(scorer: PaddedScorer, model: PolicyAndReference, pairs: Sequence[EncodedPair]) -> None:
    """Refuse a model that not even its own forward pass computes, such as one that its adapter does not fit.

    Raises:
        ModelRefused: with the first line of the error.
    """
    try:
        with torch.enable_grad():
            if pairs:
                _probe(scorer, pairs, _watched(model.model))
    except (AttributeError, TypeError, LookupError, ValueError, RuntimeError) as error:
        if isinstance(error, torch.OutOfMemoryError) or "memory" in str(error).lower():
            raise
        kind = getattr(base_of(model.model).config, "model_type", "This model")
        raise ModelRefused(
            f"{kind} cannot compute its log-probs with these weights and this adapter: {_first_line(error)}.",
            "Name other layers in lora_targets, or choose another model.",
        ) from error


def depends_on_length(model: PolicyAndReference, encoded: Sequence[EncodedPair]) -> str:
    """Return why answers of these pairs must not share a call, or "" where they may."""
    limit, longest = frequency_limit(model.model), max((pair.longer_row for pair in encoded), default=0)
    if not 0 < limit < longest:
        return ""
    return f"the rope's frequencies follow the longest row of a call beyond {limit} tokens, and rows have {longest}"


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
        yield "shared", lambda: PrefixSharedScorer(model, checkpointing=checkpointing, flex=True, longest=longest)
    yield "shared", lambda: PrefixSharedScorer(model, checkpointing=checkpointing, kernel=kernel, longest=longest)


def _plan_checkpointing(scorer: RowScorer | PaddedScorer, model: PolicyAndReference, config: RunConfig) -> None:
    """Set the size of micro-batches above which layers are recomputed, from the memory that is free now."""
    trim_heap()
    base = base_of(model.model)
    device = next(base.parameters()).device
    try:
        shape = ModelShape.of(base.config.to_dict(), base.num_parameters())
    except BadInput:
        return
    scorer.checkpoint_above = checkpoint_above(shape, config, forward=scorer.name, available=free_bytes(device))


def check_pairs(encoded: Sequence[EncodedPair]) -> list[EncodedPair]:
    """Return the pairs whose gradients are compared: two, cut short."""
    usable = _usable(encoded)
    return [_cut_short(pair) for pair in (usable[:1] + usable[-1:])[:CHECK_PAIRS]]


def whole_pairs(encoded: Sequence[EncodedPair], limits: Sequence[int]) -> list[EncodedPair]:
    """Return the pairs that are compared at full length: the longest, and the shortest one past each of ``limits``."""
    ordered = sorted(_usable(encoded), key=lambda pair: pair.longer_row)
    past = [next((p for p in ordered if p.longer_row > limit), None) for limit in limits]
    chosen = [*ordered[-1:], *(pair for pair in past if pair is not None)]
    return list({id(pair): pair for pair in chosen}.values())


def _usable(encoded: Sequence[EncodedPair]) -> list[EncodedPair]:
    return [p for p in encoded if all(p.response_tokens()) and p.prompt_ids]


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


class PlainRows:
    """What the plain pass gives for the pairs of the check, computed once and compared with each fast pass."""

    def __init__(self, model: PolicyAndReference, encoded: Sequence[EncodedPair]) -> None:
        self._model = model
        self._short = check_pairs(encoded)
        self._whole = whole_pairs(encoded, length_limits(model.model))
        self._watched = _watched(model.model)
        dtype = base_of(model.model).get_input_embeddings().weight.dtype
        self._allowed = TOLERANCES.get(dtype, TOLERANCES[torch.float16])

    @cached_property
    def _expected(self) -> Probed:
        return _probe(PaddedScorer(self._model), self._short, self._watched)

    @cached_property
    def _expected_tokens(self) -> list[Tensor]:
        plain = PaddedScorer(self._model, alone=True)
        return [_token_logps(plain, self._model, pair) for pair in self._whole]

    def disagreement(self, scorer: Scorer) -> str:
        """Return how ``scorer`` differs from the plain rows beyond rounding, or "" where it does not."""
        with adapter_off_zero(self._model.model):
            return self._on_short_pairs(scorer) or self._on_whole_pairs(scorer)

    def _on_short_pairs(self, scorer: Scorer) -> str:
        if not self._short:
            return ""
        with torch.enable_grad():
            found, expected = _probe(scorer, self._short, self._watched), self._expected
        for what, got, want in zip(("policy", "reference"), found[:2], expected[:2], strict=True):
            off = float(((got - want).abs() / want.abs().clamp_min(1.0)).max())
            if not off <= self._allowed.logps:
                return f"{what} log-probs differ from the plain rows by {off:.1e}"
        off = _relative(found[2], expected[2])
        return "" if off <= self._allowed.gradient else f"gradients differ from those of the plain rows by {off:.1e}"

    def _on_whole_pairs(self, scorer: Scorer) -> str:
        for pair, want in zip(self._whole, self._expected_tokens, strict=True):
            got = _token_logps(scorer, self._model, pair)
            off = float(((got - want).abs() / want.abs().clamp_min(1.0)).max())
            total = float(((got.sum() - want.sum()) / want.sum().abs().clamp_min(1.0)).abs())
            if not (off <= self._allowed.token and total <= self._allowed.logps):
                return f"log-probs of a pair of {pair.length} tokens differ from those of its rows alone by {off:.1e}"
        return ""


def _token_logps(scorer: Scorer, model: PolicyAndReference, pair: EncodedPair) -> Tensor:
    """Return the policy's log-prob of each response token of a whole pair, chosen's first; float64 on the CPU."""
    found = scorer.response_hidden([pair])
    head = HeadSpec.from_model(model.model)
    parts = []
    with torch.no_grad():
        for hidden, targets in zip(found.hidden.split(CHECK_TILE), found.targets.split(CHECK_TILE), strict=True):
            parts.append(torch.log_softmax(head.logits(hidden), dim=-1).gather(1, targets[:, None]).squeeze(1))
    return torch.cat(parts).cpu().double()


Probed = tuple[Tensor, Tensor, list[Tensor | None]]
"""Log-probs of policy and of reference, (pairs, 2) each, and a gradient by tensor."""


def _probe(scorer: Scorer, pairs: Sequence[EncodedPair], watched: list[nn.Parameter]) -> Probed:
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
    """Move all that an adapter trains but A off its start within the context, then restore its bits.

    A fresh adapter has B = 0 (on an embedding A = 0), so an error in its product would not be visible.
    """
    apart = (".lora_B.", ".lora_embedding_A.", ".lora_magnitude_vector.", ".modules_to_save.")
    moved = [
        (p, p.detach().clone())
        for n, p in model.named_parameters()
        if p.requires_grad and any(part in n for part in apart)
    ]
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
    text = error.message if isinstance(error, UserError) else str(error).partition(". ")[0]  # torch explains at length
    return (text.strip().splitlines() or [type(error).__name__])[0].rstrip(".")
