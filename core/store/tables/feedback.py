"""Feedback, changesets and consent."""
# pyright: reportAssignmentType=false
# SQLModel declares __tablename__ as declared_attr; a plain string is its documented use.

from typing import Optional

from sqlmodel import Field, SQLModel


class FeedbackEventRow(SQLModel, table=True):
    """Immutable. ``body`` is the canonical JSON of a FeedbackContent, ``sha256`` its hash."""

    __tablename__ = "feedback_event"
    id: Optional[int] = Field(default=None, primary_key=True)
    sha256: str
    kind: str
    source_id: int
    line: int = 0
    prompt_sha256: Optional[str] = None
    body: str
    consent: str = "unknown"
    scope: str = "all"
    expires_ms: Optional[int] = None
    at_ms: int
    session: str = ""


class FeedbackStepRow(SQLModel, table=True):
    """Append-only: what was decided about an event; each row supersedes the one before of the same event."""

    __tablename__ = "feedback_step"
    id: Optional[int] = Field(default=None, primary_key=True)
    uid: str
    event_id: int
    op: str
    supersedes: Optional[int] = None
    reviewer_id: int
    reason: str = ""
    pair_id: Optional[int] = None
    target: str = "{}"
    at_ms: int
    session: str = ""


class ChangesetRow(SQLModel, table=True):
    """Draft, then approved by another than its author, and immutable."""

    __tablename__ = "changeset"
    id: Optional[int] = Field(default=None, primary_key=True)
    uid: str
    name: str
    state: str = "draft"
    author_id: int
    approver_id: Optional[int] = None
    sha256: Optional[str] = None
    note: str = ""
    approval_note: str = ""
    created_ms: int
    approved_ms: Optional[int] = None


class ChangesetEntryRow(SQLModel, table=True):
    """One add, edit or removal of a changeset."""

    __tablename__ = "changeset_entry"
    id: Optional[int] = Field(default=None, primary_key=True)
    changeset_id: int
    op: str
    pair_id: int
    new_pair_id: Optional[int] = None
    event_id: Optional[int] = None
    reason: str
    at_ms: int


class DatasetChangesetRow(SQLModel, table=True):
    """A changeset that a dataset version was frozen under."""

    __tablename__ = "dataset_changeset"
    id: Optional[int] = Field(default=None, primary_key=True)
    dataset_id: int
    changeset_id: int


class ConsentEntryRow(SQLModel, table=True):
    """Append-only: one statement of consent; the newest of a subject counts."""

    __tablename__ = "consent_entry"
    id: Optional[int] = Field(default=None, primary_key=True)
    uid: str
    subject: str
    subject_id: int
    consent: str
    scope: str = "all"
    expires_ms: Optional[int] = None
    given_ms: Optional[int] = None
    reviewer_id: Optional[int] = None
    reason: str = ""
    at_ms: int
    session: str = ""
