"""Writing imported pairs and their labels in batches.

Built for 100,000 rows: this module assigns the ids, so that each table gets one statement per batch. A batch
becomes durable as a whole. Pairs that the workspace holds already are found by content hash, so a batch that is
written again after a crash adds nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import func
from sqlmodel import Session, col, select

from core.domain.ids import canonical_json, new_uid, new_uids
from core.domain.names import cleaned_name
from core.domain.pair_tags import tags_of_text
from core.store import pair_tags, rubrics
from core.store.chain.known_rows import note_rows
from core.store.import_reviewers import ImportReviewers, judged_on
from core.store.import_rows import BatchResult, NewPair, NewRow, NewSource, Target
from core.store.import_tallies import BatchRange, counted_at_the_end
from core.store.plain import fetch, insert_row
from core.store.sqlite.bulk_insert import insert_many
from core.store.sqlite.write_context import WriteContext
from core.store.tables import ImportBatchRow, SourceRow

_PAIR = (
    "id", "sha256", "prompt_id", "a_sha256", "b_sha256", "a_text", "b_text", "a_generation", "b_generation",
)  # fmt: skip
_PRESENTATION = ("id", "uid", "pair_id", "reviewer_id", "left_is", "position")
_JUDGEMENT = ("id", "uid", "presentation_id", "pair_id", "reviewer_id", "verdict", "strength")
_UNSAID = {
    "revision": 0, "kind": "label", "op": "import", "confidence": None, "supersedes": None, "reason": "",
    "flags": "[]", "criteria": "{}", "rationale": "", "edit": None, "spans": "[]", "process": "{}",
}  # fmt: skip
"""Columns of a judgement that are alike in all labels of a file."""


def open_source(session: Session, new: NewSource, context: WriteContext) -> Target:
    """Return where the batches of a file go; the same file goes to the same source and reviewer as before."""
    found = session.exec(select(SourceRow).where(SourceRow.file_sha256 == new.file_sha256)).first()
    if found is not None and found.id is not None:
        return _target(found.id, found.name, found.voice or new.reviewer, new)
    name, number = cleaned_name(new.name, "source"), 1
    while session.exec(select(SourceRow.id).where(col(SourceRow.name) == name)).first() is not None:
        number += 1
        name = f"{cleaned_name(new.name, 'source')} ({number})"
    key = insert_row(
        session,
        SourceRow,
        uid=new_uid(),
        name=name,
        kind="file",
        licence=new.licence,
        consent=new.consent,
        file_name=new.file_name,
        file_sha256=new.file_sha256,
        format=new.format,
        voice=new.reviewer,
        created_ms=context.at_ms,
    )
    return _target(key, name, new.reviewer, new)


def _target(source_id: int, name: str, reviewer: str, new: NewSource) -> Target:
    return Target(source_id, name, reviewer, new.file_sha256, new.format, new.names_reviewers, new.repeats_labels)


def add_batch(session: Session, target: Target, rows: Sequence[NewRow], context: WriteContext) -> BatchResult:
    """Store the pairs and labels of some records; see :class:`BatchResult`."""
    result = BatchResult()
    ids = _ids_by_hash(session, "pair", (pair.sha256 for row in rows for pair in row.pairs))
    old = set(ids.values())
    fresh: list[tuple[int, NewPair]] = []
    brought: list[bool] = []  # row for row, whether it brought a new pair
    next_id = _next_id(session, "pair")
    for row in rows:
        new_here = 0
        for pair in row.pairs:
            if pair.sha256 not in ids:
                ids[pair.sha256] = next_id
                fresh.append((next_id, pair))
                next_id += 1
                new_here += 1
        brought.append(new_here > 0)
    result.pairs = len(fresh)
    labels = sum(len(pair.labels) for row in rows for pair in row.pairs)
    with counted_at_the_end(session, _new_ids(session, len(fresh), labels), target.source_id):
        _insert_pairs(session, target, fresh, context)
        noted, known = _insert_sources(session, target, rows, ids, old)
        if labels:
            _insert_labels(session, target, rows, ids, old, known, result, context)
    if any(pair.tags for row in rows for pair in row.pairs):
        tags = {ids[pair.sha256]: tags_of_text(pair.tags) for row in rows for pair in row.pairs if pair.tags}
        result.tagged = pair_tags.add(session, context, tags)
    for row, new in zip(rows, brought, strict=True):
        # A pair is noted with the first record of the file it stood in.
        repeated = not new and all(noted[ids[pair.sha256]] < row.line for pair in row.pairs)
        result.imported += row.records * new
        result.repeats += row.records * repeated
        result.duplicates += row.records * (not new and not repeated)
    return result


def _new_ids(session: Session, pairs: int, labels: int) -> BatchRange:
    """Return the ids that the new rows of a batch get; each new pair may bring a new prompt."""
    prompt, pair, judgement = (_next_id(session, table) for table in ("prompt", "pair", "judgement"))
    return BatchRange(prompt, prompt + pairs - 1, pair, pair + pairs - 1, judgement, judgement + labels - 1)


def add_batch_row(session: Session, target: Target, counts: dict[str, int], status: str, context: WriteContext) -> None:
    """Note one transaction of an import: what it held and up to where the file was read."""
    number = session.exec(
        select(func.max(ImportBatchRow.number)).where(ImportBatchRow.source_id == target.source_id)
    ).one()
    insert_row(
        session,
        ImportBatchRow,
        source_id=target.source_id,
        number=(number or 0) + 1,
        file_sha256=target.file_sha256,
        format=target.format,
        status=status,
        at_ms=context.at_ms,
        **counts,
    )


def _insert_pairs(session: Session, target: Target, fresh: list[tuple[int, NewPair]], context: WriteContext) -> None:
    prompts = _ids_by_hash(session, "prompt", (pair.prompt_sha256 for _, pair in fresh))
    next_id = _next_id(session, "prompt")
    prompt_rows, key_rows = [], []
    for _, pair in fresh:
        if pair.prompt_sha256 not in prompts:
            prompts[pair.prompt_sha256] = next_id
            prompt_rows.append((next_id, pair.prompt_sha256, pair.turns, pair.prompt_text, pair.prompt_body))
            key_rows.append((next_id, pair.prompt_same, pair.prompt_words))
            next_id += 1
    insert_many(session, "prompt(id, sha256, turns, text, body)", prompt_rows)
    insert_many(session, "prompt_key(prompt_id, same, words)", key_rows)
    pair_rows = [
        (
            key,
            pair.sha256,
            prompts[pair.prompt_sha256],
            pair.a_sha256,
            pair.b_sha256,
            pair.a_text,
            pair.b_text,
            pair.a_generation,
            pair.b_generation,
        )
        for key, pair in fresh
    ]
    _insert_sealed(session, "pair", _PAIR, pair_rows, {"source_id": target.source_id, "created_ms": context.at_ms})
    flags = [(key, pair.text_flags) for key, pair in fresh if pair.text_flags]
    insert_many(session, "pair_flag(pair_id, flags)", flags)


def _insert_sources(
    session: Session, target: Target, rows: Sequence[NewRow], ids: dict[str, int], old: set[int]
) -> tuple[dict[int, int], set[int]]:
    """Note that each pair was found in this source, once, with the first record it stood in.

    Returns:
        pair -> that record, and the pairs that were there before this file was read.
    """
    query = (
        "SELECT p.id, p.source_id, s.row FROM json_each(?) j CROSS JOIN pair p ON p.id=j.value"
        " LEFT JOIN pair_source s ON s.pair_id=p.id AND s.source_id=?"
    )
    found = fetch(session, query, (canonical_json(sorted(old)), target.source_id)) if old else []
    noted = {pair_id: row for pair_id, _, row in found if row is not None}
    known = {pair_id for pair_id, source_id, _ in found if source_id != target.source_id}
    links = []
    for row in rows:
        for pair in row.pairs:
            key = ids[pair.sha256]
            if key not in noted:
                noted[key] = row.line
                links.append((key, row.line))
            elif key in old and noted[key] == row.line:  # it was read from this very record by an earlier import
                known.add(key)
    insert_many(session, "pair_source(pair_id, row)", links, {"source_id": target.source_id})
    return noted, known


def _insert_labels(
    session: Session,
    target: Target,
    rows: Sequence[NewRow],
    ids: dict[str, int],
    old: set[int],
    known: set[int],
    result: BatchResult,
    context: WriteContext,
) -> None:
    """Store the labels as judgements of imported reviewers; one that its reviewer has given already adds nothing."""
    reviewers = ImportReviewers(session, target, context, judged_on(session, old))
    presented, judged = _next_id(session, "presentation"), _next_id(session, "judgement")
    uids = iter(new_uids(2 * sum(len(pair.labels) for row in rows for pair in row.pairs)))
    presentations, labels = [], []
    for row in rows:
        for pair in row.pairs:
            key = ids[pair.sha256]
            for label in pair.labels:
                reviewer_id, number = reviewers.admit(key, label)
                if reviewer_id is None:
                    result.known_labels += 1
                    continue
                result.second_labels += number > 1
                result.known_pair_labels += key in known
                presentations.append((presented, next(uids), key, reviewer_id, pair.left_is, row.line))
                labels.append((judged, next(uids), presented, key, reviewer_id, label.verdict, label.strength))
                presented, judged = presented + 1, judged + 1
    result.judgements = len(labels)
    result.reviewers = reviewers.used
    if labels:
        # The text is part of the stub's content hash: another one would give other hashes to the same data.
        purpose = f"Labels that came with the source {target.source_name}. Its own guideline is not known."
        version = rubrics.imported_version(session, target.reviewer, purpose, context).id
        _write_labels(session, version, presentations, labels, context)


def _write_labels(
    session: Session, version: int, presentations: list[Any], labels: list[Any], context: WriteContext
) -> None:
    same = {"rubric_version_id": version, "task": "imported", "mono_ms": context.mono_ms, "session": context.session}
    shown = {**same, "queue": "import", "shown_ms": context.at_ms}
    said = {**same, **_UNSAID, "at_ms": context.at_ms, "app_version": context.app_version}
    _insert_sealed(session, "presentation", _PRESENTATION, presentations, shown)
    _insert_sealed(session, "judgement", _JUDGEMENT, labels, said)


def _insert_sealed(
    session: Session, table: str, columns: Sequence[str], rows: Sequence[Any], same: Mapping[str, Any]
) -> None:
    """Insert rows that the hash chain covers."""
    insert_many(session, f"{table}({', '.join(columns)})", rows, same)
    note_rows(session, table, columns, rows, same)


def _ids_by_hash(session: Session, table: str, hashes: Iterable[str]) -> dict[str, int]:
    """Return sha256 -> id of those rows of ``pair`` or ``prompt`` that exist.

    CROSS JOIN makes SQLite join in the written order: one lookup per hash. Before its first ANALYZE it may
    otherwise scan the large table.
    """
    wanted = canonical_json(list(dict.fromkeys(hashes)))
    query = f"SELECT t.sha256, t.id FROM json_each(?) j CROSS JOIN {table} t ON t.sha256=j.value"
    return {row[0]: row[1] for row in fetch(session, query, (wanted,))}


def known_pairs(session: Session, hashes: Iterable[str]) -> set[str]:
    """Return those of some pair hashes that the workspace holds."""
    return set(_ids_by_hash(session, "pair", hashes))


def _next_id(session: Session, table: str) -> int:
    """Return the id after the highest ever given in an AUTOINCREMENT table; safe, as one thread alone writes."""
    found = fetch(session, "SELECT seq FROM sqlite_sequence WHERE name=?", (table,))
    return (found[0][0] if found else 0) + 1
