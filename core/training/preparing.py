"""Prepare a run from settings and pairs: model, tokens, forward pass, reference, truth gate."""

from __future__ import annotations

import math
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

from core.domain.counting import counted, verb
from core.domain.errors import BadInput, GateFailed, ModelRefused, UsageError
from core.domain.look_plan import LooksPlanned
from core.domain.loss_mix import accepts_ties, needs_whole_step, without_effect
from core.domain.losses import TIE_LOSSES
from core.domain.pair import TrainingPair
from core.domain.run_config import RunConfig
from core.domain.run_events import GateReport, PhaseChanged, RunEvent, Warned
from core.domain.token_notes import token_notes
from core.generation.footprint import trim_heap
from core.generation.lm_head import HeadSpec
from core.training.forward.padded import PaddedScorer
from core.training.forward.select import choose_scorer
from core.training.gate.left_out import ReadableRows, about_left_out, encode_usable, require_enough
from core.training.gate.model_checks import check_model
from core.training.gate.run import run_gate
from core.training.gate.token_audit import check_answers_kept
from core.training.losses import check_labels, check_pair_weights
from core.training.memory_plan import ModelShape, free_bytes, plan_memory
from core.training.parallel.fsdp import Sharded, ShardedScorer
from core.training.parallel.process_group import ProcessGroup
from core.training.policy.model import load_model
from core.training.reference.cache import ReferenceCache, ReferenceIdentity, TokenLogps
from core.training.reference.other_model import OtherModelScorer, PolicyAlone, require_same_tokens
from core.training.reference.tr_dpo import LiveReference
from core.training.steps.data_order import DataOrder, total_steps
from core.training.steps.gradient import MAX_RETRIES, OutOfMemory, free_memory, is_out_of_memory
from core.training.steps.interrupts import Interrupts
from core.training.steps.look_cadence import ModelSizes, plan_looks
from core.training.steps.session import TrainSession
from core.training.text.encoded_pair import EncodedPair

REFERENCE_BATCH = {"cpu": 4, "cuda": 32, "mps": 8}
"""Pairs of a forward pass of the reference, by kind of device."""

GATE_PAIRS = 3
"""Pairs that the truth gate scores; fewer where they do not fit. The first step's own pass checks all of its pairs."""


@dataclass(frozen=True, slots=True)
class Split:
    """The pairs a run uses, and how many ties its loss does not accept."""

    train: list[TrainingPair]
    dev: list[TrainingPair]
    ties_left_out: int


