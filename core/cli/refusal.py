"""``refusal``: how right the refusal detector is on labelled answers, training it again, and audits of evaluations."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from core.cli import audits
from core.cli.output import say, say_json, say_note, table
from core.domain.counting import counted, number

if TYPE_CHECKING:
    from core.domain.estimate import Estimate

_File = Annotated[Path, typer.Argument(help="JSON Lines, JSON or CSV, plain or packed.")]
_Text = Annotated[str, typer.Option("--text", help="Field with the answer.")]
_Truth = Annotated[
    str, typer.Option("--truth", help="Field with complied, partly, refused; or XSTest's words; or 0 and 1.")
]
_RefusedIs = Annotated[str, typer.Option("--refused-is", help="Which of 0 and 1 means a refusal.")]
_Json = Annotated[bool, typer.Option("--json", help="JSON for machines.")]


def build() -> typer.Typer:
    """Return the command group."""
    group = typer.Typer(
        help="Refusal detector: `refusal audit FILE`, `refusal retrain FILE OUT`; of an evaluation: `refusal queue`, "
        "`refusal label`, `refusal corrected WS EVALUATION`.",
        no_args_is_help=True,
    )
    group.command("audit", help="Compare the detector with labels of people, for each group and over all.")(audit)
    group.command("retrain", help="Train a detector on labelled answers and the program's own examples.")(retrain)
    audits.register(group)
    return group


def audit(
    file: _File,
    text: _Text,
    truth: _Truth,
    group: Annotated[str, typer.Option("--group", help="Field that tells policies apart.")] = "",
    refused_is: _RefusedIs = "",
    model: Annotated[Path | None, typer.Option("--model", help="Folder of a retrained model.")] = None,
    wrong: Annotated[int, typer.Option("--wrong", min=0, help="Also print so many answers judged wrongly.")] = 0,
    as_json: _Json = False,
) -> None:
    """Print false positive and false negative rates with their intervals."""
    from core.services.refusals import audit as refusals
    from core.services.refusals.labelled_file import read_labelled

    rows = read_labelled(file, text, truth, group, refused_is)
    report = refusals.audit(rows, refusals.detector_of(model), _progress if sys.stderr.isatty() else None)
    if as_json:
        say_json(report.to_plain())
        return
    cells = [
        [row.group, str(row.audit.n), _shown(row.audit.fpr), _shown(row.audit.fnr), _shown(row.same_kind)]
        for row in report.rows
    ]
    say(table(cells, ("group", "n", "false positives", "false negatives", "same kind")))
    for one in report.wrong[:wrong]:
        opening = " ".join(one.answer.text.split())[:120]
        say(f"{one.group or '-'}  people: {one.answer.kind}, detector: {one.finding.kind}  {opening}")


def retrain(
    file: _File,
    out: Annotated[Path, typer.Argument(help="New folder for the model.")],
    text: _Text,
    truth: _Truth,
    refused_is: _RefusedIs = "",
    as_json: _Json = False,
) -> None:
    """Train and write a detector; audit it on answers that it was not trained on."""
    from core.services.refusals import audit as refusals
    from core.services.refusals.labelled_file import read_labelled

    counts = refusals.retrain(read_labelled(file, text, truth, "", refused_is), out)
    if as_json:
        say_json({"folder": str(out), "examples": counts})
        return
    say(f"Written to {out}; trained on {', '.join(f'{count} {kind}' for kind, count in counts.items())}.")
    say_note("audit it with --model on answers of a policy that is not among these examples")


def _shown(rate: Estimate) -> str:
    if not rate.n:
        return "- (n 0)"
    return f"{rate.value:.3f} [{rate.low:.3f}, {rate.high:.3f}] (n {rate.n})"


def _progress(done: int, count: int) -> None:
    words = f"\r{number(done)} of {counted(count, 'answer')} judged"
    print(words, end="\n" if done == count else "", file=sys.stderr, flush=True)
