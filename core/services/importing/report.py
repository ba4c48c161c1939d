"""Views of an import: before it (preview), while it runs (progress) and after it (report)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace

from core.services.importing.flag_tally import FlagCount
from core.services.importing.reading import Reading
from core.services.importing.rows import ParsedPair, Reject


@dataclass(frozen=True, slots=True)
class ImportPreview:
    """What a file holds, from its first records, before anything is stored.

    Attributes:
        reading: how the file is read: columns, coding, notes, questions, whole examples.
        kind: file kind in words, such as "JSON Lines, gzip".
        fmt: key of the format; hand it, or one of ``alternatives``, to the import to confirm it.
        confidence: 0..1.
        notes: how the file is read where it could be read in several ways.
        checked: first records that were converted; the sum of ``good`` and ``bad``.
        complete: whether these are all records of the file.
        samples: the first few pairs as they will be stored, in the order of the file.
        reviewers: names of the file's reviewers, empty when it has one or none.
        labels: labels among the checked records.
        known_as: name of the source when this very file was imported before, else empty.
        flags: what looks wrong in the texts of the checked records.
        pairs: good pairs among the checked records.
        reasons: why checked records are rejected, the most frequent first, with the number of records.
        licence: of the card of a dataset that the file was downloaded from; the source takes it when none is given.
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
    reading: Reading
    known_as: str = ""
    flags: tuple[FlagCount, ...] = ()
    licence: str = ""
    pairs: int = 0
    reasons: dict[str, int] = field(default_factory=dict)


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
    """Result of an import; ``rows = imported + duplicates + repeats + rejected``.

    Attributes:
        rows: records of the file that were read.
        imported: records that brought at least one new pair.
        duplicates: records whose pairs were all in the workspace before.
        repeats: records whose pairs all stood earlier in this file, in the same order or turned round.
        rejected: records that could not be used; ``rejects_path`` lists them with line and reason.
        pairs: new pairs (more than ``imported`` only for formats with several pairs a record).
        judgements: labels stored.
        known_labels: labels of duplicates and repeats that their reviewer has given already.
        second_labels: labels with which a reviewer contradicts an earlier one on the same pair; each is stored as a
            judgement of its own, under the reviewer's name with "(label 2)" behind it.
        known_pair_labels: labels stored for pairs that were known before.
        reading: how the file was read; its notes tell with counts what was left out.
        flags: what looks wrong in the texts that were stored, with counts and first lines.
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
    repeats: int = 0
    second_labels: int = 0
    known_pair_labels: int = 0
    reading: Reading | None = None
    flags: tuple[FlagCount, ...] = ()

    def to_plain(self) -> dict[str, object]:
        """Return the report as plain values for JSON, the reading's columns, coding and notes beside the counts."""
        reading = self.reading.to_plain() if self.reading is not None else {}
        reading.pop("questions", None)
        plain = {name: value for name, value in asdict(replace(self, reading=None)).items() if name != "reading"}
        plain["flags"] = {entry.key: {"count": entry.count, "lines": list(entry.lines)} for entry in self.flags}
        return {**plain, "reviewers": list(self.reviewers), **reading}


OnProgress = Callable[[ImportProgress], None]
Cancelled = Callable[[], bool]
