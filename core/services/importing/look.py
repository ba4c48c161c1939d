"""The look at a file before anything is stored: how it is read, and what that would give. Needs no workspace."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from core.durable import file_sha256
from core.services.importing.cut_prompt import OFFER, cutting, wants_cut
from core.services.importing.detect import Detection, all_remarks, check_used, detect, read_as
from core.services.importing.files.kinds import FileKind, plain_name, sniff
from core.services.importing.files.readers import RowReader
from core.services.importing.flag_actions import FlaggedRow, FlagRules
from core.services.importing.flag_tally import FlagTally
from core.services.importing.formats.row_format import BoundFormat, Joiner, RowHeld
from core.services.importing.kept_rows import MEMORY, KeptRows
from core.services.importing.limits import Limits, RowRejected
from core.services.importing.prepare import prepare
from core.services.importing.reading import Choices, Reading, Remarks
from core.services.importing.refusal import no_rows
from core.services.importing.rejects import RejectList
from core.services.importing.report import ImportPreview
from core.services.importing.rows import ParsedPair, RawRow
from core.services.importing.survey import Survey, key_reader, survey

_SAMPLES = 5
_PREVIEW_ROWS = 100_000
_PREVIEW_BYTES = 64 << 20
_PLAIN_NAMES = {"train", "test", "dev", "valid", "validation", "data", "dataset", "pairs", "preferences"}


@dataclass(frozen=True, slots=True)
class FirstLook:
    """What is known of a file before it is stored.

    Attributes:
        bound: converts the rows as the reader gives them.
        rules: what is done with pairs whose texts look wrong.
        kept: the records, where the file was looked at whole and is small.
    """

    kind: FileKind
    survey: Survey
    found: Detection
    bound: BoundFormat
    reading: Reading
    rules: FlagRules
    kept: KeptRows

    def remarks(self) -> tuple[Remarks, ...]:
        """Return what the conversion counts into, emptied."""
        return all_remarks(self.found, self.survey.sample)


def look_at(path: Path, choices: Choices, limits: Limits, *, whole: bool) -> FirstLook:
    """Look at a file and detect how it is read.

    Args:
        path: the file.
        choices: what the user says about it.
        limits: what it may hold.
        whole: look at all of it, however large.

    Raises:
        BadInput: when it cannot be read or holds no pairs.
        UsageError: for choices that contradict each other or the file.
    """
    rules = FlagRules(choices.flag_actions)
    kind = sniff(path, limits, choices.encoding, choices.part)
    with RowReader(path, kind, limits) as reader:

        def enough(count: int) -> bool:
            return count >= _PREVIEW_ROWS or reader.position > _PREVIEW_BYTES

        kept = KeptRows(MEMORY if whole else 0)
        seen = survey(kept.through(reader), choices, None if whole else enough)
    if not seen.sample.rows:
        raise no_rows(path, seen.sample.total, seen.problems)
    found = detect(path, seen.sample, limits)
    inner, convert = key_reader(choices), found.bound.convert
    bound = found.bound
    if inner is not None:
        bound = replace(bound, convert=lambda row: convert(inner(row)))
    if wants_cut(choices):
        bound = replace(bound, convert=cutting(bound.convert))
        found = replace(found, bound=replace(found.bound, convert=cutting(convert)))
    reading = read_as(found, seen.sample, tried=not whole)
    check_used(found, reading, choices)
    return FirstLook(kind, seen, found, bound, replace(reading, notes=(*kind.notes, *reading.notes)), rules, kept)


def preview_of(path: Path, choices: Choices, limits: Limits) -> ImportPreview:
    """Return the preview of a file; ``known_as`` is left empty.

    Raises:
        BadInput, UsageError: see :func:`look_at`.
    """
    look = look_at(path, choices, limits, whole=False)
    found, head = look.found, look.survey.head
    rejects, found_pairs, flags = _try_rows(head, look.bound, look.rules)
    offers = look.reading.offers
    if wants_cut(choices) or any(entry.key == "repeats_prompt" for entry in flags.found()):
        offers = (*offers, OFFER)
    reading = replace(look.reading, notes=(*look.reading.notes, *flags.sentences(choices.flag_actions)), offers=offers)
    checked = len(head)
    return ImportPreview(
        path=str(path),
        kind=look.kind.title,
        fmt=found.key,
        title=found.fmt.title,
        confidence=found.confidence,
        notes=reading.notes,
        alternatives=found.alternatives,
        columns=tuple(use.name for use in look.reading.columns),
        checked=checked,
        good=checked - rejects.count,
        bad=rejects.count,
        complete=look.reading.complete and checked == look.reading.rows,
        rejects=rejects.first(),
        samples=tuple(found_pairs.first[:_SAMPLES]),
        reviewers=tuple(found_pairs.reviewers),
        labels=found_pairs.labels,
        pairs=found_pairs.pairs,
        reasons=dict(rejects.reasons.most_common(20)),
        size=path.stat().st_size,
        file_sha256=file_sha256(path),
        name=default_name(path),
        reading=reading,
        flags=flags.found(),
    )


def default_name(path: Path) -> str:
    """Return a name for a file's source; a file called train or data also takes its folder's name."""
    name = plain_name(path)
    if name.lower() in _PLAIN_NAMES and path.absolute().parent.name:
        return f"{path.absolute().parent.name} {name}"
    return name


@dataclass(slots=True)
class _FoundPairs:
    """The first pairs of some rows, and how many pairs, labels and reviewers there are."""

    first: list[ParsedPair] = field(default_factory=list)
    pairs: int = 0
    labels: int = 0
    reviewers: dict[str, None] = field(default_factory=dict)

    def add(self, pairs: Sequence[ParsedPair]) -> None:
        """Count the pairs of one row."""
        if len(self.first) < _SAMPLES:
            self.first.extend(pairs)
        self.pairs += len(pairs)
        for pair in pairs:
            self.labels += len(pair.labels)
            self.reviewers.update((label.reviewer, None) for label in pair.labels if label.reviewer)


def _try_rows(
    rows: Sequence[RawRow], bound: BoundFormat, rules: FlagRules
) -> tuple[RejectList, _FoundPairs, FlagTally]:
    """Convert records as the import would and return rejects, pairs and text flags."""
    rejects, found, flags, joiner = RejectList(), _FoundPairs(), FlagTally(), bound.joiner
    if joiner is not None:
        joiner.clear()
    for row in rows:
        try:
            if row.values is None:
                raise RowRejected(row.problem)
            if joiner is not None:
                joiner.line = row.line
            parsed = bound.convert(row.values)
            of_texts = [prepare(pair).text_flags for pair in parsed]
            for here in of_texts:
                flags.add(row.line, here)
            found.add(rules.kept(parsed, of_texts))
        except RowHeld:
            continue
        except RowRejected as error:
            for _ in range(rows_refused(error, joiner)):
                rejects.add(row.line, error.reason)
    for line, reason in joiner.alone() if joiner is not None else ():
        rejects.add(line, reason)
    return rejects, found, flags


def rows_refused(error: RowRejected, joiner: Joiner | None) -> int:
    """Return how many records are rejected with one: all that made its pair, where pairs are made of several."""
    return joiner.joined if joiner is not None and isinstance(error, FlaggedRow) else 1
