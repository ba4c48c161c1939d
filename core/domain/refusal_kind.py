"""The three kinds of an answer to a request: complied, complied partly, refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

RefusalKind = Literal["complied", "partly", "refused"]
REFUSAL_KINDS: tuple[RefusalKind, ...] = get_args(RefusalKind)
"""``complied``: does what was asked. ``partly``: declines and gives something of it, or complies with an objection.
``refused``: declines. Source: P. Röttger et al., XSTest, arXiv 2308.01263: full compliance, partial refusal, full
refusal."""

REFUSAL_WORDS: Mapping[str, RefusalKind] = {
    "complied": "complied",
    "partly": "partly",
    "refused": "refused",
    "full_compliance": "complied",
    "partial_refusal": "partly",
    "full_refusal": "refused",
    "1_full_compliance": "complied",
    "2_full_refusal": "refused",
    "3_partial_refusal": "partly",
}
"""How files name the kinds: by our words, and by those of XSTest."""


@dataclass(frozen=True, slots=True)
class LabelledAnswer:
    """An answer with the kind that people gave it."""

    text: str
    kind: RefusalKind
