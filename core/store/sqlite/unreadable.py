"""Finds the rows whose stored text cannot be read any more, after something stumbled over one of them."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from core.domain.errors import WorkspaceDamaged

_JSON = {("prompt", "body"), ("rubric_version", "body"), ("dataset", "policy"), ("dataset", "counts"),
    ("dataset_left_out", "pair_ids"), ("judgement", "flags"), ("judgement", "criteria"), ("judgement", "spans"),
    ("judgement", "process"), ("judgement_draft", "body"), ("event_log", "detail"), ("run", "tags"), ("model", "info"),
    ("setting", "value"), ("suite", "counts"), ("suite", "detail"), ("suite_item", "body"),
    ("feedback_event", "body"), ("feedback_step", "target"),
    ("threshold", "body"), ("failure_step", "target"), ("audit_draw", "body"),
    ("vote_round", "detail"), ("vote_item", "detail"), ("batch", "policy"), ("batch", "detail"),
    ("adjudication", "inputs"), ("bundle", "detail"), ("bundle_merge", "counts"), ("bundle_merge", "body")}  # fmt: skip
"""Columns that hold JSON."""


class UnreadableText(WorkspaceDamaged):
    """A stored text is no UTF-8 or no JSON any more; which row it is must still be found."""


def unreadable_rows(connection: sqlite3.Connection, limit: int = 20) -> list[str]:
    """Return a sentence for each row with a text that cannot be read, at most ``limit``; reads every text once."""
    usual = connection.text_factory
    connection.text_factory = bytes
    try:
        found = _rows(connection)
        return [sentence for _, sentence in zip(range(limit), found, strict=False)]
    finally:
        connection.text_factory = usual


def _rows(connection: sqlite3.Connection) -> Iterator[str]:
    tables = [name.decode() for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type='table'")]
    for table in tables:
        if table.startswith("sqlite_") or not table.isidentifier():
            continue
        about = connection.execute(f"PRAGMA table_info({table})").fetchall()
        texts = [column[1].decode() for column in about if column[2] == b"TEXT"]
        keys = [column[1].decode() for column in about if column[5]] or ["rowid"]
        if texts:
            yield from _of_table(connection, table, keys, texts)


def _of_table(connection: sqlite3.Connection, table: str, keys: list[str], texts: list[str]) -> Iterator[str]:
    for row in connection.execute(f"SELECT {','.join([*keys, *texts])} FROM {table}"):
        for column, value in zip(texts, row[len(keys) :], strict=True):
            if isinstance(value, bytes) and (problem := _problem(connection, table, column, value)):
                key = ", ".join(map(_shown, row[: len(keys)]))
                yield f"The {column} of {table.replace('_', ' ')} {key} cannot be read: it is no {problem} any more."


def _shown(key: object) -> str:
    return key.decode("utf-8", "replace") if isinstance(key, bytes) else str(key)


def _problem(connection: sqlite3.Connection, table: str, column: str, value: bytes) -> str:
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        return "UTF-8 text"
    if (table, column) not in _JSON or not text:
        return ""
    try:
        (valid,) = connection.execute("SELECT json_valid(?)", (text,)).fetchone()
    except sqlite3.Error:
        return ""
    return "" if valid else "JSON"
