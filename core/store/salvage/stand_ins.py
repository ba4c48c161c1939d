"""Rows that stand in for lost ones, so that nothing which refers to them is lost with them."""

from __future__ import annotations

from core.domain.ids import canonical_json, new_uid
from core.domain.rubric import Criterion, RubricBody
from core.store.salvage.reader import Row

_LOST_BODY = RubricBody(
    purpose="This version could not be read from the damaged file.",
    criteria=(Criterion("overall", "Overall", "Which response is better?"),),
)


def reviewer(number: int) -> Row:
    """Return a person without a known name."""
    return {"id": number, "uid": new_uid(), "name": f"Lost reviewer {number}", "kind": "human", "created_ms": 0}


def source(number: int) -> Row:
    """Return a source of which nothing is known, consent included."""
    name = f"Lost source {number}"
    return {"id": number, "uid": new_uid(), "name": name, "kind": "file", "consent": "unknown", "created_ms": 0}


def rubric(number: int) -> Row:
    """Return a rubric without a known name."""
    return {"id": number, "uid": new_uid(), "name": f"Lost rubric {number}", "kind": "authored", "created_ms": 0}


def rubric_of(version: int) -> int:
    """Return the number of the rubric that a stand-in for a rubric version belongs to."""
    return 1_000_000 + version


def rubric_version(number: int) -> Row:
    """Return a draft with what publishes it under ``publish``, of :func:`rubric_of` its number."""
    body = _LOST_BODY
    return {
        "id": number, "uid": new_uid(), "rubric_id": rubric_of(number), "number": "1.0.0", "major": 1,
        "state": "draft", "level": "major", "body": canonical_json(body.to_plain()), "created_ms": 0,
        "publish": {"sha256": body.sha256, "published_ms": 0},
    }  # fmt: skip
