"""One training pair as token ids and response masks, the input of forward passes and of the reference cache."""

from __future__ import annotations

from dataclasses import dataclass

from core.domain.ids import sha256_json


@dataclass(frozen=True, slots=True)
class EncodedPair:
    """Token ids of one pair: a prefix common to both rows, then each row's own tokens.

    ``chosen_mask`` and ``rejected_mask`` run along ``chosen_ids`` and ``rejected_ids``: 1 where a token
    belongs to the response (EOS included), 0 where it is a prompt token after the common prefix. ``rewritten``: the
    chat template changed an answer, so that the scored text is another.
    """

    pair_id: str
    prompt_ids: tuple[int, ...]
    chosen_ids: tuple[int, ...]
    rejected_ids: tuple[int, ...]
    chosen_mask: tuple[int, ...]
    rejected_mask: tuple[int, ...]
    truncated: bool = False
    merged_boundary: bool = False
    weight: float = 1.0
    target: float = 1.0
    is_tie: bool = False
    rewritten: bool = False

    @property
    def content_key(self) -> str:
        """Hash of everything that a forward pass reads; the reference cache is keyed by it."""
        return sha256_json([self.prompt_ids, self.chosen_ids, self.rejected_ids, self.chosen_mask, self.rejected_mask])

    @property
    def length(self) -> int:
        """Tokens of the prefix-shared row."""
        return len(self.prompt_ids) + len(self.chosen_ids) + len(self.rejected_ids)

    @property
    def longer_row(self) -> int:
        """Tokens of the longer of the two rows that the pair stands for."""
        return len(self.prompt_ids) + max(len(self.chosen_ids), len(self.rejected_ids))

    def response_tokens(self) -> tuple[int, int]:
        """Number of response tokens of chosen and rejected."""
        return sum(self.chosen_mask), sum(self.rejected_mask)
