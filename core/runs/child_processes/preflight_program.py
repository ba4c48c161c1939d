"""Child program: try a run before it is started. Tokenises all pairs and makes one step with the real engine.

The cheap checks come first, and each is reported as soon as it is known. The pairs of the step are spread over all
lengths, the longest among them, so that its peak memory is close to the run's and its time can be scaled. It passes the
same truth gate, and a few pairs and tokens of each measurement are timed. Nothing is left behind.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path
from statistics import fmean
from typing import Any

import psutil

from core.domain.counting import counted
from core.domain.errors import BadInput
from core.domain.left_out import beyond_length, left_out_words
from core.domain.look_plan import LooksPlanned, look_words
from core.domain.pair import TrainingPair
from core.domain.preflight_report import Check, PreflightReport
from core.domain.run_config import RunConfig
from core.domain.run_events import TokenReport
from core.domain.time_spans import rough
from core.domain.token_notes import cut_words
from core.model_files.folder_check import check_model
from core.model_files.offline import go_offline
from core.runs.child_processes.own_ranking import ranking_check
from core.runs.child_processes.request import Part, Progress, serve_parts
from core.runs.child_processes.template_checks import template_checks
from core.runs.child_processes.tried_step import TriedStep
from core.runs.folder import RunFolder
from core.runs.hosting.probes import NO_INTERVAL, no_kl, room_of
from core.runs.priority import lower_priority
from core.runs.time_left import remaining_work, sum_of_costs
from core.training.gate.left_out import ReadableRows, encode_usable
from core.training.memory_plan import ModelShape, plan_memory
from core.training.policy.read_model import read_architecture, read_tokenizer
from core.training.steps.data_order import total_steps
from core.training.steps.look_cadence import ModelSizes, plan_looks, starts_free
from core.training.text.encoded_pair import EncodedPair
from core.training.text.proof import prove
from core.training.text.tokenise import PairEncoder

_ROOM = 1 << 30
_TOTAL = 4
_TRIED_PAIRS = 8
"""Most pairs of the tried step: enough for its cost a pair, and no longer a wait than needed."""


def examine(request: dict[str, Any], progress: Progress, part: Part) -> dict[str, Any]:
    """Return the report on the request ``{config, model_dir, pairs_dir, place}`` as plain values.

    ``part`` gets each check as plain values as soon as it is known; a later check of the same key replaces it.
    """
    lower_priority()
    go_offline()
    config = RunConfig.from_plain(request["config"])
    model_dir, pairs = Path(request["model_dir"]), RunFolder(Path(request["pairs_dir"])).pairs()
    checks: list[Check] = []

    def found(check: Check) -> None:
        checks.append(check)
        part(asdict(check))

    progress(0, _TOTAL, "Checking the model")
    found(_model_check(model_dir))
    progress(1, _TOTAL, f"Tokenising {counted(len(pairs), 'pair')}")
    tokenizer = read_tokenizer(model_dir)
    model = read_architecture(model_dir) if model_dir.is_dir() else None
    rows = ReadableRows() if model is None else ReadableRows.of(model, tokenizer)
    encoded, tokens = encode_usable(pairs, tokenizer, config, rows)
    lengths = {pair.pair_id: pair.length for pair in encoded}
    kl = [] if model is None else kl_check(config, tokenizer, model, pairs)
    plan = _looks(config, model, pairs, encoded)
    for check in (token_check(tokens), *template_checks(config, tokens), *kl, *look_check(plan)):
        found(check)
    proof = prove(pairs, tokenizer, config, tokens)
    progress(2, _TOTAL, "One step as a test")
    tried_pairs = _spread(pairs, lengths, min(config.batch_size, _TRIED_PAIRS))
    prompts = tuple({pair.prompt_ids: None for pair in encoded})
    tried = TriedStep(
        config,
        model_dir,
        tried_pairs,
        found,
        lambda phase: progress(2, _TOTAL, f"One step as a test: {phase}"),
        prompts,
    )
    tried.run()
    for check in ranking_check(tried.step.rows) if tried.step is not None else ():
        found(check)
    progress(3, _TOTAL, "Counting")
    prompt_tokens = fmean(len(pair.prompt_ids) for pair in encoded) if encoded else 0.0
    report = _report(config, pairs, tokens, lengths, prompt_tokens, tried, plan, Path(request["place"]))
    progress(_TOTAL, _TOTAL, "Done")
    return replace(report, checks=(*checks, *report.checks), proof=proof).to_plain()


def _model_check(model_dir: Path) -> Check:
    """Refuse a model that is unsafe or incomplete, before anything is loaded."""
    check_model(model_dir)
    size = sum(p.stat().st_size for p in ([model_dir] if model_dir.is_file() else model_dir.glob("*.safetensors")))
    return Check("model", "ok", f"{model_dir.name} is safe to load ({size / 2**20:,.0f} MiB of weights).")


def _looks(
    config: RunConfig, model: Any, pairs: Sequence[TrainingPair], encoded: Sequence[EncodedPair]
) -> LooksPlanned:
    """Return how often the run will measure; a GGUF file's sizes are not known before it is loaded."""
    split = {pair.pair_id: pair.split for pair in pairs}
    train, dev = ([p for p in encoded if split[p.pair_id] == name] for name in ("train", "dev"))
    if model is None or not train:
        return LooksPlanned.as_set(config)
    parameters = sum(parameter.numel() for parameter in model.parameters())
    return plan_looks(config, ModelSizes.of(model.config, parameters), train, dev, total_steps(len(train), config))


