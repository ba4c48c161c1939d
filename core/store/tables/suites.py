"""Suites and their items."""
# pyright: reportAssignmentType=false
# SQLModel declares __tablename__ as declared_attr; a plain string is its documented use.

from typing import Optional

from sqlmodel import Field, SQLModel


class SuiteRow(SQLModel, table=True):
    """A version of a suite: open while it is filled, then frozen and immutable; counts and detail are JSON."""

    __tablename__ = "suite"
    id: Optional[int] = Field(default=None, primary_key=True)
    uid: str
    name: str
    number: int
    state: str = "open"
    sha256: Optional[str] = None
    origin: str
    licence: str = ""
    description: str = ""
    counts: str = "{}"
    detail: str = "{}"
    created_ms: int


class SuiteItemRow(SQLModel, table=True):
    """One ordered item; ``body`` is the JSON of the whole item, its id included."""

    __tablename__ = "suite_item"
    suite_id: int = Field(primary_key=True)
    position: int = Field(primary_key=True)
    item_id: str
    body: str
