"""Files that this program writes: exported dataset versions and pair tables, read back without loss."""

from __future__ import annotations

import json

from core.domain.conversation import Message, Prompt
from core.domain.errors import BadInput
from core.domain.judgement import Verdict
from core.domain.pair import GenerationRecord, Response
from core.domain.pair_tags import checked_tag, tags_of_text
from core.services.importing.formats.messages import prompt_of, read_answer, read_messages
from core.services.importing.formats.row_format import BoundFormat, RowFormat
from core.services.importing.formats.sample import Row, Sample
from core.services.importing.limits import Limits, RowRejected, check_text, describe_type, parse_json
from core.services.importing.rows import ParsedLabel, ParsedPair

DATASET_COLUMNS = ("prompt", "chosen", "rejected", "strengths", "pair_sha256")
TABLE_COLUMNS = ("pair_sha256", "source", "prompt", "messages", "response_a", "response_b", "labels")
TABLE_EXTRA = ("a_generation", "b_generation", "tags")


def bind_dataset(sample: Sample, limits: Limits) -> BoundFormat | None:
    """Bind to an exported dataset version: every strength behind an item becomes a label again."""
    if not all(name in sample.names for name in DATASET_COLUMNS):
        return None

    def convert(row: Row) -> list[ParsedPair]:
        prompt = prompt_of(read_messages(row.get("prompt"), "prompt", limits), "prompt")
        first, second = (
            Response(read_answer(row.get(name), name, limits), _record(row.get(f"{name}_generation"), limits))
            for name in ("chosen", "rejected")
        )
        return [ParsedPair(prompt, first, second, _labels(row.get("strengths"), -1))]

    return BoundFormat(convert, ("each strength behind an item becomes a label of its own reviewer",))


def bind_table(sample: Sample, limits: Limits) -> BoundFormat | None:
    """Bind to an exported pair table."""
    if not all(name in sample.names for name in TABLE_COLUMNS):
        return None

    def convert(row: Row) -> list[ParsedPair]:
        answers = [
            Response(check_text(row.get(name), name, limits), _record(row.get(extra), limits))
            for name, extra in (("response_a", "a_generation"), ("response_b", "b_generation"))
        ]
        return [
            ParsedPair(
                _table_prompt(row, limits),
                answers[0],
                answers[1],
                _table_labels(row.get("labels"), limits),
                _table_tags(row.get("tags"), limits),
            )
        ]

    notes = ["the labels keep the names of their reviewers"]
    if "tags" in sample.names:
        notes.append("the tags are put on the pairs again")
    return BoundFormat(convert, tuple(notes))


def _table_prompt(row: Row, limits: Limits) -> Prompt:
    """Return the prompt from ``messages`` when it has several turns, else ``prompt`` as it stands."""
    if row.get("messages"):
        return prompt_of(read_messages(row["messages"], "messages", limits), "messages")
    return prompt_of([Message("user", check_text(row.get("prompt"), "prompt", limits))], "prompt")


def _labels(value: object, sign: int) -> tuple[ParsedLabel, ...]:
    if isinstance(value, str):
        value = json.loads(value) if value.startswith("[") else None
    if not isinstance(value, list):
        raise RowRejected(f"strengths is {describe_type(value)}, not a list of numbers")
    names = [f"label {i}" if len(value) > 1 else "" for i in range(1, len(value) + 1)]
    return tuple(_label(item, sign, name) for item, name in zip(value, names, strict=True))


def _label(item: object, sign: int, reviewer: str) -> ParsedLabel:
    if isinstance(item, bool) or not isinstance(item, int) or abs(item) > 3:
        raise RowRejected("strengths holds something other than whole numbers from -3 to 3")
    if item == 0:
        return ParsedLabel(Verdict.TIE, None, reviewer)
    return ParsedLabel(Verdict.PREFER, sign * item, reviewer)


def _table_labels(value: object, limits: Limits) -> tuple[ParsedLabel, ...]:
    """Read ``[{"reviewer", "verdict", "strength"}, ...]`` as the table writes it."""
    if value in (None, ""):
        return ()
    items = parse_json(value, limits) if isinstance(value, str) else value
    if not isinstance(items, list):
        raise RowRejected(f"labels is {describe_type(items)}, not a list")
    labels = []
    for item in items:
        try:
            verdict, strength = Verdict(item["verdict"]), item.get("strength")
            name = check_text(item["reviewer"], "reviewer", limits)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise RowRejected(f"labels holds something that is no label ({error})") from None
        if verdict is Verdict.CANNOT_JUDGE:  # it holds no preference
            continue
        valid = isinstance(strength, int) and not isinstance(strength, bool) and 1 <= abs(strength) <= 3
        if (verdict is Verdict.PREFER) != valid:
            raise RowRejected("labels holds a verdict whose strength does not fit it")
        labels.append(ParsedLabel(verdict, strength if valid else None, name))
    return tuple(labels)


def _table_tags(value: object, limits: Limits) -> tuple[str, ...]:
    """Read the tags of a pair, parted by commas."""
    if value in (None, ""):
        return ()
    try:
        return tuple(checked_tag(tag) for tag in tags_of_text(check_text(value, "tags", limits)))
    except BadInput as error:
        raise RowRejected(f"tags holds something that is no tag ({error.message})") from None


def _record(value: object, limits: Limits) -> GenerationRecord | None:
    if value in (None, ""):
        return None
    plain = parse_json(value, limits) if isinstance(value, str) else value
    if not isinstance(plain, dict) or set(plain) - set(GenerationRecord.__dataclass_fields__):
        raise RowRejected("a generation record holds unknown fields")
    try:
        return GenerationRecord(**plain)
    except (TypeError, BadInput):
        raise RowRejected("a generation record cannot be read") from None


FORMATS = (
    RowFormat(
        "pairwright",
        "Pairwright dataset",
        "a dataset version exported by this program",
        1.0,
        bind_dataset,
        repeats_labels=True,
    ),
    RowFormat(
        "pairwright_table",
        "Pairwright table",
        "a pair table exported by this program",
        1.0,
        bind_table,
        names_reviewers=True,
    ),
)
