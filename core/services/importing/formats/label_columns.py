"""The label columns of a table: which they are, how their values are read, whose labels they hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial

from core.domain.counting import counted
from core.domain.errors import UsageError
from core.services.importing.formats import column_names as known
from core.services.importing.formats.codings import (
    Coding,
    as_number,
    coding_of,
    coding_question,
    coding_use,
    possible_codings,
    read_number,
    read_values,
    side_label,
    to_label,
)
from core.services.importing.formats.column_names import usual_role
from core.services.importing.formats.columns import Provenance, one_hot_columns
from core.services.importing.formats.label_reader import RowLabels, ValueTable, shown
from core.services.importing.formats.place_columns import by_ranks, order_note, ranks_note
from core.services.importing.formats.sample import Row, Sample, cell_text
from core.services.importing.formats.verdict_words import OPEN, REFUSED, TIE, plain_word, read_words
from core.services.importing.formats.winners import winners_by_name, winners_by_text
from core.services.importing.limits import RowRejected
from core.services.importing.reading import Answer, CodingUse, ColumnRole, Question, Reads, ValueUse
from core.services.importing.rows import ParsedLabel

LabelReader = Callable[[Row], tuple[ParsedLabel, ...]]
_FEW = 12
NO_LABELS, BY_SCORES, BY_RANKS, EACH = "none", "scores", "ranks", "each"
"""Answers to the question where the labels stand, beside the names of columns."""


@dataclass(frozen=True, slots=True)
class Labels:
    """How the labels of a table are read.

    Attributes:
        read: returns the labels of a row; raises RowRejected when it has labels of which none names a side.
        roles: of the label and reviewer columns.
        option: key of the coding, empty while it is open or where there is none.
    """

    read: LabelReader
    roles: Mapping[str, ColumnRole] = field(default_factory=dict)
    use: CodingUse | None = None
    questions: tuple[Question, ...] = ()
    notes: tuple[str, ...] = ()
    option: str = ""


def label_columns(sample: Sample) -> list[str]:
    """Return the columns that say who won: several reviewers when there are, else the one label column."""
    if sample.choices.reviewer_columns:
        return list(sample.choices.reviewer_columns)
    if reviewers := [sample.names[name] for name in sample.names if known.REVIEWER.fullmatch(name)]:
        return reviewers
    one = sample.pick(*known.LABELS)
    return [one] if one else []


def find_labels(sample: Sample, answers: tuple[str, str], coding: Coding | None = None) -> Labels:
    """Return how the labels are read.

    Args:
        sample: of the file; its choices go before everything that the columns suggest.
        answers: the columns of the two answers.
        coding: what numbers mean; when None, the documented coding of the file's kind, or a question.

    Raises:
        UsageError: for a coding or a value that the file has no use for.
    """
    hot = one_hot_columns(sample)
    if hot is not None and not sample.choices.reviewer_columns:
        return _one_hot_labels(sample, hot)
    columns = label_columns(sample)
    if not columns:
        return _unknown_labels(sample, answers, coding)
    return _column_labels(sample, answers, tuple(columns), coding)


def _unknown_labels(sample: Sample, answers: tuple[str, str], coding: Coding | None) -> Labels:
    """Return how a table without a label column of a known name is read: the user is asked where one may be meant."""
    possible, taken = _possible_labels(sample, answers), sample.choices.answers.get("label", "")
    if taken in possible and taken not in (NO_LABELS, BY_SCORES, BY_RANKS):
        columns = tuple(_columns_of_words(sample, answers)) if taken == EACH else (taken,)
        return _column_labels(sample, answers, columns, coding)
    if taken and taken not in possible:
        raise UsageError(f"The labels cannot be read from {taken!r}.", f"Possible: {', '.join(possible)}.")
    if taken not in (BY_SCORES, BY_RANKS) and (sample.choices.coding or sample.choices.values):
        raise UsageError("A coding is given, but the file has no label column.", "Name it with --map NAME=label.")
    if taken == BY_SCORES:
        return Labels(partial(_by_scores, Provenance.of(sample)), notes=("the answer with the higher score wins",))
    if taken == BY_RANKS and (ranks := sample.pick_pair(known.RANKS)):
        return Labels(partial(by_ranks, ranks), notes=(ranks_note(ranks),))
    if len(possible) > 1 and not taken:
        sentence = "No column of a known name says which answer is better."
        offered = tuple(Answer(key, meaning, f"--answer label={key}") for key, meaning in possible.items())
        return Labels(lambda _: (), questions=(Question("label", sentence, offered),))
    return Labels(lambda _: (), notes=("no column says which answer is better; the pairs come without labels",))


def _possible_labels(sample: Sample, answers: tuple[str, str]) -> dict[str, str]:
    """Return the columns that may hold the labels, and what reading each would mean; at last, that there are none."""
    found: dict[str, str] = {}
    for name, column in sample.names.items():
        if _may_say(sample, name, answers):
            values = sample.tally(column).values
            held = ", ".join(f"{value} ({n:,})" for value, n in values.most_common(_FEW))
            meaning = "names the worse answer" if _names_worse(column) else "says it"
            found[column] = f"the column {column} {meaning}: {held}"
    if len(several := _columns_of_words(sample, answers)) > 1:
        found[EACH] = f"each of the columns {', '.join(several)} holds the labels of one reviewer"
    if scores := sample.pick_pair(known.SCORES):
        found[BY_SCORES] = f"the higher one of {scores[0]} and {scores[1]} wins"
    if ranks := sample.pick_pair(known.RANKS):
        found[BY_RANKS] = ranks_note(ranks)
    return {**found, NO_LABELS: "the pairs come without labels"}


def _may_say(sample: Sample, name: str, answers: tuple[str, str]) -> str:
    """Return how a column may say which answer is better: by ``words``, by ``numbers``, or not at all."""
    column = sample.names[name]
    values = sample.tally(column).values
    if column in answers or usual_role(name) is not ColumnRole.METADATA or not 0 < len(values) <= _FEW:
        return ""
    said = read_values(values, None, _named(values, answers))
    reads = {read.reads for read in said.values()}
    unknown = sum(count for value, count in values.items() if said[value].reads in ("open", "refused"))
    if {"first", "second"} & reads and 4 * unknown <= sum(values.values()):
        return "words"
    return "numbers" if reads <= {"open", "no label"} and any(word in name for word in known.LABEL_WORDS) else ""


def _columns_of_words(sample: Sample, answers: tuple[str, str]) -> list[str]:
    """Return the columns that name the better answer in words: several of them may be a reviewer each."""
    names = (name for name in sample.names if _may_say(sample, name, answers) == "words")
    return [column for column in map(sample.names.__getitem__, names) if not _names_worse(column)]


def _by_scores(scores: Provenance, row: Row) -> tuple[ParsedLabel, ...]:
    side = scores.score_sides(row, None)
    return () if side is None else (side_label(side),)


def _column_labels(sample: Sample, answers: tuple[str, str], columns: tuple[str, ...], coding: Coding | None) -> Labels:
    values = _counted(sample, columns)
    models = winners_by_name(sample, columns, values)
    named = {value for name in models or () for value in sample.tally(name).values}
    texts = None if models else winners_by_text(sample, columns, answers)
    if texts:
        named = {value for value, read in read_values(values, "words", {}).items() if read is REFUSED}
    values = Counter({value: count for value, count in values.items() if value not in named})
    if sample.choices.coding:
        coding = coding_of(sample.choices.coding)
    documented = _documented(sample, answers, columns)
    coding = coding or documented
    said: dict[str, Reads] = {**_named(values, answers), **_turned(values, columns), **_said(sample, values)}
    open_values = {value: values[value] for value, read in read_values(values, None, said).items() if read is OPEN}
    words = len(open_values) < len(values)
    possible = possible_codings(open_values, words=words) if coding is None else []
    reads = read_values(values, coding if coding or possible else "words", said)
    third = _third_answer(sample, answers)
    reads |= dict.fromkeys((v for v, read in reads.items() if third and read is TIE and _ends(v, third)), REFUSED)
    _check_coding(sample, coding, open_values)
    table = ValueTable(reads, coding, bool(possible))
    who = sample.pick(*known.WHO) if len(columns) == 1 else None
    option = coding if coding and open_values else ""
    roles = dict.fromkeys(columns, ColumnRole.LABEL) | ({who: ColumnRole.REVIEWER} if who else {})
    nested = sample.pick(*known.INDIVIDUAL) if len(columns) == 1 and coding == "signed" else None
    if nested:
        roles[nested] = ColumnRole.LABEL
    others = () if len(columns) > 1 else _other_labels(sample, columns, roles)
    roles |= dict.fromkeys(others, ColumnRole.UNUSED)  # they are only compared
    reader = RowLabels(columns, who, nested, others, table, sample.remarks, models, texts)
    return Labels(
        reader.read,
        roles,
        coding_use(columns, values, reads, option) if values or not (models or texts) else None,
        (coding_question(columns, open_values, possible),) if possible else (),
        _notes(columns, who, nested, option if option and option == documented else "", models)
        + (("it repeats the text of the better answer",) if texts else ())
        + order_note(sample)
        + ((f"{third} holds a third answer; only {answers[0]} and {answers[1]} are read",) if third else ()),
        option,
    )


def _counted(sample: Sample, columns: tuple[str, ...]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for column in columns:
        counts.update(sample.tally(column).values)
    return counts


def _named(values: Mapping[str, int], answers: tuple[str, str]) -> dict[str, Reads]:
    """Return the values that are the names of the answers' own columns."""
    first, second = (name.strip().lower() for name in answers)
    sides: dict[str, Reads] = {first: "first", second: "second"}
    return {value: sides[value.lower()] for value in values if value.lower() in sides}


