"""The tables of ``workspace.db`` as SQLModel classes, for writing queries.

They mirror the hand-written STRICT schema of the migrations and create nothing themselves: SQLModel tables do
not validate, so domain objects validate and the constraints and triggers of the schema enforce. A test compares
the two. Times are INTEGER milliseconds UTC, hashes hex sha256 text, JSON columns canonical JSON text.
Rows never leave ``core.store``.
"""
# pyright: reportAssignmentType=false
# SQLModel declares __tablename__ as declared_attr; a plain string is its documented use.

from typing import Optional

from sqlmodel import Field, SQLModel


class MetaRow(SQLModel, table=True):
    """Facts about the workspace itself: uuid, name, created_by, created_ms."""

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


class SourceRow(SQLModel, table=True):
    """Where pairs came from, under which licence and consent.

    ``voice`` is the imported reviewer that holds its labels; ``pairs`` is kept by a trigger on pair_source.
    """

    __tablename__ = "source"
    id: Optional[int] = Field(default=None, primary_key=True)
    uid: str
    name: str
    kind: str = "file"
    licence: str = ""
    consent: str = "granted"
    file_name: str = ""
    file_sha256: Optional[str] = None
    format: str = ""
    voice: str = ""
    note: str = ""
    pairs: int = 0
    created_ms: int


class ImportBatchRow(SQLModel, table=True):
    """One transaction of one import: what it held and up to where the file was read."""

    __tablename__ = "import_batch"
    id: Optional[int] = Field(default=None, primary_key=True)
    source_id: int
    number: int
    file_sha256: str
    format: str
    rows: int = 0
    imported: int = 0
    duplicates: int = 0
    rejected: int = 0
    judgements: int = 0
    byte_offset: int = 0
    status: str = "running"
    at_ms: int


class PromptRow(SQLModel, table=True):
    """Immutable. ``body`` is the canonical JSON of the messages, ``text`` their joined text for searching."""

    __tablename__ = "prompt"
    id: Optional[int] = Field(default=None, primary_key=True)
    sha256: str
    turns: int
    text: str
    body: str


class PairRow(SQLModel, table=True):
    """Immutable canonical pair. ``*_generation`` is the JSON of a GenerationRecord, or '' when unknown."""

    __tablename__ = "pair"
    id: Optional[int] = Field(default=None, primary_key=True)
    sha256: str
    prompt_id: int
    source_id: int
    a_sha256: str
    b_sha256: str
    created_ms: int
    a_text: str
    b_text: str
    a_generation: str = ""
    b_generation: str = ""


class PairSourceRow(SQLModel, table=True):
    """Every source in which a pair was found, with the row number there."""

    __tablename__ = "pair_source"
    pair_id: int = Field(primary_key=True)
    source_id: int = Field(primary_key=True)
    row: int = 0


class PairStateRow(SQLModel, table=True):
    """Current labels of a pair counted by kind; one row a pair, kept by triggers, never written by code."""

    __tablename__ = "pair_state"
    pair_id: int = Field(primary_key=True)
    labels: int = 0
    prefer_a: int = 0
    prefer_b: int = 0
    ties: int = 0
    neithers: int = 0
    cannots: int = 0
    flagged: int = 0


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
    """The tip of every chain that is a label; kept by triggers, never written by code."""

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
    """A showing that was put aside. ``taken_back`` is 1 after undo."""

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


class RunRow(SQLModel, table=True):
    """Registry of run folders; the folder is the truth, ``state`` only a hint for lists."""

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
