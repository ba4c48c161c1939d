"""Rules about what the policy answers, and about the reference that it is measured against."""

from __future__ import annotations

import math

from core.domain.counting import counted
from core.domain.insight import Insight
from core.domain.number_text import format_value
from core.domain.run_events import PairMetrics, SampleDone
from core.evaluation.estimates import proportion
from core.evaluation.insight_rules.registry import figure, ids, insight_rule, since
from core.evaluation.refusal.matching import says_no
from core.evaluation.run_so_far import RunSoFar
from core.evaluation.trends import mcnemar

_LEVEL = 0.05
_LEAST_MORE = 2
"""Samples that refuse anew from which it is worth a look, whatever the test says of so few."""
_NOISE_NATS = 0.05
_NOISE_TIMES = 4.0
"""By how much h at the start may exceed the noise floor that the truth gate measured."""


@insight_rule
def refusals_rise(run: RunSoFar) -> Insight | None:
    """The policy refuses prompts that the reference answers, under the same seeds."""
    looks = sorted({sample.step for sample in run.samples})
    counted_looks = [(step, *_refusals(run, step)) for step in looks if step > 0]
    if not counted_looks:
        return None
    step, gained, lost = counted_looks[-1]
    if len(gained) - len(lost) < _LEAST_MORE:
        return None
    p = mcnemar(len(lost), len(gained))
    first = since(counted_looks, lambda look: len(look[1]) > len(look[2]))[0]
    newest = [sample for sample in run.samples if sample.step == step]
    ours, theirs = (proportion([says_no(getattr(s, side)) for s in newest]) for side in ("policy", "reference"))
    return Insight(
        "refusals_rise",
        first,
        "The policy refuses more than the reference",
        f"At step {step} it refuses {len(gained)} of {counted(len(newest), 'sampled prompt')} that the reference "
        f"answers, and answers {len(lost)} that the reference refuses.",
        "Read the samples; look for refusals among the chosen answers, and measure a suite of benign prompts.",
        tuple(dict.fromkeys(sample.pair_id for sample in gained)),
        "warning" if p < _LEVEL else "info",
        spans=((first, step),),
        figures=(
            ("policy refuses", figure(ours)),
            ("reference refuses", figure(theirs)),
            ("newly, no longer", f"{len(gained)}, {len(lost)} (p {p:.2g}, n {len(newest)})"),
        ),
        test=f"McNemar, exact, two-sided, level {_LEVEL:g}; below it a warning, above it only to be looked at.",
        formula="refusals by the rules of the refusal detector, same prompt and seed",
        confirm="An evaluation of benign prompts shows over-refusal, audited by people.",
        pairs_kind="dev",
    )


def _refusals(run: RunSoFar, step: int) -> tuple[list[SampleDone], list[SampleDone]]:
    """Return the samples of a look that only the policy refuses, and those that only the reference does."""
    sides = [(s, says_no(s.policy), says_no(s.reference)) for s in run.samples if s.step == step]
    return [s for s, ours, theirs in sides if ours and not theirs], [s for s, o, theirs in sides if theirs and not o]


@insight_rule
def reference_broken(run: RunSoFar) -> Insight | None:
    """Before any step h is not 0: the reference is another model than the one that training started from."""
    if run.start_loss is None:  # without a reference, or with other parts in the loss, h need not be 0
        return None
    floor = max(_NOISE_NATS, _NOISE_TIMES * run.gate.h_max if run.gate is not None else 0.0)
    for event in (e for e in run.evals if e.step == 0):
        rows = run.probe_rows(event).rows
        off = sorted((row for row in rows if not abs(row.h) <= floor), key=_off, reverse=True)
        if off:
            return Insight(
                "reference_broken",
                0,
                "The reference is not the model that training starts from",
                f"Before step 1 h is 0 for every pair when both are the same model; here |h| is up to "
                f"{format_value(_off(off[0]))} nats, and above {format_value(floor)} nats for "
                f"{len(off)} of {counted(len(rows), 'pair')}.",
                "Stop: margins and KL of this run mean nothing. Check the reference, its dtype and its template.",
                ids(off),
                "error",
                spans=((0, 0),),
                metrics=(f"{event.split}.margin",),
                figures=(("largest |h|", f"{format_value(_off(off[0]))} nats"), ("n", str(len(rows)))),
                formula="h = (log π − log π_ref)(chosen) − (log π − log π_ref)(rejected) at step 0",
                confirm="The truth gate of a new run with this model and reference fails.",
                pairs_kind="dev" if event.split == "dev" else "probe_train",
                pairs_steps=(0, 0),
            )
    return None


def _off(row: PairMetrics) -> float:
    return abs(row.h) if math.isfinite(row.h) else math.inf
