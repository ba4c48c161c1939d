"""Detecting the format of a file: every format converts rows of it; the one with the highest confidence is taken."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from core.domain.choices import choice_hint
from core.domain.counting import counted
from core.domain.errors import BadInput, UsageError
from core.services.importing.formats.codings import ALIASES
from core.services.importing.formats.column_names import usual_role
from core.services.importing.formats.registry import FORMATS, format_of
from core.services.importing.formats.row_format import BoundFormat, RowFormat, RowHeld
from core.services.importing.formats.sample import Row, Sample
from core.services.importing.limits import Limits, RowRejected
from core.services.importing.reading import FIELDS, Choices, ColumnRole, ColumnUse, Reading, Remarks
from core.services.importing.refusal import column_list, refuse
from core.services.importing.rows import ParsedPair

_TRIED = 200  # rows, spread over the sample, that are converted by every format that fits
_LEAST = 0.05
_EXAMPLES = 5


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


def detect(path: Path, sample: Sample, limits: Limits, fmt: str | None = None) -> Detection:
    """Return the format of a file, or bind the one asked for.

    Args:
        path: the file, for its name only.
        sample: of its rows.
        limits: what a field may hold.
        fmt: a format key, such as ``hh`` or ``table:zero_based``; the one of the sample's choices when None.

    Raises:
        BadInput: when nothing fits; the sentence says what the file holds instead.
        UsageError: for choices that contradict each other or the file.
    """
    wanted = fmt or sample.choices.fmt
    if wanted:
        return _asked_for(path, sample, limits, wanted)
    found: list[Detection] = []
    for known in FORMATS:
        bound = known.bind(sample, limits)
        if bound is not None and (share := _share(bound, sample)) >= _LEAST:
            found.append(Detection(known, bound, round(share * known.certainty * bound.certainty, 3)))
    sample.remarks.clear()
    if not found:
        raise refuse(path, sample, limits)
    best, *others = sorted(found, key=lambda detection: -detection.confidence)
    return replace(best, alternatives=(*_other_options(best), *(other.key for other in others)))


def read_as(found: Detection, sample: Sample, *, tried: bool = True) -> Reading:
    """Return how a file is read, in the words of :mod:`core.services.importing.reading`.

    The rows of the sample are converted for the examples and, with ``tried``, for what is to be said about them.
    """
    bound, seen = found.bound, _Seen()
    examples: list[ParsedPair] = []
    remarks = all_remarks(found, sample)
    for line, row in zip(sample.lines, sample.rows, strict=True):
        for entry in remarks:
            entry.line = line
        try:
            pairs = bound.convert(seen.watch(row))
        except RowRejected:
            continue
        if len(examples) < _EXAMPLES:
            examples += pairs
    remarked = [sentence for entry in remarks for sentence in entry.sentences()]
    if not tried:
        remarked = []
    elif len(sample.rows) < sample.total:
        remarked = [f"Of {counted(len(sample.rows), 'row')} that were tried: {sentence}" for sentence in remarked]
    return Reading(
        found.key,
        found.fmt.title,
        sample.total,
        sample.complete,
        tuple(_uses(found, sample, seen.names)),
        bound.coding,
        (*_sentences((*bound.notes, *sample.notes), sample), *remarked),
        bound.questions,
        tuple(examples[:_EXAMPLES]),
        bound.offers,
    )


def all_remarks(found: Detection, sample: Sample) -> tuple[Remarks, ...]:
    """Return what the format counts into while it converts, emptied."""
    remarks = (sample.remarks,) if found.bound.remarks is sample.remarks else (sample.remarks, found.bound.remarks)
    for entry in remarks:
        entry.clear()
    if found.bound.joiner is not None:
        found.bound.joiner.clear()
    return remarks


def _uses(found: Detection, sample: Sample, read: set[str]) -> Iterator[ColumnUse]:
    """Yield what each column becomes: what the format says, else what its name says if the format reads it."""
    plain = {column: name for name, column in sample.names.items()}
    chosen = sample.choices.columns
    for column, tally in sample.tallies.items():
        role = found.bound.roles.get(column)
        if role is None and column in chosen and column in read:
            role = FIELDS[chosen[column]]
        if role is None:
            role = usual_role(plain.get(column, "")) if column in read else ColumnRole.UNUSED
        yield ColumnUse(str(column), role, tally.filled, tally.describe(), sample.first_text(column))


def _sentences(notes: tuple[str, ...], sample: Sample) -> tuple[str, ...]:
    """Return the notes as sentences; the name of a column at the beginning stays as it is."""
    found = []
    for note in notes:
        column = note.split(" ", 1)[0].rstrip(",") in sample.tallies
        found.append((note if column else note[:1].upper() + note[1:]) + ("" if note.endswith(".") else "."))
    return tuple(found)


def check_used(found: Detection, reading: Reading, choices: Choices) -> None:
    """Refuse choices that the format found has no use for.

    Raises:
        UsageError: for a coding where there is no label column, or a column that was named and is not read.
    """
    if found.bound.coding is None and (choices.coding or choices.values) and not reading.questions:
        raise UsageError(
            f"A coding of labels is given, but in a file read as {found.fmt.title} no column holds any.",
            "Leave --coding and --value out, or name the label column with --map NAME=label.",
        )
    unused = {use.name for use in reading.unused}
    for column, wanted in (*choices.columns.items(), *((name, "label") for name in choices.reviewer_columns)):
        if wanted != "unused" and column in unused:
            raise UsageError(
                f"{column!r} is named as {wanted}, but a file read as {found.fmt.title} has no use for it.",
                "Leave it out, or name the two answers with --map NAME=first and NAME=second.",
            )


class _Seen:
    """Notes which columns a format reads."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def watch(self, row: Row) -> Row:
        """Return the row as a mapping that notes what is asked of it."""
        return _WatchedRow(row, self.names)


