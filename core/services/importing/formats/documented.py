"""Layouts whose publishers document fixed columns: OpenAI, stack-exchange-paired, Prometheus.

OpenAI's page on preference fine-tuning has ``input.messages``, ``preferred_output`` and ``non_preferred_output``. The
card of stack-exchange-paired says that ``response_j`` is the better of ``response_j`` and ``response_k``. Prometheus'
Preference-Collection has ``orig_instruction``, ``orig_response_A``, ``orig_response_B`` and ``orig_preference``.
"""

from __future__ import annotations

from core.domain.pair import Response
from core.services.importing.formats.chosen_rejected import answer_roles, chosen_pair
from core.services.importing.formats.column_reader import ColumnReader
from core.services.importing.formats.columns import Provenance
from core.services.importing.formats.messages import prompt_of, read_answer, read_messages
from core.services.importing.formats.row_format import BoundFormat, RowFormat
from core.services.importing.formats.sample import Row, Sample
from core.services.importing.formats.verdicts import label_of
from core.services.importing.limits import Limits, RowRejected, describe_type
from core.services.importing.reading import ColumnRole
from core.services.importing.rows import ParsedPair

_OPENAI = ("input", "preferred_output", "non_preferred_output")
_PROMETHEUS = ("orig_instruction", "orig_response_a", "orig_response_b", "orig_preference")
_TOOLS = "tools beside the messages are not kept"


def bind_openai(sample: Sample, limits: Limits) -> BoundFormat | None:
    """Bind to OpenAI's preference fine-tuning files."""
    if not all(name in sample.names for name in _OPENAI):
        return None
    talk, better, worse = (sample.names[name] for name in _OPENAI)
    provenance = Provenance.of(sample)

    def convert(row: Row) -> list[ParsedPair]:
        whole = row.get(talk)
        if not isinstance(whole, dict) or "messages" not in whole:
            raise RowRejected(f"{talk} is {describe_type(whole)}; an object with messages is expected")
        if whole.get("tools"):
            sample.remarks.count(_TOOLS)
        prompt = prompt_of(read_messages(whole["messages"], f"{talk}.messages", limits, sample.remarks), talk)
        first, second = (read_answer(row.get(name), name, limits, sample.remarks) for name in (better, worse))
        return [chosen_pair(prompt, first, second, provenance, row)]

    return BoundFormat(convert, roles={talk: ColumnRole.PROMPT, **answer_roles((better, worse))})


def bind_stack_exchange(sample: Sample, limits: Limits) -> BoundFormat | None:
    """Bind to stack-exchange-paired."""
    names, asked = sample.pick_pair((("response_j", "response_k"),)), sample.pick("question", "prompt")
    if names is None or asked is None:
        return None
    prompt, provenance = ColumnReader.of(sample, asked, limits), Provenance.of(sample)
    first, second = (ColumnReader.of(sample, name, limits) for name in names)

    def convert(row: Row) -> list[ParsedPair]:
        return [chosen_pair(prompt.prompt(row), first.text(row), second.text(row), provenance, row)]

    note = "response_j is the better of the two, as the card of stack-exchange-paired says"
    return BoundFormat(convert, (note,), roles={asked: ColumnRole.PROMPT, **answer_roles(names)})


def bind_prometheus(sample: Sample, limits: Limits) -> BoundFormat | None:
    """Bind to Prometheus' Preference-Collection."""
    if not all(name in sample.names for name in _PROMETHEUS):
        return None
    asked, one, other, verdict = (sample.names[name] for name in _PROMETHEUS)
    prompt, first, second = (ColumnReader.of(sample, name, limits) for name in (asked, one, other))

    def convert(row: Row) -> list[ParsedPair]:
        label = label_of(row.get(verdict), verdict)
        pair = ParsedPair(prompt.prompt(row), Response(first.text(row)), Response(second.text(row)))
        return [ParsedPair(pair.prompt, pair.first, pair.second, (label,) if label else ())]

    roles = {asked: ColumnRole.PROMPT, one: ColumnRole.FIRST, other: ColumnRole.SECOND, verdict: ColumnRole.LABEL}
    return BoundFormat(convert, ("the feedback and the criteria are not kept",), roles=roles)


FORMATS = (
    RowFormat(
        "openai", "OpenAI preference", "input.messages, preferred_output, non_preferred_output", 1.0, bind_openai
    ),
    RowFormat(
        "stack_exchange",
        "stack-exchange-paired",
        "question, response_j (better), response_k",
        0.99,
        bind_stack_exchange,
    ),
    RowFormat(
        "prometheus",
        "Prometheus preference",
        "orig_instruction, orig_response_A and _B, orig_preference",
        1.0,
        bind_prometheus,
    ),
)