def split_pairs(pairs: Sequence[TrainingPair], config: RunConfig) -> Split:
    """Return the pairs by split. The sealed test split is not used; ties stay only for losses that accept them."""
    takes_ties = accepts_ties(config)
    used = [pair for pair in pairs if takes_ties or not pair.is_tie]
    left_out = sum(pair.is_tie for pair in pairs if pair.split != "test") if not takes_ties else 0
    return Split([p for p in used if p.split == "train"], [p for p in used if p.split == "dev"], left_out)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A run that is ready to start.

    Attributes:
        order: which pairs make up which step, as indices into ``train``.
        train: the encoded training pairs, dropped ones left out, in file order.
        total: optimizer steps of the whole run.
        cache: the reference cache, for its counts.
        fits: tokens of the largest forward pass that the memory plan allows, 0 where there is no plan.
    """

    session: TrainSession
    order: DataOrder
    train: list[EncodedPair]
    total: int
    cache: ReferenceCache
    fits: int = 0


def prepare(
    config: RunConfig,
    split: Split,
    *,
    model_dir: Path,
    device: torch.device,
    cache_dir: Path | None,
    start: int,
    interrupts: Interrupts,
    processes: ProcessGroup,
    kernel: str = "",
    weights_sha256: str = "",
    layout_of: Path | None = None,
) -> Generator[RunEvent, None, Prepared | None]:
    """Load, tokenise, compute the reference, and run the truth gate on a fresh run; None when asked to stop.

    ``kernel`` names the CPU's matrix kernel that a resumed run had; it is used where it exists. ``weights_sha256`` is
    the hash of weights and architecture; "" computes it. ``layout_of`` is the adapter in a resumed run's checkpoint.

    Raises:
        GateFailed: naming the cause.
        UserError: for anything else that the user can correct.
    """
    if config.best_metric != "off" and not (split.dev and config.probe_pairs):
        raise UsageError(
            "best_metric needs held-out pairs to measure, and there are none.",
            "Freeze a dataset version with a dev split, raise probe_pairs, or set best_metric=off.",
        )
    yield PhaseChanged("load", detail=Path(model_dir).name)
    model = load_model(model_dir, config, device, weights_sha256=weights_sha256, layout_of=layout_of)
    if model.note:
        yield Warned("adapter", model.note)
    if start == 0:
        yield from _refusing(partial(check_model, model))
    pairs = split.train + split.dev
    yield PhaseChanged("tokenise", total=len(pairs))
    rows = ReadableRows.of(model.model, model.tokenizer, model.stop_ids)
    encoded, report = encode_usable(pairs, model.tokenizer, config, rows)
    yield report
    if words := about_left_out(report):
        yield Warned("left_out", words)
    if idle := without_effect(config):
        named = ", ".join(f"{name}={getattr(config, name)}" for name in idle)
        yield Warned("without_effect", f"{named} {verb(len(idle), 'has', 'have')} no effect on the loss {config.loss}.")
    for code, text in token_notes(report, config).items():
        yield Warned(code, text, start)
    if start == 0:
        yield from _refusing(partial(require_enough, report, config, rows))
        yield from _refusing(partial(check_answers_kept, encoded, config))
    if split.ties_left_out:
        yield Warned("ties_left_out", _about_ties(split.ties_left_out, config))
    check_labels(encoded, config)
    check_pair_weights(encoded)
    train_ids = {pair.pair_id for pair in split.train}
    train = [pair for pair in encoded if pair.pair_id in train_ids]
    total, order = total_steps(len(train), config), DataOrder(len(train), config)

    yield PhaseChanged("forward", detail="compared on pairs of this run")
    scorer = choose_scorer(PolicyAlone(model) if config.reference_model else model, config, encoded, kernel=kernel)
    yield PhaseChanged("forward", 1, 1, scorer.name)
    if note := getattr(scorer, "note", ""):
        yield Warned("forward", note)
    if config.reference_model:
        require_same_tokens(Path(config.reference_model), model.tokenizer, HeadSpec.from_model(model.model).vocabulary)
        scorer = OtherModelScorer(scorer, PaddedScorer(model))
    sharded = None
    if not processes.is_single and not model.is_peft:
        if getattr(scorer, "alone", False):
            raise ModelRefused(
                "This model's rope depends on the length of a row, so that each answer is a call of its own, which "
                "several processes that share one model cannot make.",
                "Train with one process, with an adapter, or with a max_length within the rope's original length.",
            )
        sharded = Sharded(model, processes.size)
        scorer = ShardedScorer(scorer, sharded)
    cache = ReferenceCache(cache_dir, ReferenceIdentity.of(model, scorer))
    fetch, kept = partial(cache.fetch, scorer=scorer), cache
    if config.ref_refresh_every:
        kept = None
        fetch = LiveReference(scorer, 1 if device.type == "cpu" else REFERENCE_BATCH.get(device.type, 4)).fetch
    session = TrainSession(config, model, scorer, pairs, encoded, fetch, sharded, kept)
    session.looks = _looks(session, train, total)
    yield session.looks
    visited = (
        []
        if config.ref_refresh_every
        else _visited(train, order, range(1, total + 1), processes, whole=needs_whole_step(config))
    )
    yield from _compute_reference(visited, session, cache, interrupts, start)
    if interrupts.stop:
        return None
    if start == 0:
        yield from pass_gate(session, encoded, fetch)
    return Prepared(session, order, train, total, cache, tokens_that_fit(session, train))


def _looks(session: TrainSession, train: Sequence[EncodedPair], total: int) -> LooksPlanned:
    base, dev = session.model.base, [session.encoded[pair_id] for pair_id in session.dev_ids]
    sizes = ModelSizes.of(session.model.config, sum(p.numel() for p in base.parameters()))
    return plan_looks(session.config, sizes, train, dev, total)


def _refusing(check: Callable[[], object]) -> Generator[RunEvent, None, None]:
    """Make a check of the truth gate before the reference is computed, which may take long.

    Raises:
        GateFailed: after a report that names the cause.
    """
    try:
        check()
    except GateFailed as error:
        yield _failed_gate(error)
        raise


def _failed_gate(error: GateFailed) -> GateReport:
    nothing = math.nan  # nothing was measured
    return GateReport(False, nothing, nothing, nothing, {}, error.cause, error.message)


def tokens_that_fit(session: TrainSession, train: Sequence[EncodedPair]) -> int:
    """Return the tokens of the largest micro-batch that the memory plan allows now; 0 where there is no plan."""
    model, config = session.model, session.config
    try:
        shape = ModelShape.of(model.config, sum(p.numel() for p in model.base.parameters()))
    except BadInput:
        return 0
    kind = model.device.type
    lengths = sorted((pair.length for pair in train), reverse=True)
    trained = sum(p.numel() for p in model.trainable().values())
    empty = plan_memory(shape, config, lengths[:1], forward=session.scorer.name, device=kind, trained=trained)
    loaded = empty.runtime + empty.weights + empty.adapters
    available = free_bytes(model.device) + loaded
    plan = plan_memory(
        shape,
        config,
        lengths,
        forward=session.scorer.name,
        device=kind,
        available=available,
        trained=trained,
    )
    return sum(lengths[: plan.micro_batch])


def _about_ties(count: int, config: RunConfig) -> str:
    takers = ", ".join(TIE_LOSSES)
    loss = f"{config.loss} with {config.loss_mix}" if config.loss_mix else config.loss
    return (
        f"{counted(count, 'pair')} called a tie {verb(count, 'was', 'were')} left out: {loss} cannot "
        f"learn from ties ({takers} can)."
    )


def _visited(
    train: Sequence[EncodedPair], order: DataOrder, steps: Iterable[int], processes: ProcessGroup, *, whole: bool
) -> list[EncodedPair]:
    """Return the pairs that this process scores in ``steps``, longest first, so that batches hold similar lengths.

    A resumed run asks for all its steps, those already made included: on some processors the last bit of a log-prob
    depends on the other pairs of its batch, so that the batches must be those of the uninterrupted run.
    """
    indices: set[int] = set()
    for step in steps:
        batch = order.batch(step)
        own = range(len(batch)) if whole else processes.share([train[i].length for i in batch])
        indices.update(batch[i] for i in own)
        if len(indices) == len(train):
            break
    return sorted((train[i] for i in indices), key=lambda pair: -pair.length)


def _compute_reference(
    pairs: Sequence[EncodedPair], session: TrainSession, cache: ReferenceCache, interrupts: Interrupts, step: int
) -> Generator[RunEvent, None, None]:
    """Fill the cache, with half the batch each time memory runs out; stops early when asked to."""
    batch = REFERENCE_BATCH.get(session.model.device.type, 4)
    known = len(pairs) - len(cache.missing(pairs))
    yield PhaseChanged("reference", known, len(pairs), f"{known} from the cache")
    for attempt in range(MAX_RETRIES + 1):
        failure = False
        try:
            for done, wanted in cache.fill(pairs, session.scorer, batch=batch):
                yield PhaseChanged("reference", len(pairs) - wanted + done, len(pairs))
                yield from interrupts.poll(step)
                if interrupts.stop:
                    return
        except (RuntimeError, MemoryError) as error:
            if not is_out_of_memory(error):
                raise
            failure = True
        if not failure:
            break
        free_memory()
        if batch == 1 or attempt == MAX_RETRIES:
            raise OutOfMemory(
                "Memory ran out while the reference log-probs were computed, one pair at a time.",
                "Lower max_length, choose dtype bfloat16 or a smaller model.",
            )
        batch = max(1, batch // 2)
    session.model.release_reference()
    trim_heap()


def pass_gate(
    session: TrainSession,
    encoded: Sequence[EncodedPair],
    fetch: Callable[[Sequence[EncodedPair]], Mapping[str, TokenLogps]],
) -> Generator[RunEvent, None, None]:
    """Run the truth gate and yield its report, on fewer pairs each time memory runs out.

    A sharded model cannot retry: the other processes wait inside a forward pass.

    Raises:
        GateFailed: after a report that names the cause.
    """
    yield PhaseChanged("gate")
    model, scorer = session.model, session.scorer
    train = [pair for pair in encoded if session.pairs[pair.pair_id].split == "train"]

    def cached(pair: EncodedPair) -> object:
        return fetch([pair])[pair.pair_id]

    sample = GATE_PAIRS
    try:
        while True:
            report = None
            try:
                report = run_gate(model, train, scorer, session.config, cached_reference=cached, sample=sample)
            except (RuntimeError, MemoryError) as error:
                if sample == 1 or session.sharded is not None or not is_out_of_memory(error):
                    raise
            if report is not None:
                session.starts_at_reference = report.h_max == 0.0 and model.reference_kind != "other_model"
                yield report
                return
            free_memory()
            sample //= 2
    except GateFailed as error:
        yield _failed_gate(error)
        raise
    finally:
        model.release_reference()
