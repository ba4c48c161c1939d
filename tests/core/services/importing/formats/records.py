"""How the tests of formats read made-up records."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from core.services.importing.detect import Detection, all_remarks, detect
from core.services.importing.formats.sample import Sample
from core.services.importing.limits import Limits, RowRejected
from core.services.importing.reading import Choices
from core.services.importing.rows import ParsedPair

LIMITS = Limits()


def user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def answer(text: str) -> dict[str, str]:
    return {"role": "assistant", "content": text}


def detected(*rows: dict[str, Any], fmt: str | None = None, choices: Choices | None = None) -> tuple[Detection, Sample]:
    """Return the format of some records, and what it counts into."""
    sample = Sample.of(rows, choices=choices) if choices else Sample.of(rows)
    return detect(Path("file.jsonl"), sample, LIMITS, fmt), sample


def read(*rows: dict[str, Any], fmt: str | None = None, choices: Choices | None = None) -> list[ParsedPair | str]:
    """Return every pair of some records, and for those that are rejected the reason."""
    detection, sample = detected(*rows, fmt=fmt, choices=choices)
    all_remarks(detection, sample)
    found: list[ParsedPair | str] = []
    for row in rows:
        try:
            found += detection.bound.convert(row)
        except RowRejected as error:
            found.append(error.reason)
    return found


def remarks(*rows: dict[str, Any], choices: Choices | None = None) -> str:
    """Return what is told of some records beside their pairs."""
    detection, sample = detected(*rows, choices=choices)
    for line, row in enumerate(rows, 1):
        sample.remarks.line = detection.bound.remarks.line = line
        try:
            detection.bound.convert(row)
        except RowRejected:
            continue
    return " ".join((*detection.bound.notes, *sample.remarks.sentences()))


def plain(pair: ParsedPair | str) -> tuple[list[str], str, str, list[tuple[str, str, int | None]]]:
    """Return the texts of a pair, and reviewer, verdict and strength of its labels."""
    assert isinstance(pair, ParsedPair), pair
    labels = [(label.reviewer, label.verdict.value, label.strength) for label in pair.labels]
    return [m.content for m in pair.prompt.messages], pair.first.text, pair.second.text, labels
