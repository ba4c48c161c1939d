"""What a sweep came to: a row for each run, and the frontier of held-out accuracy or win rate against on-policy KL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from core.cli.output import say, say_json, say_note, table
from core.cli.workspace_access import open_workspace
from core.domain.estimate import Estimate
from core.domain.frontier import RunFrontier
from core.domain.number_text import estimate_text, format_value
from core.domain.run_events import Failed, Finished
from core.domain.sweep import SweepPlan, SweepPoint
from core.runs.event_lines import finite
from core.runs.folder import RunFolder
from core.runs.run_reader import RunReader
from core.services.runs.run_frontier import HELD_OUT, kl_words, place_words, run_frontier


@dataclass(frozen=True, slots=True)
class SweepRow:
    """Outcome of one run: newest held-out probe, on-policy KL, last batch, and the cost of the reference.

    ``dev_h`` in nats can be compared between values of beta; ``margin`` is beta · h of the last batch alone.
    ``run`` is its folder, "" where it could not be made; ``message`` says why it failed.
    """

    value: str
    run: str
    step: int = 0
    loss: float | None = None
    margin: float | None = None
    accuracy: float | None = None
    dev_accuracy: float | None = None
    dev_accuracy_lo: float | None = None
    dev_accuracy_hi: float | None = None
    dev_pairs: int = 0
    dev_h: float | None = None
    kl: float | None = None
    kl_se: float | None = None
    kl_horizon: int = 0
    kl_samples: int = 0
    reference_computed: int | None = None
    reference_from_cache: int | None = None
    state: str = ""
    message: str = ""
    settings: dict[str, str] = field(default_factory=dict[str, str])


def row_of(point: SweepPoint, folder: RunFolder, last: Finished | Failed | None = None) -> SweepRow:
    """Read the outcome of a run from its ledger.

    Args:
        point: of the sweep.
        folder: of its run.
        last: the event that its newest attempt ended with, None to read what is stored.
    """
    reader = RunReader(folder.path)
    reader.poll()
    status = reader.status()
    steps, evals, kls = reader.steps(), reader.evals("dev"), reader.kls()
    probe, kl = evals[-1] if evals else None, kls[-1] if kls else None
    summary = (last.summary if isinstance(last, Finished) else status.summary) or {}
    failed = isinstance(last, Failed)
    return SweepRow(
        value=point.label,
        run=str(folder.path),
        step=steps[-1].step if steps else 0,
        loss=steps[-1].loss if steps else None,
        margin=steps[-1].margin if steps else None,
        accuracy=steps[-1].accuracy if steps else None,
        dev_accuracy=probe.accuracy if probe else None,
        dev_accuracy_lo=probe.accuracy_low if probe else None,
        dev_accuracy_hi=probe.accuracy_high if probe else None,
        dev_pairs=probe.pairs if probe else 0,
        dev_h=probe.h if probe else None,
        kl=kl.kl if kl else None,
        kl_se=kl.se if kl else None,
        kl_horizon=kl.horizon if kl else 0,
        kl_samples=kl.samples if kl else 0,
        reference_computed=summary.get("reference_computed"),
        reference_from_cache=summary.get("reference_from_cache"),
        state="failed" if failed else status.state,
        message=last.message if isinstance(last, Failed) else status.message,
        settings=dict(point.values),
    )


def show(plan: SweepPlan, rows: Sequence[SweepRow], *, by: str, workspace: Path | None, as_json: bool) -> None:
    """Print the outcomes side by side, and which of them another one beats.

    Args:
        plan: of the sweep.
        rows: of its runs.
        by: what is traded for KL.
        workspace: of the runs; needed where ``by`` is a number of evaluations.
        as_json: one line of JSON instead.
    """
    found = run_frontier([RunFolder(Path(row.run)) for row in rows if row.run], tuple(plan.over))
    if as_json:
        frontier = found.to_plain() if by == HELD_OUT or workspace is None else _evaluated(workspace, by, found)[1]
        runs = [finite(asdict(row)) for row in rows]
        say_json({"sweep": plan.title, "runs": runs, "frontier": finite(frontier)})
        return
    if by != HELD_OUT and workspace is not None:
        for line in _evaluated(workspace, by, found)[0]:
            say(line)
    head = ("step", "held-out accuracy", "held-out h, nats", "KL ± 1.96 SE", "reference computed", "from cache")
    say(table([_cells(row, found) for row in rows], (plan.title, *head, "frontier")))
    for words in found.left_out:
        say_note(words)


def _evaluated(workspace: Path, by: str, found: RunFrontier) -> tuple[list[str], object]:
    """Return the frontier of the evaluations of these runs, as lines and as plain values."""
    ids = frozenset(point.run_id for point in found.points)
    with open_workspace(workspace, read_only=True) as app:
        evaluated = app.proxies.frontier(by, runs=ids)
    names = {point.evaluation_id: point.run for point in evaluated.points}
    lines = [
        f"{one.run}: {by} {estimate_text(one.quality)}, KL {estimate_text(one.kl)}, "
        + (f"beaten by {names[one.beaten_by]}" if one.beaten_by else "on the frontier")
        for one in evaluated.points
    ]
    return lines or [f"No run of this sweep was evaluated with {by}."], evaluated.to_plain()


def _cells(row: SweepRow, found: RunFrontier) -> list[str]:
    point = next((one for one in found.points if one.folder == row.run), None)
    share = Estimate(
        _number(row.dev_accuracy), _number(row.dev_accuracy_lo), _number(row.dev_accuracy_hi), row.dev_pairs, "", ""
    )
    place = "" if point is None else place_words(point, found)
    return [
        row.value,
        str(row.step),
        estimate_text(point.quality if point else share) if row.dev_pairs else "",
        _text(row.dev_h),
        kl_words(point.kl) if point else "",
        _text(row.reference_computed),
        _text(row.reference_from_cache),
        row.state if row.state not in ("finished", "stopped") else place,
    ]


def _number(value: float | None) -> float:
    return float("nan") if value is None else value


def _text(value: float | None) -> str:
    return "" if value is None else format_value(value) if isinstance(value, float) else str(value)
