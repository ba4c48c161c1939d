"""Dataset versions and their contents."""
# pyright: reportAssignmentType=false
# SQLModel declares __tablename__ as declared_attr; a plain string is its documented use.

from typing import Optional

from sqlmodel import Field, SQLModel


class DatasetRow(SQLModel, table=True):
    """A dataset version: open while it is filled, then frozen and immutable."""

    __tablename__ = "dataset"
    id: Optional[int] = Field(default=None, primary_key=True)
    uid: str
    name: str
    number: int
    state: str = "open"
    root_sha256: Optional[str] = None
    policy: str
    counts: str = "{}"
    created_ms: int
    created_by: str = ""
    note: str = ""
    root_format: int = 1
    chain_head: str = ""


class DatasetItemRow(SQLModel, table=True):
    """One ordered item of a dataset version."""

    __tablename__ = "dataset_item"
    dataset_id: int = Field(primary_key=True)
    position: int = Field(primary_key=True)
    pair_id: int
    split: str
    chosen: str
    strength: float
    weight: float
    target: float
    is_tie: int = 0


class DatasetItemJudgementRow(SQLModel, table=True):
    """The judgements behind an item."""

    __tablename__ = "dataset_item_judgement"
    dataset_id: int = Field(primary_key=True)
    position: int = Field(primary_key=True)
    judgement_id: int = Field(primary_key=True)


class DatasetRubricRow(SQLModel, table=True):
    """The rubric versions whose labels a dataset version accepted; their hashes enter its root hash."""

    __tablename__ = "dataset_rubric"
    dataset_id: int = Field(primary_key=True)
    rubric_version_id: int = Field(primary_key=True)


class DatasetLeftOutRow(SQLModel, table=True):
    """How many pairs were left out for one reason; ``pair_ids`` is a JSON list of some of them."""

    __tablename__ = "dataset_left_out"
    dataset_id: int = Field(primary_key=True)
    reason: str = Field(primary_key=True)
    count: int
    pair_ids: str = "[]"
