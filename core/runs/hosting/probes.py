"""Measurements beside the steps: fixed probe sets, exact token KL, on-policy KL, side-by-side samples.

This module imports torch (through evaluation and training), so it is imported only with the real engine. Probe sets
and seeds follow from the run's seed and the pairs' ids alone, so that every probe of a run, before and after a resume,
measures the same pairs and prompts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core.domain.run_config import RunConfig
from core.domain.run_events import EvalDone, PairMetrics, PhaseChanged, RunEvent, SampleDone, Warned
from core.evaluation.preference_metrics import summarise
from core.evaluation.sequence_kl import AnswerKl, SequenceKl, score_answers, summarise_answers
from core.evaluation.statistics import over_budget
from core.evaluation.token_kl import TokenKl, heads_of, token_kl
from core.generation.sampler import DecoderSettings, sample, sample_both
from core.generation.seeds import derive_seed
from core.training.steps.session import TrainSession
from core.training.text.encoded_pair import EncodedPair
from core.training.text.tokenise import PairEncoder

SAMPLES = 4
SAMPLE_TOKENS = 96
_PAIRS_AT_ONCE = 4
_ANSWERS_AT_ONCE = 8
_MAX_PROMPT = 2048


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
        prompts: answered by the policy for the on-policy KL and the samples; held-out ones first.
    """

    evals: dict[str, tuple[EncodedPair, ...]]
    prompts: tuple[_Prompt, ...]


class StandardProbe:
    """The probes that every run makes; keeps ``core.training.probe.Probe``."""

    def __init__(self) -> None:
        self._sets: ProbeSets | None = None

    def run(self, session: TrainSession, step: int, *, last: bool) -> Iterator[RunEvent]:
        """Measure what is due after ``step`` and yield the events."""
        sets = self._sets = self._sets or choose_sets(session)
        config = session.config
        if _due(config.eval_every, step, last):
            yield from evaluate_splits(session, sets, step)
        if _due(config.kl_every, step, last) and sets.prompts and config.kl_prompts:
            yield from measure_kl(session, sets.prompts[: config.kl_prompts], step)
        if _due(config.sample_every, step, last) and sets.prompts:
            yield from compare_samples(session, sets.prompts[:SAMPLES], step)


def _due(every: int, step: int, last: bool) -> bool:
    return every > 0 and (step == 0 or last or step % every == 0)


def choose_sets(session: TrainSession) -> ProbeSets:
    """Draw the probe sets by the hash of seed and id, so that they do not depend on the other pairs."""
    config = session.config
    drawn = {
        split: sorted(ids, key=lambda pair_id: derive_seed(config.seed, "probe", pair_id))
        for split, ids in (("dev", session.dev_ids), ("train", session.train_ids))
    }
    evals = {
        split: tuple(session.encoded[pair_id] for pair_id in ids[: config.probe_pairs])
        for split, ids in drawn.items()
        if ids and config.probe_pairs
    }
    count = max(config.kl_prompts, SAMPLES) if config.kl_every or config.sample_every else 0
    return ProbeSets(evals, tuple(_prompts(session, [*drawn["dev"], *drawn["train"]], count)))


def _prompts(session: TrainSession, pair_ids: Sequence[str], count: int) -> Iterator[_Prompt]:
    """Yield the first ``count`` different prompts that leave room for an answer."""
    if count == 0:
        return
    encoder = PairEncoder(session.model.tokenizer, session.config)
    room = _room(session.config, session.model.config)
    seen: set[str] = set()
    for pair_id in pair_ids:
        prompt = session.pairs[pair_id].prompt
        if prompt.sha256 in seen:
            continue
        seen.add(prompt.sha256)
        ids = tuple(encoder.prompt_ids(prompt))
        if 0 < len(ids) <= room:
            yield _Prompt(pair_id, ids, prompt.last_text)
            count -= 1
        if count == 0:
            return


def _room(config: RunConfig, model_config: dict[str, object]) -> int:
    """Return the most tokens of a prompt that leave room for the answer in the model's context."""
    longest = model_config.get("max_position_embeddings")
    positions = longest if isinstance(longest, int) else _MAX_PROMPT
    answer = max(config.kl_max_new_tokens, SAMPLE_TOKENS)
    return min(config.max_length or _MAX_PROMPT, _MAX_PROMPT, positions - answer)


