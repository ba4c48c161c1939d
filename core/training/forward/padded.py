"""The scorer ``separate``: each response is a padded row of its own, with full logits and plain autograd.

Nothing is shared, tiled or written by hand here: the fast scorers are checked against this one. It also runs the
architectures that cannot compute prefix-shared rows (state spaces, attention in chunks), and, one response a call,
those whose rope depends on the longest row of a call.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor

from core.generation.context import base_of, forget_lengths, frequency_limit
from core.generation.lm import PolicyAndReference
from core.generation.lm_head import HeadSpec
from core.training.forward.recompute import layer_checkpointing
from core.training.forward.router_loss import RouterLoss
from core.training.forward.scorer import ResponseHidden, Scores, TokenWeights, no_grad_if
from core.training.text.encoded_pair import EncodedPair


@dataclass(frozen=True, slots=True)
class PaddedRows:
    """``2 n`` rows, chosen and rejected of each pair in turn.

    Attributes:
        ids, attention, positions: (2 n, length) int64; padding has attention 0 and id 0.
        rows, columns: (targets,) int64, place of the state that predicts each response token.
        targets: (targets,) int64, the predicted tokens. counts: targets of each row.
    """

    ids: Tensor
    attention: Tensor
    positions: Tensor
    rows: Tensor
    columns: Tensor
    targets: Tensor
    counts: list[int]

    def single_rows(self) -> Iterator[PaddedRows]:
        """Yield each row by itself, its padding cut off."""
        for row in range(len(self.counts)):
            kept = self.attention[row].bool()
            start = int(kept.to(torch.int64).argmax())
            ids, attention, positions = (v[row, kept][None] for v in (self.ids, self.attention, self.positions))
            own = self.rows == row
            columns = self.columns[own] - start
            yield PaddedRows(
                ids, attention, positions, torch.zeros_like(columns), columns, self.targets[own], [self.counts[row]]
            )


def pad_rows(
    pairs: Sequence[EncodedPair], device: torch.device | str = "cpu", side: Literal["left", "right"] = "right"
) -> PaddedRows:
    """Lay pairs out as padded rows. Positions count from each row's own first token on either side."""
    sequences = [(p.prompt_ids, ids, mask) for p in pairs for ids, mask in _answers(p)]
    length = max((len(prompt) + len(ids) for prompt, ids, _ in sequences), default=1)
    ids = torch.zeros(len(sequences), length, dtype=torch.int64)
    attention, positions = torch.zeros_like(ids), torch.zeros_like(ids)
    rows: list[int] = []
    columns: list[int] = []
    targets: list[int] = []
    counts: list[int] = []
    for row, (prompt, answer, mask) in enumerate(sequences):
        tokens = (*prompt, *answer)
        start = length - len(tokens) if side == "left" else 0
        part = slice(start, start + len(tokens))
        ids[row, part] = torch.tensor(tokens, dtype=torch.int64)
        attention[row, part] = 1
        positions[row, part] = torch.arange(len(tokens))
        wanted = [len(prompt) + j for j, flag in enumerate(mask) if flag and len(prompt) + j > 0]
        rows += [row] * len(wanted)
        columns += [start + at - 1 for at in wanted]
        targets += [tokens[at] for at in wanted]
        counts.append(len(wanted))
    index = [torch.tensor(v, dtype=torch.int64, device=device) for v in (rows, columns, targets)]
    return PaddedRows(ids.to(device), attention.to(device), positions.to(device), *index, counts=counts)


def _answers(pair: EncodedPair) -> tuple[tuple[tuple[int, ...], tuple[int, ...]], ...]:
    return (pair.chosen_ids, pair.chosen_mask), (pair.rejected_ids, pair.rejected_mask)


