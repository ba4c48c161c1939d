"""Measurements beside the steps: fixed probe sets, exact token KL, on-policy KL, side-by-side samples.

This module imports torch (through evaluation and training), so it is imported only with the real engine. Probe sets
follow from the probe seed and the pairs' ids alone, seeds of answers from the run's seed, so that every probe of a run,
before and after a resume, measures the same pairs and prompts.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from core.domain.errors import BadInput
from core.domain.run_config import RunConfig
from core.domain.run_events import EvalDone, KlDone, PairMetrics, PhaseChanged, RunEvent, SampleDone, Warned
from core.evaluation.preference_metrics import summarise
from core.evaluation.sequence_kl import SAME, AnswerKl, SequenceKl, score_answers, summarise_answers
from core.evaluation.statistics import over_budget
from core.evaluation.token_kl import TokenKl, heads_of, token_kl
from core.generation.context import base_of, position_limit
from core.generation.decoders import Decoder, open_pair_decoder
from core.generation.sampler import DecoderSettings, Sampled, sample, sample_both
from core.generation.seeds import derive_seed
from core.runs.hosting.reference_side import ReferenceSide, drawn_later, is_first, is_policy
from core.training.memory_plan import SAMPLE_TOKENS, SAMPLES
from core.training.steps.session import TrainSession
from core.training.text.encoded_pair import EncodedPair
from core.training.text.tokenise import PairEncoder

_PAIRS_AT_ONCE = 4
_ANSWERS_AT_ONCE = 32
_MAX_PROMPT = 2048
NO_INTERVAL = "The KL has no interval, which its budget is held against: a single prompt has room for its answers."


@dataclass(frozen=True, slots=True)
class _Prompt:
    """A prompt that is answered at every probe: its pair, token ids and text."""

    pair_id: str
    ids: tuple[int, ...]
    text: str


@dataclass(frozen=True, slots=True)
class ProbeSets:
    """The pairs and prompts that every probe of a run measures.

    Attributes:
        evals: by split ("dev", then "train"), the pairs that are scored.
        prompts: answered by the policy for the samples; held-out ones first.
        kl_prompts: answered for the on-policy KL: of the same order, those that leave room for its longest answer.
    """

    evals: dict[str, tuple[EncodedPair, ...]]
    prompts: tuple[_Prompt, ...]
    kl_prompts: tuple[_Prompt, ...] = ()


class StandardProbe:
    """The probes that every run makes; keeps ``core.training.probe.Probe``."""

    def __init__(self) -> None:
        self._sets: ProbeSets | None = None
        self._reference = ReferenceSide()

    def run(self, session: TrainSession, step: int, *, last: bool) -> Iterator[RunEvent]:
        """Measure what is due after ``step`` and yield the events.

        Where the policy starts at the reference, nothing is drawn before the first step: the KL is 0 whatever the
        answers, and the first samples are the reference's, which are drawn with the first ones of the policy.
        """
        looks = session.looks
        if self._sets is None:
            self._sets = choose_sets(session)
            yield from _missing_kl(session, self._sets, step)
        sets = self._sets
        if _due(looks.eval_every, step, last):
            yield from evaluate_splits(session, sets, step, self._reference)
        kl = sets.kl_prompts if _due(looks.kl_every, step, last) else ()
        samples = sets.prompts if _due(looks.sample_every, step, last) else ()
        if kl and is_policy(session, step):
            yield _no_kl_yet(session, kl, step)
            kl = ()
        if samples and drawn_later(session, step):
            samples = ()
        if not (kl or samples):
            return
        yield PhaseChanged("kl" if kl else "sample", 0, len(kl or samples), "weights prepared for decoding")
        with open_pair_decoder(session.model, [prompt.ids for prompt in (*kl, *samples)]) as decoder:
            if kl:
                yield from measure_kl(session, kl, step, decoder)
            if samples:
                yield from compare_samples(session, samples, step, decoder, self._reference)


def _due(every: int, step: int, last: bool) -> bool:
    return every > 0 and (step == 0 or last or step % every == 0)


def _no_kl_yet(session: TrainSession, prompts: Sequence[_Prompt], step: int) -> KlDone:
    """Return the KL of a policy that is the reference: 0 at every prefix, so that no answer has to be drawn."""
    return KlDone(step, 0.0, 0.0, 0.0, 0.0, 0.0, len(prompts), session.config.kl_max_new_tokens, 0.0)


def choose_sets(session: TrainSession) -> ProbeSets:
    """Draw the probe sets by the hash of their own seed and an id.

    So they depend neither on the other pairs nor on the run's seed: the runs of a sweep over seeds are measured on the
    same pairs, and their differences are of the policies alone.
    The training probe has as many pairs as the held-out one where there is one, so that both can be compared.
    """
    config, looks = session.config, session.looks
    drawn = {
        split: sorted(ids, key=lambda pair_id: derive_seed(config.probe_seed, "probe", pair_id))
        for split, ids in (("dev", session.dev_ids), ("train", session.train_ids))
    }
    size = looks.pairs_of_a_split(config, len(drawn["dev"]))
    evals = {
        split: tuple(session.encoded[pair_id] for pair_id in ids[:size]) for split, ids in drawn.items() if ids and size
    }
    pair_ids, room = [*drawn["dev"], *drawn["train"]], room_of(config, session.model.model)
    samples = tuple(_prompts(session, pair_ids, SAMPLES, room.for_samples)) if config.sample_every else ()
    answered = looks.answers_of_a_kl(config) if config.kl_every else 0
    kl = tuple(_prompts(session, pair_ids, answered, room.for_kl))
    return ProbeSets(evals, samples, kl)


@dataclass(frozen=True, slots=True)
class PromptRoom:
    """The most tokens of a prompt that is answered: for the on-policy KL, and for the samples."""

    for_kl: int
    for_samples: int


def prompt_room(config: RunConfig, positions: int, trained: int = 0) -> PromptRoom:
    """Return how long prompts may be.

    Every answer of the KL must have room for its whole horizon, or the estimate would be of another one; a sample may
    end where the positions do, but not before a quarter of its length.

    Args:
        config: settings of the run.
        positions: that the model has a table of; 0 for no table.
        trained: positions that its config says it was trained on; 0 for unknown.
    """
    longest = min(config.max_length or _MAX_PROMPT, _MAX_PROMPT)
    if positions:
        kl, sample = positions + 1 - config.kl_max_new_tokens, positions + 1 - SAMPLE_TOKENS // 4
        return PromptRoom(min(longest, kl), min(longest, sample))
    if trained:
        longest = min(longest, trained - max(config.kl_max_new_tokens, SAMPLE_TOKENS))
    return PromptRoom(longest, longest)


def room_of(config: RunConfig, model: Any) -> PromptRoom:
    """Return how long prompts of a run with this model may be."""
    trained = getattr(base_of(model).config.get_text_config(), "max_position_embeddings", 0)
    return prompt_room(config, position_limit(model), trained if isinstance(trained, int) else 0)


def no_kl(config: RunConfig, room: PromptRoom) -> str:
    """Return what a run is told that asks for the on-policy KL and has no prompt with room for its answers."""
    return (
        f"The run will have no KL: no prompt has at most {max(room.for_kl, 0):,} tokens, which an answer of "
        f"{config.kl_max_new_tokens:,} tokens leaves."
    )


def _missing_kl(session: TrainSession, sets: ProbeSets, step: int) -> Iterator[RunEvent]:
    """Say before the first step that no KL will be measured.

    Raises:
        BadInput: when the run has a KL budget, which nothing, or no interval, could then be held against.
    """
    config = session.config
    if not (config.kl_every and config.kl_prompts):
        return
    if config.kl_budget and len(sets.kl_prompts) == 1:
        raise BadInput(NO_INTERVAL, "Lower kl_max_new_tokens, add prompts, or set kl_budget to 0.")
    if sets.kl_prompts:
        return
    reason = no_kl(config, room_of(config, session.model.model))
    if config.kl_budget:
        raise BadInput(reason, "Lower kl_max_new_tokens, or set kl_budget to 0.")
    yield Warned("no_kl", reason, step)


def _prompts(session: TrainSession, pair_ids: Sequence[str], count: int, room: int) -> Iterator[_Prompt]:
    """Yield the first ``count`` different prompts of at most ``room`` tokens."""
    if count == 0:
        return
    encoder = PairEncoder(session.model.tokenizer, session.config)
    seen: set[str] = set()
    for pair_id in pair_ids:
        pair = session.pairs[pair_id]
        prompt = pair.prompt
        if prompt.sha256 in seen:
            continue
        seen.add(prompt.sha256)
        ids = tuple(encoder.start_ids(pair))
        if 0 < len(ids) <= room:
            yield _Prompt(pair_id, ids, prompt.last_text)
            count -= 1
        if count == 0:
            return


def evaluate_splits(session: TrainSession, sets: ProbeSets, step: int, reference: ReferenceSide) -> Iterator[RunEvent]:
    """Score the probe pairs of each split, with the exact token KL on both answers."""
    total = sum(len(pairs) for pairs in sets.evals.values())
    done = 0
    for split, pairs in sets.evals.items():
        rows: list[PairMetrics] = []
        kl: TokenKl | None = None
        yield PhaseChanged("evaluate", done, total, split)
        for start in range(0, len(pairs), _PAIRS_AT_ONCE):
            part = pairs[start : start + _PAIRS_AT_ONCE]
            reference.read(session, part)
            session.prepare(part)
            measured, found = look_at_pairs(session, part, step, reference)
            rows += measured
            kl = found if kl is None else kl.joined(found)
            done += len(part)
            yield PhaseChanged("evaluate", done, total, split)
        yield _event(session, split, step, rows, kl)


def look_at_pairs(
    session: TrainSession, pairs: Sequence[EncodedPair], step: int, reference: ReferenceSide
) -> tuple[list[PairMetrics], TokenKl]:
    """Return each pair's values, and the exact KL(policy || reference) along the answers of ``pairs``."""
    if is_policy(session, step):
        rows = session.rows_at_reference(pairs)
        tokens = torch.tensor([[row.tokens_chosen, row.tokens_rejected] for row in rows])
        return rows, TokenKl(torch.zeros(len(rows), 2, dtype=torch.float64), tokens)
    rows, policy = session.rows_and_hidden(pairs)
    return rows, token_kl(policy, reference.hidden(session, pairs), len(pairs), *heads_of(session.model))


