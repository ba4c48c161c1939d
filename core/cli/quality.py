"""`pairwright quality`: agreement of reviewers, what is known of each, and whether the counts add up."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.cli.output import say, say_json, table
from core.cli.replacing import Replace
from core.cli.workspace_access import open_workspace
from core.domain.counting import counted, number
from core.domain.quality import AGREEMENT_MEASURES, REVIEWER_MEASURES

if TYPE_CHECKING:
    from core.domain.estimate import Estimate
    from core.domain.quality import Agreement, QualityReport, ReviewerQuality
    from core.domain.suspects import SuspectPrecision, SuspectReport
    from core.domain.team import TeamFinding
    from core.services.workspace.service import Accounting

_KINDS = {
    "criterion": "Criterion",
    "version": "Rubric version",
    "pair": "Reviewers",
    "source": "Source",
    "batch": "Batch",
}

_LEAST = 3


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("quality", help="Agreement of reviewers and what is known of each, with intervals.")(quality)


def quality(
    workspace: Annotated[Path, typer.Argument(help="Workspace folder.")],
    pairs: Annotated[bool, typer.Option(help="Also list the pairs on which reviewers name different sides.")] = False,
    batch: Annotated[str, typer.Option(metavar="NAME", help="Only what was given in the slots of this batch.")] = "",
    export: Annotated[
        Path | None, typer.Option(metavar="OUT.csv", help="Write every judgement that counts, a row each, instead.")
    ] = None,
    replace: Replace = False,
    suspects: Annotated[
        str, typer.Option(metavar="RUN", help="Labels that a run contradicts, instead; to be judged again blind.")
    ] = "",
    as_json: Annotated[bool, typer.Option("--json", help="JSON for machines.")] = False,
) -> None:
    """Say how far reviewers agree, and what is known of each of them."""
    with open_workspace(workspace, read_only=True) as app:
        if export is not None:
            table_written = app.quality.export(export, replace=replace)
            rows = counted(table_written.rows, "judgement")
            told = f"Wrote {rows} to {table_written.path}; private notes are left out."
            say_json(dataclasses.asdict(table_written)) if as_json else say(told)
            return
        if suspects:
            found = app.suspects.of_run(suspects)
            say_json(found.to_plain()) if as_json else _say_suspects(found)
            return
        chosen = app.batches.find(batch) if batch else None
        team = app.quality.team(batch_id=chosen.id if chosen is not None else 0)
        accounting, again = app.workspace.accounting(), app.suspects.of_batches()
        again = [one for one in again if chosen is None or one.batch == chosen.name]
    report = team.quality
    if as_json:
        of = {"batch": None if chosen is None else chosen.name}
        suspected = {"suspects": [one.to_plain() for one in again]}
        say_json(of | _plain(report, accounting) | team.to_plain() | suspected)
        return
    if report.everything is None:
        where = f" in the batch {chosen.name}" if chosen is not None else ""
        say(f"No labels yet{where}. Agreement is known once two reviewers have labelled the same pairs.")
        return
    if chosen is not None:
        say(f"Only what was given in the slots of the batch {chosen.name}:")
    _say_agreement(report)
    for one in report.reviewers:
        _say_reviewer(one)
    _say_looks(team.looks)
    for precision in again:
        _say_again(precision)
    if pairs and report.disagreed:
        say(f"Different sides: {', '.join(f'#{pair}' for pair in report.disagreed)}")
    say("The counts add up." if accounting.adds_up else "The counts do not add up; run check.")


def _plain(report: QualityReport, accounting: Accounting) -> dict[str, Any]:
    groups = {kind: {name: one.to_plain() for name, one in found.items()} for kind, found in report.groups.items()}
    after = {name: one.to_plain() for name, one in report.after.items()}
    everything = report.everything.to_plain() if report.everything else None
    return {
        "agreement": {"all": everything, **groups, "dataset": after},
        "reviewers": {one.name: one.to_plain() for one in report.reviewers},
        "disagreed": list(report.disagreed),
        "accounting": {
            "adds_up": accounting.adds_up,
            "pairs": accounting.pairs,
            "labelled": accounting.labelled,
            "reviewers": [{**dataclasses.asdict(one), "open": one.open} for one in accounting.reviewers],
            "imports": [dataclasses.asdict(one) for one in accounting.imports],
        },
    }


def _say_agreement(report: QualityReport) -> None:
    assert report.everything is not None
    rows = [_agreement_row("All labels", report.everything)]
    for kind, found in report.groups.items():
        rows += [_agreement_row(f"{_KINDS[kind]}: {name}", one) for name, one in found.items() if one.items >= _LEAST]
    rows += [_agreement_row(f"Behind {name}", one) for name, one in report.after.items()]
    say(table(rows, ["labels of", "items", *AGREEMENT_MEASURES.values()]))
    few = sum(one.items < _LEAST for found in report.groups.values() for one in found.values())
    if few:
        say(f"Not shown: {counted(few, 'group')} with fewer than {_LEAST} items of two labels; --json has them.")
    say(f"Reviewers name different sides on {counted(len(report.disagreed), 'pair')}.")


def _agreement_row(name: str, found: Agreement) -> list[str]:
    return [name, f"{found.items:,}", *(_words(found.measures[key]) for key in AGREEMENT_MEASURES)]


def _say_reviewer(one: ReviewerQuality) -> None:
    say(f"\n{one.name} ({one.kind}): {counted(one.labels, 'label')}, {100 * one.share:.0f} % of all")
    rows = [
        [REVIEWER_MEASURES[key], _words(found), f"{found.n:,}"]
        for key, found in one.measures.items()
        if math.isfinite(found.value)
    ]
    if rows:
        say(table(rows, ["measure", "value", "n"]))


def _say_suspects(report: SuspectReport) -> None:
    count = counted(len(report.suspects), "label")
    say(f"{count} of {number(report.pairs)} speak against run {report.run_id}: {_words(report.flipped)}.")
    rows = [
        [f"#{one.pair_id}", f"{one.right:.3f}", "held out" if one.held_out else "trained", _AGAIN[one.contradicted]]
        for one in report.suspects[:_MOST]
    ]
    if rows:
        say(table(rows, ["pair", "P(label)", "the run", "judged again"]))
        say("Nothing is flipped by itself. Let people judge them again who do not see the label:")
        say(f"batch create WS --name NAME --reviewer NAME --order suspects --run {report.run_id}")
    for k, found in report.precision.items():
        say(f"Precision at {k}: {_words(found)}, {number(found.n)} judged again.")


def _say_again(found: SuspectPrecision) -> None:
    judged = f"{number(found.judged)} of {counted(found.suspects, 'suspect')}"
    say(f"\n{found.batch}: {judged} of run {found.run_id} judged again.")
    for k, one in found.precision.items():
        hits = f"{round(one.value * one.n):,} of {one.n:,}"
        say(f"- precision at {k}: {_words(one)}, {hits} contradicted; {one.estimator}")
    if found.others is not None:
        say(f"- of pairs that the run did not contradict: {_words(found.others)}, n {found.others.n:,}")


_AGAIN = {None: "not yet", True: "contradicted", False: "confirmed"}
_MOST = 50


def _say_looks(looks: Sequence[TeamFinding]) -> None:
    if looks:
        say("\nNeeds a look:")
    for one in looks:
        say(f"- {one.words}")


def _words(found: Estimate) -> str:
    if not math.isfinite(found.value):
        return "not known"
    unit = f" {found.unit}" if found.unit else ""
    return (
        f"{found.value:.3g} [{found.low:.3g}, {found.high:.3g}]{unit}"
        if found.has_interval
        else f"{found.value:.3g}{unit}"
    )
