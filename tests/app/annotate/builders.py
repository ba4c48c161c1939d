"""Presentations, rubric versions and queues for tests that need no workspace."""

from __future__ import annotations

from dataclasses import replace

from core.domain.conversation import Message, Prompt
from core.domain.judgement import Task
from core.domain.rubric import ChangeLevel, Criterion, RubricBody, RubricState, RubricVersion
from core.services.annotation.views import PresentationView, QueueInfo, QueueSettings


def presentation(pair_id: int, **changes) -> PresentationView:
    """Return a presentation of a pair."""
    made = PresentationView(
        presentation_uid=f"p{pair_id}",
        pair_id=pair_id,
        prompt=Prompt((Message("user", "Why?"),)),
        left=f"left {pair_id}",
        right=f"right {pair_id}",
        left_is="A",
        position=pair_id,
        total=9,
        task=Task.LABEL,
        rubric_version_id=1,
    )
    return replace(made, **changes)


def rubric(version_id: int, *criterion_ids: str, scale: int = 7) -> RubricVersion:
    """Return a published version with these criteria."""
    criteria = tuple(Criterion(key, key.title(), f"Which is better on {key}?") for key in criterion_ids)
    body = RubricBody(purpose="Which is better?", criteria=criteria, scale=scale)
    return RubricVersion(
        version_id, 1, "House rules", f"{version_id}.0.0", RubricState.PUBLISHED, ChangeLevel.MAJOR, "", body
    )


def queue_under(version_id: int) -> QueueInfo:
    """Return an open queue under a rubric version."""
    return QueueInfo("q", QueueSettings(1, version_id), total=9, done=0, skipped=0)
