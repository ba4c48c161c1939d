"""What the measurements of a run will cost, timed on a few pairs and a few tokens before the run starts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from core.domain.run_config import RunConfig
from core.domain.run_events import RunEvent
from core.evaluation.sequence_kl import score_answers
from core.generation.decoders import Decoder, open_pair_decoder
from core.generation.sampler import DecoderSettings, Sampled, sample
from core.runs.hosting.probes import look_at_pairs, room_of
from core.runs.hosting.reference_side import ReferenceSide
from core.training.memory_plan import SAMPLE_TOKENS, SAMPLES
from core.training.steps.session import TrainSession
from core.training.text.tokenise import PairEncoder

T = TypeVar("T")

_PAIRS = 4
_ANSWERS = 16
_SHORT, _LONG = 2, 6
"""Tokens of the two answers whose difference is the cost of a token."""


@dataclass(slots=True)
class LookCosts:
    """A probe that times the measurements before the first step; keeps ``core.training.probe.Probe``.

    Attributes:
        settings: of the run to come, for its cadences and lengths.
        pair_s: seconds of a pair of the held-out probe.
        open_s: seconds to prepare and check the decoder.
        prompt_s: seconds to read a prompt before its first token. token_s: seconds of each further token of an answer.
        step_s: seconds of a step of the samples, which gives one token to each.
        score_s: seconds to score an answer of ``_LONG`` tokens under policy and reference.
        prompt_tokens: mean length of the prompts that were answered.
    """

    settings: RunConfig
    pair_s: float = 0.0
    open_s: float = 0.0
    prompt_s: float = 0.0
    step_s: float = 0.0
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
        has_kl, has_samples = bool(settings.kl_every and answered), bool(settings.sample_every)
        samples = 2 * SAMPLES * self.prompt_s + SAMPLE_TOKENS * self.step_s + SAMPLES * scored
        kl = self.open_s + answered * (self.prompt_s + horizon * self.token_s + scored)
        found = {
            "eval": probed_pairs * self.pair_s if settings.eval_every else 0.0,
            "kl": kl if has_kl else 0.0,
            "sample": samples + (0.0 if has_kl else self.open_s) if has_samples else 0.0,
        }
        return {kind: cost for kind, cost in found.items() if cost > 0}

    def _time_pairs(self, session: TrainSession) -> None:
        if not self.settings.eval_every or not self.settings.probe_pairs:
            return
        pairs = _spread(list(session.encoded.values()), _PAIRS, key=lambda pair: pair.length)
        session.prepare(pairs)

        reference = ReferenceSide()
        reference.hidden(session, pairs)  # a run computes it once, before its second look
        self.pair_s = _timed(lambda: look_at_pairs(session, pairs, 1, reference)) / len(pairs)

    def _time_answers(self, session: TrainSession) -> None:
        settings = self.settings
        if not (settings.sample_every or (settings.kl_every and settings.kl_prompts)):
            return
        encoder = PairEncoder(session.model.tokenizer, session.config)
        prompts = [tuple(encoder.prompt_ids(pair.prompt)) for pair in session.pairs.values()]
        room = room_of(settings, session.model.model).for_samples
        prompts = _spread([ids for ids in prompts if 0 < len(ids) <= room], _ANSWERS, key=len)
        if not prompts:
            return
        self.prompt_tokens = sum(map(len, prompts)) / len(prompts)
        opened = time.monotonic()
        with open_pair_decoder(session.model, prompts) as decoder:
            self.open_s = time.monotonic() - opened
            self.prompt_s, step_s, answers = _timed_answers(session, prompts, decoder)
            self.token_s = step_s / len(prompts)
            self.step_s = _timed_answers(session, prompts[: 2 * SAMPLES], decoder)[1]
            score = _timed(lambda: score_answers(session.model, prompts, answers, decoder=decoder))
        self.score_s = score / len(prompts)


def _timed_answers(
    session: TrainSession, prompts: Sequence[Sequence[int]], decoder: Decoder
) -> tuple[float, float, list[Sampled]]:
    """Return seconds to read a prompt, seconds of a step of all answers, and answers of ``_LONG`` tokens."""
    model, found = session.model, {}

    def answer(tokens: int) -> None:
        settings = DecoderSettings(max_new_tokens=tokens)
        found[tokens] = sample(
            model.model, model.tokenizer, prompts, range(len(prompts)), settings, stop_ids=(), decoder=decoder
        )

    short, long = _timed(lambda: answer(_SHORT)), _timed(lambda: answer(_LONG))
    step_s = max(0.0, long - short) / (_LONG - _SHORT)
    return max(0.0, short - _SHORT * step_s) / len(prompts), step_s, found[_LONG]


def _spread(values: Sequence[T], count: int, *, key: Callable[[T], int]) -> list[T]:
    """Return up to ``count`` values at even steps of their length."""
    ordered = sorted(values, key=key)
    count = min(count, len(ordered))
    return [ordered[(2 * i + 1) * len(ordered) // (2 * count)] for i in range(count)]


def _timed(work: Callable[[], object]) -> float:
    begun = time.monotonic()
    work()
    return time.monotonic() - begun
