"""Consent of a reviewer: a withdrawal lists what rests on the labels, and the next freeze leaves exactly these out."""

from __future__ import annotations

from pathlib import Path

from core.domain.consent import Consent
from core.domain.dataset import FreezePolicy
from core.domain.judgement import JudgementDraft
from core.services.annotation.views import QueueSettings
from core.services.application import Application
from tests.fakes.workspaces import opened, person, prefer


def label(app: Application, who: int, strengths: list[int], flags: tuple[str, ...] = ()) -> None:
    queue = app.annotation.open_queue(QueueSettings(who, 1))
    for strength in strengths:
        (shown,) = app.annotation.next(queue)
        draft: JudgementDraft = prefer(strength, flags=flags)
        app.annotation.commit(shown.presentation_uid, draft)


def test_that_exactly_the_labels_of_a_withdrawn_reviewer_leave_the_next_version_with_proof(tmp_path: Path) -> None:
    with opened(tmp_path / "ws", 4) as app:
        bo = person(app.store, "Bo").id
        label(app, 1, [2, 2])
        label(app, bo, [2, -3, 2])
        people = {one.name: one.consent.word for one in app.consent.list() if one.subject == "reviewer"}
        assert people == {"Ann": "unknown", "Bo": "unknown"}
        policy = FreezePolicy(require_consent=False)
        first = app.datasets.freeze("Set", policy).value
        proof = app.consent.proof("reviewer", bo)
        assert proof.withdrawn_ms is None and not proof.holds and [one.held for one in proof.before] == [2]
        found = app.consent.withdraw("reviewer", bo).value.affected
        assert found.labels == 3 and [one.title for one in found.versions] == ["Set v1"]
        plan = app.datasets.plan(policy)
        assert plan.counts["withdrawn_labels"] == 3
        assert "3 labels of reviewers who withdrew consent are left out." in plan.notes
        second = app.datasets.freeze("Set", policy).value
        assert (first.counts["items"], second.counts["items"]) == (2, 2)
        proof = app.consent.proof("reviewer", bo)
        assert proof.holds and [(one.title, one.held) for one in (*proof.before, *proof.after)] == [
            ("Set v1", 2), ("Set v2", 0),
        ]  # fmt: skip
        assert proof.sentence().startswith("1 dataset version frozen since the withdrawal of ")
        app.consent.state("reviewer", bo, Consent("granted"))
        assert (
            not app.consent.proof("reviewer", bo).holds and "withdrawn_labels" not in app.datasets.plan(policy).counts
        )


def test_that_flags_of_a_withdrawn_reviewer_keep_no_pair_out(tmp_path: Path) -> None:
    with opened(tmp_path / "ws", 2) as app:
        bo = person(app.store, "Bo").id
        label(app, 1, [2, 2])
        label(app, bo, [2], flags=("unsafe",))
        policy = FreezePolicy(require_consent=False, drop_flags=("unsafe",))
        assert app.datasets.plan(policy).counts["items"] == 1
        app.consent.withdraw("reviewer", bo)
        assert app.datasets.plan(policy).counts["items"] == 2
