"""Which imports are not finished: a mark is made with an import's first batch and taken away with its last.

An import that is killed leaves its mark, its whole batches, and in each of them how many records it held. So it can go
on behind the last record stored, and the counts are those of an import that was never interrupted.
"""

from __future__ import annotations

import json
from typing import Any

from sqlmodel import Session, col, select

from core.domain.counting import counted
from core.domain.errors import NotFound
from core.domain.ids import canonical_json
from core.store import events
from core.store.import_rows import NewSource, Target, UnfinishedImport
from core.store.plain import fetch, insert_row
from core.store.sqlite.write_context import WriteContext
from core.store.tables import ImportBatchRow, SettingRow, SourceRow

_KEY = "import:"


def begin(session: Session, target: Target, path: str, choices: dict[str, Any]) -> None:
    """Mark that a file is being read into a source from its first record on."""
    number = fetch(session, "SELECT coalesce(max(number), 0) FROM import_batch WHERE source_id=?", (target.source_id,))[
        0
    ][0]
    value = canonical_json({"path": path, "choices": choices, "first": number + 1})
    row = session.get(SettingRow, _key(target.source_id)) or SettingRow(key=_key(target.source_id), value=value)
    row.value = value
    session.add(row)


def end(session: Session, source_id: int) -> None:
    """Take the mark away: the file was read to its end, or its source is given up."""
    row = session.get(SettingRow, _key(source_id))
    if row is not None:
        session.delete(row)


def unfinished(session: Session) -> list[UnfinishedImport]:
    """Return the imports that did not reach the end of their file, oldest source first."""
    marks = {int(row.key.removeprefix(_KEY)): json.loads(row.value) for row in _marks(session)}
    last = "SELECT source_id, status FROM import_batch b WHERE number=(SELECT max(number) FROM import_batch c"
    states = dict(fetch(session, f"{last} WHERE c.source_id=b.source_id)"))
    keys = sorted(marks.keys() | {key for key, status in states.items() if status == "running"})
    return [_one(session, key, marks.get(key), states.get(key, "running")) for key in keys]


def one(session: Session, source_id: int) -> UnfinishedImport:
    """Return the unfinished import of a source.

    Raises:
        NotFound: when its import is finished, or there is no such source.
    """
    for found in unfinished(session):
        if found.source_id == source_id:
            return found
    raise NotFound(f"Source {source_id} has no import to go on with.", "`sources` lists them.")


def target_of(session: Session, source_id: int, new: NewSource) -> Target:
    """Return where the further batches of an unfinished import go."""
    row = session.get(SourceRow, source_id)
    assert row is not None
    reviewer = row.voice or new.reviewer
    return Target(source_id, row.name, reviewer, new.file_sha256, new.format, new.names_reviewers, new.repeats_labels)


def give_up(session: Session, source_id: int, context: WriteContext) -> str:
    """Give a source up: its import ends here and its consent is withdrawn. Return its name.

    Pairs and judgements are never deleted; without consent they enter no dataset version.

    Raises:
        NotFound: when there is no such source.
    """
    row = session.get(SourceRow, source_id)
    if row is None:
        raise NotFound(f"There is no source {source_id}.", "`sources` lists them.")
    end(session, source_id)
    number = fetch(session, "SELECT max(number) FROM import_batch WHERE source_id=?", (source_id,))[0][0]
    if number is not None:
        insert_row(
            session,
            ImportBatchRow,
            source_id=source_id,
            number=number + 1,
            file_sha256=row.file_sha256,
            format=row.format,
            status="cancelled",
            at_ms=context.at_ms,
        )
    row.consent = "withdrawn"
    session.add(row)
    session.flush()
    summary = f"Gave up {row.name}: consent withdrawn, {counted(row.pairs, 'pair')} left out of dataset versions"
    events.log(session, context, "source.consent", summary, subject="source", subject_id=source_id)
    return row.name


def shared_pairs(session: Session, source_id: int) -> int:
    """Return how many pairs of a source also came from another one."""
    query = """SELECT count(DISTINCT s.pair_id) FROM pair_source s
        JOIN pair_source o ON o.pair_id=s.pair_id AND o.source_id<>s.source_id WHERE s.source_id=?"""
    return int(fetch(session, query, (source_id,))[0][0])


def _key(source_id: int) -> str:
    return f"{_KEY}{source_id}"


def _marks(session: Session) -> list[SettingRow]:
    return list(session.exec(select(SettingRow).where(col(SettingRow.key).like(f"{_KEY}%"))))


def _one(session: Session, source_id: int, mark: dict[str, Any] | None, status: str) -> UnfinishedImport:
    row = session.get(SourceRow, source_id)
    assert row is not None
    first = mark["first"] if mark else 1
    sums = fetch(
        session,
        "SELECT coalesce(sum(rows),0), coalesce(sum(imported),0), coalesce(sum(duplicates),0),"
        " coalesce(sum(rejected),0), coalesce(sum(judgements),0) FROM import_batch WHERE source_id=? AND number>=?",
        (source_id, first),
    )[0]
    return UnfinishedImport(
        source_id,
        row.name,
        row.file_name,
        row.file_sha256 or "",
        *map(int, sums),
        path=mark["path"] if mark else "",
        choices=mark["choices"] if mark else {},
        marked=mark is not None,
        state="stopped" if status == "cancelled" else "interrupted",
    )
