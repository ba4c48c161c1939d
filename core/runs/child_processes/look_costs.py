"""What the measurements of a run will cost, timed on a few pairs and a few tokens before the run starts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from core.domain.run_config import RunConfig
from core.domain.run_events import RunEvent
from core.evaluation.sequence_kl import score_answers
from core.generation.sampler import DecoderSettings, Sampled, sample
from core.runs.hosting.probes import SAMPLE_TOKENS, SAMPLES, pair_kl, room_of
from core.training.steps.session import TrainSession
from core.training.text.tokenise import PairEncoder

T = TypeVar("T")

_PAIRS = 4
_SHORT, _LONG = 2, 6
"""Tokens of the two answers whose difference is the cost of a token."""


@dataclass(slots=True)
class LookCosts:
    """A probe that times the measurements before the first step; keeps ``core.training.probe.Probe``.

    Attributes:
        settings: of the run to come, for its cadences and lengths.
        pair_s: seconds of a pair of the held-out probe.
        prompt_s: seconds to read a prompt before its first token. token_s: seconds of each further token.
        score_s: seconds to score an answer of ``_LONG`` tokens under policy and reference.
        prompt_tokens: mean length of the prompts that were answered.
    """

    settings: RunConfig
    pair_s: float = 0.0
    prompt_s: float = 0.0
    token_s: float = 0.0
    score_s: float = 0.0
    prompt_tokens: float = 1.0

    def run(self, session: TrainSession, step: int, *, last: bool) -> Iterator[RunEvent]:
        """Time a few pairs and tokens before the first step; nothing is reported to the run."""
        if step == 0 and not last:
            self._time_pairs(session)
            self._time_answers(session)
        yield from ()

    def seconds(self, probed_pairs: int) -> dict[str, float]:
        """Return the seconds of one measurement of each kind, with answers as long as they may get.

        Args:
            probed_pairs: pairs of all splits in the probe set of the run.
        """
        settings = self.settings
        horizon, answered = settings.kl_max_new_tokens, settings.kl_prompts
        scored = self.score_s * (self.prompt_tokens + horizon) / (self.prompt_tokens + _LONG)
        found = {
            "eval": probed_pairs * self.pair_s if settings.eval_every else 0.0,
            "kl": answered * (self.prompt_s + horizon * self.token_s + scored) if settings.kl_every else 0.0,
            "sample": 2 * SAMPLES * (self.prompt_s + SAMPLE_TOKENS * self.token_s) if settings.sample_every else 0.0,
        }
        return {kind: cost for kind, cost in found.items() if cost > 0}

    def _time_pairs(self, session: TrainSession) -> None:
        if not self.settings.eval_every or not self.settings.probe_pairs:
            return
        pairs = _spread(list(session.encoded.values()), _PAIRS, key=lambda pair: pair.length)
        session.prepare(pairs)

        def look() -> None:
            session.pair_rows(pairs, batch=_PAIRS)
            pair_kl(session, pairs)

        self.pair_s = _timed(look) / len(pairs)

    def _time_answers(self, session: TrainSession) -> None:
        settings = self.settings
        if not (settings.sample_every or (settings.kl_every and settings.kl_prompts)):
            return
        encoder = PairEncoder(session.model.tokenizer, session.config)
        prompts = [tuple(encoder.prompt_ids(pair.prompt)) for pair in session.pairs.values()]
        room = room_of(settings, session.model.model).for_samples
        prompts = _spread(
            [ids for ids in prompts if 0 < len(ids) <= room], max(_PAIRS, min(8, settings.kl_prompts)), key=len
        )
        if not prompts:
            return
        answers: dict[int, list[Sampled]] = {}
        seeds = list(range(len(prompts)))

        def answer(tokens: int) -> None:
            decoder = DecoderSettings(max_new_tokens=tokens)
            model = session.model
            answers[tokens] = sample(model.model, model.tokenizer, prompts, seeds, decoder, stop_ids=())

        short, long = _timed(lambda: answer(_SHORT)), _timed(lambda: answer(_LONG))
        self.token_s = max(0.0, long - short) / (_LONG - _SHORT) / len(prompts)
        self.prompt_s = max(0.0, short / len(prompts) - _SHORT * self.token_s)
        self.prompt_tokens = sum(map(len, prompts)) / len(prompts)
        self.score_s = _timed(lambda: score_answers(session.model, prompts, answers[_LONG])) / len(prompts)


def _spread(values: Sequence[T], count: int, *, key: Callable[[T], int]) -> list[T]:
    """Return up to ``count`` values at even steps of their length."""
    ordered = sorted(values, key=key)
    count = min(count, len(ordered))
    return [ordered[(2 * i + 1) * len(ordered) // (2 * count)] for i in range(count)]


def _timed(work: Callable[[], object]) -> float:
    begun = time.monotonic()
    work()
    return time.monotonic() - begun
