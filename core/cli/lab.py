"""``lab``: the closed-form optimum of DPO's objective on the answers to one prompt, and the five steps to its loss."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Any

import typer

from core.cli.evaluations import run_of
from core.cli.inspect_prompt import say_progress
from core.cli.output import say, say_json, short_line, table
from core.cli.workspace_access import open_workspace
from core.domain.closed_form import Optimum
from core.domain.conversation import Prompt
from core.domain.counting import counted
from core.domain.errors import UsageError
from core.domain.lab_steps import StepsView, lab_steps
from core.domain.number_text import format_value, signed
from core.domain.prompt_inspection import Author, GivenAnswer
from core.domain.prompt_lab import WEIGHINGS, LabRequest, PromptLab, Weighing, power_text
from core.runs.event_lines import finite
from core.runs.folder import RunFolder
from core.services.lab.prompt_lab import lab_of_run

FRONTIER = (2.0, 1.0, 0.5, 0.2, 0.1, 0.05, 0.02)
"""Betas that are listed beside the reference, the run's own and those that are asked for."""
_AUTHORS: dict[str, tuple[Author, ...]] = {
    "reference": ("reference",), "policy": ("policy",), "both": ("reference", "policy")
}  # fmt: skip
_CUT = 48


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("lab")(lab)


def lab(
    workspace: Annotated[Path, typer.Argument(help="Workspace folder, or a run folder alone.")],
    run: Annotated[str, typer.Argument(help="Run of the workspace: its id, name or folder.")] = "",
    prompt: Annotated[str, typer.Option(help="What is asked, as one user turn.")] = "",
    pair: Annotated[str, typer.Option(help="Id of a pair in place of a prompt; its two answers come first.")] = "",
    answers: Annotated[int, typer.Option(help="Answers that are drawn now.", min=0)] = 6,
    drawn_from: Annotated[str, typer.Option("--from", help="reference, policy or both.")] = "reference",
    given: Annotated[list[str] | None, typer.Option("--answer", help="A further answer; many times.")] = None,
    stored: Annotated[
        bool, typer.Option("--stored", help="Take samples of the run and answers of its evaluations too.")
    ] = False,
    betas: Annotated[
        list[float] | None, typer.Option("--beta", help="Betas to look at; many times. Steps are those of the first.")
    ] = None,
    equal: Annotated[
        bool | None,
        typer.Option(
            "--equal/--renormalised",
            help="Weigh each answer alike, or by the reference's probability; without either the one that says more.",
        ),
    ] = None,
    others: Annotated[list[str] | None, typer.Option("--run", help="Another run on the same answers.")] = None,
    winner: Annotated[int, typer.Option("--w", help="Number of the better answer of 5.3 and 5.5.", min=0)] = 0,
    loser: Annotated[int, typer.Option("--l", help="Number of the worse answer.", min=0)] = 0,
    checkpoint: Annotated[int, typer.Option(help="Step of the checkpoint; 0 is the run's result.", min=0)] = 0,
    temperature: Annotated[float, typer.Option(help="Of the drawing; 1 draws the model unchanged.", min=0)] = 1.0,
    seed: Annotated[int, typer.Option(help="Of the drawing.")] = 0,
    max_new_tokens: Annotated[int, typer.Option(help="Most tokens of a drawn answer.", min=1)] = 64,
    as_json: Annotated[bool, typer.Option("--json", help="JSON for machines.")] = False,
) -> None:
    """Show the optimum on one prompt's answers, its frontier of reward and KL, and the five steps to DPO's loss."""
    if drawn_from not in _AUTHORS:
        raise UsageError(f"Answers cannot be drawn from {drawn_from!r}.", "Choose reference, policy or both.")
    if any(not 0 < beta < math.inf for beta in betas or ()):
        raise UsageError("Beta is a price above 0.", "Choose for example --beta 0.1")
    if winner and winner == loser:
        raise UsageError("y_w and y_l are two answers.", "Choose two numbers.")
    place, run_dir = run_of(workspace, run)
    request = LabRequest(
        str(run_dir),
        Prompt.from_text(prompt) if prompt else None,
        pair,
        given=[GivenAnswer(f"answer {number}", text) for number, text in enumerate(given or (), 1)],
        stored=stored,
        draw=answers,
        authors=_AUTHORS[drawn_from],
        others=others or (),
        step=checkpoint,
        settings={"temperature": temperature, "seed": seed, "max_new_tokens": max_new_tokens},
    )
    found = _made(place, run_dir, request, is_quiet=as_json)
    weighing: Weighing = found.suggested if equal is None else "equal" if equal else "reference"
    view = _view(found, weighing, (betas or [found.beta])[0], winner, loser)
    if as_json:
        say_json(_plain(view, betas or ()))
    else:
        _show(view, betas or ())


