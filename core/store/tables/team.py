"""The work of several people: batches, decisions on disagreements, review bundles. Rows are added and never change."""
# pyright: reportAssignmentType=false
# SQLModel declares __tablename__ as declared_attr; a plain string is its documented use.

from typing import Optional

from sqlmodel import Field, SQLModel


class BatchRow(SQLModel, table=True):
    """A batch: its policy as canonical JSON with the hash, rubric version, order and seed.

    ``home_uuid`` is the workspace that it was made in; '' for this one.
    """

    __tablename__ = "batch"
    id: Optional[int] = Field(default=None, primary_key=True)
    uid: str
    name: str
    rubric_version_id: int
    policy: str
    sha256: str
    item_order: str
    seed: int
    author_id: Optional[int] = None
    home_uuid: str = ""
    detail: str = "{}"
    created_ms: int
    session: str = ""


class BatchDrawRow(SQLModel, table=True):
    """Slots that were made in one act: with the batch, because they became due, or of a bundle."""

    __tablename__ = "batch_draw"
    id: Optional[int] = Field(default=None, primary_key=True)
    uid: str
    batch_id: int
    number: int
    reason: str
    slots: int
    created_ms: int
    session: str = ""


class BatchSlotRow(SQLModel, table=True):
    """One answer that a batch wants. ``after_id`` is the slot that a retest repeats, with sides swapped or not."""

    __tablename__ = "batch_slot"
    id: Optional[int] = Field(default=None, primary_key=True)
    draw_id: int
    batch_id: int
    number: int
    pair_id: int
    kind: str
    picked: str
    swapped: int = 0
    reviewer_id: Optional[int] = None
    after_id: Optional[int] = None


class SlotAssignmentRow(SQLModel, table=True):
    """Who is to answer a slot from now on; without a reviewer it is open to all of the batch."""

    __tablename__ = "slot_assignment"
    id: Optional[int] = Field(default=None, primary_key=True)
    uid: str
    slot_id: int
    reviewer_id: Optional[int] = None
    by_id: Optional[int] = None
    reason: str = ""
    at_ms: int
    session: str = ""


class SlotPresentationRow(SQLModel, table=True):
    """A presentation that was made for a slot."""

    __tablename__ = "slot_presentation"
    id: Optional[int] = Field(default=None, primary_key=True)
    slot_id: int
    presentation_id: int


class ChangeRequestRow(SQLModel, table=True):
    """A step of a request to change a rubric: asked, taken into a draft, resolved by a version, rejected, reopened."""

    __tablename__ = "change_request"
    id: Optional[int] = Field(default=None, primary_key=True)
    uid: str
    op: str
    supersedes: Optional[int] = None
    rubric_id: int
    criterion: str = ""
    text: str = ""
    pair_id: Optional[int] = None
    author_id: int
    version_id: Optional[int] = None
    at_ms: int
    session: str = ""


class AdjudicationRow(SQLModel, table=True):
    """A decision on a disagreement, or its retraction.

    ``judgement_id`` is the adjudicator's first pick, made before the others' were shown, ``final_id`` the judgement
    that stands, ``inputs`` the JSON list of the judgement ids that were shown in between.
    """

    __tablename__ = "adjudication"
    id: Optional[int] = Field(default=None, primary_key=True)
    uid: str
    op: str
    supersedes: Optional[int] = None
    pair_id: int
    reviewer_id: int
    rubric_version_id: int
    judgement_id: int
    final_id: int
    cause: str = ""
    outcome: str = ""
    request_id: Optional[int] = None
    note: str = ""
    inputs: str = "[]"
    at_ms: int
    session: str = ""


class ReviewerStateRow(SQLModel, table=True):
    """From when on a reviewer is active or inactive; a reviewer without a statement is active."""

    __tablename__ = "reviewer_state"
    id: Optional[int] = Field(default=None, primary_key=True)
    uid: str
    reviewer_id: int
    state: str
    by_id: Optional[int] = None
    reason: str = ""
    at_ms: int
    session: str = ""


class BundleRow(SQLModel, table=True):
    """Slots of one reviewer as a file for another workspace: exported from here, or opened here as a desk."""

    __tablename__ = "bundle"
    id: Optional[int] = Field(default=None, primary_key=True)
    uid: str
    kind: str
    batch_id: int
    reviewer_id: int
    home_uuid: str
    chain_head: str
    sha256: str
    slots: int
    detail: str = "{}"
    created_ms: int
    session: str = ""


class BundleSlotRow(SQLModel, table=True):
    """A slot that is in a bundle."""

    __tablename__ = "bundle_slot"
    id: Optional[int] = Field(default=None, primary_key=True)
    bundle_id: int
    slot_id: int


class BundleMergeRow(SQLModel, table=True):
    """What a desk sent back: its chain up to an entry, and in ``body`` the rows and entries since the merge before."""

    __tablename__ = "bundle_merge"
    id: Optional[int] = Field(default=None, primary_key=True)
    uid: str
    bundle_id: int
    desk_uuid: str
    chain_entry: int
    chain_sha256: str
    file_sha256: str
    counts: str = "{}"
    body: str
    at_ms: int
    session: str = ""