def _event(session: TrainSession, split: str, step: int, rows: list[PairMetrics], kl: TokenKl | None) -> EvalDone:
    return summarise(
        rows,
        split=split,
        step=step,
        beta=session.config.beta,
        kl_chosen=kl.chosen if kl else None,
        kl_rejected=kl.rejected if kl else None,
        kl_chosen_se=_known(kl.se(0)) if kl else None,
        kl_rejected_se=_known(kl.se(1)) if kl else None,
    )


def _known(se: float) -> float | None:
    """Return a standard error, None where a single pair has none."""
    return se if math.isfinite(se) else None


def measure_kl(session: TrainSession, prompts: Sequence[_Prompt], step: int, decoder: Decoder) -> Iterator[RunEvent]:
    """Let the policy answer ``prompts`` with fixed seeds and yield the on-policy sequence KL."""
    settings = DecoderSettings(max_new_tokens=session.config.kl_max_new_tokens)
    scored: list[AnswerKl] = []
    for start in range(0, len(prompts), _ANSWERS_AT_ONCE):
        yield PhaseChanged("kl", start, len(prompts))
        part = prompts[start : start + _ANSWERS_AT_ONCE]
        ids = [prompt.ids for prompt in part]
        seeds = [derive_seed(session.config.seed, "kl", prompt.pair_id) for prompt in part]
        model = session.model
        answers = sample(model.model, model.tokenizer, ids, seeds, settings, stop_ids=model.stop_ids, decoder=decoder)
        equal = is_policy(session, step)
        found = [SAME] * len(answers) if equal else score_answers(model, ids, answers, decoder=decoder)
        scored += [AnswerKl(start + i, a, e) for i, (a, e) in enumerate(zip(answers, found, strict=True))]
    yield PhaseChanged("kl", len(prompts), len(prompts))
    result = summarise_answers(scored, horizon=settings.max_new_tokens)
    yield result.event(step)
    yield from _watch_budget(session, result, step)


