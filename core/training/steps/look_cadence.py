"""Decide how often a run measures, so that probes, KL and samples take at most a share of its work.

The work is counted in multiplications of weights, from the tokens of the pairs and the sizes of the model. No clock is
asked: a run with the same settings and pairs measures at the same steps on every machine, before and after a resume.
Measurements that decide something (the best checkpoint, a KL budget) keep the cadence and the size that were set.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.domain.errors import BadInput
from core.domain.look_plan import LooksPlanned
from core.domain.run_config import RunConfig
from core.training.memory_plan import SAMPLE_TOKENS, SAMPLES, ModelShape
from core.training.text.encoded_pair import EncodedPair

_TOKEN_COST, _SAMPLE_TOKEN_COST = 2, 5
"""What a token that is written costs, relative to one that is read: of the KL's answers, which are written together,
and of the few samples, whose steps mostly wait for the weights (measured on the CPU with SmolLM2-135M)."""
_OPEN_TOKENS = 700
"""What preparing and checking a decoder costs, in tokens that are read."""
_HEADS = 3
"""Rows of logits of each token of a measured pair: for its log-prob, and of both models for the token KL."""
_FEWEST_PAIRS, _FEWEST_ANSWERS = 8, 4
"""What a probe and a KL measure at least, however short the run is: fewer would say next to nothing."""


@dataclass(frozen=True, slots=True)
class ModelSizes:
    """Weights that multiply each token (``body``), and those that multiply each row of logits (``head``)."""

    body: int
    head: int

    @classmethod
    def of(cls, config: Any, parameters: int) -> ModelSizes:
        """Read the sizes from a model's config; where it names them otherwise, all weights multiply each token."""
        plain = config if isinstance(config, dict) else config.to_dict()
        try:
            shape = ModelShape.of(plain, parameters)
        except BadInput:
            return cls(parameters, 0)
        return cls(shape.layer_weights * shape.layers, shape.vocabulary * shape.width)


@dataclass(frozen=True, slots=True)
class LookWork:
    """Multiplications of one step, and of one measurement of each kind.

    ``start`` is what the measurements need once: a pass of the reference over the probe pairs.
    """

    step: int
    eval: int
    kl: int
    sample: int
    start: int

    @classmethod
    def of(
        cls, config: RunConfig, sizes: ModelSizes, train: Sequence[EncodedPair], dev: Sequence[EncodedPair]
    ) -> LookWork:
        """Count the work of a run on these pairs.

        Answers are counted as long as they may get, and prompts as long as those of all pairs are on average.
        """
        body, head = sizes.body, sizes.head
        pairs = [*train, *dev]
        tokens, answered = _sums(pairs)
        mean = len(pairs) or 1
        prompt = sum(len(pair.prompt_ids) for pair in pairs) // mean
        passes = 2 if config.lora_r else 3
        step = (passes * body * tokens + passes * head * answered) * config.batch_size // mean
        size = LooksPlanned.as_set(config).pairs_of_a_split(config, len(dev))
        probed = sum(min(size, len(split)) for split in (train, dev))
        evaluated = (body * tokens + _HEADS * head * answered) * probed // mean
        opened = _OPEN_TOKENS * body

        def answers(count: int, longest: int, cost: int) -> int:
            written = prompt * body + longest * cost * (body + head)
            return count * (written + 2 * (prompt + longest) * body + 2 * longest * head)

        kl = opened + answers(config.kl_prompts, config.kl_max_new_tokens, _TOKEN_COST)
        sample = answers(SAMPLES, SAMPLE_TOKENS, _SAMPLE_TOKEN_COST)
        apart = not config.kl_every or config.kl_every != config.sample_every
        reference = (body * tokens + head * answered) * probed // mean
        return cls(step, evaluated, kl, sample + opened * apart, reference)


def plan_looks(
    config: RunConfig, sizes: ModelSizes, train: Sequence[EncodedPair], dev: Sequence[EncodedPair], total: int
) -> LooksPlanned:
    """Return how a run of ``total`` steps measures: as set, or by the smallest multiple of the cadences that fits.

    Where only the last measurement is left and still takes more, it becomes smaller: fewer pairs of a probe and fewer
    answers of a KL, as many fewer as it takes, or as few as there may be.
    """
    asked = LooksPlanned.as_set(config)
    most = max((-(-total // every) for every in asked.every.values() if every), default=1)
    keep_eval, keep_kl = config.best_metric != "off", config.kl_budget > 0

    def planned(factor: int, part: int = 1) -> LooksPlanned:
        smaller = {} if part == 1 else _smaller(config, part, keep_eval=keep_eval, keep_kl=keep_kl)
        found = replace(
            asked,
            eval_every=asked.eval_every * (1 if keep_eval else factor),
            kl_every=asked.kl_every * (1 if keep_kl else factor),
            sample_every=asked.sample_every * factor,
            factor=factor,
            **smaller,
        )
        work = LookWork.of(config.with_values(smaller), sizes, train, dev)
        return replace(found, share=share_of(work, config, found, total))

    first = planned(1)
    limit = config.look_share
    factor = 1 if first.share <= limit else _smallest(lambda m: planned(m).share <= limit, most)
    plan = planned(factor)
    if plan.every == asked.every or plan.share == first.share:
        plan = first
    if plan.share > limit > 0:
        largest = max(config.probe_pairs, config.kl_prompts, 1)
        part = _smallest(lambda part: planned(plan.factor, part).share <= limit, largest)
        fewer = planned(plan.factor, part)
        plan = fewer if fewer.share < plan.share else plan
    return replace(plan, asked_share=first.share, limit=limit)


def _smaller(config: RunConfig, part: int, *, keep_eval: bool, keep_kl: bool) -> dict[str, int]:
    """Return the sizes of measurements that are ``part`` times smaller, as far as they may shrink."""
    wanted = {"probe_pairs": (config.probe_pairs, _FEWEST_PAIRS), "kl_prompts": (config.kl_prompts, _FEWEST_ANSWERS)}
    kept = {"probe_pairs": keep_eval or not config.eval_every, "kl_prompts": keep_kl or not config.kl_every}
    found = {name: max(-(-size // part), least) for name, (size, least) in wanted.items()}
    return {name: size for name, size in found.items() if size < wanted[name][0] and not kept[name]}


def _smallest(holds: Callable[[int], bool], most: int) -> int:
    """Return the smallest number from 2 to ``most`` for which ``holds``; it holds for all above it. Else ``most``."""
    low, high = 2, max(most, 2)
    while low < high:
        middle = (low + high) // 2
        if holds(middle):
            high = middle
        else:
            low = middle + 1
    return low


def share_of(work: LookWork, config: RunConfig, plan: LooksPlanned, total: int) -> float:
    """Return the share of all steps and measurements that the measurements are.

    At the start the reference's values stand for the policy's, unless the settings make the two differ.
    """
    looks = work.start if plan.eval_every and config.probe_pairs else 0
    kinds = {"eval": work.eval, "kl": work.kl if config.kl_prompts else 0, "sample": work.sample}
    for kind, every in plan.every.items():
        if every:
            looks += kinds[kind] * (-(-total // every) + int(not starts_free(config)))
    return looks / (looks + work.step * total) if looks else 0.0


def starts_free(config: RunConfig) -> bool:
    """Return whether the settings let the reference's values stand for the policy's before the first step."""
    return not (config.reference_model or config.wpo or config.router_aux_loss)


def _sums(pairs: Sequence[EncodedPair]) -> tuple[int, int]:
    return sum(pair.length for pair in pairs), sum(sum(pair.response_tokens()) for pair in pairs)
