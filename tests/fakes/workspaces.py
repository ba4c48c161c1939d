"""Small real workspaces for tests: a store or application in a temporary folder with pairs, people and a rubric."""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from core.domain.consent import Consent
from core.domain.conversation import Prompt
from core.domain.feedback import FeedbackContent
from core.domain.ids import canonical_json, new_uid
from core.domain.judgement import JudgementDraft, Reviewer, ReviewerKind, Verdict
from core.domain.pair import Response, make_pair
from core.domain.rubric import ChangeLevel, Criterion, RubricBody, RubricVersion
from core.domain.text_form import prompt_keys
from core.services.application import Application
from core.store import reviewers, rubrics
from core.store.plain import insert_row
from core.store.sqlite.database import Session, Store
from core.store.sqlite.identity import db_path
from core.store.tables import PairRow, PairSourceRow, PromptKeyRow, PromptRow, SourceRow

BODY = RubricBody(purpose="Which answer helps more?", criteria=(Criterion("help", "Helpful", "Which helps more?"),))


def add_source(session: Session, name: str = "made up") -> int:
    """Store a source and return its id."""
    return insert_row(
        session, SourceRow, uid=new_uid(), name=name, kind="file", consent="granted", created_ms=1, format="test"
    )


def add_pair(session: Session, source_id: int, number: int) -> int:
    """Store the pair of this number and return its id."""
    prompt = Prompt.from_text(f"Question {number}?")
    pair, _ = make_pair(prompt, Response(f"Answer {number} one."), Response(f"Answer {number} two."))
    prompt_id = insert_row(
        session,
        PromptRow,
        sha256=prompt.sha256,
        turns=1,
        text=prompt.as_text(),
        body=canonical_json(prompt.to_plain()),
    )
    keys = prompt_keys(prompt.to_plain())
    insert_row(session, PromptKeyRow, prompt_id=prompt_id, same=keys.same, words=keys.words)
    pair_id = insert_row(
        session,
        PairRow,
        sha256=pair.sha256,
        prompt_id=prompt_id,
        source_id=source_id,
        a_sha256=pair.a.sha256,
        b_sha256=pair.b.sha256,
        created_ms=1,
        a_text=pair.a.text,
        b_text=pair.b.text,
    )
    insert_row(session, PairSourceRow, pair_id=pair_id, source_id=source_id, row=number)
    return pair_id


def fill(store: Store, pairs: int = 6, name: str = "made up") -> list[int]:
    """Store a source with so many pairs and return their ids."""

    def job(session: Session) -> list[int]:
        source_id = add_source(session, name)
        first = session.connection().exec_driver_sql("SELECT coalesce(max(id),0) FROM pair").scalar_one()
        return [add_pair(session, source_id, first + n) for n in range(1, pairs + 1)]

    return store.write(job, "filling a test workspace")


def publish(store: Store, name: str = "Helpful", body: RubricBody = BODY) -> RubricVersion:
    """Publish a first version and return it."""
    context = store.write_context()

    def job(session: Session) -> RubricVersion:
        draft = rubrics.create(session, name, body, context)
        return rubrics.publish(session, draft.id, ChangeLevel.MAJOR, "", context)

    return store.write(job, "publishing a test rubric")


def person(store: Store, name: str = "Ann", kind: ReviewerKind = ReviewerKind.HUMAN) -> Reviewer:
    """Add a reviewer and return it."""
    context = store.write_context()
    return store.write(lambda session: reviewers.add(session, name, kind, context), "adding a test reviewer")


def opened(folder: Path, pairs: int = 6) -> Application:
    """Open a new workspace with pairs, the reviewer Ann and the rubric Helpful 1.0.0.

    The file is made once for each size and copied, because making one costs as much as a dozen tests.
    """
    folder.mkdir(parents=True)
    db_path(folder).write_bytes(_prepared(pairs))
    return Application.open(folder)


@cache
def _prepared(pairs: int) -> bytes:
    with tempfile.TemporaryDirectory() as place:
        with Application.open(Path(place) / "ws", create=True) as app:
            fill(app.store, pairs)
            publish(app.store)
            person(app.store)
        return db_path(Path(place) / "ws").read_bytes()


def prefer(strength: int, **values: object) -> JudgementDraft:
    """Return a preference of this strength (negative: A)."""
    return JudgementDraft(Verdict.PREFER, strength, **values)  # type: ignore[arg-type]


def tie() -> JudgementDraft:
    """Return a tie."""
    return JudgementDraft(Verdict.TIE)


def take_feedback(app: Application, approver: int) -> None:
    """Take in an event, make it a pair, approve a changeset of the first reviewer with it, and state a consent."""
    content = FeedbackContent("correction", Prompt.from_text("14?"), "14.", "40.", note="no")
    event = app.feedback.add(content, Consent("granted")).value
    app.triage.to_labelling([event.id], 1, reason="wrong number")
    app.changesets.create("C", 1)
    app.changesets.add_events("C", [event.id], "the right number")
    app.changesets.approve("C", approver)
    app.consent.state("reviewer", 1, Consent("granted", expires_ms=4_000_000_000_000))