def look_check(plan: LooksPlanned) -> list[Check]:
    """Return the check that says how often the run will measure; none for a run that measures nothing."""
    if not any(plan.every.values()):
        return []
    hint = "Set look_share=1 to keep the cadences as they are set." if plan.factor > 1 else ""
    return [Check("looks", "ok", look_words(plan), hint)]


def kl_check(config: RunConfig, tokenizer: Any, model: Any, pairs: Sequence[TrainingPair]) -> list[Check]:
    """Return a check that says that the run has no KL, or no interval of one for its budget; none where it has."""
    if not (config.kl_every and config.kl_prompts):
        return []
    encoder, room = PairEncoder(tokenizer, config), room_of(config, model)
    fit = {pair.prompt.sha256 for pair in pairs if 0 < _prompt_tokens(encoder, pair) <= room.for_kl}
    hint = "Lower kl_max_new_tokens, or set kl_every to 0."
    if len(fit) == 1 and config.kl_budget:
        return [Check("kl", "bad", NO_INTERVAL, hint)]
    if fit:
        return []
    return [Check("kl", "bad" if config.kl_budget else "warn", no_kl(config, room), hint)]


def _prompt_tokens(encoder: PairEncoder, pair: TrainingPair) -> int:
    try:
        return len(encoder.prompt_ids(pair.prompt))
    except BadInput:
        return 0


def token_check(tokens: TokenReport) -> Check:
    """Return the check of what tokenising does to the pairs: lengths, truncated and dropped pairs."""
    text = (
        f"Half of the rows below {tokens.p50}, 95 % below {tokens.p95}, longest {tokens.longest}; "
        f"{tokens.truncated} of {counted(tokens.pairs, 'pair')} truncated, {tokens.dropped} dropped, "
        f"{tokens.merged_boundaries} merged boundaries, {counted(tokens.empty_answers, 'empty answer')}."
    )
    if lost := cut_words(tokens):
        text += f" Of the truncated ones, {lost}."
    if tokens.left_out:
        text += f" Left out: {left_out_words(tokens.left_out, tokens.template_says)}."
    if tokens.dropped >= tokens.pairs:
        return Check("tokens", "bad", text, "Raise max_length." if _by_length(tokens) else "")
    if tokens.truncated * 10 > tokens.pairs or tokens.dropped:
        hint = "Raise max_length, or leave the long pairs out." if _by_length(tokens) else ""
        return Check("tokens", "warn", text, hint)
    return Check("tokens", "ok", text)


def _by_length(tokens: TokenReport) -> bool:
    """Return whether any pair is truncated or left out for its length."""
    return bool(tokens.truncated or beyond_length(tokens.left_out))


