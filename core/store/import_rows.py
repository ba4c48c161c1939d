"""What an import gives to the store, and what it gets back.

Rows, pairs and labels are named tuples: hundreds of thousands are made, and a tuple takes a tenth of the time.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, NamedTuple


class NewLabel(NamedTuple):
    """A label that came with a pair, in canonical sides; ``reviewer`` is empty when the file names none."""

    reviewer: str
    verdict: str
    strength: int | None


class NewPair(NamedTuple):
    """A checked canonical pair, ready to be stored.

    Attributes:
        left_is: which response the file names first.
        text_flags: what looks wrong in the texts, see ``core.domain.text_flags``.
        prompt_same: the prompt's keys, see ``core.domain.text_form``; ``prompt_words`` likewise.
        tags: that the file brings, as one text; see ``core.domain.pair_tags``.
    """

    sha256: str
    prompt_sha256: str
    turns: int
    prompt_text: str
    prompt_body: str
    a_sha256: str
    b_sha256: str
    a_text: str
    b_text: str
    a_generation: str
    b_generation: str
    left_is: str
    labels: tuple[NewLabel, ...]
    text_flags: int
    prompt_same: int
    prompt_words: int
    tags: str = ""


class NewRow(NamedTuple):
    """One record of the file and the pairs it holds.

    Attributes:
        records: how many records of the file the pairs were made of, this one included.
    """

    line: int
    pairs: tuple[NewPair, ...]
    records: int = 1


@dataclass(frozen=True, slots=True)
class NewSource:
    """What is known of a file before its first pair is stored.

    Attributes:
        reviewer: name of the imported reviewer, and the beginning of the names when the file has several.
        names_reviewers: the names in the file are names of reviewers already.
        repeats_labels: the labels repeat what a workspace holds and add no reviewer to a pair that has labels.
    """

    name: str
    reviewer: str
    file_name: str
    file_sha256: str
    format: str
    licence: str = ""
    consent: str = "unknown"
    names_reviewers: bool = False
    repeats_labels: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """Where the batches of one import go; for the other fields see :class:`NewSource`."""

    source_id: int
    source_name: str
    reviewer: str
    file_sha256: str
    format: str
    names_reviewers: bool = False
    repeats_labels: bool = False


@dataclass(frozen=True, slots=True)
class UnfinishedImport:
    """An import that did not reach the end of its file, and what it stored until then.

    Attributes:
        path: where the file was; empty when an older version of the program was interrupted.
        choices: what the user had said about the file, as plain values.
        marked: the number of records is known to be that of one attempt, so the import can go on behind them.
        state: ``interrupted`` by a crash or an error, or ``stopped`` by the user.
    """

    source_id: int
    source_name: str
    file_name: str
    file_sha256: str
    rows: int
    imported: int
    duplicates: int
    rejected: int
    judgements: int
    path: str = ""
    choices: dict[str, Any] = field(default_factory=dict)
    marked: bool = True
    state: str = "interrupted"


@dataclass(slots=True)
class BatchResult:
    """What one batch added.

    Attributes:
        imported: records that brought at least one new pair.
        duplicates: records all of whose pairs were there before this file was read.
        repeats: records all of whose pairs stood in an earlier record of the file.
        pairs: new pairs.
        judgements: labels stored.
        known_labels: labels not stored because that reviewer has given the same one already.
        second_labels: labels that contradict an earlier one of their reviewer, stored under a name of their own.
        known_pair_labels: labels stored for pairs that were there before this file was read.
        tagged: pairs that got tags.
    """

    imported: int = 0
    duplicates: int = 0
    repeats: int = 0
    pairs: int = 0
    judgements: int = 0
    known_labels: int = 0
    second_labels: int = 0
    known_pair_labels: int = 0
    tagged: int = 0
    reviewers: set[str] = field(default_factory=set)

    def add(self, other: BatchResult) -> None:
        """Add the counts of a later batch."""
        for name in (entry.name for entry in fields(self) if entry.name != "reviewers"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.reviewers |= other.reviewers