def _names_worse(column: str) -> bool:
    return any(word in column.lower() for word in known.WORSE_WORDS)


def _turned(values: Mapping[str, int], columns: tuple[str, ...]) -> dict[str, Reads]:
    """Return the words of a column that names the answer that lost, each with the other side; else nothing."""
    if not all(map(_names_worse, columns)):
        return {}
    other: dict[Reads, Reads] = {"first": "second", "second": "first"}
    return {value: other[read.reads] for value, read in read_words(values).items() if read.reads in other}


def _third_answer(sample: Sample, answers: tuple[str, str]) -> str | None:
    """Return the column of a third answer: ``response_c`` behind ``response_b``."""
    second = answers[1].strip().lower()
    return sample.names.get(second[:-1] + chr(ord(second[-1]) + 1))


def _ends(value: str, column: str) -> bool:
    """Whether a value is the letter or number with which a column's name ends."""
    return plain_word(value).removesuffix(".0") == column.strip().lower()[-1]


def _said(sample: Sample, values: Mapping[str, int]) -> Mapping[str, Reads]:
    said = sample.choices.values
    unknown = [value for value in said if value not in values]
    if unknown and sample.complete:
        held = ", ".join(repr(value) for value, _ in Counter(values).most_common(12))
        raise UsageError(f"No label column holds {unknown[0]!r}.", f"They hold {held}.")
    return said


