"""Samples responses from a causal language model in batches, and records every decoder setting.

Tokens are drawn by inverting the distribution function at a number that depends only on the response's own seed and
the position (see :mod:`core.generation.seeds`). A response therefore does not depend on the other prompts in its
batch, and two models with the same seed write the same response as far as their distributions agree: side-by-side
samples differ because the models differ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from core.domain.errors import BadInput
from core.domain.pair import GenerationRecord
from core.generation.context import position_limit
from core.generation.decoders import ROWS, Decoder, open_decoder, open_pair_decoder
from core.generation.decoding import room
from core.generation.requests import POLICY, REFERENCE, Request
from core.generation.seeds import uniforms

_BLOCK = 256
"""Tokens whose probabilities are summed together first."""
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
        repetition_penalty: see :func:`core.generation.repetition.penalised`; 1 is off.

    Raises:
        BadInput: for a value out of bounds.
    """

    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int = 0
    max_new_tokens: int = 128
    repetition_penalty: float = 1.0

    def __post_init__(self) -> None:
        if not 0 <= self.temperature < 100:
            raise BadInput(f"The temperature cannot be {self.temperature}.", "Choose a value from 0 (greedy) up.")
        if not 0 < self.top_p <= 1:
            raise BadInput(f"top_p cannot be {self.top_p}.", "Choose a value above 0, at most 1 (off).")
        if self.top_k < 0:
            raise BadInput(f"top_k cannot be {self.top_k}.", "Choose a number of tokens, or 0 (off).")
        if self.max_new_tokens < 1:
            raise BadInput("max_new_tokens must be at least 1.", "Set it to 1 or more.")
        if not 0 < self.repetition_penalty < 100:
            raise BadInput(
                f"The repetition penalty cannot be {self.repetition_penalty}.", "1 is off; above 1 repeats less."
            )

    @property
    def is_whole(self) -> bool:
        """Whether the model's own distribution is sampled unchanged, as an on-policy KL requires."""
        return (self.temperature, self.top_p, self.top_k, self.repetition_penalty) == (1.0, 1.0, 0, 1.0)


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
            repetition_penalty=self.settings.repetition_penalty,
            system_prompt=system_prompt,
            template_sha256=template_sha256,
            finished=self.finished,
        )


