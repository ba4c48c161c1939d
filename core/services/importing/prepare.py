"""Prepare a parsed pair for the store: canonical order, hashes, text flags, canonical sides of the labels."""

from __future__ import annotations

from json.encoder import encode_basestring

from core.domain.conversation import Prompt
from core.domain.ids import canonical_json, sha256_text
from core.domain.judgement import from_screen
from core.domain.pair import Response
from core.domain.pair_tags import SEPARATOR
from core.domain.text_flags import text_flags
from core.domain.text_form import prompt_keys
from core.services.importing.limits import RowRejected
from core.services.importing.rows import ParsedPair
from core.store.import_rows import NewLabel, NewPair


def prepare(parsed: ParsedPair) -> NewPair:
    """Return the storable pair.

    Raises:
        RowRejected: when both responses are the same text.
    """
    first, second = parsed.first.text, parsed.second.text
    if first == second:
        raise RowRejected("both answers are the same text; there is nothing to prefer")
    # The hashes equal those of core.domain.pair, as a test checks; encoding each text once makes them a third faster.
    first_sha, second_sha = sha256_text(first), sha256_text(second)
    if first_sha < second_sha:
        left_is, a, b, a_text, b_text = "A", parsed.first, parsed.second, first, second
        a_sha, b_sha = first_sha, second_sha
    else:
        left_is, a, b, a_text, b_text = "B", parsed.second, parsed.first, second, first
        a_sha, b_sha = second_sha, first_sha
    plain = parsed.prompt.to_plain()
    body = _body(parsed.prompt)
    question = plain[-1]["content"]
    text = question if len(plain) == 1 else "\n\n".join(turn["content"] for turn in plain)
    keys = prompt_keys(plain)
    labels = [
        NewLabel._make(
            (
                label.reviewer,
                label.verdict.value,
                None if label.strength is None else from_screen(label.strength, left_is),
            )
        )
        for label in parsed.labels
    ]
    return NewPair._make(  # in the order of the fields: names would cost as much as a hash
        (
            sha256_text(f'{{"a":{_json(a_text)},"b":{_json(b_text)},"prompt":{body}}}'),
            sha256_text(body),
            len(plain),
            text,
            body,
            a_sha,
            b_sha,
            a_text,
            b_text,
            _generation(a) if a.generation is not None else "",
            _generation(b) if b.generation is not None else "",
            left_is,
            tuple(labels),
            text_flags(text, question, a_text, b_text),
            keys.same,
            keys.words,
            SEPARATOR.join(parsed.tags),
        )
    )


def _json(text: str) -> str:
    """Return the JSON form of a text; most of the long ones need no mark before any character but line ends."""
    if text.isascii() and '"' not in text and "\\" not in text:
        line = text.replace("\n", "\\n")
        if line.isprintable():
            return f'"{line}"'
    return encode_basestring(text)


def _body(prompt: Prompt) -> str:
    """Return the canonical JSON of a prompt; a tenth of the time of the general encoder, and a test compares both."""
    turns = [f'{{"content":{_json(turn.content)},"role":"{turn.role}"}}' for turn in prompt.messages]
    return f"[{','.join(turns)}]"


def _generation(response: Response) -> str:
    plain = response.generation.to_plain() if response.generation is not None else {}
    try:
        text = canonical_json(plain) if plain else ""
        text.encode("utf-8")
    except (ValueError, TypeError):
        raise RowRejected("what the file says of an answer's model holds a value that cannot be kept") from None
    return text
