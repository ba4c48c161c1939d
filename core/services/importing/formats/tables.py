"""Tables with a prompt, two responses and one or more columns that say which is better."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from core.domain.conversation import Prompt
from core.domain.judgement import Verdict
from core.services.importing.formats.codings import CODINGS, Coding
from core.services.importing.formats.column_reader import ColumnReader, json_notes
from core.services.importing.formats.columns import Provenance, Row, Sample, answer_columns, prompt_reader
from core.services.importing.formats.label_columns import find_labels
from core.services.importing.formats.messages import read_messages
from core.services.importing.formats.nested_labels import nested_verdicts
from core.services.importing.formats.row_format import BoundFormat, FormatOption, RowFormat
from core.services.importing.formats.transcripts import split_answers
from core.services.importing.formats.turn_lists import turn_splitter
from core.services.importing.limits import Limits
from core.services.importing.reading import ColumnRole
from core.services.importing.rows import ParsedLabel, ParsedPair


def bind_table(sample: Sample, limits: Limits, coding: Coding | None = None) -> BoundFormat | None:
    """Bind to a table.

    Args:
        sample: of the file.
        limits: what a field may hold.
        coding: what the label column's numbers mean; asked for when None and the file's kind does not say it.
    """
    answers = answer_columns(sample)
    if answers is None or (sample.pick("chosen") and sample.pick("rejected")):
        return None
    if nested_verdicts(sample) is not None:
        return None
    split = _splitter(sample, answers, limits)
    if split is None:
        return None
    provenance = Provenance.of(sample)
    labels = find_labels(sample, answers, coding)

    def convert(row: Row) -> list[ParsedPair]:
        prompt, first, second = split(row)
        said = labels.read(row)
        if provenance.scores is not None and len(said) == 1:
            provenance.score_sides(row, _side(said[0]))
        return [ParsedPair(prompt, *provenance.responses(row, first, second), said)]

    roles = {answers[0]: ColumnRole.FIRST, answers[1]: ColumnRole.SECOND, **labels.roles}
    notes = (*json_notes(sample, limits), *labels.notes)
    return BoundFormat(convert, notes, labels.option, roles=roles, coding=labels.use, questions=labels.questions)


def _side(label: ParsedLabel) -> int | None:
    """Return -1 when the label prefers the first answer, 1 for the second, None when it prefers none."""
    if label.verdict is not Verdict.PREFER or not label.strength:
        return None
    return 1 if label.strength > 0 else -1


def _splitter(
    sample: Sample, answers: tuple[str, str], limits: Limits
) -> Callable[[Row], tuple[Prompt, str, str]] | None:
    """Return what splits a row into prompt and two answers."""
    one, other = answers
    if one.lower() == "conversation_a":
        return lambda row: split_answers(
            read_messages(row.get(one), one, limits, sample.remarks),
            read_messages(row.get(other), other, limits, sample.remarks),
        )
    if turns := turn_splitter(sample, answers, limits):
        return turns
    prompt = prompt_reader(sample, limits)
    if prompt is None:
        return None
    first, second = (ColumnReader.of(sample, name, limits) for name in answers)
    return lambda row: (prompt(row), first.answer(row), second.answer(row))


FORMATS = (
    RowFormat(
        "table",
        "Two answers and a label",
        "a prompt, two responses, who won",
        0.96,
        bind_table,
        options=tuple(
            FormatOption(coding, meaning, partial(bind_table, coding=coding)) for coding, meaning in CODINGS.items()
        ),
    ),
)
