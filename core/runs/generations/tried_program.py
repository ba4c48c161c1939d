"""Child program: answer the first prompts of a generation and say what all of them will take. It needs torch."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import psutil

from core.domain.conversation import Prompt
from core.domain.errors import BadInput
from core.domain.estimate import Estimate
from core.domain.evaluation_events import AnswerRow
from core.domain.generation import AnsweringSide, PairGeneration
from core.domain.suite import SuiteItem
from core.domain.tried_pairs import TriedPairs
from core.evaluation.measures.means import mean_by_prompt
from core.evaluation.measures.shares import share_by_prompt
from core.generation.endpoint import Endpoint
from core.model_files.offline import go_offline
from core.runs.child_processes.request import Progress, serve
from core.runs.evaluations.arm_work import endpoint_answers
from core.runs.evaluations.local_model import LocalModel
from core.runs.generations.assembling import answer_of
from core.runs.generations.model_of_side import OpenSide, open_side
from core.runs.generations.pair_generator import items_of
from core.runs.priority import lower_priority


class TriedSide:
    """The answers of one side to the first prompts, with the seconds that loading and answering took."""

    def __init__(self, side: AnsweringSide, record: PairGeneration) -> None:
        self.side, self._record = side, record
        self.rows: dict[str, AnswerRow] = {}
        self.load_s = self.answer_s = 0.0

    def answer(self, items: Sequence[SuiteItem], model: LocalModel | None) -> None:
        """Answer the items, by the loaded model or by the server.

        Raises:
            BadInput: when the model can read none of the prompts.
        """
        arm, letter, config = self.side.arm, self.side.letter, self._record.config
        begun = time.monotonic()
        if model is None:
            found = endpoint_answers(Endpoint(self.side.url, self.side.served_model), arm, letter, items, config)
        else:
            prompts, _ = model.encoded(arm, items, config.max_new_tokens)
            if not prompts:
                raise BadInput("The model can read none of the first prompts: they are too long.", "Shorten them.")
            with model.decoding(arm, prompts):
                found = model.answer(arm, letter, prompts)
        self.rows = {row.item: row for row in found}
        self.answer_s = time.monotonic() - begun


def examine(request: dict[str, Any], progress: Progress, *, open_model: OpenSide = open_side) -> dict[str, Any]:
    """Return the tried pairs of ``{record, prompts}`` as plain values."""
    lower_priority()
    go_offline()
    begun = time.monotonic()
    record = PairGeneration.from_plain(request["record"])
    items = items_of([Prompt.from_plain(row) for row in request["prompts"]], 1)
    sides = [TriedSide(side, record) for side in record.sides]
    model: LocalModel | None = None
    loaded: tuple[str, int] | None = None
    for place, tried in enumerate(sides):
        progress(2 * place, 4, f"Loading {tried.side.name}")
        if tried.side.url:
            tried.answer(items, None)
            continue
        if loaded != tried.side.weights:
            start = time.monotonic()
            model, loaded = open_model(tried.side, record.config), tried.side.weights
            tried.load_s = time.monotonic() - start
        progress(2 * place + 1, 4, f"{tried.side.name} answers")
        tried.answer(items, model)
    return tried_of(record, items, sides, time.monotonic() - begun).to_plain()


def tried_of(
    record: PairGeneration, items: Sequence[SuiteItem], sides: Sequence[TriedSide], took_s: float
) -> TriedPairs:
    """Return what the answers of both sides say of the whole generation.

    Raises:
        BadInput: when no prompt was read by both sides.
    """
    a, b = sides
    both = [item for item in items if item.id in a.rows and item.id in b.rows]
    if not both:
        raise BadInput("No prompt was read by both sides.", "Shorten the prompts.")
    rows = [(item.id, row) for item in both for row in (a.rows[item.id], b.rows[item.id])]
    groups = [item for item, _ in rows]
    tokens = mean_by_prompt([row.tokens for _, row in rows], groups, "tokens", "mean length", over="answer")
    cut = share_by_prompt([not row.finished for _, row in rows], groups, "share cut")
    whole = 2 * record.pairs
    a_token = (a.answer_s + b.answer_s) / max(1, sum(row.tokens for _, row in rows))
    load_s = a.load_s + b.load_s
    first = both[0]
    return TriedPairs(
        prompt=first.prompt,
        a=answer_of(a.rows[first.id]),
        b=answer_of(b.rows[first.id]),
        answers=len(rows),
        of=whole,
        took_s=took_s,
        seconds=_scaled(tokens, whole * a_token, load_s),
        tokens=tokens,
        cut=cut,
        memory_bytes=_peak_bytes(),
        machine_bytes=int(psutil.virtual_memory().total),
    )


def _scaled(tokens: Estimate, per_token: float, load_s: float) -> Estimate:
    """Return seconds from a length: so many answers at what a token took, after loading."""
    words = "mean length × seconds a token, after loading; the interval is that of the mean length"
    return replace(
        tokens,
        value=load_s + tokens.value * per_token,
        low=load_s + max(0.0, tokens.low) * per_token,
        high=load_s + tokens.high * per_token,
        unit="s",
        estimator=words if tokens.has_interval else f"{words}, {tokens.why_no_interval}",
        se=None,
    )


def _peak_bytes() -> int:
    return int(psutil.Process().memory_info().rss)


if __name__ == "__main__":
    sys.exit(serve(examine))
