"""Asking for another wording of a clause, apart from adjudication."""

from __future__ import annotations

from core.domain.adjudication import ChangeRequest
from core.domain.errors import BadInput
from core.domain.rubric import RubricState
from core.store import change_requests, events, pairs, rubrics
from core.store.sqlite.database import Session
from core.store.sqlite.write_context import WriteContext


def ask(
    session: Session,
    rubric_id: int,
    clause: str,
    text: str,
    pair_id: int | None,
    author_id: int,
    context: WriteContext,
) -> ChangeRequest:
    """Store a request to change a rubric and log it.

    Raises:
        BadInput: no words, no such clause, no such pair, or no published version.
    """
    version = rubrics.latest(session, rubric_id, RubricState.PUBLISHED)
    if version is None:
        raise BadInput("This rubric has no published version yet.", "Change its draft.")
    names = {one.id: one.name for one in version.body.criteria}
    if clause and clause not in names:
        raise BadInput(f"{version.title} has no clause {clause!r}.", f"Its clauses are {', '.join(names)}.")
    if not text.strip():
        raise BadInput("A change request needs words.", "Say what the clause should say instead.")
    if pair_id is not None and not pairs.texts(session, [pair_id]):
        raise BadInput(f"There is no pair {pair_id}; nothing was stored.")
    key = change_requests.ask(session, rubric_id, clause, text, pair_id, author_id, context)
    summary = f"Asked to change {names.get(clause, 'the rubric as a whole')} of {version.title}"
    events.log(
        session, context, "rubric.ask", summary, reviewer_id=author_id, subject="rubric_version",
        subject_id=version.id, detail={"request": key},
    )  # fmt: skip
    return next(one for one in change_requests.listed(session, rubric_id) if one.id == key)
