"""Records that hold several good or bad answers in lists, without scores.

RewardBench 2 has one or more ``chosen`` and several ``rejected``; every chosen one is better than every rejected one.
LLaMA-Factory's alpaca layout has two texts in ``output``, the first the better, and earlier turns in ``history``.
"""

from __future__ import annotations

from core.domain.conversation import Message, Prompt
from core.domain.counting import counted
from core.services.importing.formats.chosen_rejected import ANSWERS, answer_roles, chosen_pair
from core.services.importing.formats.columns import PromptReader, Provenance, prompt_reader
from core.services.importing.formats.messages import read_answer
from core.services.importing.formats.rankings import MOST_ANSWERS
from core.services.importing.formats.row_format import BoundFormat, RowFormat
from core.services.importing.formats.sample import Row, Sample
from core.services.importing.limits import Limits, RowRejected, check_text, describe_type, parse_json
from core.services.importing.reading import ColumnRole
from core.services.importing.rows import ParsedPair


def bind_best_of(sample: Sample, limits: Limits) -> BoundFormat | None:
    """Bind to lists of chosen and of rejected answers."""
    names, prompt = sample.pick_pair(ANSWERS), prompt_reader(sample, limits)
    if names is None or prompt is None:
        return None
    listed = {name for name in names if _holds_lists(sample, name, 1, limits)}
    if not listed or not all(name in listed or _holds_texts(sample, name) for name in names):
        return None
    provenance = Provenance(None, None)

    def convert(row: Row) -> list[ParsedPair]:
        good, bad = (_texts(row.get(name) if name in listed else [row.get(name)], name, limits) for name in names)
        asked = prompt(row)
        pairs = [chosen_pair(asked, one, other, provenance, row) for one in good for other in bad if one != other]
        if not pairs:
            raise RowRejected(f"{names[0]} and {names[1]} give no pair of different texts")
        return pairs

    return BoundFormat(convert, ("every chosen answer is paired with every rejected one",), roles=answer_roles(names))


def bind_alpaca(sample: Sample, limits: Limits) -> BoundFormat | None:
    """Bind to LLaMA-Factory's alpaca layout: two answers in ``output``, or ``history`` beside chosen and rejected."""
    names, output = sample.pick_pair(ANSWERS), sample.pick("output", "outputs")
    prompt, history = _with_history(sample, limits)
    if prompt is None:
        return None
    provenance = Provenance.of(sample)
    if names is not None and history is not None:

        def convert_columns(row: Row) -> list[ParsedPair]:
            chosen, rejected = (read_answer(row.get(name), name, limits, sample.remarks) for name in names)
            return [chosen_pair(prompt(row), chosen, rejected, provenance, row)]

        return BoundFormat(convert_columns, roles={**answer_roles(names), history: ColumnRole.PROMPT})
    if output is None or not _holds_lists(sample, output, 2, limits):
        return None

    def convert(row: Row) -> list[ParsedPair]:
        texts = _texts(row.get(output), output, limits)
        if len(texts) != 2:
            raise RowRejected(f"{output} holds {counted(len(texts), 'answer')}; two are expected, the better one first")
        return [chosen_pair(prompt(row), texts[0], texts[1], provenance, row)]

    note = f"the first of the two texts in {output} is the better one, as LLaMA-Factory documents it"
    return BoundFormat(convert, (note,), roles={output: ColumnRole.ANSWERS})


def _with_history(sample: Sample, limits: Limits) -> tuple[PromptReader | None, str | None]:
    """Return what reads the prompt with the turns of ``history`` before it, and that column where it holds lists."""
    column = sample.pick("history")
    if sample.pick("instruction", "prompt", "question", "query") is None:
        return None, None
    read = prompt_reader(sample, limits)
    if read is None or column is None or not any(isinstance(value, list) for value in sample.values(column)):
        return read, None

    def read_all(row: Row) -> Prompt:
        prompt, turns = read(row), _turns(row.get(column), column, limits)
        split = 1 if prompt.messages[0].role == "system" else 0
        return Prompt((*prompt.messages[:split], *turns, *prompt.messages[split:]))

    return read_all, column


def _turns(value: object, name: str, limits: Limits) -> list[Message]:
    if value in (None, "", []):
        return []
    if not isinstance(value, list) or not all(isinstance(turn, list) and len(turn) == 2 for turn in value):
        raise RowRejected(f"{name} is {describe_type(value)}; a list of [question, answer] is expected")
    found: list[Message] = []
    for number, (asked, answered) in enumerate(value, 1):
        found.append(Message("user", check_text(asked, f"question {number} of {name}", limits)))
        found.append(Message("assistant", check_text(answered, f"answer {number} of {name}", limits)))
    return found


def _holds_lists(sample: Sample, name: str, least: int, limits: Limits) -> bool:
    """Say whether a column holds lists of texts in most rows."""
    values = [value for value in sample.values(name) if value not in (None, "")]
    return 2 * sum(_is_list(value, least, limits) for value in values) >= len(values) > 0


def _holds_texts(sample: Sample, name: str) -> bool:
    """Say whether a column holds texts in every row that has one."""
    values = [value for value in sample.values(name) if value is not None]
    return bool(values) and all(isinstance(value, str) for value in values)


def _is_list(value: object, least: int, limits: Limits) -> bool:
    if isinstance(value, str) and value.startswith("["):
        try:
            value = parse_json(value, limits)
        except RowRejected:
            return False
    return isinstance(value, list) and len(value) >= least and all(isinstance(item, str) for item in value)


def _texts(value: object, name: str, limits: Limits) -> list[str]:
    if isinstance(value, str) and value.startswith("["):
        value = parse_json(value, limits)
    if not isinstance(value, list) or not value:
        raise RowRejected(f"{name} is {describe_type(value)}, not a list of texts")
    if len(value) > MOST_ANSWERS:
        raise RowRejected(f"{name} holds {counted(len(value), 'answer')}, more than the {MOST_ANSWERS} allowed")
    return list(dict.fromkeys(check_text(item, f"answer {i} of {name}", limits) for i, item in enumerate(value, 1)))


FORMATS = (
    RowFormat(
        "best_of", "Lists of chosen and rejected", "prompt, chosen and rejected as lists of texts", 0.97, bind_best_of
    ),
    RowFormat(
        "alpaca", "LLaMA-Factory alpaca", "instruction, input, output with two texts; history", 0.985, bind_alpaca
    ),
)
