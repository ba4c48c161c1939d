"""``generate``: let models answer prompts in pairs, and put the pairs into the workspace for blind labelling.

Imports inside a function load the workspace libraries, which no other command may need.
"""

from __future__ import annotations

import shlex
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.cli.default_group import DefaultGroup
from core.cli.failures import report
from core.cli.generate_output import say_landed, say_list, say_report, say_tried
from core.cli.output import as_id, say, say_note
from core.cli.run_settings import read_changes
from core.cli.versions import published_version
from core.cli.workspace_access import open_workspace
from core.domain.counting import counted
from core.domain.errors import NotFound, UsageError, WorkspaceInUse
from core.domain.generation import (
    NEARLY,
    REASONS,
    RULE_ORDERS,
    BatchWish,
    GenerationRule,
    KeepChoice,
    LeaveReason,
    leave_choices,
)
from core.domain.run_events import Failed, Finished
from core.runs.evaluations.hosting import EvaluationHost
from core.runs.generations.control import find_generation
from core.runs.generations.driver import generate
from core.runs.generations.folder import GenerationFolder
from core.runs.generations.lines import generation_json, generation_line

if TYPE_CHECKING:
    from core.services.application import Application

_Ws = Annotated[Path, typer.Argument(help="Workspace folder.")]
_Json = Annotated[bool, typer.Option("--json", help="One event a line as JSON; the last says what landed.")]
_REASONS = ", ".join(REASONS)
_SIDE = "a run (NAME, NAME@best, NAME@last, NAME@STEP), reference:RUN, a model folder or name, or endpoint:URL#MODEL"


class GenerateGroup(DefaultGroup):
    """Reads ``generate WS ...`` as ``generate make WS ...``."""

    default = "make"


def build() -> typer.Typer:
    """Return the command group."""
    group = typer.Typer(help="Pairs that models generate for blind labelling: generate WS ..., resume, list.")
    group.command("make", help="Answer prompts in pairs: generate WS --prompts FILE --a RUN.")(make)
    group.command("resume", help="Go on with one that stopped, and put its pairs into the workspace.")(resume)
    group.command("show", help="Show what became of every pair of one, and those that are left out.")(show)
    group.command("list", help="List the generations and how far they are.")(list_generations)
    return group


