"""Records with a chosen and a rejected answer: HH-RLHF, TRL, ShareGPT and axolotl files.

The layouts are those of the data sets hh-rlhf and ultrafeedback_binarized, of TRL's page on dataset formats, of
LLaMA-Factory's data README and of axolotl's page on RLHF (``chat_template``, ``argilla_chat``, ``intel`` and others).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress

from core.domain.conversation import Message, Prompt
from core.domain.counting import counted, verb
from core.services.importing.formats import column_names as known
from core.services.importing.formats.codings import side_label
from core.services.importing.formats.column_reader import ColumnReader, json_notes
from core.services.importing.formats.columns import Provenance, prompt_column, prompt_reader, with_system
from core.services.importing.formats.messages import prompt_of
from core.services.importing.formats.row_format import BoundFormat, RowFormat
from core.services.importing.formats.sample import Row, Sample
from core.services.importing.formats.transcripts import (
    is_transcript,
    marks_speakers,
    prompt_from_text,
    split_answers,
    split_pair,
    split_plain,
)
from core.services.importing.limits import Limits, RowRejected, check_text, printable
from core.services.importing.reading import ColumnRole, Remarks
from core.services.importing.rows import ParsedPair

ANSWERS = (
    ("chosen", "rejected"),
    ("chosen_response", "rejected_response"),
    ("response_chosen", "response_rejected"),
    ("preferred_completion", "other_completion"),
    ("preferred_response", "dispreferred_response"),
    ("preferred", "dispreferred"),
    ("better_response", "worse_response"),
    ("winning_response", "losing_response"),
)
TALK = ("conversations", "conversation", "messages")
_DISAGREE = "the prompt column and the turns say different things; the turns are read"


def bind_hh(sample: Sample, limits: Limits) -> BoundFormat | None:
    """Bind to whole transcripts of which only the last answer differs."""
    names = sample.pick_pair(ANSWERS)
    if names is None or not _transcripts(sample, names):
        return None
    provenance = Provenance.of(sample)
    prompt, system = sample.pick("prompt"), sample.pick(*known.SYSTEM)

    def convert(row: Row) -> list[ParsedPair]:
        first, second = (check_text(row.get(name), name, limits) for name in names)
        found, chosen, rejected = split_pair(first, second)
        if prompt is not None and isinstance(asked := row.get(prompt), str) and asked.strip():
            _compare(found, prompt_from_text(asked), sample.remarks)
        found = with_system(found, row, system, limits, sample.remarks)
        return [chosen_pair(found, chosen, rejected, provenance, row)]

    note = "the last turn of the assistant is the answer, all before it is the prompt"
    return BoundFormat(convert, (note,), roles=answer_roles(names))


def bind_trl(sample: Sample, limits: Limits) -> BoundFormat | None:
    """Bind to a prompt and two answers, all three texts."""
    names, prompt = sample.pick_pair(ANSWERS), prompt_reader(sample, limits)
    if names is None or prompt is None or sample.pick("conversations"):
        return None
    first, second = (ColumnReader.of(sample, name, limits) for name in names)
    if first.shape.messages or second.shape.messages or first.shape.objects:
        return None
    provenance = Provenance.of(sample)

    def convert(row: Row) -> list[ParsedPair]:
        return [chosen_pair(prompt(row), first.answer(row), second.answer(row), provenance, row)]

    notes = (*json_notes(sample, limits), *_speaker_notes(sample, prompt))
    return BoundFormat(convert, notes, roles=answer_roles(names))


def bind_conversational(sample: Sample, limits: Limits) -> BoundFormat | None:
    """Bind to a prompt and two answers that are lists of messages."""
    names, column = sample.pick_pair(ANSWERS), prompt_column(sample)
    if names is None or column is None or sample.pick("conversations"):
        return None
    return _bind_messages(sample, names, column, limits)


def bind_sharegpt(sample: Sample, limits: Limits) -> BoundFormat | None:
    """Bind to a conversation and two answers to it."""
    names, column = sample.pick_pair(ANSWERS), sample.pick(*TALK)
    if names is None or column is None or sample.pick("prompt", "question", "instruction"):
        return None
    return _bind_messages(sample, names, column, limits, talk=True)


def _bind_messages(
    sample: Sample, names: tuple[str, str], column: str, limits: Limits, *, talk: bool = False
) -> BoundFormat | None:
    provenance, remarks = Provenance.of(sample), sample.remarks
    first, second = (ColumnReader.of(sample, name, limits) for name in names)
    if not talk and not (first.shape.messages or second.shape.messages):
        return None
    asked, system = ColumnReader.of(sample, column, limits), sample.pick(*known.SYSTEM)

    def convert(row: Row) -> list[ParsedPair]:
        one, other = (reader.messages(row, text_is="assistant") for reader in (first, second))

        def before() -> Prompt:
            return _without_answer(asked.messages(row), one[-1], column) if talk else asked.prompt(row)

        prompt, chosen, rejected = _split(one, other, before, names, remarks)
        prompt = with_system(prompt, row, system, limits, remarks)
        return [chosen_pair(prompt, chosen, rejected, provenance, row)]

    notes = (*asked.notes, *first.notes, *second.notes)
    return BoundFormat(convert, notes, roles={**answer_roles(names), column: ColumnRole.PROMPT})


_SPEAKER_AT_END = re.compile(
    r"(?:^|\n)\W{0,6}(?:assistant|bot|ai|gpt|model|answer|response)\W{0,3}:\W{0,3}\s*$", re.IGNORECASE
)
_SPEAKER_KEPT = "the texts name their speakers ({}); they are read as one text, and the marks stay in the prompt"


def bind_implicit(sample: Sample, limits: Limits) -> BoundFormat | None:
    """Bind to two texts or conversations that begin with the same prompt."""
    names = sample.pick_pair(ANSWERS)
    if names is None or prompt_column(sample) is not None or sample.pick(*TALK):
        return None
    provenance = Provenance.of(sample)
    first, second = (ColumnReader.of(sample, name, limits) for name in names)
    talks = first.shape.messages or second.shape.messages
    if not talks and (_transcripts(sample, names) or first.shape.objects):
        return None
    system = sample.pick(*known.SYSTEM)

    def convert(row: Row) -> list[ParsedPair]:
        if talks:
            prompt, chosen, rejected = split_answers(first.messages(row), second.messages(row))
        else:
            one, other = first.text(row), second.text(row)
            split = split_pair if is_transcript(one) and is_transcript(other) else split_plain
            prompt, chosen, rejected = split(one, other)
            if mark := _SPEAKER_AT_END.search(prompt.messages[-1].content):
                sample.remarks.count(_SPEAKER_KEPT.format(printable(mark.group().strip())))
        prompt = with_system(prompt, row, system, limits, sample.remarks)
        return [chosen_pair(prompt, chosen, rejected, provenance, row)]

    return BoundFormat(convert, ("the prompt is what both texts begin with",), roles=answer_roles(names))


def answer_roles(names: tuple[str, str]) -> dict[str, ColumnRole]:
    """Return the roles of the columns of the chosen and the rejected answer."""
    return {names[0]: ColumnRole.CHOSEN, names[1]: ColumnRole.REJECTED}


def chosen_pair(prompt: Prompt, chosen: str, rejected: str, provenance: Provenance, row: Row) -> ParsedPair:
    """Return the pair of a chosen and a rejected answer. Equal scores make the label a tie."""
    first, second = provenance.responses(row, chosen, rejected)
    return ParsedPair(prompt, first, second, (side_label(0 if provenance.score_sides(row) == 0 else -1),))


def _transcripts(sample: Sample, names: tuple[str, str]) -> bool:
    """Say whether most rows hold transcripts."""
    found = [is_transcript(row.get(names[0])) or is_transcript(row.get(names[1])) for row in sample.rows]
    return 2 * sum(found) >= len(found) > 0


def _without_answer(turns: list[Message], chosen: Message, name: str) -> Prompt:
    """Return the prompt of a conversation; some files repeat the chosen answer as its last turn."""
    return prompt_of(turns[:-1] if len(turns) > 1 and turns[-1] == chosen else turns, name)


def _split(
    one: list[Message], other: list[Message], before: Callable[[], Prompt], names: tuple[str, str], remarks: Remarks
) -> tuple[Prompt, str, str]:
    """Return the prompt and the two last messages of two answers that are lists of messages.

    Args:
        one: the messages of one answer.
        other: those of the other.
        before: returns what the prompt column holds.
        names: the columns of the answers.
        remarks: takes note where prompt column and turns disagree.
    """
    for turns, name in ((one, names[0]), (other, names[1])):
        if turns[-1].role != "assistant":
            raise RowRejected(f"{name} does not end with a message of the assistant")
    if len(one) == 1 and len(other) == 1:
        return before(), one[-1].content, other[-1].content
    if one[0].role == "assistant" and other[0].role == "assistant":  # both share all turns but the last
        shared, first, second = split_answers(one, other)
        return Prompt((*before().messages, *shared.messages)), first, second
    prompt, first, second = split_answers(one, other)  # the whole conversation is repeated in both
    with suppress(RowRejected):  # an empty prompt column beside whole conversations says nothing
        _compare(prompt, before(), remarks)
    return prompt, first, second


def _compare(turns: Prompt, asked: Prompt, remarks: Remarks) -> None:
    """Tell a prompt column that says something else than the turns."""
    said = {message.content.strip() for message in turns.messages}
    if not all(message.content.strip() in said for message in asked.messages):
        remarks.count(_DISAGREE)


def _speaker_notes(sample: Sample, read: Callable[[Row], Prompt]) -> tuple[str, ...]:
    """Tell speakers' marks that are kept as text, such as ``prompter:`` or ``<|prompter|>``."""
    marked = 0
    for row in sample.rows:
        with suppress(RowRejected):
            marked += marks_speakers(read(row).last_text)
    if not marked:
        return ()
    return (
        f"{marked:,} of {counted(len(sample.rows), 'prompt')} {verb(marked, 'names its', 'name their')} "
        "speakers; that is kept as text and makes no turns",
    )


FORMATS = (
    RowFormat(
        "hh", "HH-RLHF transcripts", "chosen and rejected are whole Human / Assistant transcripts", 0.99, bind_hh
    ),
    RowFormat("sharegpt", "ShareGPT preference", "conversations, chosen, rejected", 0.99, bind_sharegpt),
    RowFormat("trl", "TRL standard", "prompt, chosen and rejected are texts", 0.98, bind_trl),
    RowFormat(
        "conversational",
        "TRL conversational",
        "prompt, chosen and rejected are lists of messages",
        0.97,
        bind_conversational,
    ),
    RowFormat("implicit", "TRL implicit prompt", "chosen and rejected begin with the same prompt", 0.7, bind_implicit),
)
