"""``qualification``: the quiz of a rubric version: set it, waive it, see who passed, and what is worth practising."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.cli.output import say, say_json, short_line, table
from core.cli.rubrics import find_version
from core.cli.workspace_access import open_workspace
from core.domain.counting import counted
from core.domain.errors import NotFound, UsageError
from core.domain.qualification import QUIZ_ITEMS
from core.domain.team import PASS_MARK

if TYPE_CHECKING:
    from core.domain.judgement import Reviewer
    from core.domain.qualification import ClauseDisagreement, Qualification, ReviewerQualification
    from core.services.application import Application

_EXPLAINED = re.compile(r"#?(\d+)=(.*)", re.DOTALL)


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("qualification", help="The quiz of a rubric: set or waive it, who passed, what to practise.")(
        qualification
    )


def qualification(
    workspace: Annotated[Path, typer.Argument(help="Workspace folder.")],
    rubric: Annotated[str, typer.Option(metavar="NAME", help="Rubric, or a version of it; the newest without.")] = "",
    pass_mark: Annotated[
        float | None, typer.Option(help=f"Set a quiz: share to be answered right, such as {PASS_MARK}.")
    ] = None,
    items: Annotated[int | None, typer.Option(min=1, help=f"Set a quiz: gold items, {QUIZ_ITEMS} without.")] = None,
    pair: Annotated[
        list[int] | None, typer.Option(help="Set a quiz of these gold pairs; give it once for each.")
    ] = None,
    explain: Annotated[
        list[str] | None, typer.Option(metavar="PAIR=TEXT", help="What is told of a gold pair after its answer.")
    ] = None,
    waive: Annotated[str, typer.Option(metavar="REVIEWER", help="This reviewer needs no quiz.")] = "",
    require: Annotated[str, typer.Option(metavar="REVIEWER", help="This reviewer needs the quiz after all.")] = "",
    reason: Annotated[str, typer.Option(help="Why it is waived.")] = "",
    practice: Annotated[
        str, typer.Option(metavar="REVIEWER", help="The clauses this reviewer disagrees on most.")
    ] = "",
    by: Annotated[str, typer.Option("--by", help="Your name among the reviewers.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="JSON for machines.")] = False,
) -> None:
    """Say who may label under a rubric version by its quiz; it holds for all versions of the same major number."""
    told = [_explained(words) for words in explain or ()]
    sets = pass_mark is not None or items is not None or bool(pair)
    with open_workspace(workspace, read_only=not (sets or told or waive or require)) as app:
        service, version = app.qualification, find_version(app, rubric or _newest(app))
        who = _person(app, by).id if by else None
        for pair_id, text in told:
            service.explain(version.id, pair_id, text, who)
        if sets:
            mark = PASS_MARK if pass_mark is None else pass_mark
            service.set_quiz(version.id, pass_mark=mark, items=items or QUIZ_ITEMS, pair_ids=pair or (), by=who)
        for name, waived in ((waive, True), (require, False)):
            if name:
                service.waive(version.id, _person(app, name).id, waived=waived, reason=reason, by=who)
        found = service.of_version(version.id)
        clauses = service.disagreements(version.id, _person(app, practice).id) if practice else None
    plain: dict[str, Any] = found.to_plain()
    if clauses is not None:
        plain["practice"] = [one.to_plain() for one in clauses]
    if as_json:
        say_json(plain)
        return
    _say(found)
    if clauses is not None:
        _say_practice(practice, clauses)


def _say(found: Qualification) -> None:
    if found.quiz is None:
        say(f"{found.title} has no quiz. Gold items come of adjudication; set a quiz with --pass-mark {PASS_MARK}.")
    else:
        asked = counted(len(found.quiz.pair_ids), "gold item")
        say(f"{found.title}: a quiz of {asked}, pass mark {100 * found.quiz.pass_mark:.0f} %.")
    say(table([_row(one) for one in found.reviewers], ("reviewer", "status", "asked", "right [95 %]", "reason")))


def _row(one: ReviewerQualification) -> list[str]:
    right, ends = one.right, ""
    if right.has_interval:
        ends = f" [{100 * right.low:.0f}, {100 * right.high:.0f}]"
    share = f"{100 * right.value:.0f} %{ends}" if right.n else "–"
    why = short_line(one.waiver.reason, 40) if one.waiver is not None else ""
    return [one.name, one.words(), f"{one.asked:,}", share, why]


def _say_practice(name: str, clauses: tuple[ClauseDisagreement, ...]) -> None:
    if not clauses:
        say(f"{name} has too few answers on pairs of others to tell which clauses to practise.")
        return
    say(f"\n{name} differs from others most on:")
    for one in clauses:
        say(f"- {one.words()}")


def _newest(app: Application) -> str:
    versions = app.rubrics.published()
    if not versions:
        raise NotFound("There is no published rubric.", "Publish one with: rubric publish WS FILE.yaml")
    return str(versions[0].id)


def _person(app: Application, name: str) -> Reviewer:
    found = app.reviewers.find(name)
    if found is None:
        raise NotFound(f"There is no reviewer {name!r}.", "See them with: reviewers WS")
    return found


def _explained(words: str) -> tuple[int, str]:
    match = _EXPLAINED.fullmatch(words.strip())
    if match is None:
        raise UsageError(f"{words!r} does not name a pair and a text.", "Write it as --explain 12='Why it is so.'")
    return int(match[1]), match[2]
