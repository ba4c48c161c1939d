"""Shows of some pairs what is trained: the tokens, which of them are scored, and how that differs from the answers."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from rapidfuzz.distance import Indel

from core.domain.left_out import left_out_words
from core.domain.pair import TrainingPair
from core.domain.run_config import RunConfig
from core.domain.run_events import TokenReport
from core.domain.token_proof import Change, PairProof, RowProof, TokenProof
from core.training.text.response_mask import Row, encode_texts
from core.training.text.row_text import RowText
from core.training.text.text_checks import control_tokens, shows_whole
from core.training.text.tokenise import EncodedRows, PairEncoder

_PIECE = re.compile(r"\w+|\s|[^\w\s]")
_MOST_PIECES = 4000
"""Words and signs of a text that are compared one by one; the rest of a longer one is one piece."""


def prove(
    pairs: Sequence[TrainingPair], tokenizer: Any, config: RunConfig, report: TokenReport, *, most: int = 8
) -> TokenProof:
    """Return the proof of up to ``most`` pairs, those first that the report says something of.

    Raises:
        ModelRefused: when the chat template cannot be used.
        BadInput: when the template refuses a pair's conversation; the pair is named.
    """
    named = [*report.rewritten_ids[:most], *report.respelled_ids[:2], *report.truncated_ids[:2]]
    by_id = {pair.pair_id: pair for pair in pairs}
    dropped = set(report.dropped_ids)
    others = [pair.pair_id for pair in pairs if pair.pair_id not in dropped]
    chosen = [pair_id for pair_id in dict.fromkeys([*named, *others]) if pair_id in by_id][:most]
    encoder = PairEncoder(tokenizer, config)
    taken = [by_id[pair_id] for pair_id in chosen]
    proofs = [_pair_proof(pair, rows, encoder) for pair, rows in zip(taken, encoder.encode(taken), strict=True)]
    left_out = left_out_words(report.left_out, report.template_says)
    return TokenProof(tuple(proofs), len(pairs), config.template_date, left_out)


def _pair_proof(pair: TrainingPair, rows: EncodedRows, encoder: PairEncoder) -> PairProof:
    texts = rows.texts
    sides = (
        ("chosen", rows.chosen, texts.chosen, pair.chosen),
        ("rejected", rows.rejected, texts.rejected, pair.rejected),
    )
    cut = [row.cut(encoder.limit) for row in (rows.chosen, rows.rejected)]
    parts = [*(message.content for message in pair.prompt.messages), pair.chosen, pair.rejected]
    said = {
        "rewritten": not texts.kept,
        "respelled": rows.respelled,
        "other_header": texts.other_header,
        "changed_prompt": not encoder.plain and not shows_whole(texts.prompt, rows.messages),
        "control_tokens": bool(control_tokens(encoder.tokenizer, parts)),
        "truncated": rows.shortened or cut[0] is not rows.chosen or cut[1] is not rows.rejected,
        "merged": rows.chosen.merged or rows.rejected.merged,
    }
    return PairProof(
        pair.pair_id,
        tuple(name for name, holds in said.items() if holds),
        tuple(_row_proof(*side, encoder) for side in sides),
    )


def _row_proof(side: str, row: Row, text: RowText, answer: str, encoder: PairEncoder) -> RowProof:
    cut = row.cut(encoder.limit)
    tokens = token_texts(encoder.tokenizer, text.text, cut)
    ids = row.ids[row.start : len(row.ids) - row.complete]
    scored = encoder.tokenizer.backend_tokenizer.decode(ids, skip_special_tokens=False)
    if not row.merged and scored.lstrip(" ") == text.scored.lstrip(" "):
        scored = text.scored  # a decoder may drop the blank that a text begins with
    equal = text.kept and answer.endswith(scored)
    return RowProof(side, tokens, cut.start, answer, scored, () if equal else differences(answer, scored))


def token_texts(tokenizer: Any, text: str, row: Row) -> tuple[str, ...]:
    """Return the text of each token of a row: together they are the row's text, to the last character.

    A token that holds only a part of a character has none of its own: the character stands at its first token.
    """
    offsets = encode_texts(tokenizer, [text])[0].offsets
    found, place = [], 0
    for index in range(len(row.ids)):
        if index >= len(offsets):  # the stop token that was added because the text has none
            found.append(tokenizer.convert_ids_to_tokens(row.ids[index]))
            continue
        end = max(place, offsets[index][1])
        found.append(text[place:end])
        place = end
    if row.eos_added and row.complete:
        found[-1] = tokenizer.convert_ids_to_tokens(row.ids[-1])
    return tuple(found)


def differences(answer: str, scored: str) -> tuple[tuple[Change, str], ...]:
    """Return how ``scored`` comes from ``answer``: parts that are the same, removed from the answer, or added.

    >>> differences("4 ", "4"), differences("4", "<a>4")
    ((('same', '4'), ('removed', ' ')), (('added', '<a>'), ('same', '4')))
    """
    before, after = _pieces(answer), _pieces(scored)
    found: list[tuple[Change, str]] = []
    for code in Indel.opcodes(before, after):
        old = "".join(before[code.src_start : code.src_end])
        new = "".join(after[code.dest_start : code.dest_end])
        if code.tag == "equal":
            found.append(("same", old))
            continue
        if old:
            found.append(("removed", old))
        if new:
            found.append(("added", new))
    return tuple(found)


def _pieces(text: str) -> list[str]:
    pieces = _PIECE.findall(text)
    rest = "".join(pieces[_MOST_PIECES:])
    return pieces[:_MOST_PIECES] + ([rest] if rest else [])