def evaluate_splits(session: TrainSession, sets: ProbeSets, step: int) -> Iterator[RunEvent]:
    """Score the probe pairs of each split, with the exact token KL on both answers."""
    total = sum(len(pairs) for pairs in sets.evals.values())
    done = 0
    for split, pairs in sets.evals.items():
        rows: list[PairMetrics] = []
        kl: TokenKl | None = None
        yield PhaseChanged("evaluate", done, total, split)
        session.prepare(pairs)
        for start in range(0, len(pairs), _PAIRS_AT_ONCE):
            part = pairs[start : start + _PAIRS_AT_ONCE]
            rows += session.pair_rows(part, batch=_PAIRS_AT_ONCE)
            found = pair_kl(session, part)
            kl = found if kl is None else kl.joined(found)
            done += len(part)
            yield PhaseChanged("evaluate", done, total, split)
        yield _event(session, split, step, rows, kl)


def pair_kl(session: TrainSession, pairs: Sequence[EncodedPair]) -> TokenKl:
    """Return the exact KL(policy || reference) along the answers of ``pairs``."""
    policy = session.scorer.response_hidden(pairs, policy=True)
    reference = session.scorer.response_hidden(pairs, policy=False)
    return token_kl(policy, reference, len(pairs), *heads_of(session.model))


def _event(session: TrainSession, split: str, step: int, rows: list[PairMetrics], kl: TokenKl | None) -> EvalDone:
    return summarise(
        rows,
        split=split,
        step=step,
        beta=session.config.beta,
        kl_chosen=kl.chosen if kl else None,
        kl_rejected=kl.rejected if kl else None,
    )


def measure_kl(session: TrainSession, prompts: Sequence[_Prompt], step: int) -> Iterator[RunEvent]:
    """Let the policy answer ``prompts`` with fixed seeds and yield the on-policy sequence KL."""
    settings = DecoderSettings(max_new_tokens=session.config.kl_max_new_tokens)
    scored: list[AnswerKl] = []
    for start in range(0, len(prompts), _ANSWERS_AT_ONCE):
        yield PhaseChanged("kl", start, len(prompts))
        part = prompts[start : start + _ANSWERS_AT_ONCE]
        ids = [prompt.ids for prompt in part]
        seeds = [derive_seed(session.config.seed, "kl", prompt.pair_id) for prompt in part]
        answers = sample(
            session.model.model, session.model.tokenizer, ids, seeds, settings, stop_ids=session.model.stop_ids
        )
        found = score_answers(session.model, ids, answers)
        scored += [AnswerKl(start + i, a, e) for i, (a, e) in enumerate(zip(answers, found, strict=True))]
    yield PhaseChanged("kl", len(prompts), len(prompts))
    result = summarise_answers(scored, horizon=settings.max_new_tokens)
    yield result.event(step)
    yield from _watch_budget(session, result, step)


def _watch_budget(session: TrainSession, result: SequenceKl, step: int) -> Iterator[RunEvent]:
    """Request a stop when the lower bound of the KL is above the budget."""
    budget = session.config.kl_budget
    if over_budget(result.kl, result.se, budget):
        yield Warned(
            "kl_budget",
            f"The KL of {result.kl:.3f} ± {result.se:.3f} nats is above the budget of {budget:g}; stopping.",
            step,
        )
        session.request_stop("kl_budget")


def compare_samples(session: TrainSession, prompts: Sequence[_Prompt], step: int) -> Iterator[RunEvent]:
    """Answer ``prompts`` by policy and reference under the same seeds."""
    yield PhaseChanged("sample", 0, len(prompts))
    settings = DecoderSettings(max_new_tokens=SAMPLE_TOKENS)
    seeds = [derive_seed(session.config.seed, "sample", prompt.pair_id) for prompt in prompts]
    ids = [prompt.ids for prompt in prompts]
    both = sample_both(session.model, ids, seeds, settings, stop_ids=session.model.stop_ids)
    kls = score_answers(session.model, ids, [ours for ours, _ in both])
    for prompt, seed, (ours, theirs), kl in zip(prompts, seeds, both, kls, strict=True):
        yield SampleDone(step, prompt.pair_id, prompt.text, ours.text, theirs.text, seed, kl.rb)
    yield PhaseChanged("sample", len(prompts), len(prompts))
