"""Decoding of Llama-shaped models by a pass of its own: many rows a step, nothing padded, nothing copied.

All tokens of a call go through the working weights of :mod:`core.generation.working_weights`. Prompts are read once
each, what they all begin with once in all; policy and reference decode in the same steps; a row that ends leaves its
place to the next prompt. Its results are those of the model's own forward pass up to rounding, which
:func:`core.generation.decoders.open_decoder` checks before it is used.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import torch
import torch.nn.functional as F
from torch import Tensor

from core.generation.fused_forward import Angles, ReadRows, forward
from core.generation.key_values import KeyValues, Shared
from core.generation.repetition import penalised
from core.generation.requests import Draw, OnStep, Request, buckets, common_start
from core.generation.working_weights import WorkingModel

READ_TOKENS = 4096
"""Tokens read in one pass, padding of the attention included."""
MIN_SHARED = 4
"""Fewer common first tokens are read with each prompt."""


@dataclass(slots=True)
class _Group:
    """The rows of the policy, or of the reference, that are open or wait."""

    cache: KeyValues
    shared: Shared
    waiting: list[Request]
    free: int
    rows: list[Request] = field(default_factory=list)


class FusedDecoder:
    """Decodes with working weights.

    Args:
        model: the weights.
        groups: 1 for one model, 2 for policy and reference on one base.
        cache_bytes: most memory of keys and values.
        rows: most rows of a group in one step.
    """

    name = "fused"
    note = ""

    def __init__(self, model: WorkingModel, groups: int, *, cache_bytes: int, rows: int) -> None:
        self._model, self.groups = model, groups
        self._angles = Angles(model)
        self._bytes, self._rows = cache_bytes, rows
        read = model.read
        self._shape = (len(model.layers), read.kv_heads, read.head_dim)
        self._token_bytes = 2 * read.kv_heads * read.head_dim * len(model.layers) * read.embedding.element_size()

    def release(self) -> None:
        """Drop the working weights."""
        del self._model, self._angles

    @torch.no_grad()
    def decode(self, requests: Sequence[Request], draw: Draw, stops: frozenset[int], on_step: OnStep) -> None:
        """Write the answer of each request into it; the order of requests does not matter."""
        finished = 0
        for bucket in buckets(requests):
            for done in self._bucket(bucket, draw, stops):
                on_step(finished + done)
            finished += len(bucket)

    @torch.no_grad()
    def answer_hidden(self, rows: Sequence[tuple[Sequence[int], Sequence[int]]], group: int) -> Tensor:
        """Return the final hidden states that predict the tokens of answers, (all answers' tokens, width).

        Args:
            rows: prompt and answer of each row.
            group: 0 for the policy, 1 for the reference.
        """
        width = self._model.read.norm.shape[0]
        found = [self._model.read.norm.new_zeros(0, width)] * len(rows)
        order = sorted(range(len(rows)), key=lambda i: len(rows[i][0]) + len(rows[i][1]))
        shared = self._shared([prompt for prompt, _ in rows], group)
        for part in _by_tokens(order, [len(p) + len(a) for p, a in rows]):
            texts = [[*rows[i][0], *rows[i][1]][shared.tokens : -1] for i in part]
            first = [len(rows[i][0]) - 1 - shared.tokens for i in part]
            keep = [list(range(at, len(text))) for at, text in zip(first, texts, strict=True)]
            states = self._read(texts, keep, group, shared)
            for i, state in zip(part, states.split([len(k) for k in keep]), strict=True):
                found[i] = state
        return torch.cat(found)

    def logits(self, hidden: Tensor) -> Tensor:
        """Return logits (rows, vocabulary) of final hidden states, float32 or wider."""
        z = self._model.head(hidden, ())
        return z if z.dtype == torch.float64 else z.float()

    def _bucket(self, requests: Sequence[Request], draw: Draw, stops: frozenset[int]) -> Iterator[int]:
        """Decode requests of similar length; yield how many are finished after each step."""
        groups = [self._group([r for r in requests if r.group == number], number) for number in range(self.groups)]
        self._angles.up_to(max(len(r.prompt) + r.most for r in requests))
        waiting = len(requests)
        while waiting:
            for number, group in enumerate(groups):
                self._admit(group, number, draw, stops)
            if any(group.rows for group in groups):
                self._step(groups, draw, stops)
            waiting = sum(len(group.waiting) + len(group.rows) for group in groups)
            yield len(requests) - waiting

    def _group(self, requests: list[Request], number: int) -> _Group:
        shared = self._shared([r.prompt for r in requests], number) if len(requests) > 1 else Shared((), ())
        capacity = max((len(r.prompt) + r.most - shared.tokens for r in requests), default=1)
        slots = max(1, min(self._rows, len(requests), self._bytes // self.groups // (capacity * self._token_bytes)))
        cache = KeyValues(slots if requests else 0, capacity, shared, self._shape, self._model.read.embedding)
        return _Group(cache, shared, sorted(requests, key=lambda r: (len(r.prompt), r.prompt)), slots)

    def _admit(self, group: _Group, number: int, draw: Draw, stops: frozenset[int]) -> None:
        """Read waiting prompts into free slots and draw their first tokens, until all slots are taken."""
        while group.waiting and group.free:
            new = _few(group.waiting[: group.free])
            del group.waiting[: len(new)]
            prompts = list(dict.fromkeys(r.prompt for r in new))
            texts = [list(prompt[group.shared.tokens :]) for prompt in prompts]
            slots = group.cache.add([len(r.prompt) - group.shared.tokens for r in new])
            source = torch.tensor([prompts.index(r.prompt) for r in new], device=slots.device)
            into = (group.cache, slots, source)
            hidden = self._read(texts, [[len(text) - 1] for text in texts], number, group.shared, into)
            group.rows += new
            group.free -= len(new)
            logits = self.logits(hidden)[source]
            self._advance(group, new, _drawn(logits, new, draw), stops)

    def _step(self, groups: Sequence[_Group], draw: Draw, stops: frozenset[int]) -> None:
        """Give every open row its next token."""
        open_groups = [group for group in groups if group.rows]
        rows = [row for group in groups for row in group.rows]
        device = self._model.read.embedding.device
        ids = torch.tensor([row.written[-1] for row in rows], device=device)
        at = torch.cat([group.cache.lengths() for group in open_groups])
        parts, begin = [], 0
        for group in groups:
            parts.append(slice(begin, begin + len(group.rows)))
            begin += len(group.rows)
            if group.rows:
                group.cache.begin_step()

        def attend(layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
            found = [
                group.cache.attend(layer, q[part], k[part], v[part])
                for group, part in zip(groups, parts, strict=True)
                if group.rows
            ]
            return found[0] if len(found) == 1 else torch.cat(found)

        angles = self._angles.cos[at], self._angles.sin[at]
        hidden = forward(self._model, ids, angles, parts, attend)
        tokens = _drawn(self.logits(hidden), rows, draw)
        for group, part in zip(groups, parts, strict=True):
            if group.rows:
                group.cache.end_step()
                self._advance(group, group.rows, tokens[part], stops)

    def _advance(self, group: _Group, rows: Sequence[Request], tokens: Sequence[int], stops: frozenset[int]) -> None:
        """Append a token to each of ``rows``, the newest of the group, and close those that end."""
        first = len(group.rows) - len(rows)
        ended = [first + i for i, (row, token) in enumerate(zip(rows, tokens, strict=True)) if row.take(token, stops)]
        if ended:
            group.rows = [group.rows[i] for i in group.cache.drop(ended)]
            group.free += len(ended)

    def _shared(self, prompts: Sequence[Sequence[int]], number: int) -> Shared:
        """Read what all prompts begin with, all but their last token at most."""
        start = common_start(prompts)
        if len(start) < MIN_SHARED:
            return Shared((), ())
        self._angles.up_to(len(start))
        keys: list[Tensor] = []
        values: list[Tensor] = []

        def attend(_layer: int, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
            q, k, v = q.transpose(0, 1)[None], k.transpose(0, 1)[None], v.transpose(0, 1)[None]
            keys.append(k[0].contiguous())
            values.append(v[0].contiguous())
            o = F.scaled_dot_product_attention(q, k, v, is_causal=True, scale=1.0, enable_gqa=True)
            return o[0].transpose(0, 1).flatten(1)

        ids = torch.tensor(start, device=self._model.read.embedding.device)
        angles = self._angles.cos[: len(start)], self._angles.sin[: len(start)]
        forward(self._model, ids, angles, self._alone(number), attend, keep=ids[:0])
        return Shared(tuple(keys), tuple(values))

    def _read(
        self,
        texts: Sequence[Sequence[int]],
        keep: Sequence[Sequence[int]],
        number: int,
        shared: Shared,
        into: tuple[KeyValues, Tensor, Tensor] | None = None,
    ) -> Tensor:
        """Return the final hidden states at the places ``keep`` of each text, all below each other."""
        device = self._model.read.embedding.device
        lengths = [len(text) for text in texts]
        self._angles.up_to(max(lengths) + shared.tokens)
        at = torch.tensor([shared.tokens + i for n in lengths for i in range(n)], device=device)
        starts = [sum(lengths[:i]) for i in range(len(lengths))]
        kept = torch.tensor([begin + i for begin, some in zip(starts, keep, strict=True) for i in some], device=device)
        ids = torch.tensor([token for text in texts for token in text], device=device)
        rows = ReadRows.of(lengths, shared, device, into)
        return forward(
            self._model,
            ids,
            (self._angles.cos[at], self._angles.sin[at]),
            self._alone(number),
            rows.attend,
            kept,
        )

    def _alone(self, number: int) -> list[slice]:
        """Return the parts of a pass whose rows all belong to one group."""
        return [slice(None) if group == number else slice(0, 0) for group in range(self.groups)]


def _drawn(logits: Tensor, rows: Sequence[Request], draw: Draw) -> list[int]:
    numbers = torch.tensor([row.next_number() for row in rows], dtype=torch.float64)
    return draw(penalised(logits, rows), numbers).tolist()


def _few(requests: Sequence[Request]) -> list[Request]:
    """Return the first requests, as many as are read in one pass; at least one."""
    count = 1
    while count < len(requests) and len(requests[count].prompt) * (count + 1) <= READ_TOKENS:
        count += 1
    return list(requests[:count])


def _by_tokens(order: Sequence[int], lengths: Sequence[int]) -> Iterator[list[int]]:
    """Yield positions in the given order, as many as are read in one pass; at least one."""
    part: list[int] = []
    for i in order:
        if part and lengths[i] * (len(part) + 1) > READ_TOKENS:
            yield part
            part = []
        part.append(i)
    if part:
        yield part
