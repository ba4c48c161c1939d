"""From a parsed pair to what the store writes: canonical order, hashes, canonical sides of the labels."""

from __future__ import annotations

from core.domain.ids import canonical_json, sha256_text
from core.domain.judgement import from_screen
from core.domain.pair import Response, make_pair
from core.services.importing.limits import RowRejected
from core.services.importing.rows import ParsedPair
from core.store.imports import NewLabel, NewPair


def prepare(parsed: ParsedPair) -> NewPair:
    """Return the storable pair.

    Raises:
        RowRejected: when both responses are the same text.
    """
    if parsed.first.text == parsed.second.text:
        raise RowRejected("both answers are the same text; there is nothing to prefer")
    pair, first_is_a = make_pair(parsed.prompt, parsed.first, parsed.second)
    left_is = "A" if first_is_a else "B"
    body = canonical_json(pair.prompt.to_plain())
    labels = tuple(
        NewLabel(
            label.annotator,
            label.verdict.value,
            None if label.strength is None else from_screen(label.strength, left_is),
        )
        for label in parsed.labels
    )
    return NewPair(
        sha256=pair.sha256,
        prompt_sha256=sha256_text(body),
        turns=len(pair.prompt.messages),
        prompt_text="\n\n".join(message.content for message in pair.prompt.messages),
        prompt_body=body,
        a_sha256=pair.a.sha256,
        b_sha256=pair.b.sha256,
        a_text=pair.a.text,
        b_text=pair.b.text,
        a_generation=_generation(pair.a),
        b_generation=_generation(pair.b),
        left_is=left_is,
        labels=labels,
    )


def _generation(response: Response) -> str:
    plain = response.generation.to_plain() if response.generation is not None else {}
    return canonical_json(plain) if plain else ""