def make(
    workspace: _Ws,
    a: Annotated[str, typer.Option("--a", help=f"Who answers for side A: {_SIDE}.")],
    b: Annotated[str, typer.Option("--b", help="The same for side B; without it A answers twice.")] = "",
    prompts: Annotated[
        Path | None, typer.Option("--prompts", help="Text file with a prompt a line, or JSONL, JSON, CSV.")
    ] = None,
    source: Annotated[str, typer.Option("--from-source", help="Prompts of a source: its number or name.")] = "",
    typed: Annotated[list[str] | None, typer.Option("--prompt", help="A prompt; many times.")] = None,
    choose: Annotated[int, typer.Option(help="So many prompts at random; 0 takes all.", min=0)] = 0,
    choose_seed: Annotated[int | None, typer.Option(help="Fixes that draw; --seed otherwise.", min=0)] = None,
    labelled_too: Annotated[
        bool, typer.Option("--labelled-too", help="Of a source, also prompts of which a person labelled a pair.")
    ] = False,
    n: Annotated[
        int | None,
        typer.Option("--n", help="Answers of each side to a prompt; of one policy twice all of them.", min=1),
    ] = None,
    temperature: Annotated[
        float | None, typer.Option(help="0.8 otherwise; 0 always takes the likeliest token.")
    ] = None,
    top_p: Annotated[float | None, typer.Option(help="0.95 otherwise; 1 is off.")] = None,
    top_k: Annotated[int | None, typer.Option(help="0 otherwise, which is off.")] = None,
    repetition_penalty: Annotated[float | None, typer.Option(help="Above 1 repeats less; 1 otherwise, off.")] = None,
    max_new_tokens: Annotated[int | None, typer.Option(help="Longest answer; 128 otherwise.")] = None,
    seed: Annotated[int, typer.Option(help="Every answer's own seed follows from it.", min=0)] = 0,
    system: Annotated[str, typer.Option(help="System prompt before each prompt.")] = "",
    keep: Annotated[list[str] | None, typer.Option(help=f"Keep such pairs too: {_REASONS}; many times.")] = None,
    nearly: Annotated[float, typer.Option(help="Jaccard of words from which answers are nearly equal.")] = NEARLY,
    batch: Annotated[str, typer.Option(help="Name of a batch of the pairs, for blind labelling.")] = "",
    take: Annotated[int, typer.Option(help="Pairs that the rule picks; 0 takes all.", min=0)] = 0,
    at_random: Annotated[int, typer.Option("--random", help="Pairs drawn at random beside them.", min=0)] = 0,
    rule: Annotated[str, typer.Option(help=f"Which pairs: {', '.join(RULE_ORDERS)}.")] = "random",
    people: Annotated[list[str] | None, typer.Option("--for", help="Who labels the batch; many times.")] = None,
    rubric: Annotated[str, typer.Option(help="Published rubric version, or the name of a rubric.")] = "",
    margins: Annotated[bool, typer.Option("--margins", help="Let the run of a side score all answers.")] = False,
    settings: Annotated[
        list[str] | None, typer.Option("--set", help="key=value of `evaluate --settings`: device, threads, ...")
    ] = None,
    name: Annotated[str, typer.Option(help="What the generation and its source are called.")] = "",
    dry: Annotated[
        bool, typer.Option("--try", help="Answer the first prompts, say how long all take; store nothing.")
    ] = False,
    create_only: Annotated[bool, typer.Option("--create-only", help="Make the folder; generate nothing yet.")] = False,
    as_json: _Json = False,
) -> int:
    """Answer prompts in pairs, and put the pairs into the workspace. Ctrl+C cancels; `generate resume` goes on."""
    from core.services.generations.requests import GENERATION_CONFIG, GenerationRequest

    decoder = {
        "temperature": temperature, "top_p": top_p, "top_k": top_k, "max_new_tokens": max_new_tokens, "seed": seed,
        "repetition_penalty": repetition_penalty,
    }  # fmt: skip
    changes: dict[str, Any] = {key: value for key, value in decoder.items() if value is not None}
    config = GENERATION_CONFIG.with_values({**read_changes(settings or []), **changes})
    with open_workspace(workspace, read_only=dry) as app:
        request = GenerationRequest(
            a=a,
            b=b,
            file=prompts,
            source=_source(app, source) if source else None,
            typed=tuple(typed or ()),
            choose=choose,
            choose_seed=seed if choose_seed is None else choose_seed,
            unlabelled=not labelled_too,
            samples=_pairs_of_prompt(n, is_one=not b or a == b),
            config=config,
            system_prompt=system,
            keep=tuple(keep or ()),
            nearly=nearly,
            batch=_wish(app, batch, rubric, people or [], take, at_random, rule, seed),
            margins=margins,
            name=name,
            command_line=shlex.join(["pairwright", *sys.argv[1:]]),
        )
        if not as_json:
            say(app.generations.prompts(request).sentence())
        if dry:
            say_tried(app.generations.try_first(request), as_json=as_json)
            return 0
        folder = GenerationFolder(Path(app.generations.create(request).value.folder))
    if create_only:
        say(str(folder.path))
        return 0
    return _work_and_land(workspace, folder, as_json=as_json)


def resume(
    workspace: _Ws,
    generation: Annotated[str, typer.Argument(help="Its id, the beginning of it, name or folder.")],
    keep: Annotated[list[str] | None, typer.Option(help=f"Keep such pairs too: {_REASONS}; many times.")] = None,
    as_json: _Json = False,
) -> int:
    """Go on with a generation where it stopped; one that is finished only puts its pairs into the workspace."""
    return _work_and_land(workspace, find_generation(generation, workspace), keep, as_json=as_json)


