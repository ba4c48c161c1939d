"""The records of the readers and the pairs of the formats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from core.domain.conversation import Prompt
from core.domain.judgement import Verdict
from core.domain.pair import Response


@dataclass(frozen=True, slots=True)
class RawRow:
    """One record of a file: its values, or what is wrong with it.

    Attributes:
        line: line number of a text file, record number of a JSON array or Parquet file; from 1.
        values: column name -> value as it was read, or None when the record could not be read.
        problem: the reason when ``values`` is None.
    """

    line: int
    values: Mapping[str, object] | None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class ParsedLabel:
    """A label that came with the data.

    Attributes:
        reviewer: which of the file's reviewers, empty when it has only one.
        strength: -3..3 for a preference, negative when the first response of the file is better.
    """

    verdict: Verdict
    strength: int | None = None
    reviewer: str = ""


@dataclass(frozen=True, slots=True)
class ParsedPair:
    """A prompt and two responses in the order of the file, with the labels and the tags that came along."""

    prompt: Prompt
    first: Response
    second: Response
    labels: tuple[ParsedLabel, ...] = ()
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reject:
    """A rejected record, and why."""

    line: int
    reason: str
