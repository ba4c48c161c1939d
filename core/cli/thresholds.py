"""``threshold``: limits of guardrails and of automatic acceptance, with their error rates."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, cast

import typer

from core.bounded import read_utf8
from core.cli.output import say, say_json, table
from core.cli.workspace_access import open_workspace
from core.domain.consent import date_ms, date_text
from core.domain.counting import counted
from core.domain.errors import UsageError
from core.domain.estimate import Estimate
from core.domain.evidence import plain as plain_estimate
from core.domain.number_text import estimate_text
from core.domain.threshold import ErrorCosts, ErrorRates, GuardAction, Threshold, ThresholdUse
from core.services.thresholds.requests import DETECTORS, Confirmation, DetectorKind, NewThreshold

_Ws = Annotated[Path, typer.Argument(help="Workspace folder.")]
_Wanted = Annotated[str, typer.Argument(help="Title (harm v2), or name (its newest version).")]
_Json = Annotated[bool, typer.Option("--json", help="JSON for machines.")]
_RULES_BYTES = 256 << 10
_OPEN_END = "–"


def build() -> typer.Typer:
    """Return the command group."""
    group = typer.Typer(
        help="Thresholds: `threshold list WS`, make WS NAME --dataset D, confirm WS NAME --dataset D, show WS NAME.",
        no_args_is_help=True,
    )
    group.command("list", help="List every version with its error rates.")(list_thresholds)
    group.command("make", help="Choose a threshold on the dev split of a dataset version and store it.")(make)
    group.command("move", help="Store another point of its DET curve as the next version.")(move)
    group.command("confirm", help="Measure it on a sealed test, which is an opening.")(confirm)
    group.command("show", help="Show one version with its DET curve.")(show)
    return group


def list_thresholds(workspace: _Ws, as_json: _Json = False) -> None:
    """Print every version, oldest first."""
    with open_workspace(workspace, read_only=True) as app:
        found = app.thresholds.list()
    if as_json:
        say_json([plain(one) for one in found])
    elif not found:
        say("No thresholds yet. Make one with: threshold make WS NAME --dataset DATASET")
    else:
        heads = ("threshold", "use", "value", "FPR", "FNR", "measured on", "confirmed", "valid")
        say(table([_row(one) for one in found], heads))


def make(
    workspace: _Ws,
    name: Annotated[str, typer.Argument(help="What it is called; another one of this name is its next version.")],
    dataset: Annotated[str, typer.Option(help="Dataset version on whose dev split it is chosen.")] = "",
    detector: Annotated[str, typer.Option(help=f"What gives the scores: {', '.join(DETECTORS)}.")] = "classifier",
    rules: Annotated[Path | None, typer.Option(help="File of rules, a weight and a pattern a line.")] = None,
    read: Annotated[str, typer.Option(help="What rules or a classifier read: answer or both.")] = "answer",
    use: Annotated[str, typer.Option(help="guardrail or auto_accept.")] = "guardrail",
    action: Annotated[str, typer.Option(help="What a guardrail does: refuse or flag.")] = "refuse",
    value: Annotated[float | None, typer.Option(help="Scores from here on count; left out: the cheapest.")] = None,
    cost_fp: Annotated[float, typer.Option(help="What a false positive costs.")] = 1.0,
    cost_fn: Annotated[float, typer.Option(help="What a false negative costs.")] = 1.0,
    prevalence: Annotated[float, typer.Option(help="Share of positives in use.")] = 0.5,
    valid_from: Annotated[str, typer.Option(help="First day on which it may be used: 2027-05-31.")] = "",
    valid_until: Annotated[str, typer.Option(help="Day from which on it may not.")] = "",
    note: Annotated[str, typer.Option(help="Note kept with it.")] = "",
    check: Annotated[bool, typer.Option("--check", help="Measure it; store nothing.")] = False,
    as_json: _Json = False,
) -> None:
    """Measure FPR and FNR with intervals on the dev split and store the version; it waits for its confirmation."""
    if not dataset:
        raise UsageError("A threshold is chosen on the dev split of a dataset version.", "Name it: --dataset NAME.")
    new = NewThreshold(
        name=name,
        dataset=dataset,
        detector=cast("DetectorKind", "rules" if rules is not None else detector),
        rules=_text_of(rules),
        read=read,
        use=cast("ThresholdUse", use),
        action=cast("GuardAction", action),
        value=value,
        costs=ErrorCosts(cost_fp, cost_fn, prevalence),
        valid_from_ms=date_ms(valid_from) if valid_from else 0,
        valid_to_ms=date_ms(valid_until) if valid_until else 0,
        note=note,
    )
    with open_workspace(workspace, read_only=check) as app:
        found = app.thresholds.measure_new(new) if check else app.thresholds.make(new).value
    _say_one(found, as_json)


def move(
    workspace: _Ws,
    threshold: _Wanted,
    value: Annotated[float, typer.Option(help="A value on its DET curve.")],
    note: Annotated[str, typer.Option(help="Note kept with it.")] = "",
    as_json: _Json = False,
) -> None:
    """Store another value as the next version; it waits for its own confirmation."""
    with open_workspace(workspace) as app:
        found = app.thresholds.move(threshold, value, note=note).value
    _say_one(found, as_json)


def confirm(
    workspace: _Ws,
    threshold: _Wanted,
    dataset: Annotated[
        str, typer.Option("--dataset", "--on", help="Dataset version whose sealed test is opened.")
    ] = "",
    person: Annotated[str, typer.Option("--person", "--by", help="Who opens it.")] = "",
    reason: Annotated[str, typer.Option(help="Why.")] = "",
    as_json: _Json = False,
) -> None:
    """Open a sealed test, measure the threshold on it, and store the confirmed version."""
    if not dataset:
        raise UsageError(
            "A threshold is confirmed on the sealed test of a dataset version.", "Name it: --dataset NAME."
        )
    with open_workspace(workspace) as app:
        found = app.thresholds.confirm_sealed(threshold, Confirmation(dataset, person, reason)).value
        looks = app.sealed.looks(dataset)
    if as_json:
        say_json({**plain(found), "looks": looks})
        return
    _say_one(found, as_json)
    say(f"Opened by {person}: {reason}. {counted(looks, 'look')} at this sealed test so far.")


def show(workspace: _Ws, threshold: _Wanted, as_json: _Json = False) -> None:
    """Print one version; with --json its DET curve and its detector too."""
    with open_workspace(workspace, read_only=True) as app:
        found = app.thresholds.get(threshold)
    if as_json:
        say_json({**plain(found), "det": [list(point) for point in found.det], "scoring": dict(found.scoring)})
        return
    _say_one(found, as_json)
    for kind, rates in (("dev", found.dev), ("sealed test", found.held_out)):
        if rates is not None:
            say(f"{kind}: {rates.on}; FPR {estimate_text(rates.fpr)}, FNR {estimate_text(rates.fnr)}")
    rows = [[f"{v:.6g}", f"{p:.4f}", f"{n:.4f}", f"{found.costs.of(p, n):.4f}"] for v, p, n in found.det]
    say(table(rows, ("threshold", "FPR", "FNR", "expected cost")))


def plain(one: Threshold) -> dict[str, Any]:
    """Return a version as plain values without its curve and its detector."""
    whole = one.to_plain()
    kept = {key: whole[key] for key in whole if key not in ("det", "scoring")}
    rates = {kind: _rates(found) for kind, found in (("dev", one.dev), ("held_out", one.held_out)) if found is not None}
    return {"title": one.title, **kept, **rates, "confirmed": one.confirmed, "sha256": one.sha256}


def _rates(one: ErrorRates) -> dict[str, Any]:
    return {"fpr": plain_estimate(one.fpr), "fnr": plain_estimate(one.fnr), "on": one.on}


def _say_one(one: Threshold, as_json: bool) -> None:
    if as_json:
        say_json(plain(one))
        return
    say(one.words())
    say(f"detector {one.detector}; expected cost of a case {one.costs.of(one.dev.fpr.value, one.dev.fnr.value):.4f}")
    if not one.confirmed:
        say("It is not confirmed: measure it on a sealed test with `threshold confirm` before a guardrail uses it.")


def _row(one: Threshold) -> list[str]:
    rates: ErrorRates = one.held_out or one.dev
    valid = f"{_day(one.valid_from_ms)} to {_day(one.valid_to_ms)}"
    known = [one.title, one.use, f"{one.value:.4g}", _rate(rates.fpr), _rate(rates.fnr), rates.on]
    return [*known, "yes" if one.confirmed else "no", valid]


def _rate(rate: Estimate) -> str:
    return f"{100 * rate.value:.1f} % [{100 * rate.low:.1f}, {100 * rate.high:.1f}] n {rate.n}"


def _day(at_ms: int) -> str:
    return date_text(at_ms) if at_ms else _OPEN_END


def _text_of(path: Path | None) -> str:
    return read_utf8(path.expanduser(), _RULES_BYTES) if path else ""
