"""What the Rubrics page shows and how a form becomes a rubric body. No widgets."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from core.domain.rubric import Criterion, Example, RubricBody, RubricChange, RubricState, RubricVersion

_ANCHOR = re.compile(r"^\s*([-−+]?\d+)\s*[:=]\s*(.+)$")
EMPTY_BODY = RubricBody(
    purpose="",
    criteria=(Criterion("c1", "First criterion", "Which answer is better on this?"),),
    priority=("c1",),
    tie_rule="Say tie when both answers serve the user equally well.",
)


def anchors_text(anchors: dict[str, str]) -> str:
    """Return anchors as lines ``-3: what it looks like``, in the order of the scale."""
    return "\n".join(f"{key}: {anchors[key]}" for key in sorted(anchors, key=_order))


def parse_anchors(text: str) -> tuple[dict[str, str], list[str]]:
    """Read anchor lines; returns the anchors and the lines that are none."""
    anchors, wrong = {}, []
    for line in filter(str.strip, text.splitlines()):
        if match := _ANCHOR.match(line):
            anchors[match[1].replace("−", "-").lstrip("+")] = match[2].strip()
        else:
            wrong.append(line.strip())
    return anchors, wrong


def lines(text: str) -> tuple[str, ...]:
    """Return the non-empty lines of a text."""
    return tuple(line.strip() for line in text.splitlines() if line.strip())


def new_criterion_id(taken: Sequence[str]) -> str:
    """Return the next free id: c1, c2, ..."""
    n = 1
    while f"c{n}" in taken:
        n += 1
    return f"c{n}"


def reading_text(version: RubricVersion) -> str:
    """Return a version as Markdown, for reading."""
    body = version.body
    names = {c.id: c.name for c in body.criteria}
    parts = [body.purpose]
    if version.change_note:
        parts.append(f"*{version.level.value} change:* {version.change_note}")
    if body.priority:
        parts.append("**When criteria conflict:** " + " > ".join(names.get(key, key) for key in body.priority))
    for criterion in body.criteria:
        parts.append(f"## {criterion.name}\n\n{criterion.question}")
        if criterion.anchors:
            parts.append("\n".join(f"- {line}" for line in anchors_text(criterion.anchors).splitlines()))
        for title, items in (("Allowed", criterion.allowed), ("Not allowed", criterion.disallowed)):
            if items:
                parts.append(f"{title}:\n\n" + "\n".join(f"- {item}" for item in items))
        if criterion.note:
            parts.append(criterion.note)
    if body.tie_rule:
        parts.append(f"## Ties\n\n{body.tie_rule}")
    if body.not_checked:
        parts.append(f"## Not to be checked\n\n{body.not_checked}")
    for i, example in enumerate(body.examples, 1):
        parts.append(_example_text(i, example))
    parts.append(f"Scale of {body.scale} points." + (f" sha256 {version.sha256[:16]}…" if version.sha256 else ""))
    return "\n\n".join(part for part in parts if part)


def _example_text(place: int, example: Example) -> str:
    return (
        f"## Example {place}\n\n**Prompt:** {example.prompt}\n\n**Better:** {example.better}\n\n"
        f"**Worse:** {example.worse}\n\n{example.why}"
    )


def diff_text(changes: Sequence[RubricChange]) -> str:
    """Return the differences of two versions as Markdown, clause by clause."""
    if not changes:
        return "The two versions say the same."
    return "\n\n".join(
        f"**{c.where}**\n\n- before: {c.before or '(nothing)'}\n- after: {c.after or '(nothing)'}" for c in changes
    )


def version_line(version: RubricVersion, labels: int) -> str:
    """Return a version as the list shows it."""
    if version.state is RubricState.DRAFT:
        return f"{version.number} · draft"
    return f"{version.number} · published · {labels:,} labels".replace(",", " ")


def usage_text(summary: Any, version: RubricVersion) -> str:
    """Return how a version is used."""
    labels = summary.labels.get(version.id, 0)
    stale = f" · {summary.stale} labels are stale after a major change" if summary.stale else ""
    return f"{labels} labels were made under it{stale}"


def _order(key: str) -> tuple[int, str]:
    try:
        return int(key), ""
    except ValueError:
        return 99, key
