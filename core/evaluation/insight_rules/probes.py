"""Rules about what the probes show: falling answers, gaps between splits, rankings worse than the reference's."""

from __future__ import annotations

import math

import numpy as np

from core.domain.counting import counted
from core.domain.estimate import Estimate
from core.domain.insight import Insight
from core.domain.number_text import format_value, interval_text, signed
from core.domain.run_events import EvalDone, PairMetrics
from core.evaluation.estimates import gap_between, proportion
from core.evaluation.insight_rules.registry import (
    BY_PROMPT,
    figure,
    ids,
    insight_rule,
    mean_of,
    paired_change,
    rolling_mean,
    since,
    standard_error,
    values_of,
    window_of,
    worst_first,
)
from core.evaluation.preference_metrics import column, half_credit
from core.evaluation.run_so_far import MeasuredRows, RunSoFar
from core.evaluation.trends import TREND_LEVEL, mcnemar, trend

LEAST_PAIRS = 8
"""Fewest pairs of a probe from which a rule draws conclusions."""


@insight_rule
def chosen_falls(run: RunSoFar) -> Insight | None:
    """The chosen answers become less likely than under the reference, and the rejected ones with them."""
    probes = [e for e in run.probes("dev") if e.step > 0] or [e for e in run.probes("train") if e.step > 0]
    if probes and len(run.probe_rows(probes[-1]).rows) >= LEAST_PAIRS:
        return _falls_on_probe(run, probes)
    return _falls_in_batches(run)


def _falls_on_probe(run: RunSoFar, probes: list[EvalDone]) -> Insight | None:
    """Judge by the newest probe: the mean displacement of the chosen answers lies surely below 0."""

    def moved(event: EvalDone) -> Estimate:
        rows = run.probe_rows(event).rows
        return mean_of(run, rows, list(column(rows, "logp_chosen") - column(rows, "ref_chosen")), "nats")

    last, newest = probes[-1], run.probe_rows(probes[-1])
    chosen = moved(last)
    if not chosen.high < 0:
        return None
    first = since(probes, lambda event: moved(event).high < 0)
    growth = paired_change(run, probes[probes.index(first) - 1], last, "margin") if first is not probes[0] else None
    growth = growth or mean_of(run, newest.rows, list(column(newest.rows, "margin")))
    return _falling(
        newest,
        first.step,
        last.step,
        grows=growth.low > 0,
        figures=(
            ("chosen, nats", figure(chosen, sign=True)),
            ("change of the margin", figure(growth, sign=True)),
        ),
        why=f"On {counted(len(newest.rows), 'pair')} the chosen answer is {signed(chosen.value)} nats "
        f"{interval_text(chosen)} less likely than under the reference.".replace("+", ""),
        test=f"{BY_PROMPT}; below 0 for the chosen answers, and for the growth of the margin above 0.",
    )


def _falls_in_batches(run: RunSoFar) -> Insight | None:
    """Judge by the training batches where no probe was measured."""
    window = window_of(len(run.steps))
    if len(run.steps) < 2 * window:
        return None
    reward, margins = values_of(run.steps, "reward_chosen"), values_of(run.steps, "margin")
    chosen, margin = rolling_mean(reward, window), rolling_mean(margins, window)
    if not chosen[-1] < -2 * standard_error(reward[-window:]):
        return None
    below = np.flatnonzero(chosen >= 0)
    start = int(below[-1]) + 1 if below.size else 0
    at = values_of(run.steps, "step")[start:]
    falls, grows = trend(at, reward[start:]), trend(at, margins[start:])
    if falls is None or grows is None or not falls.falls or not grows.rises or chosen[-1] > chosen[start]:
        return None
    return _falling(
        run.newest_rows(),
        run.steps[start + window - 1].step,
        run.steps[-1].step,
        grows=True,
        figures=(
            ("chosen reward", signed(float(chosen[-1]))),
            ("margin", signed(float(margin[-1]))),
            ("slope of the margin", f"{signed(grows.slope)} a step (p {grows.p:.2g})"),
        ),
        why=f"The chosen reward is {chosen[-1]:+.3f}, the margin {margin[-1]:+.3f}.",
        test=f"Mann-Kendall on the steps since, two-sided, level {TREND_LEVEL:g}: chosen falls (p {falls.p:.2g}), "
        f"margin rises (p {grows.p:.2g}).",
    )


def _falling(
    measured: MeasuredRows,
    first: int,
    last: int,
    *,
    grows: bool,
    figures: tuple[tuple[str, str], ...],
    why: str,
    test: str,
) -> Insight:
    both = [r for r in measured.rows if r.logp_chosen < r.ref_chosen and r.logp_rejected < r.ref_rejected]
    both.sort(key=lambda r: r.logp_chosen - r.ref_chosen)
    title = (
        "Chosen reward falls while the margin grows"
        if grows
        else "Chosen and rejected both fall; the margin does not surely grow"
    )
    return Insight(
        "chosen_falls",
        first,
        title,
        f"{why} Both answers become less likely, and other text becomes more likely. This is common in DPO and not "
        "always harmful.",
        "Read the samples. Lower the learning rate, raise beta, or add a likelihood term (rpo_alpha, loss dpop).",
        ids(both),
        spans=((first, last),),
        metrics=("reward_chosen", "dev.reward_chosen"),
        figures=(*figures, ("both answers down", f"{len(both)} of {counted(len(measured.rows), 'pair')}")),
        test=test,
        formula="displacement = log π(y|x) − log π_ref(y|x), reward = β · displacement, margin = chosen − rejected",
        confirm="The samples get shorter, repeat themselves or leave the topic, and the KL grows.",
        pairs_kind=measured.kind,
        pairs_steps=(measured.first, measured.last),
    )


