"""Comparing runs: held-out differences to a baseline, pair by pair, with what differs in settings and fingerprint.

Margins of different betas are in different units, so margins are compared as h = margin / beta in nats. Losses are
compared only where loss and beta are the same. A KL has no rows of pairs in the ledger, so its difference is made of
two estimates, which is said in its estimator. Runs are compared at one step: the last one at which all were measured.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from core.domain.counting import verb
from core.domain.errors import UsageError
from core.domain.estimate import Z95, Estimate
from core.domain.fingerprint_fields import FieldComparison, compare_fields, compare_settings
from core.domain.kl_estimate import is_identity, kl_estimate
from core.domain.run_comparison import (
    COMPARED,
    AgainstBaseline,
    ComparedRun,
    Difference,
    PairFlips,
    RunComparison,
    letter_of,
    sentences_against,
)
from core.domain.run_config import SETTINGS
from core.domain.run_events import EvalDone, KlDone, PairMetrics
from core.evaluation.estimates import PromptResamples, probe_estimates
from core.evaluation.preference_metrics import column, half_credit
from core.runs.run_reader import RunReader
from core.services.runs.answer_lengths import SampleLengths, answer_lengths, length_difference
from core.services.runs.compared_rows import HeldOutRows, MatchedRows, held_out_rows, match

Array = NDArray[np.float64]

_LOSS_SETTINGS = ("beta", "loss", "loss_mix", "label_smoothing", "f_divergence", "f_alpha", "rpo_alpha", "ld_alpha")
"""Settings that change the formula of a loss; with other values two losses are not the same quantity."""


def _displaced(side: str) -> Callable[[Sequence[PairMetrics]], Array]:
    return lambda rows: column(rows, f"logp_{side}") - column(rows, f"ref_{side}")


_VALUES: Mapping[str, tuple[str, Callable[[Sequence[PairMetrics]], Array]]] = {
    "accuracy": ("pp", lambda rows: 100.0 * half_credit(column(rows, "margin"))),
    "h": ("nats", lambda rows: column(rows, "h")),
    "displacement_chosen": ("nats", _displaced("chosen")),
    "displacement_rejected": ("nats", _displaced("rejected")),
    "loss": ("nats", lambda rows: column(rows, "loss")),
}
"""Number -> its unit as a difference, and its value of each pair."""


def compare_runs(
    readers: Sequence[RunReader],
    step: int | None = None,
    names: Sequence[str] | None = None,
    *,
    newest: bool = False,
) -> RunComparison:
    """Compare runs with the first of them.

    Args:
        readers: of two runs or more, the baseline first.
        step: of the held-out probe of every run; None takes the last one that all of them have, and the newest probe of
            each run where they share none after the start.
        names: what the runs are called now; None takes the names they were made with.
        newest: take the newest probe of each run, whatever its step.

    Raises:
        UsageError: for fewer than two runs, one run twice, or a step at which one has no held-out probe.
        BadInput: when the pairs of a run cannot be read.
    """
    records = [reader.record() for reader in readers]
    if len(records) < 2:
        raise UsageError("A comparison needs a baseline and at least one other run.", "Name two runs or more.")
    if len({record.run_id for record in records}) < len(records):
        raise UsageError("A run cannot be compared with itself.", "Name each run once.")
    shared = common_steps(readers)
    if step is None and not newest and shared and shared[-1] > 0:
        step = shared[-1]
    looks = [_look(reader, step) for reader in readers]
    if step is not None:
        _require_step(looks, readers, step)
    lengths = answer_lengths(readers, step)
    kls = [_kl(reader, step) for reader in readers]
    rows = [
        None if look is None else held_out_rows(reader, look.step) for reader, look in zip(readers, looks, strict=True)
    ]
    runs = tuple(
        ComparedRun(
            letter_of(n),
            names[n] if names is not None else record.name,
            record,
            readers[n].status().state,
            None if (look := looks[n]) is None else look.step,
            None if (kl := kls[n]) is None else kl.step,
            _own_values(rows[n], kls[n], lengths[n], record.config.beta),
        )
        for n, record in enumerate(records)
    )
    fields = compare_fields(records)
    against = tuple(_against(n, runs, rows, kls, lengths, fields) for n in range(1, len(runs)))
    notes = (
        *_notes(runs, readers, kls, lengths),
        *(one.pairs.words(one.letter) for one in against if rows[0] is not None),
    )
    return RunComparison(runs, against, compare_settings(records), fields, notes, step, tuple(shared))


def common_steps(readers: Sequence[RunReader]) -> list[int]:
    """Return the steps at which every run has a held-out probe, by step."""
    steps = [{probe.step for probe in reader.evals("dev")} for reader in readers]
    return sorted(set.intersection(*steps)) if steps else []


def _look(reader: RunReader, step: int | None) -> EvalDone | None:
    probes = reader.evals("dev")
    if step is not None:
        return next((probe for probe in probes if probe.step == step), None)
    return probes[-1] if probes else None


def _require_step(looks: Sequence[EvalDone | None], readers: Sequence[RunReader], step: int) -> None:
    if all(look is not None for look in looks):
        return
    lacking = [reader.record().name for reader, look in zip(readers, looks, strict=True) if look is None]
    shared = common_steps(readers)
    known = ", ".join(map(str, shared)) if shared else "none"
    raise UsageError(
        f"There is no held-out probe at step {step} of {' and '.join(lacking)}.", f"All of them have: {known}."
    )


def _kl(reader: RunReader, step: int | None) -> KlDone | None:
    """Return the newest on-policy KL up to a step."""
    found = [event for event in reader.kls() if step is None or event.step <= step]
    return found[-1] if found else None


def _own_values(
    held_out: HeldOutRows | None, kl: KlDone | None, lengths: SampleLengths, beta: float
) -> dict[str, Estimate]:
    found: dict[str, Estimate] = {}
    if held_out is not None and held_out.rows:
        rows, prompts = list(held_out.rows.values()), list(held_out.prompts.values())
        values = probe_estimates(rows, PromptResamples(prompts), beta)
        found = {name: values[name] for name in COMPARED if name in values}
    if kl is not None:
        found["kl"] = kl_estimate(kl)
    if (length := lengths.mean()) is not None:
        found["length"] = length
    return {name: found[name] for name in COMPARED if name in found}


def _against(
    number: int,
    runs: Sequence[ComparedRun],
    rows: Sequence[HeldOutRows | None],
    kls: Sequence[KlDone | None],
    lengths: Sequence[SampleLengths],
    fields: Sequence[FieldComparison],
) -> AgainstBaseline:
    none = HeldOutRows({}, {}, {})
    base, own = rows[0] or none, rows[number] or none
    matched = match(base, own)
    objection, variation = sentences_against(fields, number)
    differences = (
        *_differences(matched, base, own, runs[0], runs[number]),
        _kl_difference(kls[0], kls[number]),
        length_difference(lengths[0], lengths[number]),
    )
    ordered = sorted(differences, key=lambda one: list(COMPARED).index(one.metric))
    return AgainstBaseline(letter_of(number), matched.pairs, tuple(ordered), _flips(matched), objection, variation)


def _differences(
    matched: MatchedRows, base: HeldOutRows, own: HeldOutRows, baseline: ComparedRun, run: ComparedRun
) -> Iterator[Difference]:
    resamples = PromptResamples(matched.prompts)
    for name, (unit, values) in _VALUES.items():
        if name == "loss" and (why := _other_loss(baseline, run)):
            yield Difference(name, None, why=why)
        elif not base.rows or not own.rows:
            yield Difference(name, None, why=f"{(baseline if not base.rows else run).letter} has no held-out probe.")
        elif matched.pairs.both:
            found = resamples.mean(values(matched.run) - values(matched.baseline), unit)
            words = found.estimator.replace("mean over pairs", "mean difference of the same pairs")
            yield Difference(name, replace(found, estimator=words), paired=True)
        else:
            yield Difference(name, _unpaired(values, base, own, unit))


def _unpaired(
    values: Callable[[Sequence[PairMetrics]], Array], base: HeldOutRows, own: HeldOutRows, unit: str
) -> Estimate:
    from core.evaluation.measures.means import difference_of_means  # loads scipy, which the window opens without

    after, before = values(list(own.rows.values())), values(list(base.rows.values()))
    return difference_of_means(after, before, list(own.prompts.values()), list(base.prompts.values()), unit)


def _other_loss(baseline: ComparedRun, run: ComparedRun) -> str:
    """Return why the losses of two runs are not one quantity; "" where they are."""
    before, after = baseline.record.config.to_plain(), run.record.config.to_plain()
    other = [SETTINGS[name].label for name in _LOSS_SETTINGS if before[name] != after[name]]
    return f"Losses cannot be compared: {' and '.join(other)} {verb(len(other), 'differs', 'differ')}." if other else ""


def _kl_difference(before: KlDone | None, after: KlDone | None) -> Difference:
    if before is None or after is None:
        return Difference("kl", None, why="One of both has no on-policy KL.")
    if before.horizon != after.horizon:
        why = f"KLs of different horizons cannot be compared: {before.horizon} and {after.horizon} tokens."
        return Difference("kl", None, why=why)
    if is_identity(before) != is_identity(after):
        which = "the baseline" if is_identity(before) else "this run"
        return Difference("kl", None, why=f"The KL of {which} is that of the start, where policy = reference.")
    one, two = kl_estimate(before), kl_estimate(after)
    value = after.kl - before.kl
    known = one.has_interval and two.has_interval and one.se is not None and two.se is not None
    se = math.hypot(one.se, two.se) if known and one.se is not None and two.se is not None else math.nan
    found = Estimate(
        value,
        value - Z95 * se,
        value + Z95 * se,
        min(one.n, two.n),
        one.unit,
        "difference of two estimates, not paired; ± 1.96 SE of both",
        se=se,
        groups=min(one.groups, two.groups),
    )
    return Difference("kl", found)


def _flips(matched: MatchedRows) -> PairFlips:
    if not matched.pairs.both:
        return PairFlips()
    from core.evaluation.measures.flips import flips  # loads statsmodels, which the window opens without

    before, after = half_credit(column(matched.baseline, "margin")), half_credit(column(matched.run, "margin"))
    found = flips(before, after, matched.prompts)
    ids = [row.pair_id for row in matched.baseline]
    lost = tuple(name for name, one, two in zip(ids, before, after, strict=True) if one > 0.5 >= two)
    gained = tuple(name for name, one, two in zip(ids, before, after, strict=True) if two > 0.5 >= one)
    return PairFlips(lost, gained, found.p, found.test)


def _notes(
    runs: Sequence[ComparedRun],
    readers: Sequence[RunReader],
    kls: Sequence[KlDone | None],
    lengths: Sequence[SampleLengths],
) -> Iterator[str]:
    if any(one.step != two.step for one, two in pairwise(runs)):
        told = ", ".join(f"{run.letter} {'none' if run.step is None else f'step {run.step}'}" for run in runs)
        yield f"The newest held-out probes are of different steps ({told}); --step compares at the same one."
    else:
        last = [
            (run, probes[-1].step) for run, probe in zip(runs, readers, strict=True) if (probes := probe.evals("dev"))
        ]
        later = [f"{run.letter} step {step}" for run, step in last if run.step is not None and step > run.step]
        if later:
            yield f"All are compared at step {runs[0].step}; there are later held-out probes ({', '.join(later)})."
    for what, steps in (
        ("on-policy KL is the newest one", [None if kl is None else kl.step for kl in kls]),
        ("samples are the newest ones", [one.step for one in lengths]),
    ):
        known = [(run, step) for run, step in zip(runs, steps, strict=True) if step is not None]
        if any(step != run.step for run, step in known):
            told = ", ".join(f"{run.letter} step {step}" for run, step in known)
            yield f"The {what} at or before the probe ({told})."
