"""What a run measured, as lines and plain values: every number says of which pairs, how many, and how sure it is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from core.domain.counting import counted
from core.domain.estimate import Estimate
from core.domain.insight import Insight
from core.domain.kl_estimate import answer_words, kl_estimate, kl_name
from core.domain.number_text import error_words, estimate_text, format_value, interval_text, pairs_right
from core.domain.run_events import EvalDone, KlDone, StepDone
from core.services.runs.run_estimates import RunEstimates

_SHOWN = ("accuracy", "margin", "h", "loss", "ref_accuracy")
_NAMES = {"ref_accuracy": "reference's own ranking", "margin": "margin z", "h": "h = z / β"}


def plain_held_out(probe: EvalDone | None) -> dict[str, Any] | None:
    """Return the headline of a run: its newest held-out probe; None before the first."""
    if probe is None:
        return None
    names = ("step", "accuracy", "accuracy_low", "accuracy_high", "margin", "h", "loss", "ref_accuracy")
    return {"split": "held-out", "n": probe.pairs, **{name: getattr(probe, name) for name in names}}


def plain_batch(last: StepDone | None) -> dict[str, Any] | None:
    """Return the means over the pairs of the newest step; None before the first."""
    if last is None:
        return None
    return {"step": last.step, "n": last.pairs, "margin": last.margin, "h": last.h, "loss": last.loss}


def held_out_words(probe: Mapping[str, Any] | None) -> str:
    """Return the held-out accuracy of a run in a cell of a table."""
    if probe is None:
        return "not measured"
    limits = Estimate(probe["accuracy"], probe["accuracy_low"], probe["accuracy_high"], probe["n"], "", "")
    return f"{format_value(limits.value)} {interval_text(limits)} n {limits.n} step {probe['step']}"


def measured_lines(estimates: RunEstimates, kls: Sequence[KlDone], last: StepDone | None) -> Iterator[str]:
    """Yield the newest probes, the newest KL and the newest batch as lines."""
    for split, title in (("dev", "held-out"), ("train", "train probe")):
        probe = estimates.last(split)
        if probe is None:
            yield f"{title:12} not measured"
            continue
        yield f"{title:12} step {probe.step}, {counted(probe.n, 'pair')}, 95 % intervals"
        for name in _SHOWN:
            value = probe.values[name]
            count = f" ({pairs_right(value)})" if "accuracy" in name else ""
            yield f"  {_NAMES.get(name, name):24} {estimate_text(value)}{count}"
    if kls:
        newest = kls[-1]
        parts = (format_value(newest.kl), error_words(kl_estimate(newest)), f"nats, n {newest.samples}")
        words = " ".join(part for part in parts if part)
        yield f"{kl_name(newest.horizon)}: step {newest.step}, {words}, {answer_words(newest)}"
    if last is not None:
        about = f"step {last.step}, {counted(last.pairs, 'pair')}: loss {format_value(last.loss)}, margin z"
        yield f"last batch   {about} {format_value(last.margin)} (one batch, not a result)"


def insight_lines(insights: Sequence[Insight]) -> Iterator[str]:
    """Yield all insights as text, numbered as on the plots."""
    if not insights:
        yield "Nothing stands out."
    for number, insight in enumerate(insights, 1):
        yield f"{number}. {insight.title} ({insight.severity}, {insight.span_words})"
        yield from (f"   {label}: {value}" for label, value in insight.figures)
        yield f"   {insight.why}"
        for label, text in (("Test", insight.test), ("Formula", insight.formula)):
            if text:
                yield f"   {label}: {text}"
        yield f"   Try: {insight.try_}"
        if insight.confirm:
            yield f"   What would confirm it: {insight.confirm}"
        if insight.pair_ids:
            named = ", ".join(insight.pair_ids[:10])
            more = f" and {insight.count - 10:,} more" if insight.count > 10 else ""
            yield f"   {counted(insight.count, 'pair')} ({insight.pairs_about}): {named}{more}"