class _WatchedRow(dict[str, object]):
    """A row that notes the names it is asked for."""

    def __init__(self, row: Row, names: set[str]) -> None:
        super().__init__(row)
        self._names = names

    def get(self, key: str, default: object = None, /) -> object:  # type: ignore[override]
        """Return a cell."""
        self._names.add(key)
        return super().get(key, default)

    def __getitem__(self, key: str) -> object:
        self._names.add(key)
        return super().__getitem__(key)


def _asked_for(path: Path, sample: Sample, limits: Limits, wanted: str) -> Detection:
    """Bind the format that the user chose."""
    option = wanted.partition(":")[2]
    option = ALIASES.get(option, option)
    known = format_of(wanted)
    if known is None:
        raise UsageError(f"There is no import format {wanted!r}.", choice_hint(wanted, (e.key for e in FORMATS)))
    bind = known.binder(option)
    if bind is None:
        takes = ", ".join(o.key for o in known.options) or "none"
        raise UsageError(f"The format {known.key} has no option {option!r}.", f"Its options: {takes}.")
    if option and sample.choices.coding and ALIASES.get(sample.choices.coding, sample.choices.coding) != option:
        raise UsageError(f"The format {wanted!r} and the coding {sample.choices.coding!r} contradict each other.")
    bound = bind(sample, limits)
    if bound is None:
        raise BadInput(
            f"{path.name} cannot be read as {known.title}: it lacks the columns for it ({column_list(sample)}).",
            f"Expected: {known.description}. Leave the format out to have it detected.",
        )
    found = Detection(known, bound, round(_share(bound, sample), 3))
    sample.remarks.clear()
    return replace(found, alternatives=_other_options(found))


def _other_options(found: Detection) -> tuple[str, ...]:
    """Return the keys under which the same format could read the file in another way."""
    answers = [a.key for question in found.bound.questions if question.key == "coding" for a in question.answers]
    taken = found.bound.option
    options = [o.key for o in found.fmt.options if o.key != taken] if taken else answers
    return tuple(found.fmt.key_with(option) for option in options)


def _share(bound: BoundFormat, sample: Sample) -> float:
    """Return the share of tried records that convert."""
    step = max(1, len(sample.rows) // _TRIED)
    tried = sample.rows[::step][:_TRIED]
    return sum(_converts(bound, row) for row in tried) / len(tried)


def _converts(bound: BoundFormat, row: Row) -> bool:
    try:
        bound.convert(row)
    except RowHeld:
        return True
    except RowRejected:
        return False
    return True
