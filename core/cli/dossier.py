"""``dossier``: one pair of a run: its loss with numbers, the same pair over all runs, labels, tokens on demand."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.cli.inspect_prompt import say_progress
from core.cli.output import escaped, say, say_json, short_line, table
from core.cli.workspace_access import open_workspace
from core.domain.counting import counted
from core.domain.judgement import Judgement, describe
from core.domain.number_text import format_value, signed
from core.domain.pair_dossier import PairDossier, RunLook
from core.domain.pair_tags import SEPARATOR
from core.domain.prompt_inspection import InspectedAnswer
from core.runs.event_lines import finite
from core.runs.run_control import find_run

if TYPE_CHECKING:  # it loads the database library, which a bare run does without
    from core.services.lab.dossier import ScoredPair

_CUT = 100


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("dossier")(dossier)


def dossier(
    workspace: Annotated[Path, typer.Argument(help="Workspace folder.")],
    run: Annotated[str, typer.Argument(help="Run: its id, the beginning of the id, or its name.")],
    pair: Annotated[str, typer.Argument(help="Id of a pair of the run.")],
    kind: Annotated[str, typer.Option(help="Look: dev, probe_train or train; without it the first one there is.")] = "",
    tokens: Annotated[
        bool, typer.Option("--tokens", help="Score both answers token by token, and find pairs with likest prompts.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON for machines.")] = False,
) -> None:
    """Show one pair of a run: margin, loss with its numbers, the same pair over all runs, and the labels behind it."""
    run_id = find_run(run, workspace).record().run_id
    with open_workspace(workspace, read_only=True) as app:
        found = app.dossier.of(run_id, pair, kind)
        lineage = app.runs.lineage(run_id)
        judgements, tags = lineage.judgements(pair), lineage.tags(pair)
        progress = None if as_json else say_progress
        scored = app.dossier.tokens(run_id, pair, on_progress=progress) if tokens else None
    if as_json:
        say_json(finite({**_plain(found, judgements, scored), "tags": list(tags)}))
    else:
        _show(found, judgements, scored)
        if tags:
            say(f"tags: {SEPARATOR.join(tags)}")


def _plain(found: PairDossier, judgements: Sequence[Judgement], scored: ScoredPair | None) -> dict[str, Any]:
    plain: dict[str, Any] = {"event": "dossier", **found.to_plain(), "labels": [_label(one) for one in judgements]}
    if scored is not None:
        plain["tokens"] = {one.name: one.to_plain() for one in scored.inspection.answers}
        plain["nearest"] = [
            {"pair_id": one.pair_id, "similarity": one.similarity, "margin": scored.margins.get(one.pair_id)}
            for one in scored.inspection.nearest
        ]
    return plain


def _show(found: PairDossier, judgements: Sequence[Judgement], scored: ScoredPair | None) -> None:
    row = found.metrics
    say(
        f"pair {found.pair_id}, {found.kind}, step {found.step}: z {signed(row.margin, 3)}, h {signed(row.h, 3)} nats; "
        f"below zero in {found.below} of {counted(len(found.runs), 'run')}"
    )
    say(f"\n{found.loss.plain}")
    say(table([[figure.name, figure.text] for figure in found.loss.figures], ("", "")).lstrip())
    say(found.loss.words)
    say("\n" + table([_run(one) for one in found.runs], ("run", "look", "h, nats", "z", "median h of the look", "")))
    for judgement in judgements:
        say(_label(judgement))
    if scored is not None:
        for answer in scored.inspection.answers:
            _show_tokens(answer)
        for one in scored.inspection.nearest:
            margin = scored.margins.get(one.pair_id)
            words = "not measured" if margin is None else signed(margin, 3)
            say(f"near {one.pair_id} ({one.similarity:.2f}), z {words}: {short_line(one.prompt, _CUT)}")


def _run(one: RunLook) -> list[str]:
    notes = ["" if one.same_fingerprint else "another objective", "labels swapped" if one.is_swapped else ""]
    median = f"{signed(one.median_h, 3)}, n {one.pairs}"
    look = f"{one.kind}, step {one.step}"
    return [one.name, look, signed(one.h, 3), signed(one.margin, 3), median, ", ".join(note for note in notes if note)]


def _label(judgement: Judgement) -> str:
    draft = judgement.draft
    clauses = ", ".join(f"{key} {value:+d}" for key, value in draft.criteria.items()) if draft else ""
    rationale = f" “{short_line(draft.rationale, _CUT)}”" if draft and draft.rationale else ""
    words = f"{judgement.reviewer.name}: {describe(draft)}, {judgement.rubric_title}"
    return f"{words}{f', {clauses}' if clauses else ''}{rationale}{'' if judgement.current else ' (no longer current)'}"


def _show_tokens(answer: InspectedAnswer) -> None:
    say(f"\n{answer.name}: h {signed(answer.displacement, 3)} nats, token by token")
    parts = [f"'{escaped(token.text)}' {format_value(token.displacement, 3)}" for token in answer.tokens]
    say("  " + "; ".join(parts))
