"""Samples responses from a causal language model in batches, and records every decoder setting.

Tokens are drawn by inverting the distribution function at a number that depends only on the response's own seed and
the position (see :mod:`core.generation.seeds`). A response therefore does not depend on the other prompts in its
batch, and two models with the same seed write the same response as far as their distributions agree: side-by-side
samples differ because the models differ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from core.domain.errors import BadInput
from core.domain.pair import GenerationRecord
from core.generation.context import base_of
from core.generation.decoding import decode
from core.generation.seeds import uniforms

_TOP_P_CANDIDATES = 512
"""Most likely tokens that top-p tries first; the vocabulary is sorted only when they do not suffice."""


@dataclass(frozen=True, slots=True)
class DecoderSettings:
    """How the next token is drawn.

    Attributes:
        temperature: divides the logits; 0 takes the most likely token.
        top_p: keep the smallest set of most likely tokens with at least this probability; 1 is off.
        top_k: keep this many most likely tokens, with ties of the last one; 0 is off.
        max_new_tokens: most tokens of a response.

    Raises:
        BadInput: for a value out of bounds.
    """

    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    max_new_tokens: int = 128

    def __post_init__(self) -> None:
        if not 0 <= self.temperature < 100:
            raise BadInput(f"The temperature cannot be {self.temperature}.", "Choose a value from 0 (greedy) up.")
        if not 0 < self.top_p <= 1:
            raise BadInput(f"top_p cannot be {self.top_p}.", "Choose a value above 0, at most 1 (off).")
        if self.top_k < 0:
            raise BadInput(f"top_k cannot be {self.top_k}.", "Choose a number of tokens, or 0 (off).")
        if self.max_new_tokens < 1:
            raise BadInput("max_new_tokens must be at least 1.", "Set it to 1 or more.")

    @property
    def is_whole(self) -> bool:
        """Whether the model's own distribution is sampled unchanged, as an on-policy KL requires."""
        return self.temperature == 1.0 and self.top_p == 1.0 and self.top_k == 0


@dataclass(frozen=True, slots=True)
class Sampled:
    """One sampled response.

    Attributes:
        text: decoded without the stop token and other special tokens.
        token_ids: the sampled tokens, the stop token included.
        finished: whether it ended with a stop token, not at ``max_new_tokens`` or the model's last position.
        seed: the response's own seed.
        settings: of the decoder.
    """

    text: str
    token_ids: tuple[int, ...]
    finished: bool
    seed: int
    settings: DecoderSettings

    def record(
        self, *, model: str = "", model_sha256: str = "", template_sha256: str = "", system_prompt: str | None = None
    ) -> GenerationRecord:
        """Return the provenance that is stored with the response; the caller names model and template."""
        return GenerationRecord(
            model=model,
            model_sha256=model_sha256,
            temperature=self.settings.temperature,
            top_p=self.settings.top_p,
            top_k=self.settings.top_k,
            max_new_tokens=self.settings.max_new_tokens,
            seed=self.seed,
            repetition_penalty=1.0,
            system_prompt=system_prompt,
            template_sha256=template_sha256,
            finished=self.finished,
        )


Progress = Callable[[int, int], None]
"""Called with (responses done, all responses) after every batch; may raise to cancel."""


def stop_ids_of(model: Any, tokenizer: Any) -> tuple[int, ...]:
    """Return the tokens that end a response: the model's generation settings and the tokenizer's EOS."""
    ids: set[int] = set()
    for source in (getattr(model, "generation_config", None), getattr(model, "config", None), tokenizer):
        value = getattr(source, "eos_token_id", None)
        ids.update(value if isinstance(value, (list, tuple)) else () if value is None else (value,))
    return tuple(sorted(ids))


def sample(
    model: Any,
    tokenizer: Any,
    prompts: Sequence[Sequence[int]],
    seeds: Sequence[int],
    settings: DecoderSettings | None = None,
    *,
    stop_ids: Sequence[int] | None = None,
    batch_size: int = 16,
    on_progress: Progress | None = None,
) -> list[Sampled]:
    """Sample one response to every prompt and return them in the order of the prompts.

    Args:
        model: a transformers or PEFT causal LM; it is in evaluation mode meanwhile.
        tokenizer: decodes the responses; None leaves the texts empty.
        prompts: token ids, at least one token each, generation header included.
        seeds: one a prompt. The same seed with another model gives a comparable sample.
        settings: temperature 1, whole distribution, 128 tokens when None.
        stop_ids: tokens that end a response; those of model and tokenizer when None.
        batch_size: prompts decoded together, of similar length.
        on_progress: called after every batch.

    Raises:
        BadInput: for an empty prompt, one that the model's positions do not hold, or another number of seeds.
    """
    settings = settings or DecoderSettings()
    if len(prompts) != len(seeds):
        raise BadInput(f"{len(prompts)} prompts came with {len(seeds)} seeds.")
    if any(len(prompt) == 0 for prompt in prompts):
        raise BadInput("A prompt has no tokens, so no response can be sampled.")
    stops = frozenset(stop_ids_of(model, tokenizer) if stop_ids is None else stop_ids)
    answers: list[Sampled | None] = [None] * len(prompts)
    by_length = sorted(range(len(prompts)), key=lambda i: len(prompts[i]))
    device = _sampling_device(base_of(model).get_input_embeddings().weight.device)

    def draw(logits: Tensor, numbers: Tensor) -> Tensor:
        return next_tokens(logits, numbers, settings)

    with torch.no_grad(), evaluating(model):
        for start in range(0, len(by_length), max(1, batch_size)):
            batch = by_length[start : start + max(1, batch_size)]
            numbers = np.stack([uniforms(seeds[i], settings.max_new_tokens) for i in batch])
            rows = decode([prompts[i] for i in batch], torch.from_numpy(numbers).to(device), model, draw, stops)
            for i, ids in zip(batch, rows, strict=True):
                finished = ids[-1] in stops
                answers[i] = Sampled(_text(tokenizer, ids, finished), tuple(ids), finished, seeds[i], settings)
            if on_progress is not None:
                on_progress(start + len(batch), len(prompts))
    return [answer for answer in answers if answer is not None]