@insight_rule
def accuracy_one_early(run: RunSoFar) -> Insight | None:
    """The training accuracy reaches 1 before a fifth of the run."""
    window = 10
    if len(run.steps) < window or run.total_steps <= 0:
        return None
    hits = np.flatnonzero(rolling_mean(values_of(run.steps, "accuracy"), window) >= 0.999)
    if not hits.size:
        return None
    first, last = run.steps[int(hits[0])].step, run.steps[int(hits[0]) + window - 1].step
    if last > 0.2 * run.total_steps:
        return None
    measured = run.train_rows(first, last)
    pairs = sum(s.pairs for s in run.steps[int(hits[0]) : int(hits[0]) + window])
    share = proportion(np.ones(pairs))
    return Insight(
        "accuracy_one_early",
        last,
        "Every training pair is already ranked correctly",
        f"The accuracy is 100 % after {last} of {run.total_steps} steps. Either something simple separates the "
        "responses (length, a phrase, a refusal), or the pairs are being memorised.",
        "Compare with the held-out accuracy, check the length bias, and look for a pattern in the chosen responses.",
        ids(sorted(measured.rows, key=lambda r: -r.margin)),
        spans=((first, last),),
        metrics=("accuracy",),
        figures=((f"steps {first} to {last}", f"{pairs} of {counted(pairs, 'pair')} {interval_text(share)}"),),
        test=f"Wilson interval of {window} steps in a row without a wrong pair.",
        formula="share of pairs with margin > 0, ties one half",
        confirm="The held-out accuracy is far below; a rule by length alone ranks the pairs as well.",
        pairs_steps=(first, last),
    )


@insight_rule
def train_dev_gap(run: RunSoFar) -> Insight | None:
    """The train probe is ranked clearly better than the held-out one."""
    pairs = _paired_probes(run)
    if not pairs:
        return None
    train, dev = pairs[-1]
    gap, sure = _margin_gap(run, train, dev), _apart(train, dev)
    if not sure and not _ahead(run, train, dev):
        return None
    first = since(pairs, (lambda p: _apart(*p)) if sure else (lambda p: _ahead(run, *p)))[1].step
    limits = f"{100 * dev.accuracy_low:.0f} to {100 * dev.accuracy_high:.0f} %"
    return Insight(
        "train_dev_gap",
        first,
        "Held-out pairs do not improve with the training pairs" if sure else "The train probe runs ahead of held-out",
        f"Accuracy is {100 * train.accuracy:.0f} % on training pairs and {100 * dev.accuracy:.0f} % on held-out ones "
        f"(95 % interval {limits}); the margins are {signed(train.margin)} and {signed(dev.margin)}. "
        + ("The policy no longer generalises." if sure else "Some of what it learned does not carry over."),
        "Stop here or take an earlier checkpoint; fewer epochs, a higher beta or more pairs help."
        if sure
        else "Watch the held-out loss; stop when it rises.",
        ids(worst_first(run.probe_rows(dev).rows)),
        "warning" if sure else "info",
        spans=((first, dev.step),),
        metrics=("dev.margin", "dev.accuracy"),
        figures=(
            ("train probe, held-out", f"{format_value(train.accuracy)}, {format_value(dev.accuracy)}"),
            ("pairs", f"{train.pairs} and {dev.pairs}"),
            *((("gap of the margins", figure(gap, sign=True)),) if gap is not None else ()),
        ),
        test="The 95 % Wilson intervals of both accuracies do not overlap."
        if sure
        else f"{BY_PROMPT} of each margin, combined by squares (MOVER); the gap lies above 0.",
        formula="the same measure on as many training pairs, the same ones at every probe",
        confirm="The held-out loss rises while that of the train probe falls.",
        pairs_kind="dev",
        pairs_steps=(dev.step, dev.step),
    )


def _paired_probes(run: RunSoFar) -> list[tuple[EvalDone, EvalDone]]:
    """Return (train, dev) probes of the same step, by step."""
    train = {e.step: e for e in run.probes("train")}
    dev = {e.step: e for e in run.probes("dev")}
    return [(train[s], dev[s]) for s in sorted(train.keys() & dev.keys())]


def _apart(train: EvalDone, dev: EvalDone) -> bool:
    """Return whether the accuracies' intervals do not overlap and the margins differ likewise."""
    return train.accuracy_low > dev.accuracy_high and train.margin > dev.margin