def _check_coding(sample: Sample, coding: Coding | None, open_values: Mapping[str, int]) -> None:
    """Refuse a coding that the user gave and that no number of the file fits."""
    asked = sample.choices.coding
    if not asked or coding is None or not sample.complete:
        return
    if not open_values:
        raise UsageError(
            f"The coding {asked!r} is for numbers, or true and false; the label columns hold words, which say it.",
            "Leave --coding out, or say what a word means with --value WORD=first.",
        )
    if coding != "words" and all(read_number(as_number(v) or 0, coding) is REFUSED for v in open_values):
        held = ", ".join(list(open_values)[:12])
        raise UsageError(f"The coding {asked!r} knows none of the values {held}.", "Choose another one.")


def _documented(sample: Sample, answers: tuple[str, str], columns: tuple[str, ...]) -> Coding | None:
    """Return the coding of a kind of file whose publisher has written it down."""
    first, label = answers[0].strip().lower(), columns[0].strip().lower()
    if first == "human_ref_a" and label == "labels":  # Stanford Human Preferences
        return "first_is_1"
    if label in ("preference_strength", "overall_preference"):  # HelpSteer
        return "signed"
    if label == "preference" and first == "output_1" and "generator_1" in sample.names:  # AlpacaEval
        return "one_to_two"
    if label.endswith(("_id", "_index", "_idx")) and first[-1:] in "01":  # the number is that of the answer
        return "zero_based" if first.endswith("0") else "one_based"
    if "cmp_key" in sample.names and label.startswith("annotator"):  # PandaLM
        return "one_based"
    return None


