"""Rubrics and what was judged under them."""
# pyright: reportAssignmentType=false
# SQLModel declares __tablename__ as declared_attr; a plain string is its documented use.

from typing import Optional

from sqlmodel import Field, SQLModel


class RubricRow(SQLModel, table=True):
    """A named rubric; its content stands in its versions. ``kind`` is 'authored' or 'imported' (a stub)."""

    __tablename__ = "rubric"
    id: Optional[int] = Field(default=None, primary_key=True)
    uid: str
    name: str
    kind: str = "authored"
    created_ms: int


class RubricVersionRow(SQLModel, table=True):
    """Draft, then published and immutable. ``major`` repeats the first part of ``number`` for queries."""

    __tablename__ = "rubric_version"
    id: Optional[int] = Field(default=None, primary_key=True)
    uid: str
    rubric_id: int
    number: str
    major: int
    state: str = "draft"
    level: str = "major"
    change_note: str = ""
    body: str
    sha256: Optional[str] = None
    based_on: Optional[int] = None
    created_ms: int
    published_ms: Optional[int] = None


class PresentationRow(SQLModel, table=True):
    """One showing of one pair to one reviewer. Immutable."""

    __tablename__ = "presentation"
    id: Optional[int] = Field(default=None, primary_key=True)
    uid: str
    pair_id: int
    reviewer_id: int
    rubric_version_id: int
    task: str
    left_is: str
    queue: str = ""
    position: int = 0
    shown_ms: int
    mono_ms: int = 0
    session: str = ""


class JudgementRow(SQLModel, table=True):
    """Append-only. ``revision`` counts within its presentation; a commit is always revision 0."""

    __tablename__ = "judgement"
    id: Optional[int] = Field(default=None, primary_key=True)
    uid: str
    presentation_id: int
    revision: int = 0
    pair_id: int
    reviewer_id: int
    rubric_version_id: int
    task: str
    kind: str
    op: str = "commit"
    verdict: Optional[str] = None
    strength: Optional[int] = None
    reason: str = ""
    confidence: Optional[int] = None
    supersedes: Optional[int] = None
    at_ms: int
    mono_ms: int = 0
    session: str = ""
    app_version: str = ""
    flags: str = "[]"
    criteria: str = "{}"
    rationale: str = ""
    edit: Optional[str] = None
    spans: str = "[]"
    process: str = "{}"


class CurrentLabelRow(SQLModel, table=True):
    """The last row of every chain, where it is a label; kept by triggers, never written by code."""

    __tablename__ = "current_label"
    judgement_id: int = Field(primary_key=True)
    pair_id: int
    reviewer_id: int
    rubric_version_id: int
    task: str
    verdict: str
    strength: Optional[int] = None
    flagged: int = 0


class LabelTallyRow(SQLModel, table=True):
    """Current labels counted by reviewer, rubric version and task; kept by triggers."""

    __tablename__ = "label_tally"
    reviewer_id: int = Field(primary_key=True)
    rubric_version_id: int = Field(primary_key=True)
    task: str = Field(primary_key=True)
    labels: int = 0


class JudgementDraftRow(SQLModel, table=True):
    """What a reviewer has filled in and not committed; replaced at will, removed by the commit."""

    __tablename__ = "judgement_draft"
    presentation_id: int = Field(primary_key=True)
    body: str
    at_ms: int


class SkipRow(SQLModel, table=True):
    """A presentation that was put aside. ``taken_back`` is 1 after undo."""

    __tablename__ = "skip"
    presentation_id: int = Field(primary_key=True)
    pair_id: int
    reviewer_id: int
    rubric_version_id: int
    reason: str = ""
    taken_back: int = 0
    at_ms: int


class BookmarkRow(SQLModel, table=True):
    """A pair to come back to."""

    __tablename__ = "bookmark"
    reviewer_id: int = Field(primary_key=True)
    pair_id: int = Field(primary_key=True)
    note: str = ""
    at_ms: int


class StepRow(SQLModel, table=True):
    """The undo stack of a reviewer: named steps, done / undone / dropped. Changes with the judgement in one commit."""

    __tablename__ = "step"
    id: Optional[int] = Field(default=None, primary_key=True)
    reviewer_id: int
    kind: str
    label: str
    state: str = "done"
    presentation_id: int
    judgement_id: Optional[int] = None
    at_ms: int
