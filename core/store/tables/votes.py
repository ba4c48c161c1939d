"""Rounds of votes and their items."""
# pyright: reportAssignmentType=false
# SQLModel declares __tablename__ as declared_attr; a plain string is its documented use.

from typing import Optional

from sqlmodel import Field, SQLModel


class VoteRoundRow(SQLModel, table=True):
    """A round: two arms of an evaluation, a rubric version, and how many votes an item. Immutable."""

    __tablename__ = "vote_round"
    id: Optional[int] = Field(default=None, primary_key=True)
    uid: str
    request_sha256: str
    evaluation: str
    name: str
    first_arm: str
    second_arm: str
    rubric_version_id: int
    source_id: int
    votes_per_item: int
    planned: int
    detail: str = "{}"
    created_ms: int
    session: str = ""


class VoteItemRow(SQLModel, table=True):
    """An item of a round with its pair; ``a_is`` is 1 where the first arm gave the answer A, else 2. Immutable."""

    __tablename__ = "vote_item"
    id: Optional[int] = Field(default=None, primary_key=True)
    round_id: int
    pair_id: int
    suite: str
    item: str
    a_is: int
    is_sealed: int
    detail: str = "{}"
