"""The events of an evaluation: frozen values that cross process and file unchanged.

The evaluator yields them; the recorder stores them; window and command line show the same ones. An evaluation begins
with :class:`EvaluationStarted` and ends with exactly one ``Finished`` or ``Failed``, which it shares with runs, as it
does ``PhaseChanged``, ``Warned`` and ``StateChanged``. Units: log-probs and KL in nats; times in seconds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from core.domain.run_events import EVENT_TYPES, Failed, Finished, PhaseChanged, RunStarted, StateChanged, Warned


@dataclass(frozen=True, slots=True)
class EvaluationStarted:
    """Always first.

    Attributes:
        answers, pairs, kl_answers: what the whole evaluation samples and scores, over all arms.
        resumed_from: how many of them earlier attempts have stored.
    """

    event: ClassVar[str] = "evaluation_started"
    evaluation_id: str
    suites: tuple[str, ...]
    arms: tuple[str, ...]
    answers: int
    pairs: int
    kl_answers: int
    device: str = ""
    resumed_from: int = 0
    attempt: int = 1


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """One answer of one arm to one item.

    Attributes:
        prompt_tokens: of the prompt as the arm read it; 0 where an endpoint did not say.
        dropped_turns: turns of the prompt that did not fit and were left out, the oldest first.
        token_ids: the sampled tokens, the stop token included; empty from an endpoint.
        tokens: how many the answer has. finished: whether it ended by itself, not at the limit of tokens.
    """

    suite: str
    arm: str
    item: str
    text: str
    tokens: int
    finished: bool
    seed: int
    prompt_tokens: int = 0
    dropped_turns: int = 0
    token_ids: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Answered:
    """A batch of answers, stored with its rows in one transaction.

    ``left_out`` names items whose prompt is too long; ``memory_bytes`` are those of the process after it, 0 where the
    arm answers elsewhere or an earlier version wrote it.
    """

    event: ClassVar[str] = "answers"
    suite: str
    arm: str
    batch: int
    count: int
    tokens: int
    seconds: float
    left_out: tuple[str, ...] = ()
    rows: tuple[AnswerRow, ...] = ()
    memory_bytes: int = 0


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """Log-probs of the two answers of one preference item under one arm: sums over response tokens, EOS included.

    ``ches`` and ``ches_by_length`` are the similarity of the hidden states of both answers under the arm (see
    :class:`core.evaluation.hidden_similarity.AnswerSimilarity`), NaN in earlier versions. Of a neutral text the chosen
    side is the text, and the rejected one has no token.
    """

    suite: str
    arm: str
    item: str
    logp_chosen: float
    logp_rejected: float
    tokens_chosen: int
    tokens_rejected: int
    truncated: bool = False
    ches: float = math.nan
    ches_by_length: float = math.nan


@dataclass(frozen=True, slots=True)
class PairsScored:
    """A batch of scored preference items or neutral texts; ``left_out`` names those that the arm cannot score."""

    event: ClassVar[str] = "scores"
    suite: str
    arm: str
    batch: int
    count: int
    seconds: float
    left_out: tuple[str, ...] = ()
    rows: tuple[ScoreRow, ...] = ()


@dataclass(frozen=True, slots=True)
class KlRow:
    """KL(arm || reference) along one answer that the arm sampled unchanged from its own distribution.

    ``rb`` is the Rao-Blackwellised estimate, ``k1`` the log-ratio of the answer, ``entropy`` and ``reference_entropy``
    the entropy of the next token under both, summed along the answer (NaN in earlier versions); all in nats.
    """

    suite: str
    arm: str
    item: str
    rb: float
    k1: float
    tokens: int
    finished: bool
    seed: int
    entropy: float = math.nan
    reference_entropy: float = math.nan


@dataclass(frozen=True, slots=True)
class KlScored:
    """A batch of answers whose KL was computed."""

    event: ClassVar[str] = "kl_answers"
    suite: str
    arm: str
    batch: int
    count: int
    seconds: float
    rows: tuple[KlRow, ...] = ()


EvaluationEvent = (
    EvaluationStarted | Answered | PairsScored | KlScored | PhaseChanged | Warned | StateChanged | Finished | Failed
)
WORK = (Answered, PairsScored, KlScored)
"""Events that hold finished work."""
STARTED = (RunStarted, EvaluationStarted)
"""First events of an attempt."""
EVALUATION_EVENT_TYPES: dict[str, type] = {
    **EVENT_TYPES,
    **{cls.event: cls for cls in (EvaluationStarted, *WORK)},
}