def _watch_budget(session: TrainSession, result: SequenceKl, step: int) -> Iterator[RunEvent]:
    """Request a stop when the lower bound of the KL is above the budget.

    Raises:
        BadInput: when the KL is no finite number, so that nothing can be said of a budget.
    """
    budget = session.config.kl_budget
    if budget > 0 and not math.isfinite(result.kl):
        raise BadInput(f"the KL is {result.kl}", "Lower lr, or set kl_budget to 0.")
    if over_budget(result.kl, result.se, budget):
        yield Warned(
            "kl_budget",
            f"The KL of {result.kl:.3f} ± {result.se:.3f} nats is above the budget of {budget:g}; stopping.",
            step,
        )
        session.request_stop("kl_budget")


def compare_samples(
    session: TrainSession, prompts: Sequence[_Prompt], step: int, decoder: Decoder, reference: ReferenceSide
) -> Iterator[RunEvent]:
    """Answer ``prompts`` by policy and reference under the same seeds."""
    yield PhaseChanged("sample", 0, len(prompts))
    key = [prompt.pair_id for prompt in prompts]
    seeds = [derive_seed(session.config.seed, "sample", pair_id) for pair_id in key]
    ids = [prompt.ids for prompt in prompts]
    ours, theirs = _both_answers(session, ids, seeds, step, decoder, reference.answers(key))
    reference.keep_answers(session, key, theirs)
    if is_first(session, step):
        for prompt, seed, their in zip(prompts, seeds, theirs, strict=True):
            yield SampleDone(0, prompt.pair_id, prompt.text, their.text, their.text, seed, 0.0)
    equal = is_policy(session, step)
    kls = [SAME] * len(ours) if equal else score_answers(session.model, ids, ours, decoder=decoder)
    for prompt, seed, our, their, kl in zip(prompts, seeds, ours, theirs, kls, strict=True):
        yield SampleDone(step, prompt.pair_id, prompt.text, our.text, their.text, seed, kl.rb)
    yield PhaseChanged("sample", len(prompts), len(prompts))


def _both_answers(
    session: TrainSession,
    ids: Sequence[Sequence[int]],
    seeds: Sequence[int],
    step: int,
    decoder: Decoder,
    known: list[Sampled] | None,
) -> tuple[list[Sampled], list[Sampled]]:
    """Return the answers of the policy and of the reference; those of the reference may be ``known``."""
    settings, model = DecoderSettings(max_new_tokens=SAMPLE_TOKENS), session.model
    if known is None and not is_policy(session, step):
        both = sample_both(model, ids, seeds, settings, stop_ids=model.stop_ids, decoder=decoder)
        return [ours for ours, _ in both], [theirs for _, theirs in both]
    ours = sample(model.model, model.tokenizer, ids, seeds, settings, stop_ids=model.stop_ids, decoder=decoder)
    return ours, ours if known is None else known
