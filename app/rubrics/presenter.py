"""What the Rubrics page shows and how a form becomes a rubric body. No widgets."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from core.domain.counting import counted, verb
from core.domain.rubric import Criterion, RubricBody, RubricChange, RubricState, RubricVersion

if TYPE_CHECKING:
    from core.services.rubrics.service import RubricSummary

_BY_KEY = re.compile(r"^\s*key\s*([1-7])\b[^:]*:\s*(.+)$", re.IGNORECASE)
_ANCHOR = re.compile(r"^\s*([-−+]?\d+)\s*[:=]\s*(.+)$")
EMPTY_BODY = RubricBody(
    purpose="",
    criteria=(Criterion("c1", "First criterion", "Which answer is better on this?"),),
    priority=("c1",),
    tie_rule="Say tie when both answers serve the user equally well.",
)


def parse_anchors(text: str) -> tuple[dict[str, str], list[str]]:
    """Read anchor lines ("key 1: text", or the strength itself, "-3: text"); returns the anchors and what is none."""
    anchors, wrong = {}, []
    for line in filter(str.strip, text.splitlines()):
        if match := _BY_KEY.match(line):
            anchors[str(int(match[1]) - 4)] = match[2].strip()
        elif match := _ANCHOR.match(line):
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


def diff_text(changes: Sequence[RubricChange], old: str, new: str) -> str:
    """Return the differences of two versions as Markdown, clause by clause, under a heading that names them."""
    head = f"## From {old} to {new}"
    if not changes:
        return f"{head}\n\nThe two versions say the same."
    parts = [
        f"**{c.where}**\n\n- before: {c.before or '(nothing)'}\n- after: {c.after or '(nothing)'}" for c in changes
    ]
    return "\n\n".join([head, *parts])


def version_line(version: RubricVersion, labels: int) -> str:
    """Return a version as the list shows it."""
    if version.state is RubricState.DRAFT:
        return f"{version.number} · draft"
    return f"{version.number} · {counted(labels, 'label')}"


def same_as(body: RubricBody, others: Sequence[RubricVersion]) -> str:
    """Return the title of the newest published version when a draft says nothing else, "" when it does."""
    published = [version for version in others if version.state is RubricState.PUBLISHED]
    return published[-1].title if published and published[-1].body == body else ""


def usage_text(summary: RubricSummary, version: RubricVersion) -> str:
    """Return how many labels were made under a version, and how many of the rubric are stale."""
    labels = summary.labels.get(version.id, 0)
    was = verb(labels, "was", "were")
    text = f"{counted(labels, 'label')} {was} made under it"
    if summary.stale:
        text += f" · {counted(summary.stale, 'label')} {verb(summary.stale, 'is', 'are')} stale after a major change"
    if waiting := len(summary.requests):
        text += f" · {counted(waiting, 'change request')} {verb(waiting, 'is', 'are')} open"
    return text


def requests_text(summary: RubricSummary) -> str:
    """Return the open change requests of a rubric as lines, each after the name of its clause."""
    published = summary.published
    names = {} if published is None else {clause.id: clause.name for clause in published.body.criteria}
    lines_ = (f"{names.get(one.clause, one.clause) or 'Whole rubric'}: {one.text}" for one in summary.requests)
    return "\n".join(lines_)
