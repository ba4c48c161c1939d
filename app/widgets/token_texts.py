"""Tokens under policy and reference as words, sentences and rows of a table."""

from __future__ import annotations

from app.widgets.hidden_chars import find_hidden
from app.widgets.labels import short
from app.widgets.plots.chart_card import TableRow
from core.domain.number_text import format_value, signed
from core.domain.prompt_inspection import InspectedToken

LIKELY_HEADS = ("log π, nats", "log ref", "π − ref", "Likeliest here")
_SIGNS = {" ": "·", "\n": "⏎", "\t": "⇥", "\r": "␍"}
_MOST = 24
"""Letters of a token that are written; a longer one is cut."""


def token_words(text: str) -> str:
    """Return a token as it is written on the screen: blanks and what is invisible get a sign.

    >>> token_words(" the"), token_words("\\n"), token_words("")
    ('·the', '⏎', '∅')
    """
    shown = list(text)
    for hidden in reversed(find_hidden(text)):
        shown[hidden.start : hidden.end] = f"[{hidden.label}]"
    return short("".join(_SIGNS.get(sign, sign) for sign in shown), _MOST) or "∅"


def token_sentence(place: int, token: InspectedToken) -> str:
    """Return one token with both log-probs, ranks and the KL at its place, as a sentence."""
    return (
        f"Token {place + 1} {token_words(token.text)}: log π {format_value(token.policy, 3)} (rank "
        f"{token.policy_rank:,}), log ref {format_value(token.reference, 3)} (rank {token.reference_rank:,}), π − ref "
        f"{signed(token.displacement, 3)} nats; KL {format_value(token.kl, 3)} nats"
    )


def likely_rows(token: InspectedToken) -> list[TableRow]:
    """Return the likeliest tokens of both models at one place, with what training moved."""
    return [
        TableRow(
            (
                format_value(one.policy, 3), format_value(one.reference, 3), signed(one.policy - one.reference, 3),
                token_words(one.text),
            )
        )
        for one in token.likely
    ]  # fmt: skip
