"""Thresholds, and looks at failures."""
# pyright: reportAssignmentType=false
# SQLModel declares __tablename__ as declared_attr; a plain string is its documented use.

from typing import Optional

from sqlmodel import Field, SQLModel


class ThresholdRow(SQLModel, table=True):
    """A version of a threshold; ``body`` is the JSON of all of it, the counts are those of its dev set."""

    __tablename__ = "threshold"
    id: Optional[int] = Field(default=None, primary_key=True)
    uid: str
    name: str
    number: int
    sha256: str
    negatives: int
    positives: int
    body: str
    created_ms: int
    session: str = ""


class FailureStepRow(SQLModel, table=True):
    """Somebody opened, tagged or sent a failure of an evaluation; ``target`` is the JSON of where it was sent."""

    __tablename__ = "failure_step"
    id: Optional[int] = Field(default=None, primary_key=True)
    uid: str
    evaluation: str
    failure: str
    op: str
    tag: str = ""
    note: str = ""
    target: str = "{}"
    reviewer_id: int
    at_ms: int
    session: str = ""
