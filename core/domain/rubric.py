"""Rubrics: what "better" means, in versions that never change once published."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any, Literal

from core.domain.errors import BadInput
from core.domain.ids import sha256_json

Scale = Literal[3, 5, 7]
SCALES: tuple[Scale, ...] = (3, 5, 7)


class ChangeLevel(StrEnum):
    """How much a new version changes the meaning of the labels made under the one before.

    ``major`` makes old labels stale; ``minor`` clarifies; ``patch`` corrects wording.
    """

    MAJOR = "major"
    MINOR = "minor"
    PATCH = "patch"


class RubricState(StrEnum):
    """A draft may be edited; a published version never changes."""

    DRAFT = "draft"
    PUBLISHED = "published"


@dataclass(frozen=True, slots=True)
class Example:
    """A worked case: the prompt, a better and a worse response, and why."""

    prompt: str
    better: str
    worse: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Criterion:
    """One clause: a comparative question with an anchor for each scale point that needs one.

    ``anchors`` maps a scale point as text ("-3".."3"; negative favours the left answer) to what it looks like; its text
    speaks of "left" and "right", as the answers are shown.
    """

    id: str
    name: str
    question: str
    anchors: dict[str, str] = field(default_factory=dict)
    allowed: tuple[str, ...] = ()
    disallowed: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class RubricBody:
    """The content of one rubric version; its canonical JSON is what publishing hashes."""

    purpose: str
    criteria: tuple[Criterion, ...]
    priority: tuple[str, ...] = ()
    tie_rule: str = ""
    scale: Scale = 7
    examples: tuple[Example, ...] = ()
    not_checked: str = ""

    def to_plain(self) -> dict[str, Any]:
        """Return plain values, stable under a round trip through JSON or YAML."""
        plain = asdict(self)
        plain["criteria"] = [
            {**asdict(c), "allowed": list(c.allowed), "disallowed": list(c.disallowed)} for c in self.criteria
        ]
        plain["priority"] = list(self.priority)
        plain["examples"] = [asdict(e) for e in self.examples]
        return plain

    @classmethod
    def from_plain(cls, row: dict[str, Any]) -> RubricBody:
        """Build a body from plain values.

        Raises:
            BadInput: with the name of the field that is missing or of the wrong kind.
        """
        try:
            criteria = tuple(
                Criterion(
                    id=str(c["id"]),
                    name=str(c["name"]),
                    question=str(c["question"]),
                    anchors={str(k): str(v) for k, v in (c.get("anchors") or {}).items()},
                    allowed=tuple(map(str, c.get("allowed") or ())),
                    disallowed=tuple(map(str, c.get("disallowed") or ())),
                    note=str(c.get("note") or ""),
                )
                for c in row["criteria"]
            )
            body = cls(
                purpose=str(row["purpose"]),
                criteria=criteria,
                priority=tuple(map(str, row.get("priority") or ())),
                tie_rule=str(row.get("tie_rule") or ""),
                scale=row.get("scale", 7),
                examples=tuple(Example(**e) for e in row.get("examples") or ()),
                not_checked=str(row.get("not_checked") or ""),
            )
        except (KeyError, TypeError, AttributeError) as error:
            raise BadInput(f"This is not a rubric: {error}.", "See a template for the fields a rubric has.") from error
        return body

    @property
    def sha256(self) -> str:
        """Content hash, set on the version when it is published."""
        return sha256_json(self.to_plain())


def problems(body: RubricBody) -> list[str]:
    """Return the reasons why ``body`` cannot be published, as sentences; empty when it can be."""
    found: list[str] = []
    ids = [c.id for c in body.criteria]
    if not body.purpose.strip():
        found.append("The purpose is empty.")
    if not body.criteria:
        found.append("A rubric needs at least one criterion.")
    if len(set(ids)) != len(ids):
        found.append("Two criteria share one id.")
    found += [f"Criterion {c.id or '?'} has no question." for c in body.criteria if not c.question.strip()]
    found += [f"Criterion {c.id or '?'} has no name." for c in body.criteria if not c.name.strip()]
    if "" in ids:
        found.append("A criterion has no id.")
    if unknown := [p for p in body.priority if p not in ids]:
        found.append(f"The priority order names unknown criteria: {', '.join(unknown)}.")
    if body.scale not in SCALES:
        found.append("The scale must have 3, 5 or 7 points.")
    return found


@dataclass(frozen=True, slots=True)
class RubricVersion:
    """One version of a rubric as it stands in the workspace.

    ``number`` is "major.minor.patch"; ``based_on`` is the id of the version it was drafted from.
    """

    id: int
    rubric_id: int
    rubric_name: str
    number: str
    state: RubricState
    level: ChangeLevel
    change_note: str
    body: RubricBody
    sha256: str = ""
    based_on: int | None = None
    published_ms: int | None = None

    @property
    def title(self) -> str:
        """Name and number, as shown everywhere."""
        return f"{self.rubric_name} {self.number}"


def next_number(number: str, level: ChangeLevel) -> str:
    """Return the version number that follows ``number`` at a change of ``level``.

    >>> next_number("1.2.3", ChangeLevel.MINOR)
    '1.3.0'
    """
    major, minor, patch = (int(part) for part in number.split("."))
    if level is ChangeLevel.MAJOR:
        return f"{major + 1}.0.0"
    if level is ChangeLevel.MINOR:
        return f"{major}.{minor + 1}.0"
    return f"{major}.{minor}.{patch + 1}"


@dataclass(frozen=True, slots=True)
class RubricChange:
    """One difference between two bodies: which field, before, after."""

    where: str
    before: str
    after: str


def diff(old: RubricBody, new: RubricBody) -> list[RubricChange]:
    """Return every difference between two bodies, criterion by criterion, in reading order."""
    changes: list[RubricChange] = []

    def note(where: str, before: object, after: object) -> None:
        if before != after:
            changes.append(RubricChange(where, str(before or ""), str(after or "")))

    note("purpose", old.purpose, new.purpose)
    note("priority", " > ".join(old.priority), " > ".join(new.priority))
    note("scale", old.scale, new.scale)
    olds, news = {c.id: c for c in old.criteria}, {c.id: c for c in new.criteria}
    for key in [*olds, *(k for k in news if k not in olds)]:
        before, after = olds.get(key), news.get(key)
        if before is None or after is None:
            note(f"criterion {key}", before.name if before else "", after.name if after else "")
            continue
        for part in ("name", "question", "note"):
            note(f"criterion {key}: {part}", getattr(before, part), getattr(after, part))
        for part in ("allowed", "disallowed"):
            note(f"criterion {key}: {part}", "; ".join(getattr(before, part)), "; ".join(getattr(after, part)))
        for point in sorted({*before.anchors, *after.anchors}, key=lambda p: (len(p), p)):
            note(f"criterion {key}: anchor {point}", before.anchors.get(point), after.anchors.get(point))
    note("tie rule", old.tie_rule, new.tie_rule)
    note("not checked", old.not_checked, new.not_checked)
    note("examples", [asdict(e) for e in old.examples], [asdict(e) for e in new.examples])
    return changes
