"""Sources and reviewers behind a dataset version, for its card."""

from __future__ import annotations

from sqlmodel import Session

from core.domain.consent import Consent
from core.store import consents, licences
from core.store.plain import fetch


def sources_of(session: Session, dataset_id: int) -> list[tuple[str, str, str, int]]:
    """Return (name, licence, consent, items) of every source in which an item was found, by name."""
    sql = """SELECT o.name, o.licence, o.consent, count(*) FROM dataset_item i
        JOIN pair_source l ON l.pair_id=i.pair_id JOIN source o ON o.id=l.source_id
        WHERE i.dataset_id=? GROUP BY o.id ORDER BY o.name"""
    return [tuple(row) for row in fetch(session, sql, (dataset_id,))]


def reviewers_of(session: Session, dataset_id: int, now_ms: int) -> list[tuple[str, str, str, str, str, int]]:
    """Return (pseudonym, kind, licence, consent, rubric version, judgements) of everyone behind the items.

    Licence and consent are those that are stated now; ``now_ms`` decides whether a consent has ended.
    """
    sql = """SELECT w.id, w.name, w.kind, r.name || ' ' || v.number, count(*) FROM dataset_item_judgement d
        JOIN judgement j ON j.id=d.judgement_id JOIN reviewer w ON w.id=j.reviewer_id
        JOIN rubric_version v ON v.id=j.rubric_version_id JOIN rubric r ON r.id=v.rubric_id
        WHERE d.dataset_id=? GROUP BY w.id, v.id ORDER BY w.kind, w.name, v.id"""
    under, agreed = licences.of_reviewers(session), consents.newest(session, "reviewer")
    return [
        (name, kind, under.get(key, ""), agreed.get(key, Consent()).effective(now_ms), version, judgements)
        for key, name, kind, version, judgements in fetch(session, sql, (dataset_id,))
    ]
