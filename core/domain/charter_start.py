"""What a charter can be made of, and the one that a new run begins with. Its author changes what does not fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.domain.charter import Charter
from core.domain.evaluated_metrics import EVALUATED
from core.domain.gate_limits import GateLimits
from core.domain.metric_table import METRICS
from core.domain.suite import MIN_SLICE, SuiteInfo

BENIGN = "look-alikes"
"""The built-in suite of benign requests."""
PLANNED_ITEMS, PLANNED_JUDGEMENTS, KL_BUDGET = 100, 194, 10.0
"""Items of a suite; judgements that tell a win rate of 60 % from 50 % (alpha .05, power .8); nats for each answer."""
_SOURCES = {"eval": ("dev.", "held out"), "kl": ("kl.", "of sampled answers"), "step": ("", "while training")}


@dataclass(frozen=True, slots=True)
class CharterVariable:
    """A number that can stand for the target behaviour: its name, its title, and what it is."""

    name: str
    title: str
    about: str


def variables() -> list[CharterVariable]:
    """Return every number that a run logs or an evaluation measures, those of held-out pairs first."""
    logged = [
        CharterVariable(f"{prefix}{metric.key}", f"{metric.name}, {words}", metric.explains)
        for event, (prefix, words) in _SOURCES.items()
        for metric in METRICS
        if event in metric.events and (metric.better != "neither" or metric.key == "kl")
    ]
    measured = [
        CharterVariable(name, f"{name.replace('_', ' ')}, of an evaluation", what)
        for name, (_, what) in EVALUATED.items()
        if name not in {one.name for one in logged}
    ]
    ends = sum(one.name.startswith("dev.") for one in logged)
    return [*logged[:ends], *measured, *logged[ends:]]


def benign_suites(suites: Sequence[SuiteInfo]) -> list[SuiteInfo]:
    """Return the suites that can show over-refusal: those with requests that should be answered."""
    return [info for info in suites if info.counts.get("comply")]


def starting_charter(
    splits: Mapping[str, int], suites: Sequence[SuiteInfo], *, rubrics: Sequence[str] = (), dataset: str = ""
) -> Charter:
    """Return a charter that answers all five questions for a run on a dataset version.

    Args:
        splits: pairs of train, dev and test.
        suites: that the workspace and the program have.
        rubrics: titles of the rubric versions behind the labels.
        dataset: title of the dataset version.
    """
    under = f" under {', '.join(rubrics[:2])}" if rubrics else f" in {dataset}" if dataset else ""
    kept = [split for split in ("dev", "test") if splits.get(split)]
    benign = sorted(benign_suites(suites), key=lambda info: (info.name != BENIGN, -info.number))
    where, sizes = (benign[0].title, [benign[0].n]) if benign else ("", [])
    sizes += [splits["test"]] if splits.get("test") else []
    return Charter(
        target_behaviour=f"Answers that people prefer{under}",
        variable="dev.accuracy" if splits.get("dev") else "accuracy",
        examples=tuple(kept) or ("train",),
        regression_metric="over_refusal" if where else "ranking_accuracy",
        regression_suite=where,
        margin=GateLimits().over_refusal,
        test="not_worse",
        benign_suite=where,
        planned_items=max(MIN_SLICE, min([PLANNED_ITEMS, *sizes])),
        planned_judgements=PLANNED_JUDGEMENTS,
        kl_budget=KL_BUDGET,
    )
