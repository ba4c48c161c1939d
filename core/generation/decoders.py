"""Choose how answers are written: by the fused pass where the model has the right shape, else by the general one.

A decoder is opened for one or more calls of :func:`core.generation.sampler.sample`, keeps the working weights meanwhile
and releases them at the end. Before a fast one is used it writes a few forced tokens, and its log-probs are compared
with those of the model's own forward pass over whole rows. One that differs is not used, and the reason is its note.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import replace
from typing import Any, Protocol

import torch
from torch import Tensor

from core.domain.errors import ModelRefused, UserError
from core.generation.context import base_of
from core.generation.decoding import decode, hidden_states
from core.generation.fused_decoder import FusedDecoder
from core.generation.fused_weights import FusedLayer, FusedModel, read_decoder
from core.generation.lm_head import HeadSpec
from core.generation.low_rank import AdaptedLinear
from core.generation.requests import Draw, OnStep, Request
from core.generation.working_layers import active_adapter, working_layers
from core.generation.working_weights import working_model

CACHE_BYTES = {"cpu": 512 << 20}
"""Most bytes of keys and values, by kind of device."""
OTHER_CACHE_BYTES = 4 << 30
ROWS = 64
"""Most rows of a model in one step; more hardly speed up a product."""
KINDS = ("auto", "fused", "general", "plain")
_CHECK_PROMPT, _CHECK_TOKENS, _CHECK_ROWS = 24, 3, 2
_TOLERANCE = {torch.float64: 1e-6, torch.float32: 3e-3, torch.bfloat16: 0.25, torch.float16: 0.05}
"""Allowed difference of a log-prob in nats, relative where that is above 1."""
_LIKELY = -12.0
"""Log-probs below this are not compared: 16-bit weights round them coarsely, and they decide nothing."""

Open = Callable[[], AbstractContextManager[Any]]
"""Returns a context that yields a causal LM."""


class Decoder(Protocol):
    """Writes answers of one model (group 0), or of policy (group 0) and reference (group 1).

    Attributes:
        name: "fused", "general" (the model's own layers with working weights) or "plain" (the model as it is).
        note: why no faster one was chosen; "" for nothing.
    """

    name: str
    note: str

    def decode(self, requests: Sequence[Request], draw: Draw, stops: frozenset[int], on_step: OnStep) -> None:
        """Write the answer of each request into it."""
        ...

    def answer_hidden(self, rows: Sequence[tuple[Sequence[int], Sequence[int]]], group: int) -> Tensor:
        """Return the final hidden states that predict the tokens of answers, (all answers' tokens, width)."""
        ...


@contextmanager
def open_decoder(
    model: Any, prompts: Sequence[Sequence[int]], *, kind: str = "auto", rows: int = ROWS
) -> Iterator[Decoder]:
    """Yield a decoder of one causal LM for the length of the context, in which its weights must not change.

    Args:
        model: a transformers or PEFT causal LM, with the adapter switched on that answers.
        prompts: some of those to come; two of them are cut short and used for the check.
        kind: "auto", or the one decoder that may be used.
        rows: most rows of a model in one step.

    Raises:
        ModelRefused: when ``kind`` names a decoder that this model has not.
    """
    with _opened([lambda: nullcontext(model)], prompts, kind, rows) as decoder:
        yield decoder


@contextmanager
def open_pair_decoder(
    pair: Any, prompts: Sequence[Sequence[int]], *, kind: str = "auto", rows: int = ROWS
) -> Iterator[Decoder]:
    """Yield a decoder of policy and reference; ``pair`` is a :class:`core.generation.lm.PolicyAndReference`."""
    with _opened([lambda: nullcontext(pair.model), pair.reference], prompts, kind, rows) as decoder:
        yield decoder


@contextmanager
def _opened(models: Sequence[Open], prompts: Sequence[Sequence[int]], kind: str, rows: int) -> Iterator[Decoder]:
    """Yield the fastest decoder that agrees with the models' own forward passes."""
    own = _OwnPass(models, prompts)
    notes: list[str] = []
    for name, build in (("fused", _fused), ("general", _general)):
        if kind not in ("auto", name):
            continue
        with ExitStack() as stack:
            try:
                decoder = build(models, stack, max((len(p) for p in prompts), default=1), max(rows, 1))
                if reason := own.disagreement(decoder):
                    raise ModelRefused(reason)
            except Exception as error:  # noqa: BLE001 (after any failure of a fast path the next one is tried)
                notes.append(f"{name}: {_first_line(error)}")
                continue
            decoder.note = "; ".join(notes)
            yield decoder
            return
    if kind not in ("auto", "plain"):
        raise ModelRefused(f"This model cannot be decoded that way ({notes[0]}).", "Choose the decoder auto.")
    yield GeneralDecoder(models, name="plain", rows=max(rows, 1), note="; ".join(notes))


def _fused(models: Sequence[Open], stack: ExitStack, longest: int, rows: int) -> Decoder:
    read: list[FusedModel] = []
    heads: list[Tensor] = []
    for opened in models:
        with opened() as model:
            read.append(read_decoder(model, (active_adapter(model), ""), frozen=False))
            heads.append(HeadSpec.from_model(model).weight)
    window = read[0].window
    if window and longest >= window:
        raise ModelRefused(f"prompts of {longest} tokens exceed its attention window of {window}")
    whole = read[0] if len(read) == 1 else _joined(read[0], read[1])
    weights = working_model(whole, heads[0], len(read))
    decoder = FusedDecoder(weights, len(read), cache_bytes=CACHE_BYTES["cpu"], rows=rows)
    stack.callback(decoder.release)
    return decoder


def _joined(policy: FusedModel, reference: FusedModel) -> FusedModel:
    """Return one model with the adapters of both.

    Raises:
        ModelRefused: when they have not the same base.
    """
    if policy.embedding is not reference.embedding or policy.norm is not reference.norm:
        raise ModelRefused("policy and reference have weights of their own")
    return replace(
        policy, layers=tuple(_joined_layer(a, b) for a, b in zip(policy.layers, reference.layers, strict=True))
    )


def _joined_layer(policy: FusedLayer, reference: FusedLayer) -> FusedLayer:
    def join(ours: AdaptedLinear, theirs: AdaptedLinear) -> AdaptedLinear:
        if ours.weight.data_ptr() != theirs.weight.data_ptr():
            raise ModelRefused("policy and reference have weights of their own")
        return replace(ours, reference=theirs.policy)

    names = ("q", "k", "v", "o", "gate", "up", "down")
    return replace(policy, **{name: join(getattr(policy, name), getattr(reference, name)) for name in names})


def _general(models: Sequence[Open], _stack: ExitStack, _longest: int, rows: int) -> Decoder:
    return GeneralDecoder(models, name="general", rows=rows)


class GeneralDecoder:
    """Decodes any family by its own layers, one model after the other; keeps :class:`Decoder`."""

    def __init__(self, models: Sequence[Open], *, name: str, rows: int = ROWS, note: str = "") -> None:
        self._models, self.name, self._rows, self.note = models, name, rows, note

    def decode(self, requests: Sequence[Request], draw: Draw, stops: frozenset[int], on_step: OnStep) -> None:
        """Write the answer of each request into it."""
        done = 0
        for group in sorted({request.group for request in requests}):
            mine = [request for request in requests if request.group == group]
            with self._using(group) as model:
                before = done
                device = base_of(model).get_input_embeddings().weight.device.type
                memory = CACHE_BYTES.get(device, OTHER_CACHE_BYTES)
                decode(mine, model, draw, stops, lambda n: on_step(before + n), memory=memory, rows=self._rows)  # noqa: B023 (called within)
            done += len(mine)

    def answer_hidden(self, rows: Sequence[tuple[Sequence[int], Sequence[int]]], group: int) -> Tensor:
        """Return the final hidden states that predict the tokens of answers, (all answers' tokens, width)."""
        with self._using(group) as model:
            states = hidden_states(model, [[*prompt, *answer][:-1] for prompt, answer in rows])
        return torch.cat([state[len(prompt) - 1 :] for state, (prompt, _) in zip(states, rows, strict=True)])

    @contextmanager
    def _using(self, group: int) -> Iterator[Any]:
        with self._models[group]() as model, torch.no_grad():
            with working_layers(model) if self.name == "general" else nullcontext():
                yield model


class _OwnPass:
    """What the models' own forward passes give for the tokens of the check; computed once."""

    def __init__(self, models: Sequence[Open], prompts: Sequence[Sequence[int]]) -> None:
        ordered = sorted(prompts, key=len)
        some = [tuple(prompt[-_CHECK_PROMPT:]) for prompt in (ordered[:1] + ordered[-1:])[:_CHECK_ROWS]]
        self._models, self._prompts = models, list(dict.fromkeys(some))
        self._forced = [tuple((prompt * _CHECK_TOKENS)[:_CHECK_TOKENS]) for prompt in self._prompts]
        self._expected: list[Tensor] | None = None

    def disagreement(self, decoder: Decoder) -> str:
        """Return how a decoder differs beyond rounding, or "" where it does not."""
        if not self._prompts:
            return ""
        if self._expected is None:
            self._expected = [self._own(opened) for opened in self._models]
        for group, expected in enumerate(self._expected):
            found = self._forced_logps(decoder, group, expected)
            off = float(_difference(found, expected))
            dtype = self._dtype(group)
            if not off <= _TOLERANCE.get(dtype, 0.0):
                who = ("policy", "reference")[group] if len(self._models) > 1 else "model"
                return f"log-probs of the {who} differ from its own forward pass by {off:.1e}"
        return ""

    def _dtype(self, group: int) -> torch.dtype:
        with self._models[group]() as model:
            return base_of(model).get_input_embeddings().weight.dtype

    def _own(self, opened: Open) -> Tensor:
        """Return the log-probs (rows, tokens, vocabulary) of whole rows."""
        rows = [[*p, *forced][:-1] for p, forced in zip(self._prompts, self._forced, strict=True)]
        with opened() as model, torch.no_grad():
            states = hidden_states(model, rows)
            last = torch.stack([state[-_CHECK_TOKENS:] for state in states])
            return torch.log_softmax(HeadSpec.from_model(model).logits(last), dim=-1)

    def _forced_logps(self, decoder: Decoder, group: int, like: Tensor) -> Tensor:
        """Let the decoder write the forced tokens; its numbers tell which row and token a draw is for."""
        found = torch.full_like(like, float("nan"))
        numbers = [[float(i * _CHECK_TOKENS + t) for t in range(_CHECK_TOKENS)] for i in range(len(self._prompts))]

        def draw(logits: Tensor, which: Tensor) -> Tensor:
            tokens = []
            for row, number in zip(logits, which.tolist(), strict=True):
                i, t = divmod(int(number), _CHECK_TOKENS)
                found[i, t] = torch.log_softmax(row, dim=-1)
                tokens.append(self._forced[i][t])
            return torch.tensor(tokens)

        requests = [
            Request(prompt, mine, _CHECK_TOKENS, group) for prompt, mine in zip(self._prompts, numbers, strict=True)
        ]
        decoder.decode(requests, draw, frozenset(), lambda _done: None)
        return found


def _difference(found: Tensor, expected: Tensor) -> Tensor:
    """Return the largest difference of the log-probs of likely tokens, relative where they are above 1 nat."""
    off = (found - expected).abs() / expected.abs().clamp_min(1.0)
    return torch.where(expected > _LIKELY, off, 0.0 * off).max()


def _first_line(error: Exception) -> str:
    text = error.message if isinstance(error, UserError) else str(error)
    return (text.strip().splitlines() or [type(error).__name__])[0].rstrip(".")
