"""The layout of a pair as one row, [prompt | chosen | rejected]: both responses share the prompt.

The last token of a response predicts nothing, so its state is not computed. The state of the prompt's last token
predicts the first token of both responses, so it is gathered twice. The positions of the rejected response restart at
the prompt's end, and a mask hides each response from the other: every state equals that of a row of its own.

Subclasses of :class:`RowScorer` compute the hidden states of rows; everything else is in this module.
"""

from __future__ import annotations

import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import torch
from torch import Tensor

from core.generation.lm_head import HeadSpec
from core.training.forward.fused_head import RowScores, score_rows
from core.training.forward.scorer import ResponseHidden, Scores, TokenWeights, no_grad_if
from core.training.text.encoded_pair import EncodedPair

PROMPT, CHOSEN, REJECTED = 0, 1, 2


@dataclass(frozen=True, slots=True)
class PrefixRow:
    """A pair laid out as one row of ``length`` tokens.

    Attributes:
        ids: token ids of prompt, then chosen, then rejected, as far as their states are used.
        prompt, chosen, rejected: number of tokens of each part.
        gather: for every predicted token, chosen's first, the index of the state that predicts it.
        targets: the predicted tokens.
        split: how many of the targets are chosen's.
    """

    ids: tuple[int, ...]
    prompt: int
    chosen: int
    rejected: int
    gather: tuple[int, ...]
    targets: tuple[int, ...]
    split: int

    @property
    def length(self) -> int:
        """Tokens in the row."""
        return len(self.ids)

    @property
    def positions(self) -> list[int]:
        """Position of each token in the sequence it belongs to."""
        chosen_end = self.prompt + self.chosen
        return [*range(chosen_end), *range(self.prompt, self.prompt + self.rejected)]

    @property
    def branches(self) -> list[int]:
        """Part each token belongs to: ``PROMPT``, ``CHOSEN`` or ``REJECTED``."""
        return [PROMPT] * self.prompt + [CHOSEN] * self.chosen + [REJECTED] * self.rejected


def lay_out(pair: EncodedPair) -> PrefixRow:
    """Lay a pair out as one row; a token without a predecessor is not predicted and is no target."""
    prompt = len(pair.prompt_ids)
    ids, gather, targets = list(pair.prompt_ids), [], []
    lengths, counts = [], []
    for answer, mask in ((pair.chosen_ids, pair.chosen_mask), (pair.rejected_ids, pair.rejected_mask)):
        start = len(ids)
        wanted = [j for j, flag in enumerate(mask) if flag and (j > 0 or prompt > 0)]
        kept = wanted[-1] if wanted else 0
        ids.extend(answer[:kept])
        gather.extend(start + j - 1 if j > 0 else prompt - 1 for j in wanted)
        targets.extend(answer[j] for j in wanted)
        lengths.append(kept)
        counts.append(len(wanted))
    return PrefixRow(tuple(ids), prompt, lengths[0], lengths[1], tuple(gather), tuple(targets), counts[0])


def allowed(
    query: tuple[Tensor, Tensor, Tensor, Tensor], key: tuple[Tensor, Tensor, Tensor, Tensor], window: int = 0
) -> Tensor:
    """Return which keys a query may attend to, elementwise over broadcastable (pair, branch, index, position).

    A query attends to earlier tokens and itself, within its own pair, in the prompt or its own response, and at most
    ``window - 1`` positions back when a window is given.
    """
    pair_q, branch_q, index_q, position_q = query
    pair_k, branch_k, index_k, position_k = key
    sees = (pair_q == pair_k) & (index_k <= index_q) & ((branch_k == PROMPT) | (branch_k == branch_q))
    if window:
        sees = sees & (position_q - position_k < window)
    return sees


