"""The part of a report about one run: what it is, what it measured, what that says, and what is behind it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from core.domain.counting import counted, number
from core.domain.estimate import Estimate
from core.domain.fingerprint_fields import compare_fields, value_words
from core.domain.insight import Insight
from core.domain.kl_estimate import answer_words, kl_estimate, kl_name
from core.domain.number_text import format_value, interval_text
from core.domain.pair import TrainingPair
from core.domain.run_config import SETTINGS
from core.domain.run_record import RunRecord
from core.runs.run_reader import PairVisit, RunReader
from core.services.reports.html_text import figure, folded, outside, paragraph, table
from core.services.reports.line_chart import ChartCurve, line_chart
from core.services.runs.run_estimates import EstimatedSeries, ProbeEstimates, RunEstimates

_NAMES: Mapping[str, str] = {
    "accuracy": "accuracy",
    "h": "h = margin / β",
    "margin": "margin z",
    "loss": "loss",
    "displacement_chosen": "displacement of chosen",
    "displacement_rejected": "displacement of rejected",
    "kl_chosen": "token KL on chosen",
    "kl_rejected": "token KL on rejected",
    "ref_accuracy": "reference's own ranking",
}
_WORST = 10
_LONGEST = 600
"""Characters of a prompt or an answer that a report shows."""


@dataclass(frozen=True, slots=True)
class LabelsBehind:
    """How many labels of one reviewer under one rubric version stand behind the pairs of a run."""

    rubric: str
    reviewer: str
    labels: int


@dataclass(frozen=True, slots=True)
class ReportedRun:
    """One run as a report needs it.

    Attributes:
        letter: what it is called in the report. name, tags, note: as they are today.
        insights: of its numbers. labels: behind its pairs; None where no workspace was asked.
    """

    letter: str
    name: str
    reader: RunReader
    record: RunRecord
    insights: Sequence[Insight]
    tags: Sequence[str] = ()
    note: str = ""
    labels: Sequence[LabelsBehind] | None = None


def run_part(run: ReportedRun) -> str:
    """Return everything about one run as HTML."""
    estimates, record = RunEstimates(run.reader), run.record
    parts = [
        f"<h2>{outside(f'{run.letter} · {run.name}')}</h2>",
        table(_facts(run)),
        "<h3>What it measured</h3>",
        *_measured(run, estimates),
        *_plots(run, estimates),
        "<h3>Insights</h3>",
        *_insights(run.insights),
        "<h3>Charter</h3>",
        table(record.charter.lines(f"loss {record.config.loss}, beta {record.config.beta:g}")),
        paragraph("Charter and fingerprint are those that were locked." if record.charter_holds else _UNLOCKED, "note"),
        "<h3>Data and labels behind it</h3>",
        *_data(run),
        *_worst(run),
        folded("Settings", table(_settings(record), ("setting", "value", "in the fingerprint"))),
        folded("Fingerprint", table(_fingerprint(record), ("part", "value"))),
        folded("Inputs and versions", table(_inputs(record), ("what", "sha256 or version"))),
    ]
    return "\n".join(parts)


_UNLOCKED = "The charter of this run was not locked, or was altered."


def _facts(run: ReportedRun) -> Iterator[tuple[str, str]]:
    record, status = run.record, run.reader.status()
    made = datetime.fromtimestamp(record.created_ms / 1000, UTC)
    yield "run", record.run_id
    yield "state", f"{status.state}, step {status.step} of {status.total_steps}"
    yield "created", f"{made:%Y-%m-%d %H:%M} UTC"
    yield "base model", record.model_dir.replace("\\", "/").rsplit("/", 1)[-1]
    yield "fingerprint", record.fingerprint
    if record.parent_run:
        yield "continues", f"run {record.parent_run} from step {record.parent_step}"
    if run.tags:
        yield "tags", ", ".join(run.tags)
    if run.note:
        yield "note", run.note
    if status.message:
        yield "last message", status.message


def _measured(run: ReportedRun, estimates: RunEstimates) -> Iterator[str]:
    rows: list[tuple[str, ...]] = []
    for split, title in (("dev", "held-out"), ("train", "train probe")):
        probe = estimates.last(split)
        rows += _probe_rows(title, probe) if probe is not None else []
    kls = run.reader.kls()
    if kls:
        what = f"on-policy {kl_name(kls[-1].horizon)} ({answer_words(kls[-1])})"
        rows.append(_row(what, kls[-1].step, kl_estimate(kls[-1])))
    head = ("number", "step", "value", "95 % interval", "unit", "n", "prompts", "how it was made")
    yield table(rows, head) if rows else paragraph("Nothing was measured.")


def _probe_rows(title: str, probe: ProbeEstimates) -> list[tuple[str, ...]]:
    return [_row(f"{title} {_NAMES[n]}", probe.step, probe.values[n]) for n in _NAMES if n in probe.values]


def _row(what: str, step: int, one: Estimate) -> tuple[str, ...]:
    interval = interval_text(one) or one.why_no_interval
    groups = number(one.groups) if one.groups else ""
    return what, str(step), format_value(one.value), interval, one.unit, number(one.n), groups, one.estimator


def _plots(run: ReportedRun, estimates: RunEstimates) -> Iterator[str]:
    names = ["dev.h", "dev.accuracy", "dev.displacement_chosen", "dev.displacement_rejected", "dev.loss", "kl.kl"]
    found = estimates.series(names)
    steps, losses = run.reader.series("loss")
    held_out, told = "Held-out", _told(found.get("dev.h"))
    yield figure(
        line_chart([banded("h", found["dev.h"])], f"{held_out} h over steps", "h = margin / β, nats", 0.0),
        f"Held-out h with its 95 % band by prompt{told}.",
    )
    yield figure(
        line_chart([banded("accuracy", found["dev.accuracy"], 1)], f"{held_out} accuracy over steps", "share", 0.5),
        f"Held-out accuracy with its Wilson interval{told}.",
    )
    sides = [banded(side, found[f"dev.displacement_{side}"], n) for side, n in (("chosen", 3), ("rejected", 5))]
    yield figure(
        line_chart(sides, f"{held_out} displacement over steps", "log-prob minus the reference's, nats", 0.0),
        f"Held-out displacement of chosen and rejected answers with 95 % bands by prompt{told}.",
    )
    curves = [banded("held-out", found["dev.loss"], 1), ChartCurve("each step", list(steps), list(losses), colour=7)]
    yield figure(
        line_chart(curves, "Loss over steps", "loss"), "Loss of each step over its pairs, and held-out with its band."
    )
    if (kl := found.get("kl.kl")) is not None and kl.steps:
        yield figure(
            line_chart([banded("KL", kl, 4)], "On-policy KL over steps", "nats", 0.0),
            f"KL(policy || reference) of the policy's own answers with ± 1.96 SE, {counted(kl.n[-1], 'answer')}.",
        )


def _told(series: EstimatedSeries | None) -> str:
    return f", {counted(series.n[-1], 'pair')}" if series is not None and series.n else ""


def banded(label: str, series: EstimatedSeries, colour: int = 0, *, dashed: bool = False) -> ChartCurve:
    """Return a curve of estimates for a plot."""
    return ChartCurve(label, series.steps, series.values, series.low, series.high, dashed, colour)


def _insights(insights: Sequence[Insight]) -> Iterator[str]:
    if not insights:
        yield paragraph("Nothing stands out.")
    for one in insights:
        about = f"({one.severity}, {one.span_words}). {one.why}"
        yield f"<p><b>{outside(one.title)}</b> {outside(about)}</p>"
        yield table([*one.figures, *((("test", one.test),) if one.test else ()), ("what to try", one.try_)])


def _data(run: ReportedRun) -> Iterator[str]:
    dataset = run.record.dataset
    rubrics = ", ".join(map(str, dataset.get("rubrics") or ())) or "–"
    yield table(
        [
            ("dataset version", f"{dataset.get('title') or '–'} {dataset.get('root_sha256') or ''}".strip()),
            ("rubric versions", rubrics),
            ("pairs", f"{number(run.record.n_train)} train, {number(run.record.n_dev)} held out"),
        ]
    )
    if run.labels is None:
        yield paragraph("The labels are in the workspace, which this report was made without.", "note")
    elif not run.labels:
        yield paragraph("No label of the workspace stands behind these pairs: they came from a file.", "note")
    else:
        rows = [(one.rubric, one.reviewer, number(one.labels)) for one in run.labels]
        yield table(rows, ("rubric version", "reviewer", "labels"))


def _worst(run: ReportedRun) -> Iterator[str]:
    visits = sorted(run.reader.newest_probe("dev"), key=lambda visit: visit.row.h)[:_WORST]
    if not visits:
        return
    pairs = {pair.pair_id: pair for pair in run.reader.folder.pairs()}
    rows = [_pair_row(visit, pairs.get(visit.pair_id)) for visit in visits]
    yield f"<h3>The {counted(len(rows), 'held-out pair')} with the lowest h</h3>"
    yield table(rows, ("pair", "h, nats", "margin z", "prompt", "chosen", "rejected"))


def _pair_row(visit: PairVisit, pair: TrainingPair | None) -> tuple[str, ...]:
    texts = (pair.prompt.last_text, pair.chosen, pair.rejected) if pair is not None else ("", "", "")
    return (visit.pair_id, format_value(visit.row.h), format_value(visit.row.margin), *map(_cut, texts))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _settings(record: RunRecord) -> Iterator[tuple[str, str, str]]:
    plain, inside = record.config.to_plain(), set(record.config.objective_keys())
    for name, setting in SETTINGS.items():
        yield setting.label, value_words(plain[name]), "yes" if name in inside else "no"
    yield from ((name, "(a setting that this version does not know)", "") for name in record.unknown_settings)


def _fingerprint(record: RunRecord) -> Iterator[tuple[str, str]]:
    yield "hash of all", record.fingerprint
    yield from ((one.field.label, one.values[0]) for one in compare_fields([record]))


def _inputs(record: RunRecord) -> Iterator[tuple[str, str]]:
    yield from ((name, value or "–") for name, value in record.inputs.items())
    yield from record.model_files.items()
    yield from record.versions.items()
