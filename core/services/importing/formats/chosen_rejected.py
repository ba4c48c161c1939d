"""Records with a chosen and a rejected answer: HH-RLHF, TRL and ShareGPT files."""

from __future__ import annotations

from core.domain.conversation import Message, Prompt
from core.services.importing.formats.codings import side_label
from core.services.importing.formats.columns import Provenance, Row, Sample, prompt_reader, with_system
from core.services.importing.formats.messages import (
    looks_like_messages,
    prompt_of,
    read_answer,
    read_messages,
    read_prompt,
)
from core.services.importing.formats.row_format import BoundFormat, RowFormat
from core.services.importing.formats.transcripts import split_answers, split_pair, split_plain
from core.services.importing.limits import Limits, RowRejected, check_text
from core.services.importing.rows import ParsedLabel, ParsedPair


def bind_hh(sample: Sample, limits: Limits) -> BoundFormat | None:
    """Bind to whole transcripts of which only the last answer differs."""
    chosen, rejected = sample.pick("chosen"), sample.pick("rejected")
    if chosen is None or rejected is None or sample.pick("prompt") is not None:
        return None
    provenance = Provenance.of(sample)

    def convert(row: Row) -> list[ParsedPair]:
        first, second = (check_text(row.get(name), name, limits) for name in (chosen, rejected))
        return [_pair(*split_pair(first, second), provenance, row)]

    return BoundFormat(convert)


def bind_trl(sample: Sample, limits: Limits) -> BoundFormat | None:
    """Bind to a prompt and two answers, all three texts."""
    chosen, rejected = sample.pick("chosen"), sample.pick("rejected")
    prompt_of_row = prompt_reader(sample, limits)
    if chosen is None or rejected is None or prompt_of_row is None or sample.pick("conversations"):
        return None
    provenance = Provenance.of(sample)

    def convert(row: Row) -> list[ParsedPair]:
        first, second = (check_text(row.get(name), name, limits) for name in (chosen, rejected))
        if looks_like_messages(row.get(chosen)):
            raise RowRejected("its answers are messages, not texts")
        return [_pair(prompt_of_row(row), first, second, provenance, row)]

    return BoundFormat(convert)


def bind_conversational(sample: Sample, limits: Limits) -> BoundFormat | None:
    """Bind to a prompt and two answers, all three lists of messages."""
    chosen, rejected, prompt = sample.pick("chosen"), sample.pick("rejected"), sample.pick("prompt")
    if chosen is None or rejected is None or prompt is None:
        return None
    provenance = Provenance.of(sample)

    def convert(row: Row) -> list[ParsedPair]:
        first, second = (_message_list(row, name, limits) for name in (chosen, rejected))
        if len(first) == 1 and len(second) == 1:
            head: tuple[Message, ...] = ()
        elif first[0].role == "assistant":  # the answer spans several turns; both share all but the last
            head = split_answers(first, second)[0].messages
        else:  # the whole conversation is repeated in both
            return [_pair(*split_answers(first, second), provenance, row)]
        asked = read_prompt(row.get(prompt), prompt, limits)
        for message, name in ((first[-1], chosen), (second[-1], rejected)):
            if message.role != "assistant":
                raise RowRejected(f"{name} does not end with a message of the assistant")
        whole = Prompt((*asked.messages, *head))
        return [_pair(whole, first[-1].content, second[-1].content, provenance, row)]

    return BoundFormat(convert)


def bind_implicit(sample: Sample, limits: Limits) -> BoundFormat | None:
    """Bind to two texts or conversations that begin with the same prompt."""
    chosen, rejected = sample.pick("chosen"), sample.pick("rejected")
    if chosen is None or rejected is None or sample.pick("prompt", "conversations") is not None:
        return None
    provenance = Provenance.of(sample)

    def convert(row: Row) -> list[ParsedPair]:
        one, other = row.get(chosen), row.get(rejected)
        if looks_like_messages(one):
            parts = split_answers(_message_list(row, chosen, limits), _message_list(row, rejected, limits))
        else:
            parts = split_plain(check_text(one, chosen, limits), check_text(other, rejected, limits))
        return [_pair(*parts, provenance, row)]

    return BoundFormat(convert, ("the prompt is what both texts begin with",))


def bind_sharegpt(sample: Sample, limits: Limits) -> BoundFormat | None:
    """Bind to a conversation and two answers to it."""
    chosen, rejected = sample.pick("chosen"), sample.pick("rejected")
    talk, system = sample.pick("conversations", "conversation", "messages"), sample.pick("system")
    if chosen is None or rejected is None or talk is None:
        return None
    provenance = Provenance.of(sample)

    def convert(row: Row) -> list[ParsedPair]:
        prompt = prompt_of(read_messages(row.get(talk), talk, limits), talk)
        if system is not None and row.get(system):
            prompt = with_system(prompt, check_text(row[system], system, limits))
        first, second = (read_answer(row.get(name), name, limits) for name in (chosen, rejected))
        return [_pair(prompt, first, second, provenance, row)]

    return BoundFormat(convert)


def _message_list(row: Row, name: str, limits: Limits) -> list[Message]:
    messages = read_messages(row.get(name), name, limits)
    if not messages:
        raise RowRejected(f"{name} is an empty list")
    return messages


def _pair(prompt: Prompt, chosen: str, rejected: str, provenance: Provenance, row: Row) -> ParsedPair:
    """Return the pair of a chosen and a rejected answer. Equal scores make the label a tie."""
    first, second = provenance.responses(row, chosen, rejected)
    label: ParsedLabel = side_label(0 if provenance.score_sides(row) == 0 else -1)
    return ParsedPair(prompt, first, second, (label,))


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
