"""A rubric version as Markdown, for reading. Pure functions."""

from __future__ import annotations

from core.domain.rubric import ChangeLevel, Criterion, Example, RubricVersion

POINT_NAMES = {
    "-3": "1, left much better",
    "-2": "2, left better",
    "-1": "3, left slightly better",
    "0": "4, equal",
    "1": "5, right slightly better",
    "2": "6, right better",
    "3": "7, right much better",
}
"""A point of the scale -> the key that chooses it, and what it means on the screen."""
FIRST_NOTE = "First version."
"""The note of a first version, which nobody is asked for."""
_LEVELS = {
    ChangeLevel.MAJOR: "The meaning changed; earlier labels that it concerns are stale.",
    ChangeLevel.MINOR: "A clarification; labels under earlier versions stay valid.",
    ChangeLevel.PATCH: "Only the wording changed; labels under earlier versions stay valid.",
}


def point_name(point: str) -> str:
    """Return a point of the scale as reviewers know it: by its key and by sides.

    >>> point_name("-3"), point_name("other")
    ('1, left much better', 'other')
    """
    return POINT_NAMES.get(point, point)


def anchors_text(anchors: dict[str, str]) -> str:
    """Return anchors as lines to be edited, each after the key of its point, in the order of the scale.

    >>> anchors_text({"3": "good", "-3": "bad"})
    'key 1, left much better: bad\\nkey 7, right much better: good'
    """
    named = ((f"key {POINT_NAMES[key]}" if key in POINT_NAMES else key, anchors[key]) for key in sorted_points(anchors))
    return "\n".join(f"{name}: {text}" for name, text in named)


def sorted_points(anchors: dict[str, str]) -> list[str]:
    """Return the points that have an anchor, in the order of the scale."""
    return sorted(anchors, key=anchor_order)


def anchor_order(key: str) -> tuple[int, str]:
    """Return where an anchor stands on the scale; what is no number comes last."""
    try:
        return int(key), ""
    except ValueError:
        return 99, key


def clause_text(clause: Criterion) -> str:
    """Return a clause as plain lines: its question, each anchor after its key, what is allowed, and its note."""
    lines = [clause.question, *(f"{point_name(p)}: {clause.anchors[p]}" for p in sorted_points(clause.anchors))]
    lines += [f"Allowed: {text}" for text in clause.allowed] + [f"Not allowed: {text}" for text in clause.disallowed]
    return "\n".join(line for line in (*lines, clause.note) if line)


def reading_text(version: RubricVersion) -> str:
    """Return a version as Markdown: purpose, priorities, clauses with anchors, ties, examples."""
    body = version.body
    names = {c.id: c.name for c in body.criteria}
    parts = [body.purpose]
    parts.append(change_text(version))
    if body.priority:
        parts.append("**When criteria conflict:** " + " > ".join(names.get(key, key) for key in body.priority))
    parts += [_criterion_text(criterion) for criterion in body.criteria]
    if body.tie_rule:
        parts.append(f"## Ties\n\n{body.tie_rule}")
    if body.not_checked:
        parts.append(f"## Not to be checked\n\n{body.not_checked}")
    parts += [_example_text(i, example) for i, example in enumerate(body.examples, 1)]
    parts.append(f"Scale of {body.scale} points." + (f" sha256 {version.sha256[:16]}…" if version.sha256 else ""))
    return "\n\n".join(part for part in parts if part)


def change_text(version: RubricVersion) -> str:
    """Return what a version changed as sentences in Markdown, "" without a note.

    A first version changed nothing, so its level is not told.
    """
    note = version.change_note.strip()
    if not note:
        return ""
    if version.based_on is None:
        return f"*This is the first version of the rubric.*{'' if note == FIRST_NOTE else f' {note}'}"
    return f"*{_LEVELS[version.level]}* {note}"


def _criterion_text(criterion: Criterion) -> str:
    parts = [f"## {criterion.name}", criterion.question]
    if criterion.anchors:
        points = sorted_points(criterion.anchors)
        parts.append("\n".join(f"- **{point_name(point)}:** {criterion.anchors[point]}" for point in points))
    for title, items in (("Allowed", criterion.allowed), ("Not allowed", criterion.disallowed)):
        if items:
            parts.append(f"{title}:\n\n" + "\n".join(f"- {item}" for item in items))
    parts.append(criterion.note)
    return "\n\n".join(part for part in parts if part)


def _example_text(place: int, example: Example) -> str:
    parts = (
        f"## Example {place}",
        f"**Prompt:** {example.prompt}",
        f"**Better:** {example.better}",
        f"**Worse:** {example.worse}",
        example.why,
    )
    return "\n\n".join(part for part in parts if part)
