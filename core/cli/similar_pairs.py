"""Prints the training pairs whose answers are the most alike to the model that a run would begin with."""

from __future__ import annotations

from core.cli.output import say, say_json, say_note, table
from core.domain.counting import counted, verb
from core.domain.number_text import format_value
from core.domain.pair_similarity import SimilarPairs

_SHOWN = 20


def show_similar(found: SimilarPairs, *, as_json: bool) -> None:
    """Print the ranking: all of it as JSON, else its head and how a pair is taken out."""
    if as_json:
        say_json(found.to_plain())
        return
    rows = [
        [pair.pair_id, format_value(pair.by_length), format_value(pair.ches), str(pair.tokens_chosen),
         str(pair.tokens_rejected)]
        for pair in found.pairs[:_SHOWN]
    ]  # fmt: skip
    say(table(rows, ("pair", "CHES by length", "CHES", "chosen tokens", "rejected tokens")))
    shown = f"{counted(len(rows), 'pair')} of {len(found.pairs):,}"
    say(f"{shown} {verb(len(rows), 'is', 'are')} shown, the most alike first.")
    if left := found.of - len(found.pairs):
        say_note(f"{counted(left, 'pair')} cannot be used by this run and {verb(left, 'is', 'are')} not ranked.")
    say_note(
        "Training on the first ones takes the most from their own chosen answers. Take pairs out by a changeset before "
        "the next freeze: changeset remove WS NAME --pair PAIR --reason WHY."
    )