@dataclass(frozen=True, slots=True)
class Pack:
    """Rows one after the other in a single sequence.

    Attributes:
        ids, positions, pair, branch: (tokens,) int64.
        gather: (targets,) int64 indices into the sequence.
    """

    ids: Tensor
    positions: Tensor
    pair: Tensor
    branch: Tensor
    gather: Tensor

    def coordinates(self, along: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Return (pair, branch, index, position) as a column (``along`` 0) or a row (1), for :func:`allowed`."""
        index = torch.arange(len(self.ids), device=self.ids.device)
        values = (self.pair, self.branch, index, self.positions)
        pair, branch, index, position = (v[:, None] if along == 0 else v[None, :] for v in values)
        return pair, branch, index, position

    def mask(self, window: int = 0) -> Tensor:
        """Return the (tokens, tokens) boolean mask, True where attention may go."""
        return allowed(self.coordinates(0), self.coordinates(1), window)


def pack(rows: Sequence[PrefixRow], device: torch.device | str = "cpu") -> Pack:
    """Return rows concatenated into one sequence."""
    ids, positions, pair, branch, gather = [], [], [], [], []
    for number, row in enumerate(rows):
        gather.extend(len(ids) + index for index in row.gather)
        ids.extend(row.ids)
        positions.extend(row.positions)
        branch.extend(row.branches)
        pair.extend([number] * row.length)
    columns = (
        torch.tensor(values, dtype=torch.int64, device=device) for values in (ids, positions, pair, branch, gather)
    )
    return Pack(*columns)


def groups(rows: Sequence[PrefixRow], budget: int) -> Iterator[list[PrefixRow]]:
    """Cut ``rows`` in order into runs of at most ``budget`` tokens; a longer row is a run of its own."""
    current: list[PrefixRow] = []
    tokens = 0
    for row in rows:
        if current and tokens + row.length > budget:
            yield current
            current, tokens = [], 0
        current.append(row)
        tokens += row.length
    if current:
        yield current


@dataclass(frozen=True, slots=True)
class ForwardModel:
    """One model, policy or reference, ready to compute.

    Attributes:
        hidden: rows to final hidden states (targets of all rows, width) in the order of the rows' ``gather``.
        head: its output head.
    """

    hidden: Callable[[Sequence[PrefixRow]], Tensor]
    head: HeadSpec


class RowScorer(ABC):
    """Base scorer on prefix-shared rows; subclasses supply the hidden states."""

    name: str = "rows"
    kernel_id: str = ""
    note: str = ""
    """Why no faster scorer was chosen; "" for the fastest."""
    tile: int = 0
    checkpointing: bool = False
    """Keep only the input of each layer and recompute the layer in the backward pass."""
    checkpoint_above: int = sys.maxsize
    """Tokens of a micro-batch above which layers are recomputed although ``checkpointing`` is off."""

    @abstractmethod
    def forward_model(self, *, policy: bool) -> AbstractContextManager[ForwardModel]:
        """Return a context that yields the policy or the reference, ready to compute."""

    def score(
        self,
        pairs: Sequence[EncodedPair],
        *,
        policy: bool = True,
        token_weights: TokenWeights | None = None,
        stats: bool = True,
    ) -> Scores:
        """Score ``pairs``; see :class:`core.training.forward.scorer.Scorer`."""
        return self.score_and_hidden(pairs, policy=policy, token_weights=token_weights, stats=stats)[0]

    def score_and_hidden(
        self,
        pairs: Sequence[EncodedPair],
        *,
        policy: bool = True,
        token_weights: TokenWeights | None = None,
        stats: bool = True,
    ) -> tuple[Scores, ResponseHidden]:
        """Return :meth:`score` and :meth:`response_hidden` of one pass."""
        rows = [lay_out(pair) for pair in pairs]
        with no_grad_if(not policy), self.forward_model(policy=policy) as model:
            hidden = model.hidden(rows)
            device = hidden.device
            targets, owners = _targets(rows, device), _owners(rows, device)
            found = score_rows(
                hidden,
                targets,
                owners,
                2 * len(rows),
                model.head,
                weights=None if token_weights is None else _weights(pairs, rows, token_weights, device),
                stats=stats,
                tile=self.tile,
            )
        return _as_scores(rows, found), ResponseHidden(hidden.detach(), targets, owners)

    def response_hidden(self, pairs: Sequence[EncodedPair], *, policy: bool = True) -> ResponseHidden:
        """Return hidden states of all response positions, without grad."""
        rows = [lay_out(pair) for pair in pairs]
        with torch.no_grad(), self.forward_model(policy=policy) as model:
            hidden = model.hidden(rows)
        return ResponseHidden(hidden, _targets(rows, hidden.device), _owners(rows, hidden.device))

    def recomputes(self, rows: Sequence[PrefixRow]) -> bool:
        """Return whether the layers of this micro-batch are recomputed in its backward pass."""
        if not torch.is_grad_enabled():
            return False
        return self.checkpointing or sum(row.length for row in rows) > self.checkpoint_above


def _targets(rows: Sequence[PrefixRow], device: torch.device) -> Tensor:
    return torch.tensor([t for row in rows for t in row.targets], dtype=torch.int64, device=device)


def _owners(rows: Sequence[PrefixRow], device: torch.device) -> Tensor:
    owners: list[int] = []
    for number, row in enumerate(rows):
        owners += [2 * number] * row.split + [2 * number + 1] * (len(row.targets) - row.split)
    return torch.tensor(owners, dtype=torch.int64, device=device)


def _weights(
    pairs: Sequence[EncodedPair], rows: Sequence[PrefixRow], token_weights: TokenWeights, device: torch.device
) -> Tensor:
    """Return the weight of every target; response tokens that no state predicts are left out."""
    values: list[float] = []
    for pair, row in zip(pairs, rows, strict=True):
        chosen, rejected = token_weights(pair)
        counts = (row.split, len(row.targets) - row.split)
        for given, count in zip((chosen, rejected), counts, strict=True):
            values += list(given)[len(given) - count :]
    return torch.tensor(values, dtype=torch.float32, device=device)


def _as_scores(rows: Sequence[PrefixRow], found: RowScores) -> Scores:
    """Return the scores: per-owner sums as (n, 2), per-row log-probs as two tensors a pair."""
    counts = [n for row in rows for n in (row.split, len(row.targets) - row.split)]
    parts = found.token_logps.split(counts)
    columns = [v if v is None else v.view(-1, 2) for v in (found.entropy, found.correct, found.wpo)]
    return Scores(
        logps=found.logps.view(-1, 2),
        tokens=torch.tensor(counts, dtype=torch.int64, device=found.logps.device).view(-1, 2),
        token_logps=list(zip(parts[::2], parts[1::2], strict=True)),
        entropy=columns[0],
        correct=columns[1],
        wpo=columns[2],
    )
