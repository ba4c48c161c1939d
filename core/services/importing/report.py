"""Views of an import: before it (preview), while it runs (progress) and after it (report)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from core.services.importing.rows import ParsedPair, Reject


@dataclass(frozen=True, slots=True)
class ImportPreview:
    """What a file holds, from its first records, before anything is stored.

    Attributes:
        kind: file kind in words, such as "JSON Lines, gzip".
        fmt: key of the format; hand it, or one of ``alternatives``, to the import to confirm it.
        confidence: 0..1.
        notes: how the file is read where it could be read in several ways.
        checked: records read; the sum of ``good`` and ``bad``.
        complete: whether the whole file was checked.
        samples: the first few pairs as they will be stored, in the order of the file.
        reviewers: names of the file's reviewers, empty when it has one or none.
        labels: labels among the checked records.
        known_as: name of the source when this very file was imported before, else empty.
    """

    path: str
    kind: str
    fmt: str
    title: str
    confidence: float
    notes: tuple[str, ...]
    alternatives: tuple[str, ...]
    columns: tuple[str, ...]
    checked: int
    good: int
    bad: int
    complete: bool
    rejects: tuple[Reject, ...]
    samples: tuple[ParsedPair, ...]
    reviewers: tuple[str, ...]
    labels: int
    size: int
    file_sha256: str
    name: str
    known_as: str = ""


@dataclass(frozen=True, slots=True)
class ImportProgress:
    """Progress of an import; ``bytes_read`` of ``bytes_total`` is the share for a progress bar."""

    bytes_read: int
    bytes_total: int
    rows: int
    imported: int
    duplicates: int
    rejected: int


@dataclass(frozen=True, slots=True)
class ImportReport:
    """Result of an import; ``rows = imported + duplicates + rejected``.

    Attributes:
        rows: records of the file that were read.
        imported: records that brought at least one new pair.
        duplicates: records whose pairs were all in the workspace, or earlier in the file, already.
        rejected: records that could not be used; ``rejects_path`` lists them with line and reason.
        pairs: new pairs (more than ``imported`` only for formats with several pairs a record).
        judgements: labels stored.
        known_labels: labels of duplicates that their reviewer has given already.
        cancelled: stopped before the end; what was imported stays, and importing again adds the rest.
    """

    rows: int
    imported: int
    duplicates: int
    rejected: int
    judgements: int
    rejects_path: str
    source_id: int
    source_name: str = ""
    pairs: int = 0
    known_labels: int = 0
    fmt: str = ""
    reviewers: tuple[str, ...] = ()
    reasons: dict[str, int] = field(default_factory=dict)
    cancelled: bool = False
    seconds: float = 0.0


OnProgress = Callable[[ImportProgress], None]
Cancelled = Callable[[], bool]
