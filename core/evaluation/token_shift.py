"""Answers to one prompt token by token under a policy and its reference: log-probs, ranks, entropies, likeliest tokens.

All is exact and teacher-forced: each place is looked at behind the tokens that the answer has there.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch
from torch import Tensor

from core.domain.prompt_inspection import InspectedToken, LikelyToken
from core.evaluation.sequence_kl import answer_hidden
from core.evaluation.token_kl import DEFAULT_TILE, Logits, distribution_kl, heads_of, row_entropy
from core.generation.lm import PolicyAndReference

_UNKNOWN = "\ufffd"


@torch.no_grad()
def token_shifts(
    pair: PolicyAndReference, prompt: Sequence[int], answer: Sequence[int], likely: int, *, tile: int = DEFAULT_TILE
) -> list[InspectedToken]:
    """Return each token of an answer as policy and reference see it.

    Args:
        pair: policy and reference, with the tokenizer that makes texts of tokens.
        prompt: token ids, at least one.
        answer: token ids, the stop token included.
        likely: how many of the likeliest tokens of each model are named.
        tile: places whose logits exist at once.
    """
    if not answer:
        return []
    heads, hidden = heads_of(pair), []
    for reads_policy in (True, False):
        with nullcontext(pair.model) if reads_policy else pair.reference() as model:
            hidden.append(answer_hidden(model, [(prompt, answer)]))
    texts, name = token_texts(pair.tokenizer, answer), _TokenNames(pair.tokenizer)
    found: list[InspectedToken] = []
    for start in range(0, len(answer), tile):
        rows = slice(start, start + tile)
        places = _Places.of(hidden, heads, rows, torch.tensor(answer[rows], device=hidden[0].device))
        found += places.tokens(texts[rows], likely, name)
    return found


@dataclass(frozen=True, slots=True)
class _Places:
    """Log-probs of the whole vocabulary at some places of an answer, (places, vocabulary), and the tokens there."""

    policy: Tensor
    reference: Tensor
    targets: Tensor

    @classmethod
    def of(cls, hidden: Sequence[Tensor], heads: tuple[Logits, Logits], rows: slice, targets: Tensor) -> _Places:
        policy, reference = (_log_probs(head(states[rows])) for head, states in zip(heads, hidden, strict=True))
        return cls(policy, reference, targets)

    def tokens(self, texts: Sequence[str], likely: int, name: _TokenNames) -> Iterator[InspectedToken]:
        at = self.targets[:, None]
        both = (self.policy, self.reference)
        own = [log_p.gather(1, at) for log_p in both]
        ranks = [((log_p > mine).sum(dim=-1) + 1).tolist() for log_p, mine in zip(both, own, strict=True)]
        entropies = [row_entropy(log_p).tolist() for log_p in both]
        values = [mine.squeeze(1).tolist() for mine in own]
        kl = distribution_kl(self.policy, self.reference).tolist()
        for i, text in enumerate(texts):
            yield InspectedToken(
                text, values[0][i], values[1][i], ranks[0][i], ranks[1][i], entropies[0][i], entropies[1][i], kl[i],
                self._likely(i, likely, name),
            )  # fmt: skip

    def _likely(self, place: int, most: int, name: _TokenNames) -> tuple[LikelyToken, ...]:
        rows = self.policy[place], self.reference[place]
        ids = sorted({int(id_) for row in rows for id_ in row.topk(min(most, row.numel())).indices})
        named = [LikelyToken(name.of(id_), float(rows[0][id_]), float(rows[1][id_])) for id_ in ids]
        return tuple(sorted(named, key=lambda one: -max(one.policy, one.reference)))


class _TokenNames:
    """The text of a single token, its leading blank kept, as it would stand behind another token."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._before = tokenizer.backend_tokenizer.encode("a", add_special_tokens=False).ids
        self.of = cache(self._of)

    def _of(self, id_: int) -> str:
        backend = self._tokenizer.backend_tokenizer
        before = backend.decode(self._before, skip_special_tokens=False)
        text = backend.decode([*self._before, id_], skip_special_tokens=False)[len(before) :]
        if text and _UNKNOWN not in text:
            return text
        return str(self._tokenizer.convert_ids_to_tokens(id_) or id_)  # a part of a character has only a name


def token_texts(tokenizer: Any, ids: Sequence[int]) -> list[str]:
    """Return what each token adds to the text of ``ids``: together they are that text.

    A token that holds only a part of a character adds nothing; the character stands at the last token of it.
    """
    backend, found, shown = tokenizer.backend_tokenizer, [], ""
    for end in range(1, len(ids) + 1):
        text = backend.decode(list(ids[:end]), skip_special_tokens=False)
        whole = text if end == len(ids) else text.rstrip(_UNKNOWN)
        found.append(whole[len(shown) :])
        shown = max(shown, whole, key=len)
    return found


def _log_probs(logits: Tensor) -> Tensor:
    return torch.log_softmax(logits if logits.dtype == torch.float64 else logits.float(), dim=-1).cpu()
