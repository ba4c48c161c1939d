"""What in a rubric will make reviewers disagree: found in its text alone."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from core.domain.rubric import Criterion, RubricBody

Severity = Literal["wrong", "warning", "note"]
_QUOTED = re.compile(r"[\"“„«]([^\"“”„«»]{2,80})[\"”“»]")
_WORD = re.compile(r"\w+")
_NEGATED = re.compile(r"\b(not|n't|fails?|lacks?|without|avoids?|never)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class LintFinding:
    """One thing to mend.

    Attributes:
        rule: its key, for machines.
        severity: "wrong" contradicts itself, "warning" will cost agreement, "note" is worth a look.
        criterion: id of the clause it is about; empty for the whole rubric.
        message: what was found and what to do.
    """

    rule: str
    severity: Severity
    criterion: str
    message: str


def lint(body: RubricBody) -> list[LintFinding]:
    """Return what the text of a rubric shows, in reading order."""
    found = [*_both_allowed_and_disallowed(body)]
    for clause in body.criteria:
        found += [*_anchors(clause, body.scale), *_wording(clause)]
    return [*found, *_priority(body), *_same_questions(body), *_examples(body), *_tie_rule(body)]


def _key(text: str) -> str:
    return " ".join(_WORD.findall(text.casefold()))


def _both_allowed_and_disallowed(body: RubricBody) -> Iterator[LintFinding]:
    allowed = {_key(entry): clause for clause in body.criteria for entry in clause.allowed if _key(entry)}
    for clause in body.criteria:
        for entry in clause.disallowed:
            other = allowed.get(_key(entry))
            if other is not None:
                place = "the same clause" if other.id == clause.id else f"the clause {other.name}"
                message = f"{clause.name} disallows what {place} allows: {entry} Take it out of one of the two."
                yield LintFinding("allowed_and_disallowed", "wrong", clause.id, message)


def _anchors(clause: Criterion, scale: int) -> Iterator[LintFinding]:
    if not clause.anchors:
        message = f"{clause.name} has no anchors. Say what a clear difference and no difference look like."
        yield LintFinding("no_anchors", "warning", clause.id, message)
        return
    most = scale // 2
    outside = [point for point in clause.anchors if not _is_point(point, most)]
    if outside:
        message = f"{clause.name} has anchors outside the scale of -{most} to {most}: {', '.join(outside)}."
        yield LintFinding("anchor_outside_scale", "wrong", clause.id, message)
    sides = {(int(point) > 0) - (int(point) < 0) for point in clause.anchors if _is_point(point, most)}
    if sides - {0} and not {-1, 1} <= sides:
        side = "left" if 1 in sides else "right"
        message = f"{clause.name} has anchors for one side only. Add one for a better answer on the {side}."
        yield LintFinding("one_sided_anchors", "warning", clause.id, message)
    repeated = _repeated(list(clause.anchors.values()))
    if repeated:
        message = f"{clause.name} describes two points with the same words: {repeated} Say how they differ."
        yield LintFinding("same_anchors", "warning", clause.id, message)


def _is_point(text: str, most: int) -> bool:
    return re.fullmatch(r"-?\d", text) is not None and -most <= int(text) <= most


def _wording(clause: Criterion) -> Iterator[LintFinding]:
    if _NEGATED.search(clause.question):
        message = f"The question of {clause.name} is negated. Ask which answer has more of what is wanted."
        yield LintFinding("negated_question", "note", clause.id, message)


def _priority(body: RubricBody) -> Iterator[LintFinding]:
    ids = [clause.id for clause in body.criteria]
    for name in body.priority:
        if name not in ids:
            message = f"The priority names {name!r}, which is no criterion. The criteria are {', '.join(ids)}."
            yield LintFinding("priority_unknown", "wrong", "", message)
    if body.priority and (missing := [name for name in ids if name not in body.priority]):
        message = f"The priority leaves out {', '.join(missing)}. Say where they stand when criteria contradict."
        yield LintFinding("priority_incomplete", "warning", "", message)
    if not body.priority and len(ids) > 1:
        message = "There is no order of priority. Say which criterion decides when two contradict."
        yield LintFinding("no_priority", "warning", "", message)


def _same_questions(body: RubricBody) -> Iterator[LintFinding]:
    asked: dict[str, list[Criterion]] = defaultdict(list)
    for clause in body.criteria:
        asked[_key(clause.question)].append(clause)
    for clauses in asked.values():
        if len(clauses) > 1:
            names = " and ".join(clause.name for clause in clauses)
            message = f"{names} ask the same question. Join them or say how they differ."
            yield LintFinding("same_question", "warning", clauses[-1].id, message)


def _examples(body: RubricBody) -> Iterator[LintFinding]:
    seen: dict[tuple[str, str, str], int] = {}
    for number, example in enumerate(body.examples, 1):
        prompt, better, worse = _key(example.prompt), _key(example.better), _key(example.worse)
        if better == worse:
            message = f"In example {number} the better and the worse answer are the same."
            yield LintFinding("example_equal", "wrong", "", message)
        if (prompt, worse, better) in seen and better != worse:
            message = f"Example {number} says the opposite of example {seen[prompt, worse, better]}."
            yield LintFinding("examples_contradict", "wrong", "", message)
        seen[prompt, better, worse] = number
        for clause in body.criteria:
            for phrase in _phrases(clause.disallowed):
                if _holds(example.better, phrase) and not _holds(example.worse, phrase):
                    message = (
                        f"The better answer of example {number} holds {phrase!r}, which {clause.name} disallows, "
                        "and the worse one does not. Change the example or the clause."
                    )
                    yield LintFinding("example_against_clause", "wrong", clause.id, message)


def _phrases(entries: tuple[str, ...]) -> list[str]:
    """Return the phrases that entries quote."""
    return [phrase for entry in entries for phrase in _QUOTED.findall(entry)]


def _holds(text: str, phrase: str) -> bool:
    return f" {_key(phrase)} " in f" {_key(text)} "


def _tie_rule(body: RubricBody) -> Iterator[LintFinding]:
    if not body.tie_rule.strip():
        message = "There is no rule for ties. Say when two answers count as equal and when neither is valid."
        yield LintFinding("no_tie_rule", "note", "", message)


def _repeated(texts: list[str]) -> str:
    keys = [_key(text) for text in texts]
    return next((text for n, text in enumerate(texts) if keys[n] and keys[n] in keys[:n]), "")
