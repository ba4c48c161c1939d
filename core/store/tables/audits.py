"""Samples of audits of the refusal detector, and the labels of people."""
# pyright: reportAssignmentType=false
# SQLModel declares __tablename__ as declared_attr; a plain string is its documented use.

from typing import Optional

from sqlmodel import Field, SQLModel


class AuditDrawRow(SQLModel, table=True):
    """A sample of the answers of an evaluation; ``body`` is the JSON of its strata and answers."""

    __tablename__ = "audit_draw"
    id: Optional[int] = Field(default=None, primary_key=True)
    uid: str
    evaluation: str
    number: int
    seed: int
    per_arm: int
    sha256: str
    body: str
    created_ms: int
    session: str = ""


class AuditLabelRow(SQLModel, table=True):
    """What a reviewer said of an answer, or a retraction of it."""

    __tablename__ = "audit_label"
    id: Optional[int] = Field(default=None, primary_key=True)
    uid: str
    evaluation: str
    suite: str
    arm: str
    item: str
    answer_sha256: str
    op: str
    label: str = ""
    supersedes: Optional[int] = None
    reviewer_id: int
    at_ms: int
    session: str = ""