def _ahead(run: RunSoFar, train: EvalDone, dev: EvalDone) -> bool:
    """Return whether the gap of the margins lies surely above 0."""
    gap = _margin_gap(run, train, dev)
    return gap is not None and gap.low > 0


def _margin_gap(run: RunSoFar, train: EvalDone, dev: EvalDone) -> Estimate | None:
    """Return the difference of the margins, or None where either has too few rows."""
    sides = [run.probe_rows(event).rows for event in (train, dev)]
    if min(len(rows) for rows in sides) < LEAST_PAIRS:
        return None
    ours, theirs = (mean_of(run, rows, list(column(rows, "margin")), "nats × β") for rows in sides)
    return gap_between(ours, theirs)


@insight_rule
def dev_loss_rises(run: RunSoFar) -> Insight | None:
    """The held-out loss is past its best in the last two probes."""
    dev = [event for event in run.probes("dev") if math.isfinite(event.loss)]
    if len(dev) < 3:
        return None
    best = min(dev, key=lambda e: e.loss)
    limit = best.loss + max(0.01, 0.02 * abs(best.loss))
    if dev[-1].loss <= limit or dev[-2].loss <= limit or dev[-2].step <= best.step:
        return None
    change = paired_change(run, best, dev[-1], "loss")
    if change is not None and change.n >= LEAST_PAIRS and not change.low > 0:
        return None
    known = change is not None and change.has_interval
    return Insight(
        "dev_loss_rises",
        best.step,
        "The held-out loss is past its best",
        f"It was {best.loss:.4f} at step {best.step} and is {dev[-1].loss:.4f} now, at an accuracy of "
        f"{100 * dev[-1].accuracy:.0f} %: the policy becomes more confident than correct.",
        f"Compare with the checkpoint nearest step {best.step}; raise beta or stop earlier.",
        ids(worst_first(run.probe_rows(dev[-1]).rows)),
        spans=((best.step, dev[-1].step),),
        metrics=("dev.loss",),
        figures=(
            (f"step {best.step}", format_value(best.loss)),
            (f"step {dev[-1].step}", format_value(dev[-1].loss)),
            *((("change, same pairs", figure(change, sign=True)),) if known and change is not None else ()),
        ),
        test=f"{BY_PROMPT} of the change of each pair lies above 0 (the best probe was picked, so read it with care)."
        if known
        else "The last two probes lie at least 2 % above the best.",
        formula="loss = −log σ(β·h) for sigmoid, mean over the held-out pairs",
        confirm="Pairs that were right before are wrong now, or wrong pairs have far larger margins.",
        pairs_kind="dev",
        pairs_steps=(dev[-1].step, dev[-1].step),
    )


@insight_rule
def worse_than_reference(run: RunSoFar) -> Insight | None:
    """Held-out pairs are ranked worse than the reference ranks them without any training."""
    probes = [e for e in run.probes("dev") if e.step > 0]
    if not probes:
        return None
    last = probes[-1]
    rows = run.probe_rows(last).rows
    ref = half_credit(column(rows, "ref_chosen") - column(rows, "ref_rejected"))
    for name, ours in (
        ("margins", half_credit(column(rows, "margin"))),
        ("log-probs", half_credit(column(rows, "logp_chosen") - column(rows, "logp_rejected"))),
    ):
        gained, lost = int(((ours > 0.5) & (ref <= 0.5)).sum()), int(((ours <= 0.5) & (ref > 0.5)).sum())
        if lost > gained and mcnemar(gained, lost) < 0.05:
            lost_rows = [r for r, a, b in zip(rows, ours, ref, strict=True) if a <= 0.5 < b]
            return _worse(last, lost_rows, name, (proportion(ours), proportion(ref)), (gained, lost))
    return None


def _worse(
    last: EvalDone,
    lost_rows: list[PairMetrics],
    name: str,
    shares: tuple[Estimate, Estimate],
    moved: tuple[int, int],
) -> Insight:
    (ours, ref), (gained, lost) = shares, moved
    return Insight(
        "worse_than_reference",
        last.step,
        "Held-out pairs are ranked worse than by the reference",
        f"The policy's {name} rank {100 * ours.value:.0f} % of {counted(ours.n, 'held-out pair')} right; the "
        f"reference's own log-probs rank {100 * ref.value:.0f} % right, before any training.",
        "Check which answer is the chosen one in the data, the template and the length of the answers; lower the "
        "learning rate.",
        ids(sorted(lost_rows, key=lambda r: r.margin)),
        spans=((last.step, last.step),),
        metrics=("dev.accuracy",),
        figures=(
            (f"policy's {name}", figure(ours)),
            ("reference's ranking", figure(ref)),
            ("gained, lost", f"{gained}, {lost} (p {mcnemar(gained, lost):.2g})"),
        ),
        test="McNemar, exact, two-sided, level 0.05, on the pairs that only one of both ranks right.",
        formula="margin > 0, against log π_ref(chosen) > log π_ref(rejected)",
        confirm="The train probe shows the same; with labels turned round the ranking is better.",
        pairs_kind="dev",
        pairs_steps=(last.step, last.step),
    )
