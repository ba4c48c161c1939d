"""A small workspace with gold items: Ann and Bo disagree on pairs, and Cy decides some of them with a reason."""

from __future__ import annotations

from core.domain.adjudication import DecisionDraft
from core.domain.judgement import Task
from core.services.annotation.views import QueueSettings
from core.services.application import Application
from tests.fakes.workspaces import person, prefer


def answer(app: Application, who: int, marks: list[int], task: Task = Task.LABEL, version: int = 1) -> list[int]:
    """Label the next pairs with these strengths, on the clause "help" too; return the pairs."""
    queue, pairs = app.annotation.open_queue(QueueSettings(who, version, task=task)), []
    for mark in marks:
        (shown,) = app.annotation.next(queue)
        words = f"Pair {shown.pair_id} is plain." if task is Task.ADJUDICATE else ""
        app.annotation.commit(shown.presentation_uid, prefer(mark, criteria={"help": mark}, rationale=words))
        pairs.append(shown.pair_id)
    return pairs


def decide(app: Application, pair_id: int, who: int, version: int = 1) -> None:
    """Let an adjudicator who picked first say that the pair is a gold item from now on."""
    app.adjudication.decide(pair_id, version, who, DecisionDraft("reviewer_slip", "gold"))


def make_gold(app: Application, pairs: int, sign: int = 1) -> dict[str, int]:
    """Let Ann say A and Bo B on so many pairs, and Cy decide all of them; return name -> reviewer of Bo and Cy."""
    bo, cy = person(app.store, "Bo").id, person(app.store, "Cy").id
    answer(app, 1, [-2] * pairs)
    answer(app, bo, [2] * pairs)
    for pair_id in answer(app, cy, [2 * sign] * pairs, Task.ADJUDICATE):
        decide(app, pair_id, cy)
    return {"Bo": bo, "Cy": cy}
