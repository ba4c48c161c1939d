"""On-policy sequence KL(policy || reference) by the Rao-Blackwellised estimator, with its standard error.

Responses are sampled from the policy's own, unchanged distribution. At every prefix of a response the KL of the two
next-token distributions is computed exactly over the whole vocabulary. The sum is an unbiased estimate of the KL
between whole responses, never negative, and varies no more than the log-ratio of the sample.
Source: Amini, Vieira, Cotterell 2025, "Better Estimation of the KL Divergence Between Language Models"
(arXiv 2504.10637).

Responses are cut at a horizon. The estimate is then the KL of the cut process, a lower bound of the whole one, so the
horizon and the share of cut responses are reported with it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from core.domain.run_events import KlDone
from core.evaluation.statistics import mean_se
from core.evaluation.token_kl import DEFAULT_TILE, Logits, heads_of, row_kl
from core.generation.decoders import Decoder
from core.generation.decoding import hidden_states
from core.generation.lm import PolicyAndReference
from core.generation.requests import POLICY, REFERENCE
from core.generation.sampler import Sampled, evaluating

DEFAULT_TOKEN_BUDGET = 4096
"""Tokens of a teacher-forced batch, padding included."""


@dataclass(frozen=True, slots=True)
class Estimates:
    """The estimates of the KL from one sampled response, in nats per response.

    Attributes:
        rb: sum of exact token KLs along the response (the one to use).
        k1: log pi(y) - log ref(y): unbiased, noisy, can be negative.
        k2: k1^2 / 2: biased, useful only for a small KL.
        k3_sequence: (rho - 1) - log rho with rho = ref(y) / pi(y): unbiased, >= 0, heavy-tailed.
        k3_tokens: the same per token, summed: unbiased, >= 0.
        entropy, reference_entropy: of the next token, summed along the response; None where not asked for.
    """

    rb: float
    k1: float
    k2: float
    k3_sequence: float
    k3_tokens: float
    entropy: float | None = None
    reference_entropy: float | None = None


SAME = Estimates(0.0, 0.0, 0.0, 0.0, 0.0)
"""The estimates of a response where policy and reference are one model."""


def estimates(log_ratio: Tensor, kl: Tensor, entropies: Tensor | None = None) -> Estimates:
    """Return all estimates from one response sampled from the policy.

    Args:
        log_ratio: (tokens,) log pi - log ref of the sampled tokens.
        kl: (tokens,) exact KL of the next-token distributions at each visited prefix.
        entropies: (tokens, 2) of policy and reference there; None where not asked for.
    """
    spread = (None, None) if entropies is None else entropies.double().sum(dim=0).tolist()
    ratio = log_ratio.double()
    k1 = float(ratio.sum())
    rho_sequence = math.expm1(-k1) if k1 > -700 else math.inf
    return Estimates(
        rb=float(kl.double().sum()),
        k1=k1,
        k2=0.5 * k1 * k1,
        k3_sequence=rho_sequence + k1,
        k3_tokens=float((torch.expm1(-ratio) + ratio).sum()),
        entropy=spread[0],
        reference_entropy=spread[1],
    )


@dataclass(frozen=True, slots=True)
class AnswerKl:
    """One sampled response: its prompt's position, the sample, and its estimates of the KL."""

    prompt: int
    answer: Sampled
    estimates: Estimates

    @property
    def tokens(self) -> int:
        """Tokens of the response, the stop token included."""
        return len(self.answer.token_ids)


@dataclass(frozen=True, slots=True)
class SequenceKl:
    """The estimate over a fixed set of prompts.

    Attributes:
        kl: mean over prompts, nats per response. se: its standard error over prompts, NaN for one prompt.
        k1: the Monte Carlo estimate on the same responses. k1_se: its standard error.
        per_token: KL of all responses divided by all their tokens, nats per token.
        prompts, samples: their numbers. horizon: most tokens of a response.
        censored: share of responses cut at the horizon.
        answers: every response, in the order of the prompts.
    """

    kl: float
    se: float
    k1: float
    k1_se: float
    per_token: float
    prompts: int
    samples: int
    horizon: int
    censored: float
    answers: tuple[AnswerKl, ...] = ()

    def event(self, step: int) -> KlDone:
        """Return the event of the run; a standard error that does not exist is written as 0."""
        return KlDone(
            step=step,
            kl=self.kl,
            se=self.se if math.isfinite(self.se) else 0.0,
            k1=self.k1,
            k1_se=self.k1_se if math.isfinite(self.k1_se) else 0.0,
            per_token=self.per_token,
            samples=self.samples,
            horizon=self.horizon,
            censored=self.censored,
        )


