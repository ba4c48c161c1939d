"""The beta frontier: evaluated runs that differ in beta and seed alone, and which of them another one beats.

DPO losses of different betas cannot be compared; KL, h and what people or checks say can. Runs that differ in more than
beta and seed are in groups of their own, and no point is compared with one of another group.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.domain.counting import counted
from core.domain.errors import UsageError
from core.domain.estimate import Estimate
from core.domain.evaluated_metrics import EVALUATED
from core.domain.evaluation_record import EvaluationRecord
from core.domain.frontier import SEEDS, BetaFrontier, FrontierPoint, SeedSpread, judged
from core.domain.ids import sha256_json
from core.domain.measured_evidence import MeasuredEvidence
from core.domain.run_config import SETTINGS
from core.domain.run_settings import NEVER
from core.evaluation.measures.means import mean_by_prompt
from core.services.proxies.curve import commonest_suite, known_of

WIN_RATE = "win_rate"
_VARIED = ("beta", "seed")


@dataclass(frozen=True, slots=True)
class MeasuredRun:
    """A finished evaluation with its evidence and the win rate by people."""

    record: EvaluationRecord
    evidence: MeasuredEvidence
    people: Estimate | None = None


def frontier_of(
    measured: Sequence[MeasuredRun], number: str = "preference_accuracy", altered: Sequence[str] = ()
) -> BetaFrontier:
    """Return the points of evaluated runs.

    Numbers of different prompts cannot be compared, so each is taken from one suite: the one that most evaluations
    have. Of several evaluations of one policy the first given counts.

    Args:
        measured: the newest first.
        number: what quality is: ``win_rate`` (people), or a number of the evidence that has a good direction.
        altered: a sentence for each evaluation that cannot be used.

    Raises:
        UsageError: for a number that is none of these.
    """
    better = EVALUATED.get(number, ("neither", ""))[0]
    if better == "neither":
        names = ", ".join(name for name, (way, _) in EVALUATED.items() if way != "neither")
        raise UsageError(f"{number!r} is no number that is better higher or lower.", f"Use one of {names}.")
    suite = "" if number == WIN_RATE else commonest_suite(known_of(one.evidence, number) for one in measured)
    kl_suite = commonest_suite((known_of(one.evidence, "sequence_kl") for one in measured), suite)
    groups: dict[str, int] = {}
    points: dict[tuple[int, float, int, int], FrontierPoint] = {}
    left_out = list(altered)
    for one in measured:
        quality = one.people if number == WIN_RATE else known_of(one.evidence, number).get(suite)
        kl = known_of(one.evidence, "sequence_kl").get(kl_suite)
        if quality is None or kl is None or not math.isfinite(quality.value):
            what, of = ("KL", kl_suite) if kl is None else (number, suite)
            left_out.append(f"{one.record.name}: its {what} was not measured{f' on {of}' if of else ''}.")
            continue
        group = groups.setdefault(_alike(one.record), len(groups) + 1)
        point = _point(one, group, kl, quality)
        points.setdefault((group, point.beta, point.seed, point.step), point)
    found = [points[key] for key in sorted(points)]
    told = tuple(judged(point, found, higher=better == "higher") for point in found)
    return BetaFrontier(number, suite, kl_suite, told, _spreads(found), tuple(left_out))


def _alike(record: EvaluationRecord) -> str:
    """Return the hash of all that makes runs comparable: settings but beta and seed, model and data."""
    config = record.run_config
    kept = {n: config.get(n) for n, s in SETTINGS.items() if s.fingerprint != NEVER and n not in _VARIED}
    dataset: Mapping[str, Any] = record.run.get("dataset") or {}
    data = dataset.get("root_sha256") or dataset.get("title", "")
    model = next((arm.inputs.get("model", "") for arm in record.arms if arm.kind == "reference"), "")
    return sha256_json([kept, data, model])


def _point(one: MeasuredRun, group: int, kl: Estimate, quality: Estimate) -> FrontierPoint:
    record, config = one.record, one.record.run_config
    over, safe = (next(iter(known_of(one.evidence, n).values()), None) for n in ("over_refusal", "safe_refusal"))
    return FrontierPoint(
        record.evaluation_id, record.name, str(record.run.get("name", "")), int(record.run.get("step", 0)),
        float(config["beta"]), int(config.get("seed", 0)), group, kl, quality, over, safe,
    )  # fmt: skip


def _spreads(points: Sequence[FrontierPoint]) -> tuple[SeedSpread, ...]:
    """Return what each beta comes to over the seeds of its runs' results."""
    of: dict[tuple[int, float], list[FrontierPoint]] = {}
    for point in points:
        if not point.step:
            of.setdefault((point.group, point.beta), []).append(point)
    found = []
    for (group, beta), own in of.items():
        if len(own) < SEEDS:
            why = f"seed variance unknown: {counted(len(own), 'seed')} of {SEEDS}"
            found.append(SeedSpread(group, beta, len(own), None, None, why))
            continue
        quality, kl = (
            mean_by_prompt([e.value for e in values], None, values[0].unit, "mean over seeds", over="seed")
            for values in ([p.quality for p in own], [p.kl for p in own])
        )
        found.append(SeedSpread(group, beta, len(own), quality, kl))
    return tuple(found)