class PaddedScorer:
    """Implements :class:`core.training.forward.scorer.Scorer` with padded rows and full logits at response positions.

    Args:
        model: policy and reference.
        side: of the padding; up to rounding, the result does not depend on it.
        note: why no faster scorer was chosen.
        checkpointing: recompute each decoder layer in the backward pass instead of keeping its activations.
        alone: make a call of its own for each response, without padding; rows beyond the length up to which a model's
            rope is fixed always get one.
        router: also computes the loss of the policy's routers.
    """

    name = "separate"
    checkpoint_above: int = sys.maxsize
    """Tokens of a micro-batch, padding included, above which layers are recomputed although that is off."""

    def __init__(
        self,
        model: PolicyAndReference,
        *,
        side: Literal["left", "right"] = "right",
        note: str = "",
        checkpointing: bool = False,
        alone: bool = False,
        router: RouterLoss | None = None,
    ) -> None:
        self._model = model
        self._side: Literal["left", "right"] = side
        self.note = note
        self.checkpointing = checkpointing
        self.alone = alone
        self._router = router
        weight = HeadSpec.from_model(model.model).weight
        self._device = weight.device
        way = "separate-1-alone" if alone else "separate-1"
        self.kernel_id = f"{way}/{weight.dtype}/{weight.device.type}/torch-{torch.__version__}"

    def score(
        self,
        pairs: Sequence[EncodedPair],
        *,
        policy: bool = True,
        token_weights: TokenWeights | None = None,
        stats: bool = True,
    ) -> Scores:
        """Score ``pairs``; see :class:`core.training.forward.scorer.Scorer`."""
        padded = pad_rows(pairs, self._device, self._side)
        router = self._router if policy else None
        recording = nullcontext([]) if router is None else router.recording()
        with no_grad_if(not policy), self._live_model(policy) as live, recording as recorded:
            logits = HeadSpec.from_model(live).logits(self._states(live, padded))
            logp = torch.log_softmax(logits, dim=-1)
            token_logp = logp.gather(1, padded.targets[:, None]).squeeze(1)
            wide = token_logp.to(torch.float32 if self._device.type == "mps" else torch.float64)
            weighted = wide if token_weights is None else wide * self._weights(pairs, padded, token_weights)
            logps = _sum_by_row(weighted, padded)
        parts = token_logp.detach().split(padded.counts)
        scores = Scores(
            logps=logps,
            tokens=torch.tensor(padded.counts, dtype=torch.int64, device=self._device).view(-1, 2),
            token_logps=list(zip(parts[::2], parts[1::2], strict=True)),
        )
        if router is not None:
            scores.router = router.of_rows(recorded, padded.attention).view(-1, 2)
        if stats:
            _add_statistics(scores, logp.detach(), token_logp.detach(), padded)
        return scores

    def response_hidden(self, pairs: Sequence[EncodedPair], *, policy: bool = True) -> ResponseHidden:
        """Return hidden states of all response positions, without grad."""
        padded = pad_rows(pairs, self._device, self._side)
        with torch.no_grad(), self._live_model(policy) as live:
            hidden = self._states(live, padded)
        return ResponseHidden(hidden, padded.targets, padded.rows)

    @contextmanager
    def _live_model(self, policy: bool) -> Iterator[Any]:
        with nullcontext(self._model.model) if policy else self._model.reference() as live:
            yield live

    def _states(self, live: Any, padded: PaddedRows) -> Tensor:
        decoder = base_of(live).get_decoder()
        with layer_checkpointing(decoder, self._recomputes(padded)):
            if not (self.alone or 0 < frequency_limit(live) < padded.ids.shape[1]):
                return _states(decoder, padded)
            found = []
            for row in padded.single_rows():
                forget_lengths(live)
                found.append(_states(decoder, row))
        return torch.cat(found)

    def _recomputes(self, padded: PaddedRows) -> bool:
        return torch.is_grad_enabled() and (self.checkpointing or padded.ids.numel() > self.checkpoint_above)

    def _weights(self, pairs: Sequence[EncodedPair], padded: PaddedRows, token_weights: TokenWeights) -> Tensor:
        """Return the weight of every target; a first token that no state predicts has none."""
        given = [side for pair in pairs for side in token_weights(pair)]
        values = [w for side, count in zip(given, padded.counts, strict=True) for w in list(side)[len(side) - count :]]
        return torch.tensor(values, dtype=torch.float32, device=self._device)


def _states(decoder: Any, padded: PaddedRows) -> Tensor:
    """Return the final hidden states (targets, width) that predict response tokens."""
    inputs: dict[str, Any] = {"input_ids": padded.ids, "attention_mask": padded.attention, "use_cache": False}
    if "position_ids" in inspect.signature(decoder.forward).parameters:
        inputs["position_ids"] = padded.positions
    hidden = decoder(**inputs, return_dict=True).last_hidden_state
    return hidden[padded.rows, padded.columns]


def _sum_by_row(values: Tensor, padded: PaddedRows) -> Tensor:
    """Sum (targets,) values over each row and return (n, 2)."""
    sums = torch.zeros(len(padded.counts), dtype=values.dtype, device=values.device)
    return sums.index_add(0, padded.rows, values).view(-1, 2)


def _add_statistics(scores: Scores, logp: Tensor, token_logp: Tensor, padded: PaddedRows) -> None:
    """Fill entropy, correct and wpo from the (targets, vocabulary) log-probs."""
    best = logp.amax(dim=-1) == token_logp
    scores.entropy = _sum_by_row(-(logp.exp() * logp).sum(-1), padded)
    scores.correct = _sum_by_row(best.to(logp.dtype), padded)
    scores.wpo = _sum_by_row(token_logp - torch.logsumexp(2 * logp, dim=-1), padded)
