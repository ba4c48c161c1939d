"""Keys of prompts and flags of pairs, derived from the texts and kept beside them."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator

from core.domain.text_flags import text_flags
from core.domain.text_form import prompt_keys

_PAIRS = "SELECT p.id, q.text, q.body, p.a_text, p.b_text FROM pair p JOIN prompt q ON q.id=p.prompt_id"


def note_all(connection: sqlite3.Connection) -> None:
    """Fill the empty tables from every stored text, once, when a workspace of an older version is opened."""
    connection.executemany("INSERT INTO prompt_key(prompt_id, same, words) VALUES(?,?,?)", _prompt_rows(connection))
    connection.executemany("INSERT INTO pair_flag(pair_id, flags) VALUES(?,?)", _pair_rows(connection))


def problems(connection: sqlite3.Connection) -> Iterator[str]:
    """Derive keys and flags anew and say which stored ones differ."""
    keys = {row[0]: row[1:] for row in connection.execute("SELECT prompt_id, same, words FROM prompt_key")}
    for prompt_id, same, words in _prompt_rows(connection):
        if keys.pop(prompt_id, None) != (same, words):
            yield f"The keys of prompt {prompt_id} are missing or wrong."
    flags = dict(connection.execute("SELECT pair_id, flags FROM pair_flag"))
    for pair_id, number in _pair_rows(connection):
        if flags.pop(pair_id, None) != number:
            yield f"The text flags of pair {pair_id} are missing or wrong."
    yield from (f"Prompt {key} has keys and does not exist." for key in keys)
    yield from (f"Pair {key} has text flags that its texts do not give." for key in flags)


def _prompt_rows(connection: sqlite3.Connection) -> Iterator[tuple[int, int, int]]:
    for key, body in connection.execute("SELECT id, body FROM prompt"):
        found = prompt_keys(json.loads(body))
        yield key, found.same, found.words


def _pair_rows(connection: sqlite3.Connection) -> Iterator[tuple[int, int]]:
    for key, text, body, a, b in connection.execute(_PAIRS):
        turns = json.loads(body) or [{"content": ""}]
        if flags := text_flags(text, turns[-1]["content"], a, b):
            yield key, flags
