"""``judge``: a model on an endpoint compares answers of an evaluation, and what is known of its validity."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.cli.output import say, say_json, say_note, table
from core.cli.workspace_access import open_workspace
from core.domain.errors import NotFound, UsageError
from core.domain.evidence import plain
from core.domain.judging import replaces_words
from core.domain.number_text import estimate_text

if TYPE_CHECKING:
    from core.domain.judging import JudgeReplaces, JudgeReport
    from core.services.application import Application

_NUMBERS = {
    "win_rate": "Win rate, both orders",
    "swap": "Decided alike in both orders",
    "agreement": "Agrees with people",
    "adversarial": "Right on the adversarial set",
    "longer": "Longer answer won",
    "unread": "Answers without a verdict",
}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("judge", help="Ask a judge model about answers of an evaluation, or show what judges said.")(judge)


def judge(
    workspace: Annotated[Path, typer.Argument(help="Workspace folder.")],
    evaluation: Annotated[str, typer.Argument(help="Id, beginning of an id, or name of the evaluation.")],
    endpoint: Annotated[
        str, typer.Option(help="URL#MODEL of a server on this machine; without it, shows what judges said.")
    ] = "",
    arms: Annotated[str, typer.Option(help="Two arms, joined by a comma.")] = "aligned,reference",
    rubric: Annotated[str, typer.Option(help="Name of the rubric by which it judges; its newest version.")] = "",
    suite: Annotated[list[str] | None, typer.Option(help="Only these suites; repeatable.")] = None,
    adversarial: Annotated[
        list[str] | None,
        typer.Option(help="Suite of pairs on which length and style mislead, to test the judge; repeatable."),
    ] = None,
    limit: Annotated[int, typer.Option(min=0, help="Most items of a suite; 0 takes all.")] = 0,
    as_json: Annotated[bool, typer.Option("--json", help="JSON for machines.")] = False,
) -> None:
    """Compare answers of two arms in both orders; where the orders disagree the pair is a tie."""
    with open_workspace(workspace, read_only=not endpoint) as app:
        if not endpoint:
            app.evaluations.unaltered(evaluation)
            reports = app.judging.reports(evaluation)
        else:
            suites, tests = tuple(suite or ()), tuple(adversarial or ())
            request = _request(app, evaluation, endpoint, arms, rubric, suites, tests, limit)
            reports = [app.judging.ask(request, on_progress=None if as_json else _said).value]
    if as_json:
        say_json([_plain(one) for one in reports])
    elif not reports:
        say("No judge was asked about this evaluation. Ask one with --endpoint URL#MODEL.")
    for one in () if as_json else reports:
        say(f"{one.setup.model} at {one.setup.url}, rubric {one.setup.rubric}: {one.arm_a} against {one.arm_b}")
        say(table([[words, estimate_text(getattr(one, key))] for key, words in _NUMBERS.items()], ["measure", "value"]))
        if one.replaces is not None:
            say(replaces_words(one.replaces))
        for mark in one.watermarks:
            say_note(f"{mark}: agreement with people, both orders and an adversarial set are measured first.")


def _request(
    app: Application,
    evaluation: str,
    endpoint: str,
    arms: str,
    rubric: str,
    suites: tuple[str, ...],
    adversarial: tuple[str, ...],
    limit: int,
) -> Any:
    from core.services.judging.service import JudgeRequest  # it needs the workspace libraries

    names = [name.strip() for name in arms.split(",")]
    if len(names) != 2 or not all(names):
        raise UsageError(f"{arms!r} does not name two arms.", "Write them as --arms aligned,reference.")
    wanted = rubric.casefold()
    known = app.rubrics.published()
    found = next((v for v in known if not rubric or wanted in (v.rubric_name.casefold(), v.title.casefold())), None)
    if found is None:
        raise NotFound(
            f"There is no rubric {rubric!r}." if rubric else "There is no published rubric to judge by.",
            "See them with: rubric list WS",
        )
    url, _, model = endpoint.partition("#")
    return JudgeRequest(evaluation, names[0], names[1], url, found.id, model, suites, limit, adversarial)


def _said(done: int, total: int) -> None:
    if done == total or done % 20 == 0:
        say_note(f"{done:,} of {total:,} verdicts.")


def _plain(one: JudgeReport) -> dict[str, Any]:
    numbers = {key: plain(getattr(one, key)) for key in _NUMBERS}
    return {
        "judge": {**one.setup.to_plain(), "key": one.setup.key},
        "arms": [one.arm_a, one.arm_b],
        **numbers,
        "replaces": None if one.replaces is None else _test(one.replaces),
        "watermarks": list(one.watermarks),
    }


def _test(found: JudgeReplaces) -> dict[str, Any]:
    return {
        "winning_rate": plain(found.winning_rate),
        "advantage": plain(found.advantage),
        "passes": found.passes,
        "missing": found.missing,
    }
