"""Drafts of judgements, and bookmarks: the only rows of labelling that may change."""

from __future__ import annotations

from collections.abc import Sequence

from sqlmodel import Session, col, delete, select

from core.store.judgements import Presentation
from core.store.plain import fetch, insert_row
from core.store.tables import BookmarkRow, JudgementDraftRow, PresentationRow


def save(session: Session, presentation_id: int, body: str, at_ms: int) -> None:
    """Keep ``body`` as the draft of a presentation, replacing the one before."""
    remove(session, presentation_id)
    insert_row(session, JudgementDraftRow, presentation_id=presentation_id, body=body, at_ms=at_ms)


def load_many(session: Session, presentation_uids: Sequence[str]) -> dict[str, str]:
    """Return presentation uid -> draft as JSON text, for those that have one."""
    query = (
        select(PresentationRow.uid, JudgementDraftRow.body)
        .join(JudgementDraftRow, col(JudgementDraftRow.presentation_id) == col(PresentationRow.id))
        .where(col(PresentationRow.uid).in_(presentation_uids))
    )
    return dict(session.exec(query).all())


def remove(session: Session, presentation_id: int) -> None:
    """Drop the draft of a presentation, if there is one."""
    where = col(JudgementDraftRow.presentation_id) == presentation_id
    session.connection().execute(delete(JudgementDraftRow).where(where))


def behind(session: Session, presentation: Presentation) -> tuple[str, ...]:
    """Return uid and hashes of reviewer, pair and rubric version of a presentation; empty where one is missing."""
    sql = """SELECT w.uid, p.sha256, coalesce(v.sha256,'') FROM reviewer w, pair p, rubric_version v
        WHERE w.id=? AND p.id=? AND v.id=?"""
    ids = (presentation.reviewer_id, presentation.pair_id, presentation.rubric_version_id)
    found = fetch(session, sql, ids)
    return tuple(found[0]) if found else ()


def bookmark(session: Session, reviewer_id: int, pair_id: int, on: bool, note: str, at_ms: int) -> None:
    """Set or take away a reviewer's bookmark on a pair."""
    same = (col(BookmarkRow.reviewer_id) == reviewer_id, col(BookmarkRow.pair_id) == pair_id)
    session.connection().execute(delete(BookmarkRow).where(*same))
    if on:
        insert_row(session, BookmarkRow, reviewer_id=reviewer_id, pair_id=pair_id, note=note, at_ms=at_ms)
