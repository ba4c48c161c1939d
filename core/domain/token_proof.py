"""The proof of what is trained: some pairs as tokens, with what is scored, beside the answers they came from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

Change = Literal["same", "removed", "added"]
NOTES: dict[str, str] = {
    "rewritten": "the chat template changes an answer",
    "respelled": "the tokenizer stands for another text than the answer",
    "other_header": "the responses start behind another header than generation",
    "changed_prompt": "the template does not show every turn of the prompt whole",
    "control_tokens": "a text holds control tokens",
    "truncated": "cut to the limit",
    "merged": "a token spans the end of the prompt and the start of the response",
}
"""What is said of a pair, by a machine name."""


@dataclass(frozen=True, slots=True)
class RowProof:
    """One row of a pair.

    Attributes:
        side: "chosen" or "rejected".
        tokens: the text of each token, the stop token included. scored_from: index of the first that is scored.
        answer: as it stands in the data.
        scored: what the scored tokens decode to, without the stop token.
        differences: how the scored text comes from the answer; empty where they are equal. A part of the answer that
            stands in the prompt, such as its opening tag, is no difference.
    """

    side: str
    tokens: tuple[str, ...]
    scored_from: int
    answer: str
    scored: str
    differences: tuple[tuple[Change, str], ...] = ()


@dataclass(frozen=True, slots=True)
class PairProof:
    """A pair with what is said of it, by the names in ``NOTES``, and its two rows."""

    pair_id: str
    notes: tuple[str, ...]
    rows: tuple[RowProof, ...]


@dataclass(frozen=True, slots=True)
class TokenProof:
    """Some pairs of a run, those that something is said of first.

    Attributes:
        pairs: at most as many as were asked for. of: how many pairs the run has.
        date: the day that the template writes, "" when it writes none.
        left_out: the pairs that a run would leave out, in words; "" where there are none.
    """

    pairs: tuple[PairProof, ...] = ()
    of: int = 0
    date: str = ""
    left_out: str = ""

    def to_plain(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)

    @classmethod
    def from_plain(cls, row: Mapping[str, Any]) -> TokenProof:
        """Return the proof written by :meth:`to_plain`."""
        return cls(tuple(_pair(pair) for pair in row["pairs"]), row["of"], row["date"], row.get("left_out", ""))


def _pair(row: Mapping[str, Any]) -> PairProof:
    return PairProof(row["pair_id"], tuple(row["notes"]), tuple(_row(one) for one in row["rows"]))


def _row(row: Mapping[str, Any]) -> RowProof:
    differences = tuple((change, text) for change, text in row["differences"])
    return RowProof(row["side"], tuple(row["tokens"]), row["scored_from"], row["answer"], row["scored"], differences)
