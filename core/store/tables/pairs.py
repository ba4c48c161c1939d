"""Where pairs came from, and the pairs."""
# pyright: reportAssignmentType=false
# SQLModel declares __tablename__ as declared_attr; a plain string is its documented use.

from typing import Optional

from sqlmodel import Field, SQLModel


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
    consent: str = "unknown"
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


class PromptKeyRow(SQLModel, table=True):
    """Derived from a prompt's text: which prompts ask the same, and which nearly."""

    __tablename__ = "prompt_key"
    prompt_id: int = Field(primary_key=True)
    same: int
    words: int


class PairFlagRow(SQLModel, table=True):
    """Derived from a pair's texts: what looks wrong in them, one bit a flag; pairs without a flag have no row."""

    __tablename__ = "pair_flag"
    pair_id: int = Field(primary_key=True)
    flags: int


class PairSourceRow(SQLModel, table=True):
    """Every source in which a pair was found, with the row number there."""

    __tablename__ = "pair_source"
    pair_id: int = Field(primary_key=True)
    source_id: int = Field(primary_key=True)
    row: int = 0


class PairStateRow(SQLModel, table=True):
    """Current labels of a pair counted by kind; one row a pair, kept by triggers and, for a batch
    of an import, by :mod:`core.store.import_tallies`."""

    __tablename__ = "pair_state"
    pair_id: int = Field(primary_key=True)
    labels: int = 0
    prefer_a: int = 0
    prefer_b: int = 0
    ties: int = 0
    neithers: int = 0
    cannots: int = 0
    flagged: int = 0


class BatchRangeRow(SQLModel, table=True):
    """The new rows of the batch that the open transaction imports: triggers do not count them. Else it has no row."""

    __tablename__ = "batch_range"
    id: int = Field(primary_key=True)
    prompt_from: int
    prompt_to: int
    pair_from: int
    pair_to: int
    judgement_from: int
    judgement_to: int
    never: int = 0
