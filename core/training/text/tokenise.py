"""Encodes training pairs as token ids, and counts the pairs that were truncated, merged or dropped.

The response is what the model would generate after the generation header, its stop token included; text that a
template writes after that token is not trained. Rows that are too long lose their oldest turns first, then the oldest
text of the last turn, and only then the end of the response; the generation header always stays. Plain text (template
"none") keeps its start, as in other trainers.

What the template and the tokenizer do to the texts of a pair is counted too: answers that it changes, turns of the
prompt that it does not show whole, control tokens inside texts.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from core.domain.conversation import Message, Prompt
from core.domain.errors import BadInput
from core.domain.pair import TrainingPair
from core.domain.run_config import RunConfig
from core.domain.run_events import TokenReport
from core.training.text.chat_template import ChatFormat, fold_system, plain_format, probe
from core.training.text.encoded_pair import EncodedPair
from core.training.text.response_mask import (
    Row,
    common_prefix,
    drop_second_bos,
    encode_texts,
    response_mask,
    to_row,
    without_second_bos,
)
from core.training.text.row_text import ChatRows, PairTexts, plain_row
from core.training.text.template_inputs import TemplateInputs, rules_of
from core.training.text.text_checks import control_tokens, respelled, shows_whole

_BATCH = 512
_MAX_ROUNDS = 1000
_NAMED = 100
"""Pairs of one kind that a report names."""
Progress = Callable[[int, int], None]


@dataclass(slots=True)
class _Audit:
    """Counts the pairs that were truncated, merged or dropped."""

    lengths: list[int] = field(default_factory=list)
    truncated: list[str] = field(default_factory=list)
    left_out: dict[str, list[str]] = field(default_factory=dict)
    merged: int = 0
    double_bos: int = 0
    eos_added: int = 0
    cut_prompts: int = 0
    cut_answers: int = 0
    lost_system: int = 0
    folded_system: int = 0
    rewritten: list[str] = field(default_factory=list)
    respelled: list[str] = field(default_factory=list)
    other_header: int = 0
    changed_prompts: int = 0
    control_tokens: int = 0

    def report(self, pairs: int) -> TokenReport:
        """Return the event the run stores and shows."""
        ordered = sorted(self.lengths) or [0]
        dropped = [pair_id for ids in self.left_out.values() for pair_id in ids]
        return TokenReport(
            pairs=pairs,
            truncated=len(self.truncated),
            dropped=len(dropped),
            merged_boundaries=self.merged,
            p50=ordered[(len(ordered) - 1) // 2],
            p95=ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))],
            longest=ordered[-1],
            dropped_ids=tuple(dropped),
            truncated_ids=tuple(self.truncated),
            double_bos=self.double_bos,
            eos_added=self.eos_added,
            identical=sum(len(ids) for reason, ids in self.left_out.items() if reason != "all_masked"),
            left_out=self.left_out,
            rewritten=len(self.rewritten),
            rewritten_ids=tuple(self.rewritten[:_NAMED]),
            respelled=len(self.respelled),
            respelled_ids=tuple(self.respelled[:_NAMED]),
            other_header=self.other_header,
            changed_prompts=self.changed_prompts,
            control_tokens=self.control_tokens,
            cut_prompts=self.cut_prompts,
            cut_answers=self.cut_answers,
            lost_system=self.lost_system,
            folded_system=self.folded_system,
        )


@dataclass(frozen=True, slots=True)
class EncodedRows:
    """The rows of a pair as tokens, before they are cut to the limit.

    Attributes:
        texts: the rows as text. messages: the turns of the prompt that they show.
        chosen, rejected: the rows as tokens.
        respelled: whether an answer's tokens stand for another text than the answer.
        shortened: whether the prompt lost text. whole: tokens of the longer row before that.
    """

    texts: PairTexts
    messages: Sequence[Message]
    chosen: Row
    rejected: Row
    respelled: bool
    shortened: bool = False
    whole: int = 0


class PairEncoder:
    """Encodes prompts and answers for one tokenizer and one run's settings."""

    def __init__(self, tokenizer: Any, config: RunConfig) -> None:
        self.tokenizer = tokenizer
        self.plain = config.template == "none"
        self.inputs, rules = TemplateInputs.of(config), rules_of(config)
        self.chat: ChatFormat = plain_format(tokenizer) if self.plain else probe(tokenizer, self.inputs, rules=rules)
        as_it_stands = config.rewritten_answers == "answer"
        self.rows = ChatRows(tokenizer, self.chat, self.inputs, rules, as_it_stands)
        self.limit = config.max_length or 10**9
        self.min_response = config.min_response
        self.bos_id: int | None = tokenizer.bos_token_id
        self.bos_text = _added_bos(tokenizer) if self.plain else ""

    def messages(self, prompt: Prompt) -> tuple[Message, ...]:
        """Return the turns that the template renders."""
        return prompt.messages if self.plain else fold_system(prompt.messages, self.chat)

    def texts(self, pair: TrainingPair, messages: Sequence[Message] | None = None) -> PairTexts:
        """Return the texts of a pair, behind ``messages`` in place of its own prompt where they are given.

        Raises:
            BadInput: when the template refuses the conversation; the pair is named.
        """
        turns = self.messages(pair.prompt) if messages is None else messages
        if self.plain:
            return self._plain_texts(turns, pair)
        try:
            return self.rows.pair(turns, (pair.chosen, pair.rejected))
        except BadInput as error:
            raise BadInput(f"Pair {pair.pair_id}: {error.message}", error.hint) from error

    def _plain_prompt(self, messages: Sequence[Message]) -> str:
        text = Prompt(tuple(messages)).as_text()
        return text if text.startswith(self.bos_text) else self.bos_text + text

    def _plain_texts(self, messages: Sequence[Message], pair: TrainingPair) -> PairTexts:
        prompt = self._plain_prompt(messages)
        transcript = len(messages) > 1 or messages[0].role != "user"
        answers = (pair.chosen, pair.rejected)
        if transcript:  # as in "Assistant: text"; without the space ":" may merge with it
            answers = tuple(" " + answer if answer[:1].strip() else answer for answer in answers)
        chosen, rejected = (plain_row(self.chat, prompt, answer) for answer in answers)
        return PairTexts(prompt, chosen, rejected)

    def prompt_ids(self, prompt: Prompt) -> list[int]:
        """Return the ids that generation starts from by the template, not truncated."""
        messages = self.messages(prompt)
        return self._ids(self._plain_prompt(messages) if self.plain else self.rows.prompt(messages))

    def start_ids(self, pair: TrainingPair) -> list[int]:
        """Return the ids that the pair's responses start behind in training, not truncated; samples start from them."""
        return self._ids(self.texts(pair).prompt)

    def _ids(self, text: str) -> list[int]:
        return drop_second_bos(encode_texts(self.tokenizer, [text])[0].ids, self.bos_id)[0]

    def encode(self, pairs: Sequence[TrainingPair]) -> list[EncodedRows]:
        """Return the rows of each pair.

        All pairs that are too long are shortened by one step and encoded again together, round by round.
        """
        drafts = [list(self.messages(pair.prompt)) for pair in pairs]
        rows = self._encode_drafts(pairs, drafts)
        open_ones = [] if self.plain else list(range(len(pairs)))
        for _ in range(_MAX_ROUNDS):
            steps = {i: shorter for i in open_ones if (shorter := self._shorter(rows[i])) is not None}
            if not steps:
                break
            open_ones = list(steps)
            again = self._encode_drafts([pairs[i] for i in open_ones], list(steps.values()))
            for i, row in zip(open_ones, again, strict=True):
                rows[i] = replace(row, shortened=True, whole=rows[i].whole)
        return rows

    def _encode_drafts(self, pairs: Sequence[TrainingPair], drafts: Sequence[Sequence[Message]]) -> list[EncodedRows]:
        texts = [self.texts(pair, messages) for pair, messages in zip(pairs, drafts, strict=True)]
        n = len(texts)
        sides = [text.chosen for text in texts] + [text.rejected for text in texts]
        encodings = encode_texts(self.tokenizer, [text.prompt for text in texts] + [row.text for row in sides])
        stop = self.chat.stop_id
        rows = [to_row(encodings[n + i], side, encodings[i % n].ids, stop) for i, side in enumerate(sides)]
        other = respelled(self.tokenizer, rows, sides)
        return [
            EncodedRows(
                texts[i],
                drafts[i],
                rows[i],
                rows[n + i],
                other[i] or other[n + i],
                whole=max(len(rows[i].ids), len(rows[n + i].ids)),
            )
            for i in range(n)
        ]

    def _shorter(self, rows: EncodedRows) -> list[Message] | None:
        """Return the prompt one step shorter; None when the longer row fits or nothing more may be cut."""
        excess = max(len(rows.chosen.ids), len(rows.rejected.ids)) - self.limit
        if excess <= 0:
            return None
        messages = list(rows.messages)
        return drop_oldest_turn(messages) or self._cut_last_turn(messages, excess)

    def _cut_last_turn(self, messages: list[Message], excess: int) -> list[Message] | None:
        """Return the messages without the oldest ``excess`` tokens of the last turn.

        At least a quarter of the limit stays of that turn, so that the response still has its question.
        """
        last = messages[-1]
        encoding = encode_texts(self.tokenizer, [last.content])[0]
        room = len(encoding.ids) - max(1, self.limit // 4)
        gone = min(excess, room)
        if gone <= 0:
            return None
        begin = max(encoding.offsets[gone][0], 1)
        return [*messages[:-1], Message(last.role, last.content[begin:])]


def drop_oldest_turn(messages: Sequence[Message]) -> list[Message] | None:
    """Return the messages without the oldest exchange, system text kept; None when only the last turn is left.

    The rest begins with a user turn, because many templates require it.
    """
    head = 1 if messages[0].role == "system" else 0
    rest = list(messages[head:])
    if len(rest) <= 1:
        return None
    rest.pop(0)
    while len(rest) > 1 and rest[0].role != "user":
        rest.pop(0)
    return [*messages[:head], *rest]


def encode_pairs(
    pairs: Sequence[TrainingPair], tokenizer: Any, config: RunConfig, *, on_progress: Progress | None = None
) -> tuple[list[EncodedPair], TokenReport]:
    """Encode every pair and report what was truncated, merged or dropped.

    Dropped are pairs whose response keeps fewer than ``config.min_response`` tokens and pairs that are
    the same tokens on both sides once truncated.

    Raises:
        ModelRefused: when the chat template cannot be used.
        BadInput: when the template refuses a pair's conversation; the pair is named.
    """
    encoder = PairEncoder(tokenizer, config)
    audit = _Audit()
    encoded = []
    for begin in range(0, len(pairs), _BATCH):
        batch = pairs[begin : begin + _BATCH]
        for pair, rows in zip(batch, encoder.encode(batch), strict=True):
            _note_texts(pair, rows, encoder, audit)
            made = _join(pair, rows, encoder, audit)
            if made is not None:
                encoded.append(made)
        if on_progress:
            on_progress(min(begin + _BATCH, len(pairs)), len(pairs))
    return encoded, audit.report(len(pairs))


def _note_texts(pair: TrainingPair, rows: EncodedRows, encoder: PairEncoder, audit: _Audit) -> None:
    """Count what the template and the tokenizer do to the texts of one pair."""
    if not rows.texts.kept:
        audit.rewritten.append(pair.pair_id)
    elif rows.respelled:
        audit.respelled.append(pair.pair_id)
    audit.other_header += rows.texts.other_header
    audit.changed_prompts += not encoder.plain and not shows_whole(rows.texts.prompt, rows.messages)
    parts = [*(message.content for message in pair.prompt.messages), pair.chosen, pair.rejected]
    audit.control_tokens += bool(control_tokens(encoder.tokenizer, parts))
    head = pair.prompt.messages[0]
    if head.role == "system" and not encoder.plain:
        audit.folded_system += not encoder.chat.takes_system
        audit.lost_system += rows.shortened and not any(head.content in turn.content for turn in rows.messages)


def _join(pair: TrainingPair, rows: EncodedRows, encoder: PairEncoder, audit: _Audit) -> EncodedPair | None:
    """Cut, check and split one pair into its common prefix and two ends; None when it must be dropped."""
    chosen, doubled = without_second_bos(rows.chosen, encoder.bos_id)
    rejected, _ = without_second_bos(rows.rejected, encoder.bos_id)
    audit.double_bos += doubled
    audit.merged += chosen.merged or rejected.merged
    audit.eos_added += chosen.eos_added or rejected.eos_added
    audit.lengths.append(rows.whole - int(doubled))
    cut = [row.cut(encoder.limit) for row in (chosen, rejected)]
    too_short = any(len(row.ids) - row.start < encoder.min_response for row in cut)
    if too_short or cut[0].ids == cut[1].ids:
        reason = "all_masked" if too_short else _why_equal(pair, chosen, rejected)
        audit.left_out.setdefault(reason, []).append(pair.pair_id)
        return None
    ends_cut = cut[0] is not chosen or cut[1] is not rejected
    truncated = rows.shortened or ends_cut
    if truncated:
        audit.truncated.append(pair.pair_id)
        audit.cut_prompts += rows.shortened
        audit.cut_answers += ends_cut
    prefix = common_prefix(cut[0], cut[1])
    return EncodedPair(
        pair_id=pair.pair_id,
        prompt_ids=tuple(cut[0].ids[:prefix]),
        chosen_ids=tuple(cut[0].ids[prefix:]),
        rejected_ids=tuple(cut[1].ids[prefix:]),
        chosen_mask=response_mask(cut[0], prefix),
        rejected_mask=response_mask(cut[1], prefix),
        truncated=truncated,
        merged_boundary=chosen.merged or rejected.merged,
        weight=pair.weight,
        target=pair.target,
        is_tie=pair.is_tie,
        rewritten=not rows.texts.kept,
    )


def _why_equal(pair: TrainingPair, chosen: Row, rejected: Row) -> str:
    """Return why both rows of a pair are the same tokens, given the rows before they were cut."""
    if pair.chosen == pair.rejected:
        return "identical_answers"
    return "equal_by_template" if chosen.ids == rejected.ids else "equal_once_cut"


def _added_bos(tokenizer: Any) -> str:
    """Return the BOS text when this tokenizer puts it before plain text by itself."""
    ids = tokenizer("a")["input_ids"]
    return tokenizer.bos_token if tokenizer.bos_token and ids and ids[0] == tokenizer.bos_token_id else ""
