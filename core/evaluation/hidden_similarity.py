"""How alike the hidden states of the two answers of a pair are: what predicts a likelihood displacement (CHES)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class AnswerSimilarity:
    """The centred hidden embedding similarity of a pair, in squared units of a hidden state.

    With h_k the final hidden state that predicts token k of an answer, s_w and s_l the sums of h_k over chosen and
    rejected, and n_w, n_l their tokens. The higher it is, the more a step of DPO on the pair takes from the chosen
    answer too: the chosen answer itself is 0 away from itself.
    Source: N. Razin et al., Unintentional Unalignment, arXiv 2410.08847, definition 2 and its form by length.

    Attributes:
        ches: <s_w, s_l> - |s_w|².
        by_length: <s_w, s_l> / (n_w n_l) - |s_w|² / n_w², which compares pairs of different lengths.
    """

    ches: float
    by_length: float


def answer_similarities(hidden: Tensor, owner: Tensor, pairs: int) -> list[AnswerSimilarity]:
    """Return the similarity of each pair, summed in float64; NaN where an answer has no token.

    Args:
        hidden: (rows, width) final hidden states that predict a response token.
        owner: (rows,) int64, 2 * pair + (0 chosen, 1 rejected).
        pairs: how many pairs there are.
    """
    states, owners = hidden.detach().cpu().double(), owner.cpu()
    sums = torch.zeros(2 * pairs, states.shape[-1], dtype=torch.float64).index_add_(0, owners, states)
    counts = torch.bincount(owners, minlength=2 * pairs).tolist()
    return [_similarity(sums[2 * i], sums[2 * i + 1], counts[2 * i : 2 * i + 2]) for i in range(pairs)]


def _similarity(chosen: Tensor, rejected: Tensor, counts: Sequence[int]) -> AnswerSimilarity:
    n, m = counts
    if not (n and m):
        return AnswerSimilarity(math.nan, math.nan)
    cross, own = float(chosen @ rejected), float(chosen @ chosen)
    return AnswerSimilarity(cross - own, cross / (n * m) - own / n**2)