def _made(place: Path | None, run_dir: Path, request: LabRequest, *, is_quiet: bool) -> PromptLab:
    progress = None if is_quiet else say_progress
    if place is None:
        return lab_of_run(RunFolder(run_dir), request, on_progress=progress)
    with open_workspace(place, read_only=True) as app:
        return app.lab.make(request, on_progress=progress)


def _view(found: PromptLab, weighing: Weighing, beta: float, winner: int, loser: int) -> StepsView:
    count = len(found.answers)
    if max(winner, loser) > count:
        raise UsageError(f"There are {counted(count, 'answer')}; y_w and y_l are two of them.", f"Choose 1 to {count}.")
    best, worst = found.best_and_worst()
    best, worst = (winner - 1 if winner else best), (loser - 1 if loser else worst)
    if best == worst:  # one was chosen, and is what the other would have been
        rest = [place for place in range(count) if place != best]
        best, worst = (best, rest[0]) if winner else (rest[0], worst)
    return StepsView(found, weighing, found.objective(weighing).at(beta), best, best, worst)


def _optima(view: StepsView, betas: list[float] | tuple[float, ...]) -> list[Optimum]:
    """Return the optima that are listed, from the reference down to the smallest beta."""
    objective = view.lab.objective(view.weighing)
    wanted = sorted({*FRONTIER, view.lab.beta, view.optimum.beta, *betas}, reverse=True)
    return [objective.at(beta) for beta in (math.inf, *wanted)]


def _plain(view: StepsView, betas: list[float] | tuple[float, ...]) -> dict[str, Any]:
    found = view.lab
    placed = {other.name: found.placed(other, view.weighing) for other in found.others}
    plain = {
        "event": "lab",
        **found.to_plain(),
        "weighing": view.weighing,
        "reference_shares": list(found.objective(view.weighing).shares),
        "optimum": _optimum(view.optimum),
        "frontier": [_optimum(one) for one in _optima(view, betas)],
        "placed": {name: {"reward": at.reward, "kl": at.kl, "gap": at.gap} for name, at in placed.items()},
        "y_w": found.names[view.winner],
        "y_l": found.names[view.loser],
        "steps": [step.to_plain() for step in lab_steps(view)],
    }
    return finite(plain)


def _optimum(one: Optimum) -> dict[str, Any]:
    return {
        "beta": one.beta, "shares": list(one.shares), "reward": one.reward, "kl": one.kl, "log_z": one.log_z,
        "effective": one.effective, "value": one.value,
    }  # fmt: skip


def _show(view: StepsView, betas: list[float] | tuple[float, ...]) -> None:
    found, optimum = view.lab, view.optimum
    say(f"{found.prompt.last_text}\n{found.run['name']}, beta {found.beta:g}; {found.settings}")
    say(f"reference: {WEIGHINGS[view.weighing]}\n")
    shares = found.objective(view.weighing).shares
    rows = [
        [
            name, short_line(one.text, _CUT), one.name, str(one.tokens), f"{one.reference:.2f}",
            signed(one.displacement), signed(reward), format_value(before), format_value(after),
        ]
        for name, one, reward, before, after in zip(
            found.names, found.answers, found.rewards, shares, optimum.shares, strict=True
        )
    ]  # fmt: skip
    head = ("", "answer", "from", "tokens", "log pi_ref", "h, nats", "r", "pi_ref", f"pi*({optimum.beta:g})")
    say(table(rows, head))
    count = len(found.answers)
    say(
        f"\nat beta {optimum.beta:g}: E[r] {signed(optimum.reward)}, KL {format_value(optimum.kl)} nats, "
        f"Z {power_text(optimum.log_z)}, {optimum.effective:.1f} of {counted(count, 'effective answer')}\n"
    )
    say(table([_line(one, found.beta) for one in _optima(view, betas)], ("beta", "KL, nats", "E[r]", "effective", "")))
    for other in found.others:
        at = found.placed(other, view.weighing)
        say(f"{other.name}: KL {format_value(at.kl)}, E[r] {signed(at.reward)}, {format_value(at.gap)} below the line")
    for step in lab_steps(view):
        say(f"\n{step.number} {step.title}: {step.plain}")
        say("  " + "; ".join(f"{figure.name} = {figure.text}" for figure in step.figures))
        say(f"  {step.words}")
    say("")
    for note in found.notes:
        say(f"note: {note}")


def _line(one: Optimum, trained: float) -> list[str]:
    said = "the reference" if math.isinf(one.beta) else "as trained" if one.beta == trained else ""
    beta = "infinity" if math.isinf(one.beta) else f"{one.beta:g}"
    return [beta, format_value(one.kl), signed(one.reward), f"{one.effective:.2f}", said]
