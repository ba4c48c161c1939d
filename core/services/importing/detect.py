"""Detecting the format of a file: every format converts a sample; the one with the highest confidence is taken."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from core.domain.errors import BadInput
from core.services.importing.formats.columns import Row, Sample, answer_columns, prompt_column
from core.services.importing.formats.registry import FORMATS, format_of
from core.services.importing.formats.row_format import BoundFormat, RowFormat
from core.services.importing.limits import Limits, RowRejected
from core.services.importing.rows import RawRow

SAMPLE_ROWS = 2000  # columns and label values are taken from these
_TRIED = 200  # and this many of them are converted by every format that fits
_LEAST = 0.05
_SAMPLE_CHARS = 32 << 20


@dataclass(frozen=True, slots=True)
class Detection:
    """What a file seems to be.

    Attributes:
        fmt: the format. bound: it, bound to the file's columns.
        confidence: 0..1; the share of tried records that convert times how distinct the format is.
        alternatives: other format keys that could be asked for, most likely first.
    """

    fmt: RowFormat
    bound: BoundFormat
    confidence: float
    alternatives: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """The format's key, with the option that was taken."""
        return self.fmt.key_with(self.bound.option)


def take_sample(rows: Iterable[RawRow]) -> Sample:
    """Return the readable ones among the first records; fewer where they are huge, so that memory stays small."""
    values = []
    chars = 0
    for count, row in enumerate(rows, 1):
        if row.values is not None:
            values.append(row.values)
            chars += sum(len(cell) if isinstance(cell, str) else len(str(cell)) for cell in row.values.values())
        if count >= SAMPLE_ROWS or chars > _SAMPLE_CHARS:
            break
    return Sample.of(values)


def detect(path: Path, sample: Sample, limits: Limits, fmt: str | None = None) -> Detection:
    """Return the format of a file, or bind the one asked for.

    Args:
        path: the file, for its name only.
        sample: its first records.
        limits: what a field may hold.
        fmt: a format key the user chose, such as ``hh`` or ``table:zero_based``.

    Raises:
        BadInput: when nothing fits; the sentence says what the file holds instead.
    """
    if not sample.rows:
        raise BadInput(f"{path.name} holds no readable record.", "Look at its first lines.")
    if fmt is not None:
        return _asked_for(path, sample, limits, fmt)
    found = []
    for known in FORMATS:
        bound = known.bind(sample, limits)
        if bound is not None and (share := _share(bound, sample)) >= _LEAST:
            found.append(Detection(known, bound, round(share * known.certainty * bound.certainty, 3)))
    if not found:
        raise BadInput(*_refusal(path, sample, limits))
    best, *others = sorted(found, key=lambda detection: -detection.confidence)
    return replace(best, alternatives=(*_other_options(best), *(other.key for other in others)))


def _asked_for(path: Path, sample: Sample, limits: Limits, wanted: str) -> Detection:
    """Bind the format that the user chose."""
    option = wanted.partition(":")[2]
    known = format_of(wanted)
    if known is None:
        names = ", ".join(entry.key for entry in FORMATS)
        raise BadInput(f"There is no import format {wanted!r}.", f"Use one of {names}.")
    bind = known.binder(option)
    if bind is None:
        takes = ", ".join(o.key for o in known.options) or "none"
        raise BadInput(f"The format {known.key} has no option {option!r}.", f"Its options: {takes}.")
    bound = bind(sample, limits)
    if bound is None:
        raise BadInput(
            f"{path.name} cannot be read as {known.title}: it lacks the columns for it ({_columns(sample)}).",
            f"Expected: {known.description}. Leave the format out to have it detected.",
        )
    found = Detection(known, bound, round(_share(bound, sample), 3))
    return replace(found, alternatives=_other_options(found))


def _other_options(found: Detection) -> tuple[str, ...]:
    """Return the keys under which the same format could read the file in another way."""
    options = found.fmt.options if found.bound.option else ()
    return tuple(found.fmt.key_with(o.key) for o in options if o.key != found.bound.option)


def _share(bound: BoundFormat, sample: Sample) -> float:
    """Return the share of tried records that convert."""
    tried = sample.rows[:_TRIED]
    return sum(_converts(bound, row) for row in tried) / len(tried)


def _converts(bound: BoundFormat, row: Row) -> bool:
    try:
        bound.convert(row)
    except RowRejected:
        return False
    return True


def _refusal(path: Path, sample: Sample, limits: Limits) -> tuple[str, str]:
    """Say why no format fits, from what the columns do hold."""
    hint = "Pairs need a prompt and two answers in each record, such as prompt, chosen, rejected."
    single = sample.pick("completion", "response", "answer", "output", "text")
    if answer_columns(sample) is None and not (sample.pick("chosen") and sample.pick("rejected")):
        if prompt_column(sample) and single:
            return f"{path.name} holds no pairs: each record has one answer ({single!r}) to its prompt.", hint
        if prompt_column(sample):
            return f"{path.name} holds no pairs: it has prompts but no answers ({_columns(sample)}).", hint
        return f"{path.name} holds no pairs that are recognised ({_columns(sample)}).", hint
    for known in FORMATS:
        bound = known.bind(sample, limits)
        if bound is not None:
            try:
                bound.convert(sample.rows[0])
            except RowRejected as error:
                return f"{path.name} looks like {known.title}, but its records cannot be used: {error.reason}.", hint
    return f"{path.name} holds answers but no column with their prompt ({_columns(sample)}).", hint


def _columns(sample: Sample) -> str:
    names = list(sample.names.values())
    shown = ", ".join(str(name)[:30] for name in names[:12])
    return f"columns: {shown}{', ...' if len(names) > 12 else ''}"
