"""``refusal queue``, ``label``, ``corrected``: people label answers of an evaluation, and rates are corrected by it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.cli.output import say, say_json, say_note, table
from core.cli.people import By, reviewer_id
from core.cli.workspace_access import open_workspace
from core.domain.audit import AUDIT_WORDS, NEEDED
from core.domain.counting import counted
from core.domain.errors import UsageError
from core.domain.evidence import plain
from core.domain.measured_evidence import read_estimate
from core.domain.number_text import estimate_text

if TYPE_CHECKING:
    from core.services.refusals.views import AuditQueue, FlaggedAnswer

_Ws = Annotated[Path, typer.Argument(help="Workspace folder.")]
_Evaluation = Annotated[str, typer.Argument(help="Id, beginning of an id, or name of the evaluation.")]
_Json = Annotated[bool, typer.Option("--json", help="JSON for machines.")]
_WORDS = {str(number): word for number, word in enumerate(AUDIT_WORDS[:3], 1)} | {word: word for word in AUDIT_WORDS}


def register(group: typer.Typer) -> None:
    """Add the commands to the group ``refusal``."""
    group.command("queue", help="Draw answers of an evaluation for people to label, and print those that wait.")(queue)
    group.command("label", help="Say of answers whether they complied, complied partly or refused.")(label)
    group.command("flag", help="Flag answers, so that somebody looks at them again, or take flags back.")(flag)
    group.command("corrected", help="Refusal rates corrected by what people labelled, and how far the audit is.")(
        corrected
    )


def queue(
    workspace: _Ws,
    evaluation: _Evaluation,
    per_arm: Annotated[int, typer.Option(min=1, help="Answers of each policy, drawn where fewer are drawn.")] = NEEDED,
    seed: Annotated[int | None, typer.Option(min=0, help="Of the random order.")] = None,
    most: Annotated[int, typer.Option("--most", min=0, help="Print so many answers.")] = 10,
    by: By = "",
    as_json: _Json = False,
) -> None:
    """Print answers without the policy behind them and without what the detector says."""
    with open_workspace(workspace) as app:
        app.evaluations.find(evaluation)
        person = reviewer_id(app, by)
        drawn = app.audits.queue(evaluation, person, ahead=0)
        enough = drawn.drawn and (not drawn.more or drawn.total >= per_arm * max(1, len(drawn.arms)))
        if not enough:
            say_note(f"{counted(app.audits.draw(evaluation, per_arm=per_arm, seed=seed).value, 'answer')} drawn.")
        found = app.audits.queue(evaluation, person, ahead=most)
    if as_json:
        say_json(_plain(found))
        return
    for one in found.waiting:
        asked = " ".join(one.prompt.messages[-1].content.split())
        say(f"{one.key}  {asked}\n    {' '.join(one.text.split())}\n")
    _say_progress(found)
    missing = max((arm.needed - arm.labelled for arm in found.arms if not arm.complete), default=0)
    if most and not found.waiting and missing > 0:
        more = per_arm + max(10, missing)
        say_note(f"No answer waits for {by.strip()}, and the audit is not complete. Draw more with: --per-arm {more}.")


def label(
    workspace: _Ws,
    evaluation: _Evaluation,
    labels: Annotated[
        list[str] | None,
        typer.Argument(help="KEY=WORD: 1 or complied, 2 or partly, 3 or refused, cannot_judge; many times."),
    ] = None,
    undo: Annotated[bool, typer.Option("--undo", help="Take back your last label.")] = False,
    by: By = "",
    as_json: _Json = False,
) -> None:
    """Store labels, all or none; afterwards print what the detector said."""
    words = dict(map(_word, labels or []))
    if bool(words) == undo:
        raise UsageError("Nothing is to be labelled.", "Write KEY=WORD for each answer, or --undo alone.")
    with open_workspace(workspace) as app:
        app.evaluations.find(evaluation)
        person = reviewer_id(app, by)
        if undo:
            told = (app.audits.undo(evaluation, person).value,)
        else:
            told = app.audits.label(evaluation, words, person).value
        found = app.audits.queue(evaluation, person, ahead=0)
    if as_json:
        rows = [{"key": o.key, "label": o.word, "arm": o.arm, "detector": o.verdict, "agrees": o.agrees} for o in told]
        say_json({"undone" if undo else "labels": rows, **_plain(found)})
        return
    for one in told:
        verdict = "agreed" if one.agrees else f"said {one.verdict}"
        say(f"{one.key}  {'taken back' if undo else one.word}; {one.arm}, detector {verdict}")
    _say_progress(found)


def flag(
    workspace: _Ws,
    evaluation: _Evaluation,
    keys: Annotated[list[str], typer.Argument(help="Keys of answers, as `refusal queue` prints them.")],
    off: Annotated[bool, typer.Option("--off", help="Take your flags back.")] = False,
    by: By = "",
    as_json: _Json = False,
) -> None:
    """Flag answers of the sample; labels and rates stay what they are."""
    with open_workspace(workspace) as app:
        app.evaluations.find(evaluation)
        person = reviewer_id(app, by)
        for key in keys:
            app.audits.answer(evaluation, key)  # all or none
        made = [app.audits.flag(evaluation, key, person, on=not off).value for key in keys]
    if as_json:
        say_json({"flagged": [_plain_flag(one) for one in made]})
        return
    for one in made:
        say(f"{one.key}  answer {one.number}: {_flag_words(one)}")


def corrected(workspace: _Ws, evaluation: _Evaluation, as_json: _Json = False) -> int:
    """Print each rate as the detector has it and corrected; exit 1 while an arm is not audited."""
    with open_workspace(workspace, read_only=True) as app:
        app.evaluations.unaltered(evaluation)
        evidence = app.audits.evidence(evaluation)
        agreement = {name: plain(estimate) for name, estimate in app.audits.agreement(evaluation).items()}
    arms: dict[str, Any] = evidence["audit"]
    complete = bool(arms) and not evidence["watermarks"]
    if as_json:
        suites = {title: _refusals(suite) for title, suite in evidence["suites"].items()}
        told = {"watermarks": evidence["watermarks"], "arms": arms, "suites": suites, "agreement": agreement}
        say_json({"event": "corrected", "complete": complete, **told})
        return 0 if complete else 1
    rows = [
        [title, arm, name, _words(raw), _words(one) if (one := fixed.get(arm)) else "-"]
        for title, suite in evidence["suites"].items()
        for name, own in suite.get("metrics", {}).items()
        if name.startswith(("over_refusal", "safe_refusal")) and not name.endswith("_corrected")
        for fixed in [suite["metrics"].get(f"{name}_corrected", {})]
        for arm, raw in own.items()
    ]
    say(table(rows, ("suite", "arm", "rate", "by the detector", "corrected")))
    for arm, one in arms.items():
        rates = {name: _words(one["detector"]["any"][name]) for name in ("fpr", "fnr", "youden")}
        say(f"{arm}: FPR {rates['fpr']}; FNR {rates['fnr']}; Se + Sp - 1 {rates['youden']}")
        if one["problem"]:
            say(f"{one['problem']} {one['advice']}")
    for mark in evidence["watermarks"]:
        say_note(mark)
    if not arms:
        say_note("Draw and label answers: refusal queue WS EVALUATION --by NAME.")
    return 0 if complete else 1


def _flag_words(one: FlaggedAnswer) -> str:
    return f"flagged by {', '.join(one.by)}" if one.by else "not flagged"


def _word(given: str) -> tuple[str, Any]:
    key, sign, word = given.partition("=")
    if not sign or word not in _WORDS:
        raise UsageError(f"{given!r} is not KEY=WORD.", f"Use one of: {', '.join(_WORDS)}.")
    return key, _WORDS[word]


def _refusals(suite: dict[str, Any]) -> dict[str, Any]:
    return {
        part: {
            name: arms
            for name, arms in suite.get(part, {}).items()
            if name.startswith(("over_refusal", "safe_refusal"))
        }
        for part in ("metrics", "differences")
    }


def _words(estimate: dict[str, Any]) -> str:
    found = read_estimate(estimate)
    return estimate_text(found) if found.n else "not known, n 0"


def _plain(found: AuditQueue) -> dict[str, Any]:
    arms = {arm.arm: {"labelled": arm.labelled, "needed": arm.needed, "complete": arm.complete} for arm in found.arms}
    return {
        "evaluation": found.evaluation_id,
        "seed": found.seed,
        "labelled": found.labelled,
        "total": found.total,
        "arms": arms,
        "waiting": [one.to_plain() for one in found.waiting],
        "flagged": [_plain_flag(one) for one in found.flagged],
    }


def _plain_flag(one: FlaggedAnswer) -> dict[str, Any]:
    return {"key": one.key, "number": one.number, "by": list(one.by)}


def _say_progress(found: AuditQueue) -> None:
    for arm in found.arms:
        say(arm.words)
    for one in found.flagged:
        say(f"answer {one.number} ({one.key}): {_flag_words(one)}")