def _other_labels(sample: Sample, columns: tuple[str, ...], roles: Mapping[str, ColumnRole]) -> tuple[str, ...]:
    names = (*known.LABELS, *known.OTHER_LABELS)
    found = (sample.names[name] for name in names if name in sample.names)
    return tuple(name for name in found if name not in columns and name not in roles)


def _notes(
    columns: tuple[str, ...], who: str | None, nested: str | None, documented: str, models: tuple[str, str] | None
) -> tuple[str, ...]:
    names = ", ".join(columns)
    if len(columns) > 1:
        notes = [f"the {len(columns)} columns {names} hold the labels of {counted(len(columns), 'reviewer')}"]
    else:
        notes = [
            f"the column {names} {'names the worse answer' if _names_worse(names) else 'says which answer is better'}"
        ]
    if models:
        notes.append(f"it names a model; the answer of that model in {models[0]} or {models[1]} is the better one")
    if documented:
        notes.append("what its numbers mean is documented for files with these columns")
    if who is not None:
        notes.append(f"the column {who} names the reviewer")
    if nested is not None:
        notes.append(f"each entry of {nested} becomes a label of its own reviewer")
    return tuple(notes)


def _one_hot_labels(sample: Sample, columns: tuple[str, str, str | None]) -> Labels:
    sides: tuple[Reads, ...] = ("first", "second", "tie")
    named: list[tuple[str, Reads]] = [(name, side) for name, side in zip(columns, sides, strict=True) if name]
    uses = tuple(
        ValueUse(f"{name}=1", sum(n for v, n in sample.tally(name).values.items() if as_number(v) == 1), side)
        for name, side in named
    )
    names = tuple(name for name, _ in named)
    others = tuple(sample.names[name] for name in known.LABELS if name in sample.names)

    def read(row: Row) -> tuple[ParsedLabel, ...]:
        labels = _one_hot(row, columns)
        for name in others if labels else ():
            if _says_otherwise(row.get(name), labels[0]):
                sample.remarks.count(f"{name} says otherwise than {', '.join(names)}, which are read")
        return labels

    return Labels(
        read,
        dict.fromkeys(names, ColumnRole.LABEL),
        CodingUse(names, "", "the winner is marked by 1", uses),
        notes=(f"the winner is marked in {', '.join(names)}",),
    )


def _says_otherwise(cell: object, label: ParsedLabel) -> bool:
    """Whether a word in another column names another side than a label."""
    text = cell_text(cell)
    read = read_words([text]).get(text) if text is not None else None
    if read is None or read.reads not in ("first", "second", "tie", "neither"):
        return False
    other = to_label(read, "")
    return (other.verdict, (other.strength or 0) > 0) != (label.verdict, (label.strength or 0) > 0)


def _one_hot(row: Row, columns: tuple[str, str, str | None]) -> tuple[ParsedLabel, ...]:
    marks = [_is_one(row.get(name), name) if name else False for name in columns]
    if sum(marks) > 1:
        raise RowRejected("more than one side is marked as the winner")
    if not any(marks):
        return ()
    return (side_label((-1, 1, 0)[marks.index(True)]),)


def _is_one(value: object, name: str) -> bool:
    text = cell_text(value)
    number = 0 if text is None else as_number(text)
    if number not in (0, 1):
        raise RowRejected(f"{name} is {shown(value)}, neither 0 nor 1")
    return number == 1