@contextmanager
def evaluating(model: Any) -> Iterator[None]:
    """Put ``model`` in evaluation mode (no dropout, no gradient checkpointing) and back within the context.

    Every module gets its own flag back: an adapter's wrapper may be in training mode around a model that is not, and
    one flag for all would switch on that model's dropout.
    """
    training = [module for module in model.modules() if module.training]
    model.eval()
    try:
        yield
    finally:
        for module in training:
            module.training = True


def next_tokens(logits: Tensor, numbers: Tensor, settings: DecoderSettings) -> Tensor:
    """Return the next token of each row.

    It is the first token, in order of token id, at which the distribution function exceeds the row's number; with
    equal distributions equal numbers give equal tokens.

    Args:
        logits: (rows, vocabulary) raw logits in any float type.
        numbers: (rows,) float64 in [0, 1).
        settings: temperature, top_p, top_k.

    Returns:
        (rows,) int64.
    """
    if settings.temperature == 0:
        return logits.argmax(dim=-1)
    z = logits.float() if settings.temperature == 1.0 else logits.float() / settings.temperature
    if 0 < settings.top_k < z.shape[-1]:
        kth = z.topk(settings.top_k, dim=-1).values[:, -1:]
        z = z.masked_fill(z < kth, float("-inf"))
    p = torch.softmax(z, dim=-1)
    if settings.top_p < 1.0:
        p = _nucleus(p, settings.top_p)
    # Float64 sums: the error of 50,000 float32 terms would exceed the probability of many tokens.
    cumulative = p.cumsum(dim=-1, dtype=torch.float64)
    target = numbers[:, None] * cumulative[:, -1:]
    found = torch.searchsorted(cumulative, target, right=True).squeeze(-1)
    # Rounding can put the target on the total; the token is then the last one with any probability.
    last = z.shape[-1] - 1 - (p > 0).flip(-1).to(torch.uint8).argmax(dim=-1)
    return torch.minimum(found, last)


def _nucleus(p: Tensor, top_p: float) -> Tensor:
    """Set all but the most likely tokens that together reach ``top_p``, and ties of the last one, to zero."""
    candidates = min(_TOP_P_CANDIDATES, p.shape[-1])
    values = p.topk(candidates, dim=-1).values
    if candidates < p.shape[-1] and bool((values.sum(dim=-1, dtype=torch.float64) < top_p).any()):
        values = p.sort(dim=-1, descending=True).values
    reached = values.cumsum(dim=-1, dtype=torch.float64) >= top_p
    first = torch.where(reached.any(dim=-1), reached.to(torch.uint8).argmax(dim=-1), values.shape[-1] - 1)
    return p.masked_fill(p < values.gather(1, first[:, None]), 0.0)


def _sampling_device(device: torch.device) -> torch.device:
    """Return the device that tokens are drawn on: the model's, or the CPU for Apple's GPU, which has no float64."""
    return torch.device("cpu") if device.type == "mps" else device


def _text(tokenizer: Any, ids: Sequence[int], finished: bool) -> str:
    if tokenizer is None:
        return ""
    kept = list(ids[:-1]) if finished else list(ids)
    return tokenizer.decode(kept, skip_special_tokens=True, clean_up_tokenization_spaces=False)


def sample_both(
    pair: Any,
    prompts: Sequence[Sequence[int]],
    seeds: Sequence[int],
    settings: DecoderSettings | None = None,
    **options: Any,
) -> list[tuple[Sampled, Sampled]]:
    """Sample a response to every prompt from policy and reference with the same seeds.

    Args:
        pair: a :class:`core.generation.lm.PolicyAndReference`.
        prompts: token ids of each prompt.
        seeds: one a prompt, shared by both models.
        settings: shared by both models.
        options: further arguments of :func:`sample`.

    Returns:
        (policy's response, reference's response) in the order of the prompts.
    """
    ours = sample(pair.model, pair.tokenizer, prompts, seeds, settings, **options)
    with pair.reference() as reference:
        theirs = sample(reference, pair.tokenizer, prompts, seeds, settings, **options)
    return list(zip(ours, theirs, strict=True))