def show(
    workspace: _Ws,
    generation: Annotated[str, typer.Argument(help="Its id, the beginning of it, name or folder.")],
    keep: Annotated[list[str] | None, typer.Option(help=f"As if such pairs were kept: {_REASONS}; many times.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON for machines.")] = False,
) -> None:
    """Print how the pairs of a finished generation add up, and every pair that is left out, with its reason."""
    folder = find_generation(generation, workspace)
    with open_workspace(workspace, read_only=True) as app:
        report = app.generations.report(str(folder.path), _choices(folder, keep))
    say_report(report, folder.pairs(), as_json=as_json)


def list_generations(workspace: _Ws, as_json: Annotated[bool, typer.Option("--json", help="JSON.")] = False) -> None:
    """Print the generations, newest first."""
    with open_workspace(workspace, read_only=True) as app:
        say_list(app.generations.list(), as_json=as_json)


def _work_and_land(workspace: Path, folder: GenerationFolder, keep: list[str] | None = None, *, as_json: bool) -> int:
    """Answer what is left in this process, then add the pairs to the workspace; return the exit code."""
    again = f"generate resume {shlex.quote(str(workspace))} {folder.record().generation_id}"
    if not folder.pairs_file.is_file():
        last = _work_on(folder, as_json=as_json)
        if isinstance(last, Failed):
            report(last.message, f"{last.hint} Go on with: {again}".strip(), as_json=as_json)
            return 1
        if last.reason != "completed":
            say_note(f"Cancelled; the answers so far are kept. Go on with: {again}")
            return 1
    try:
        with open_workspace(workspace) as app:
            landed = app.generations.land(folder.record().generation_id, _choices(folder, keep)).value
    except WorkspaceInUse as error:
        raise WorkspaceInUse(f"{error.message} The answers are safe.", f"Close it there, then: {again}") from error
    say_landed(landed, as_json=as_json)
    return 0


def _choices(folder: GenerationFolder, keep: list[str] | None) -> dict[LeaveReason, KeepChoice]:
    """Return the choices of the request, with the reasons that are kept now."""
    before = folder.record().choices
    now = leave_choices(keep or ())
    return {reason: choice if choice == "keep" else before[reason] for reason, choice in now.items()}


def _work_on(folder: GenerationFolder, *, as_json: bool) -> Finished | Failed:
    def show(event: Any) -> None:
        if line := generation_json(event) if as_json else generation_line(event):
            say(line)

    signals = (signal.SIGINT, signal.SIGTERM)
    return generate(folder.path, EvaluationHost(host="terminal", on_event=show, signals=signals, reset=True))


def _pairs_of_prompt(n: int | None, *, is_one: bool) -> int:
    """Return how many pairs of a prompt so many answers make: of one policy twice two answers make one.

    Raises:
        UsageError: for an odd number of answers of one policy.
    """
    if not is_one:
        return n or 1
    if n is not None and n % 2:
        raise UsageError(
            f"{counted(n, 'answer')} of one policy cannot be paired.", "Choose an even number, or name another side B."
        )
    return (n or 2) // 2


def _source(app: Application, word: str) -> int:
    for source in app.imports.sources():
        if word.casefold() == source.name.casefold() or as_id(word) == source.id:
            return source.id
    raise NotFound(f"There is no source {word!r}.", "See them with: sources WS")


def _wish(
    app: Application, name: str, rubric: str, people: list[str], take: int, at_random: int, rule: str, seed: int
) -> BatchWish | None:
    if not name:
        if take or at_random or people or rule != "random":
            raise UsageError("Pairs are taken for a batch, and none is named.", "Add --batch NAME.")
        return None
    reviewers = []
    for person in people:
        found = app.reviewers.find(person)
        if found is None:
            raise NotFound(f"There is no reviewer {person!r}.", f"Add one with: reviewers WS --add {person!r}")
        reviewers.append(found.id)
    return BatchWish(name, published_version(app, rubric), tuple(reviewers), take, at_random, _rule(rule), seed)


def _rule(word: str) -> GenerationRule:
    for rule in RULE_ORDERS:
        if rule == word.replace("-", "_"):
            return rule
    raise UsageError(f"Unknown rule {word!r}.", f"Use one of {', '.join(RULE_ORDERS)}.")
