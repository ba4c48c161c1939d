"""Neutral texts as rows that an arm reads: each token is predicted from those before it, and nothing is answered."""

from __future__ import annotations

from collections.abc import Sequence

from core.domain.suite import SuiteItem
from core.training.text.encoded_pair import EncodedPair
from core.training.text.tokenise import PairEncoder


def encode_neutral(plain: PairEncoder, items: Sequence[SuiteItem], room: int) -> tuple[list[EncodedPair], list[str]]:
    """Return the neutral texts as pairs whose chosen side is the text and whose rejected side is empty.

    No chat template stands around a text. Its first token (the BOS, where the tokenizer puts one) is only read. The ids
    of texts of fewer than two tokens come second.

    Args:
        plain: encodes plain text, with the BOS where the tokenizer puts one.
        items: of a suite; others than neutral texts are passed over.
        room: most tokens of a row; what a text has beyond is not read.
    """
    rows, left_out = [], []
    for item in items:
        if item.expected != "neutral":
            continue
        ids = tuple(plain.prompt_ids(item.prompt))
        if len(ids) < 2:
            left_out.append(item.id)
            continue
        text = ids[1:room]
        rows.append(EncodedPair(item.id, ids[:1], text, (), (1,) * len(text), (), truncated=len(ids) > room))
    return sorted(rows, key=lambda row: (row.longer_row, row.pair_id)), left_out
