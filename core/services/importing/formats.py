"""The formats that can be read. Each binds itself to the columns of a file or declines.

A bound format turns one record into pairs, and says in ``notes`` how it reads what could be read two ways.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from core.domain.conversation import Message, Prompt
from core.services.importing import native, scored, tables
from core.services.importing.bound import BoundFormat
from core.services.importing.codings import side_label
from core.services.importing.columns import Provenance, Row, Sample, prompt_reader, with_system
from core.services.importing.limits import Limits, RowRejected, check_text
from core.services.importing.messages import looks_like_messages, prompt_of, read_answer, read_messages, read_prompt
from core.services.importing.rows import ParsedLabel, ParsedPair
from core.services.importing.transcripts import split_answers, split_pair, split_plain


@dataclass(frozen=True, slots=True)
class RowFormat:
    """A known way to write preference records.

    Attributes:
        key: its name on the command line.
        certainty: how sure a file that fits is this and not something that looks alike, 0..1.
        bind: returns the format bound to a file's columns, or None when it does not fit them.
    """

    key: str
    title: str
    description: str
    certainty: float
    bind: Callable[[Sample, Limits], BoundFormat | None]


def _bind_hh(sample: Sample, limits: Limits) -> BoundFormat | None:
    chosen, rejected = sample.pick("chosen"), sample.pick("rejected")
    if chosen is None or rejected is None or sample.pick("prompt") is not None:
        return None
    provenance = Provenance.of(sample)

    def convert(row: Row) -> list[ParsedPair]:
        first, second = (check_text(row.get(name), name, limits) for name in (chosen, rejected))
        return [_pair(*split_pair(first, second), provenance, row)]

    return BoundFormat("hh", convert)


def _bind_trl(sample: Sample, limits: Limits) -> BoundFormat | None:
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

    return BoundFormat("trl", convert)


def _bind_conversational(sample: Sample, limits: Limits) -> BoundFormat | None:
    chosen, rejected, prompt = sample.pick("chosen"), sample.pick("rejected"), sample.pick("prompt")
    if chosen is None or rejected is None or prompt is None:
        return None
    provenance = Provenance.of(sample)

    def convert(row: Row) -> list[ParsedPair]:
        first, second = (_message_list(row, name, limits) for name in (chosen, rejected))
        if len(first) == 1 and len(second) == 1:
            head: tuple[Message, ...] = ()
        elif first[0].role == "assistant":  # the answer stretches over turns that both share but for the last
            head = split_answers(first, second)[0].messages
        else:  # the whole conversation is repeated in both
            return [_pair(*split_answers(first, second), provenance, row)]
        asked = read_prompt(row.get(prompt), prompt, limits)
        for message, name in ((first[-1], chosen), (second[-1], rejected)):
            if message.role != "assistant":
                raise RowRejected(f"{name} does not end with a message of the assistant")
        whole = Prompt((*asked.messages, *head))
        return [_pair(whole, first[-1].content, second[-1].content, provenance, row)]

    return BoundFormat("conversational", convert)


def _bind_implicit(sample: Sample, limits: Limits) -> BoundFormat | None:
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

    return BoundFormat("implicit", convert, ("the prompt is what both texts begin with",))


def _bind_sharegpt(sample: Sample, limits: Limits) -> BoundFormat | None:
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

    return BoundFormat("sharegpt", convert)


def _message_list(row: Row, name: str, limits: Limits) -> list[Message]:
    messages = read_messages(row.get(name), name, limits)
    if not messages:
        raise RowRejected(f"{name} is an empty list")
    return messages


def _pair(prompt: Prompt, chosen: str, rejected: str, provenance: Provenance, row: Row) -> ParsedPair:
    """Return the pair of a chosen and a rejected answer. Equal scores mean that the choice was a coin's: a tie."""
    first, second = provenance.responses(row, chosen, rejected)
    label: ParsedLabel = side_label(0 if provenance.score_sides(row) == 0 else -1)
    return ParsedPair(prompt, first, second, (label,))


FORMATS: tuple[RowFormat, ...] = (
    RowFormat(
        "pairwright", "Pairwright dataset", "a dataset version exported by this program", 1.0, native.bind_dataset
    ),
    RowFormat("pairwright_table", "Pairwright table", "a pair table exported by this program", 1.0, native.bind_table),
    RowFormat(
        "hh", "HH-RLHF transcripts", "chosen and rejected are whole Human / Assistant transcripts", 0.99, _bind_hh
    ),
    RowFormat("sharegpt", "ShareGPT preference", "conversations, chosen, rejected", 0.99, _bind_sharegpt),
    RowFormat("trl", "TRL standard", "prompt, chosen and rejected are texts", 0.98, _bind_trl),
    RowFormat(
        "conversational",
        "TRL conversational",
        "prompt, chosen and rejected are lists of messages",
        0.97,
        _bind_conversational,
    ),
    RowFormat("scored", "Scored completions", "one prompt, several completions with scores", 0.95, scored.bind),
    RowFormat("table", "Two answers and a label", "a prompt, two responses, who won", 0.96, tables.bind),
    RowFormat("implicit", "TRL implicit prompt", "chosen and rejected begin with the same prompt", 0.7, _bind_implicit),
)


def format_of(key: str) -> RowFormat:
    """Return the format called ``key``, without its option behind a colon.

    Raises:
        KeyError: when there is none.
    """
    return {fmt.key: fmt for fmt in FORMATS}[key.split(":", 1)[0]]