def _spread(pairs: Sequence[TrainingPair], lengths: dict[str, int], count: int) -> list[TrainingPair]:
    """Return up to ``count`` train pairs at even steps of length, the longest among them."""
    usable = sorted((p for p in pairs if p.split == "train" and p.pair_id in lengths), key=lambda p: lengths[p.pair_id])
    count = min(count, len(usable))
    return [usable[len(usable) - 1 - i * len(usable) // count] for i in range(count)]


def _free_memory(device: str) -> int:
    """Return the bytes that a run could use on the device once this process has ended."""
    if device.startswith("cuda"):
        import torch  # as above

        return int(torch.cuda.mem_get_info()[0] + torch.cuda.memory_reserved())
    return int(psutil.virtual_memory().available + psutil.Process().memory_info().rss)


def _report(
    config: RunConfig,
    pairs: Sequence[TrainingPair],
    tokens: TokenReport,
    lengths: dict[str, int],
    prompt_tokens: float,
    tried: TriedStep,
    plan: LooksPlanned,
    place: Path,
) -> PreflightReport:
    train = [lengths[p.pair_id] for p in pairs if p.split == "train" and p.pair_id in lengths]
    base = PreflightReport(tokens=tokens, gate=tried.gate, device=tried.device, forward=tried.forward, looks=plan)
    if not train or tried.step is None:
        return base
    steps = total_steps(len(train), config)
    scale = fmean(train) / fmean(lengths[p.pair_id] for p in tried.pairs)
    step_s = tried.step.seconds * scale * min(config.batch_size, len(train)) / len(tried.pairs)
    visited = min(len(train), steps * config.batch_size)
    reference_s = tried.reference_s * scale * visited / len(tried.pairs)
    held_out = sum(p.split == "dev" and p.pair_id in lengths for p in pairs)
    size = plan.pairs_of_a_split(config, held_out)
    probed = min(size, len(train)) + min(size, held_out)
    looks = tried.looks.seconds(
        probed, plan.answers_of_a_kl(config), pair_tokens=fmean(lengths.values()), prompt_tokens=prompt_tokens
    )
    start_s = tried.reference_s * scale * probed / len(tried.pairs) if "eval" in looks else 0.0
    made = frozenset(plan.every) if starts_free(config) else frozenset()
    left = {**remaining_work(config, 0, steps, made, plan.every), "once": 1}
    eta = sum_of_costs(_once_seen({"step": step_s, "once": reference_s + start_s, **looks}), left)
    disk = 2 * tried.saved_bytes * (config.keep_checkpoints + 1) + _ROOM
    report = replace(
        base,
        total_steps=steps,
        step_seconds=step_s,
        reference_seconds=reference_s,
        look_seconds=looks,
        start_seconds=start_s,
        eta_s=eta.seconds,
        eta_low_s=eta.low,
        eta_high_s=eta.high,
        memory_free_bytes=_free_memory(tried.device),
        disk_bytes=disk,
        disk_free_bytes=shutil.disk_usage(_existing_parent(place)).free,
    )
    report = _with_memory(report, config, sorted(lengths.values(), reverse=True), tried)
    return replace(report, checks=(_memory(report, tried.peak), _disk(report), _time(report)))


def _once_seen(costs: dict[str, float]) -> dict[str, list[float]]:
    """Return each cost as the one time that its kind of work was seen."""
    return {kind: [cost] for kind, cost in costs.items()}


def _with_memory(
    report: PreflightReport, config: RunConfig, lengths: Sequence[int], tried: TriedStep
) -> PreflightReport:
    """Add the memory of the run: by the engine's plan, or as measured where the model's shape is unknown."""
    try:
        shape = ModelShape.read(tried.model_dir)
    except BadInput:
        return replace(report, memory_bytes=tried.peak, micro_batch=config.micro_batch)
    plan = plan_memory(
        shape,
        config,
        lengths,
        forward=tried.forward,
        device=tried.device.partition(":")[0],
        available=report.memory_free_bytes,
    )
    return replace(
        report,
        memory_bytes=plan.total,
        memory_parts=tuple(line for line in plan.lines() if line[0] != "total"),
        micro_batch=plan.micro_batch,
    )


def _memory(report: PreflightReport, measured: int) -> Check:
    need, free = report.memory_bytes / 2**30, report.memory_free_bytes / 2**30
    text = (
        f"The run needs about {need:.1f} GiB (the tested step needed {measured / 2**30:.1f}); "
        f"{free:.1f} GiB are free on {report.device}."
    )
    if need > free:
        return Check("memory", "bad", text, "Lower micro_batch or max_length, or choose a smaller model.")
    if need > 0.9 * free:
        return Check("memory", "warn", text, "Close other programs, or lower micro_batch.")
    return Check("memory", "ok", text)


def _disk(report: PreflightReport) -> Check:
    need, free = report.disk_bytes / 2**30, report.disk_free_bytes / 2**30
    text = f"Checkpoints and result need up to {need:.1f} GiB; {free:.1f} GiB are free."
    return Check("disk", "ok" if need <= free else "bad", text, "" if need <= free else "Free some space.")


def _time(report: PreflightReport) -> Check:
    looks = sum(report.look_seconds.values())
    text = (
        f"{counted(report.total_steps, 'step')} of about {report.step_seconds:.2f} s: about "
        f"{rough(report.eta_s)} in all ({rough(report.eta_low_s)} to {rough(report.eta_high_s)} in 8 of 10 "
        f"runs), the reference ({rough(report.reference_seconds)}) and all "
        f"measurements (about {rough(looks)} for one of each kind) included."
    )
    return Check("time", "ok", text)


def _existing_parent(place: Path) -> Path:
    while not place.exists() and place != place.parent:
        place = place.parent
    return place


if __name__ == "__main__":
    sys.exit(serve_parts(examine))