Progress = Callable[[int, int], None]
"""Called with (responses done, all responses) after every token; may raise to cancel."""


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
    batch_size: int = ROWS,
    decoder: Decoder | None = None,
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
        batch_size: most prompts decoded together; fewer where their keys and values would take too much memory.
        decoder: an open one of this model (or of policy and reference, of which the policy answers), whose weights are
            then prepared once for several calls; None opens one.
        on_progress: called after every token.

    Raises:
        BadInput: for an empty prompt, one that the model's positions do not hold, or another number of seeds.
    """
    settings = settings or DecoderSettings()
    requests = _requests(model, prompts, seeds, settings, POLICY)
    stops = frozenset(stop_ids_of(model, tokenizer) if stop_ids is None else stop_ids)
    with evaluating(model), nullcontext(decoder) if decoder else open_decoder(model, prompts, rows=batch_size) as used:
        write(used, requests, settings, stops, on_progress)
    return _answers(requests, tokenizer, seeds, settings, stops)


def _requests(
    model: Any, prompts: Sequence[Sequence[int]], seeds: Sequence[int], settings: DecoderSettings, group: int
) -> list[Request]:
    if len(prompts) != len(seeds):
        raise BadInput(f"{len(prompts)} prompts came with {len(seeds)} seeds.")
    if any(len(prompt) == 0 for prompt in prompts):
        raise BadInput("A prompt has no tokens, so no response can be sampled.")
    positions, most, penalty = position_limit(model), settings.max_new_tokens, settings.repetition_penalty
    return [
        Request(
            tuple(prompt), uniforms(seed, most).tolist(), room(len(prompt), most, positions), group, penalty=penalty
        )
        for prompt, seed in zip(prompts, seeds, strict=True)
    ]


def write(
    decoder: Decoder,
    requests: Sequence[Request],
    settings: DecoderSettings,
    stops: frozenset[int],
    on_progress: Progress | None = None,
) -> None:
    """Write the answers of requests, drawn under the settings; the models are in evaluation mode."""

    def draw(logits: Tensor, numbers: Tensor) -> Tensor:
        device = _sampling_device(logits.device)
        return next_tokens(logits.to(device), numbers.to(device), settings)

    def on_step(done: int) -> None:
        if on_progress is not None:
            on_progress(done, len(requests))

    with torch.no_grad():
        decoder.decode(requests, draw, stops, on_step)


def _answers(
    requests: Sequence[Request],
    tokenizer: Any,
    seeds: Sequence[int],
    settings: DecoderSettings,
    stops: frozenset[int],
) -> list[Sampled]:
    found = []
    for request, seed in zip(requests, seeds, strict=True):
        ids = request.written
        finished = ids[-1] in stops
        found.append(Sampled(answer_text(tokenizer, ids, finished), tuple(ids), finished, seed, settings))
    return found


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
    return _first_above(p, numbers)


def _first_above(p: Tensor, numbers: Tensor) -> Tensor:
    """Return the first token at which the sum of ``p`` (rows, vocabulary) exceeds ``numbers`` times the whole sum.

    The sums are float64: the error of 50,000 float32 terms would exceed the probability of many tokens. They are taken
    by block first, which costs a tenth of one running sum over the vocabulary.
    """
    size = p.shape[-1]
    whole = size // _BLOCK * _BLOCK
    sums = p[:, :whole].unflatten(1, (whole // _BLOCK, _BLOCK)).sum(dim=-1, dtype=torch.float64)
    if whole < size:
        sums = torch.cat([sums, p[:, whole:].sum(dim=-1, keepdim=True, dtype=torch.float64)], dim=1)
    ends = sums.cumsum(dim=-1)
    target = numbers[:, None] * ends[:, -1:]
    # Rounding can put the target on the total; the token is then the last one with any probability.
    block = torch.minimum(torch.searchsorted(ends, target, right=True), _last_positive(sums))
    at = block * _BLOCK + torch.arange(_BLOCK, device=p.device)
    inside = p.gather(1, at.clamp_max(size - 1)).masked_fill_(at >= size, 0.0)
    before = (ends - sums).gather(1, block)
    found = torch.searchsorted(inside.cumsum(dim=-1, dtype=torch.float64), target - before, right=True)
    return (block * _BLOCK + torch.minimum(found, _last_positive(inside))).squeeze(1)


def _last_positive(x: Tensor) -> Tensor:
    """Return the place of the last number above 0 in each row, (rows, 1)."""
    return x.shape[-1] - 1 - (x > 0).flip(-1).to(torch.uint8).argmax(dim=-1, keepdim=True)


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


def answer_text(tokenizer: Any, ids: Sequence[int], finished: bool) -> str:
    """Return the text of an answer, without its stop token and other special tokens; "" without a tokenizer."""
    if tokenizer is None:
        return ""
    kept = list(ids[:-1]) if finished else list(ids)
    return tokenizer.decode(kept, skip_special_tokens=True, clean_up_tokenization_spaces=False)


def sample_both(
    pair: Any,
    prompts: Sequence[Sequence[int]],
    seeds: Sequence[int],
    settings: DecoderSettings | None = None,
    *,
    stop_ids: Sequence[int] | None = None,
    decoder: Decoder | None = None,
    on_progress: Progress | None = None,
) -> list[tuple[Sampled, Sampled]]:
    """Sample a response to every prompt from policy and reference with the same seeds, in the same steps.

    Args:
        pair: a :class:`core.generation.lm.PolicyAndReference`.
        prompts: token ids of each prompt.
        seeds: one a prompt, shared by both models.
        settings: shared by both models.
        stop_ids: tokens that end a response; those of the policy and its tokenizer when None.
        decoder: an open one of both models; None opens one.
        on_progress: called after every token, with the responses of both models.

    Returns:
        (policy's response, reference's response) in the order of the prompts.
    """
    settings = settings or DecoderSettings()
    stops = frozenset(stop_ids_of(pair.model, pair.tokenizer) if stop_ids is None else stop_ids)
    requests = _requests(pair.model, prompts, seeds, settings, POLICY)
    with pair.reference() as reference:
        requests += _requests(reference, prompts, seeds, settings, REFERENCE)
    with evaluating(pair.model), nullcontext(decoder) if decoder else open_pair_decoder(pair, prompts) as used:
        write(used, requests, settings, stops, on_progress)
    found = _answers(requests, pair.tokenizer, [*seeds, *seeds], settings, stops)
    return list(zip(found[: len(prompts)], found[len(prompts) :], strict=True))
