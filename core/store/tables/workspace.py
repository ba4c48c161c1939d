"""The workspace itself, its reviewers, and its registers of runs, models and events."""
# pyright: reportAssignmentType=false
# SQLModel declares __tablename__ as declared_attr; a plain string is its documented use.

from typing import Optional

from sqlmodel import Field, SQLModel


class MetaRow(SQLModel, table=True):
    """Facts about the workspace itself: uuid, name, created_by, created_ms, picks_need_decision_after."""

    __tablename__ = "meta"
    key: str = Field(primary_key=True)
    value: str


class SettingRow(SQLModel, table=True):
    """Preferences that travel with the workspace; JSON values."""

    __tablename__ = "setting"
    key: str = Field(primary_key=True)
    value: str


class CounterRow(SQLModel, table=True):
    """Totals kept by triggers: pairs, labelled (pairs with a current label), labels (current ones), judgements."""

    __tablename__ = "counter"
    name: str = Field(primary_key=True)
    value: int


class ReviewerRow(SQLModel, table=True):
    """Pseudonym of a person, of the labels of a file, or of a stated rule."""

    __tablename__ = "reviewer"
    id: Optional[int] = Field(default=None, primary_key=True)
    uid: str
    name: str
    kind: str
    note: str = ""
    created_ms: int


class RunRow(SQLModel, table=True):
    """Registry of run folders; the folder decides; ``state`` is a hint for lists."""

    __tablename__ = "run"
    id: Optional[int] = Field(default=None, primary_key=True)
    uid: str
    name: str
    dataset_id: Optional[int] = None
    dataset_sha256: Optional[str] = None
    folder: str
    model_path: str = ""
    state: str = "created"
    tags: str = "[]"
    note: str = ""
    created_ms: int


class ModelRow(SQLModel, table=True):
    """Registry of model folders; ``info`` is JSON (parameters, architecture, licence, ...)."""

    __tablename__ = "model"
    id: Optional[int] = Field(default=None, primary_key=True)
    uid: str
    name: str
    path: str
    kind: str
    sha256: Optional[str] = None
    info: str = "{}"
    created_ms: int


class EventRow(SQLModel, table=True):
    """Append-only log of everything that changed the workspace."""

    __tablename__ = "event_log"
    id: Optional[int] = Field(default=None, primary_key=True)
    at_ms: int
    op: str
    summary: str
    reviewer_id: Optional[int] = None
    subject: str = ""
    subject_id: Optional[int] = None
    detail: str = "{}"
    session: str = ""


class ChainEntryRow(SQLModel, table=True):
    """One entry of the hash chain: the last ids that it covers, and a hash over them and the entry before."""

    __tablename__ = "chain"
    id: Optional[int] = Field(default=None, primary_key=True)
    at_ms: int
    kind: str
    format: int
    pair_to: int
    presentation_to: int
    judgement_to: int
    event_log_to: int
    links: str
    digests: str
    sha256: str


class ChainStateRow(SQLModel, table=True):
    """The hash of one state of a row that may change, such as a reviewer's name."""

    __tablename__ = "chain_row"
    entry: int = Field(primary_key=True)
    kind: str = Field(primary_key=True)
    key: int = Field(primary_key=True)
    sha256: str
