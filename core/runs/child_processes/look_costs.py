"""What the measurements of a run will cost, timed on a few pairs and a few tokens before the run starts."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import TypeVar

from core.domain.run_config import RunConfig
from core.domain.run_events import RunEvent
from core.evaluation.sequence_kl import score_answers
from core.generation.decoders import Decoder, open_pair_decoder
from core.generation.sampler import DecoderSettings, Sampled, sample
from core.runs.child_processes.written_lengths import WrittenLengths
from core.runs.hosting.probes import look_at_pairs, room_of
from core.runs.hosting.reference_side import ReferenceSide
from core.training.memory_plan import SAMPLE_TOKENS, SAMPLES
from core.training.steps.session import TrainSession
from core.training.text.tokenise import PairEncoder

T = TypeVar("T")

_PAIRS = 4
_ANSWERS = 16
_SHORT, _LONG = 2, SAMPLE_TOKENS
"""Most tokens of the two answers whose difference is the cost of a token; the longer ones show how long answers are."""


@dataclass(slots=True)
class LookCosts:
    """A probe that times the measurements before the first step; keeps ``core.training.probe.Probe``.

    Attributes:
        settings: of the run to come, for its cadences and lengths.
        prompts: token ids of the run's prompts, of which up to 16 are answered: a token costs more where few answers
            are written together. Without them the prompts of the tried step are.
        pair_s: seconds of a pair of the held-out probe, of ``pair_tokens`` tokens on average.
        open_s: seconds to prepare and check the decoder.
        prompt_s: seconds to read a prompt of ``prompt_tokens`` tokens.
        token_s: seconds of each further token of an answer.
        step_s: seconds of a step of the samples, which gives one token to each.
        score_s: seconds to score an answer of ``answer_tokens`` tokens under policy and reference.
        lengths: of the answers that were written.
    """

    settings: RunConfig
    prompts: tuple[tuple[int, ...], ...] = ()
    pair_s: float = 0.0
    pair_tokens: float = 1.0
    open_s: float = 0.0
    prompt_s: float = 0.0
    prompt_tokens: float = 1.0
    step_s: float = 0.0
    token_s: float = 0.0
    score_s: float = 0.0
    answer_tokens: float = 1.0
    lengths: WrittenLengths = field(default_factory=WrittenLengths)

    def run(self, session: TrainSession, step: int, *, last: bool) -> Iterator[RunEvent]:
        """Time a few pairs and tokens before the first step; nothing is reported to the run."""
        if step == 0 and not last:
            self._time_pairs(session)
            self._time_answers(session)
        yield from ()

    def seconds(
        self, probed_pairs: int, answered: int, *, pair_tokens: float, prompt_tokens: float
    ) -> dict[str, float]:
        """Return the seconds of one measurement of each kind, with answers as long as those that were seen let expect.

        Args:
            probed_pairs: pairs of all splits in the probe set of the run.
            answered: prompts of a KL.
            pair_tokens: of the run's pairs on average, as those that were timed may be longer.
            prompt_tokens: of the run's prompts on average.
        """
        settings = self.settings
        horizon = self.lengths.expected(settings.kl_max_new_tokens)
        sampled, steps = (self.lengths.expected(SAMPLE_TOKENS, of) for of in (1, 2 * SAMPLES))
        read = self.prompt_s * prompt_tokens / self.prompt_tokens
        per_token = self.score_s / (self.prompt_tokens + self.answer_tokens)
        has_kl, has_samples = bool(settings.kl_every and answered), bool(settings.sample_every)
        samples = 2 * SAMPLES * read + steps * self.step_s + SAMPLES * per_token * (prompt_tokens + sampled)
        kl = self.open_s + answered * (read + horizon * self.token_s + per_token * (prompt_tokens + horizon))
        probe = probed_pairs * self.pair_s * pair_tokens / self.pair_tokens
        found = {
            "eval": probe if settings.eval_every else 0.0,
            "kl": kl if has_kl else 0.0,
            "sample": samples + (0.0 if has_kl else self.open_s) if has_samples else 0.0,
        }
        return {kind: cost for kind, cost in found.items() if cost > 0}

    def _time_pairs(self, session: TrainSession) -> None:
        if not self.settings.eval_every or not self.settings.probe_pairs:
            return
        pairs = _spread(list(session.encoded.values()), _PAIRS, key=lambda pair: pair.length)
        session.prepare(pairs)
        self.pair_tokens = fmean(pair.length for pair in pairs)
        reference = ReferenceSide()
        reference.hidden(session, pairs)  # a run computes it once, before its second look
        self.pair_s = _timed(lambda: look_at_pairs(session, pairs, 1, reference)) / len(pairs)

    def _time_answers(self, session: TrainSession) -> None:
        settings = self.settings
        if not (settings.sample_every or (settings.kl_every and settings.kl_prompts)):
            return
        encoder = PairEncoder(session.model.tokenizer, session.config)
        prompts = self.prompts or tuple(tuple(encoder.prompt_ids(pair.prompt)) for pair in session.pairs.values())
        room = room_of(settings, session.model.model).for_samples
        count = min(_ANSWERS, max(settings.kl_prompts if settings.kl_every else 0, 2 * SAMPLES))
        prompts = _spread([ids for ids in prompts if 0 < len(ids) <= room], count, key=len)
        if not prompts:
            return
        self.prompt_tokens = sum(map(len, prompts)) / len(prompts)
        opened = time.monotonic()
        with open_pair_decoder(session.model, prompts) as decoder:
            self.open_s = time.monotonic() - opened
            self.prompt_s, answers = self._time_tokens(session, prompts, decoder)
            self.step_s = self._step_of_few(session, prompts[: 2 * SAMPLES], decoder)
            score = _timed(lambda: score_answers(session.model, prompts, answers, decoder=decoder))
        self.score_s = score / len(prompts)
        self.answer_tokens = fmean(len(answer.token_ids) for answer in answers)

    def _time_tokens(
        self, session: TrainSession, prompts: Sequence[Sequence[int]], decoder: Decoder
    ) -> tuple[float, list[Sampled]]:
        """Note what a token costs and how long answers are; return seconds to read a prompt, and the answers."""
        short_s, few = _answers(session, prompts, _SHORT, decoder)
        long_s, answers = _answers(session, prompts, _LONG, decoder)
        written, before = (sum(len(answer.token_ids) for answer in each) for each in (answers, few))
        self.token_s = max(0.0, long_s - short_s) / max(written - before, 1)
        tokens = tuple(len(answer.token_ids) for answer in answers)
        self.lengths = WrittenLengths(tokens, sum(answer.finished for answer in answers), _LONG)
        return max(0.0, short_s - before * self.token_s) / len(prompts), answers

    def _step_of_few(self, session: TrainSession, prompts: Sequence[Sequence[int]], decoder: Decoder) -> float:
        """Return seconds of a step of as many answers as the samples have."""
        (short_s, few), (long_s, more) = (_answers(session, prompts, most, decoder) for most in (_SHORT, 3 * _SHORT))
        steps, before = (max(len(answer.token_ids) for answer in each) for each in (more, few))
        return max(0.0, long_s - short_s) / max(steps - before, 1)


def _answers(
    session: TrainSession, prompts: Sequence[Sequence[int]], most: int, decoder: Decoder
) -> tuple[float, list[Sampled]]:
    """Return seconds of writing answers of at most ``most`` tokens, and the answers."""
    model, settings = session.model, DecoderSettings(max_new_tokens=most)
    begun = time.monotonic()
    seeds = range(len(prompts))
    found = sample(model.model, model.tokenizer, prompts, seeds, settings, stop_ids=model.stop_ids, decoder=decoder)
    return time.monotonic() - begun, found


def _spread(values: Sequence[T], count: int, *, key: Callable[[T], int]) -> list[T]:
    """Return up to ``count`` values at even steps of their length."""
    ordered = sorted(values, key=key)
    count = min(count, len(ordered))
    return [ordered[(2 * i + 1) * len(ordered) // (2 * count)] for i in range(count)]


def _timed(work: Callable[[], object]) -> float:
    begun = time.monotonic()
    work()
    return time.monotonic() - begun