@torch.no_grad()
def score_answers(
    pair: PolicyAndReference,
    prompts: Sequence[Sequence[int]],
    answers: Sequence[Sampled],
    *,
    token_budget: int = DEFAULT_TOKEN_BUDGET,
    tile: int = DEFAULT_TILE,
    decoder: Decoder | None = None,
    entropies: bool = False,
) -> list[Estimates]:
    """Return the estimates of each response; all must have been sampled from the policy unchanged.

    Args:
        pair: policy and reference.
        prompts: token ids of each prompt.
        answers: one of each.
        token_budget: most tokens of a pass of whole rows, padding included.
        tile: rows of logits at once.
        decoder: an open one of both models, which reads the rows; None uses the models themselves.
        entropies: also sum the entropy of the next token under both.

    Raises:
        ValueError: for a response sampled with another temperature or a truncated distribution, whose tokens do not
            follow the policy.
    """
    if any(not answer.settings.is_whole for answer in answers):
        raise ValueError("only answers sampled at temperature 1 without top-p or top-k estimate the policy's KL")
    rows = [(tuple(p), a.token_ids) for p, a in zip(prompts, answers, strict=True)]
    out: list[Estimates | None] = [None] * len(rows)
    heads = heads_of(pair)
    read = _reader(pair, decoder)
    for batch in _batches([len(p) + len(a) for p, a in rows], token_budget):
        some = [rows[i] for i in batch]
        for i, found in zip(batch, _score(read, some, heads, tile, entropies), strict=True):
            out[i] = found
    return [e for e in out if e is not None]


def summarise_answers(answers: Sequence[AnswerKl], *, horizon: int) -> SequenceKl:
    """Return means and standard errors over prompts; the responses of one prompt are averaged first."""
    by_prompt: dict[int, list[AnswerKl]] = {}
    for answer in answers:
        by_prompt.setdefault(answer.prompt, []).append(answer)
    groups = list(by_prompt.values())
    kl, se = mean_se([sum(a.estimates.rb for a in g) / len(g) for g in groups])
    k1, k1_se = mean_se([sum(a.estimates.k1 for a in g) / len(g) for g in groups])
    tokens = sum(a.tokens for a in answers)
    return SequenceKl(
        kl=kl,
        se=se,
        k1=k1,
        k1_se=k1_se,
        per_token=sum(a.estimates.rb for a in answers) / tokens,
        prompts=len(groups),
        samples=len(answers),
        horizon=horizon,
        censored=sum(not a.answer.finished for a in answers) / len(answers),
        answers=tuple(answers),
    )


Rows = Sequence[tuple[Sequence[int], Sequence[int]]]
"""Prompt and answer of each row."""
Read = Callable[[Rows, int], Tensor]
"""Rows and a group (0 policy, 1 reference) to the hidden states that predict the answers' tokens."""


def _reader(pair: PolicyAndReference, decoder: Decoder | None) -> Read:
    if decoder is not None and decoder.name == "fused":
        return decoder.answer_hidden

    def read(rows: Rows, group: int) -> Tensor:
        with nullcontext(pair.model) if group == POLICY else pair.reference() as model:
            return answer_hidden(model, rows)

    return read


def _score(read: Read, rows: Rows, heads: tuple[Logits, Logits], tile: int, entropies: bool) -> Iterator[Estimates]:
    """Yield the estimates of a batch of (prompt, answer)."""
    ours, theirs = read(rows, POLICY), read(rows, REFERENCE)
    targets = torch.tensor([t for _, answer in rows for t in answer], dtype=torch.int64, device=ours.device)
    found = row_kl(ours, theirs, *heads, targets=targets, entropies=entropies, tile=tile)
    assert found.log_ratio is not None
    lengths = [len(answer) for _, answer in rows]
    spreads = [None] * len(rows) if found.entropies is None else found.entropies.split(lengths)
    for ratio, kl, spread in zip(found.log_ratio.split(lengths), found.kl.split(lengths), spreads, strict=True):
        yield estimates(ratio, kl, spread)


def answer_hidden(model: Any, rows: Rows) -> Tensor:
    """Return the final hidden states that predict the responses' tokens, (tokens of all responses, width).

    Rows are read as :func:`core.generation.decoding.hidden_states` reads them: whole, without a cache.
    """
    with evaluating(model):
        states = hidden_states(model, [[*prompt, *answer][:-1] for prompt, answer in rows])
    return torch.cat([state[len(prompt) - 1 :] for state, (prompt, _) in zip(states, rows, strict=True)])


def _batches(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    """Yield positions in order of length, as many as fit ``budget`` tokens with padding; at least one."""
    batch: list[int] = []
    for i in sorted(range(len(lengths)), key=lambda i: lengths[i]):
        if batch and lengths[i] * (len(batch) + 1) > budget:
            yield batch
            batch = []
        batch.append(i)
    if batch:
        yield batch
