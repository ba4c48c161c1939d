"""The forms of an exported line: TRL, UltraFeedback style, Argilla records, soft labels. Each can be read back."""

from __future__ import annotations

import json
import math
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.domain.choices import choice_hint
from core.domain.dataset import FrozenItem
from core.domain.errors import BadInput
from core.domain.judgement import Judgement, Verdict
from core.domain.pair import Pair, Response

Line = dict[str, object]
ANSWERS = ("answer_a", "answer_b")
"""Names of both answers of a pair in Argilla records and soft labels, in the order of the pair."""


@dataclass(frozen=True, slots=True)
class ExportForm:
    """One form.

    Attributes:
        words: what the window calls it.
        about: what a line holds, for the card; "" for the form whose columns the card lists.
        line: makes a line of an item, its pair, the signed strengths behind it (negative favours A, 0 a tie) and, where
            ``needs_judgements``, the judgements.
    """

    words: str
    about: str
    line: Callable[[FrozenItem, Pair, Sequence[int], Sequence[Judgement]], Line]
    needs_judgements: bool = False


def form_of(key: str, fmt: str) -> ExportForm:
    """Return a form.

    Raises:
        BadInput: there is no such form, or it is not written in this format.
    """
    if key not in FORMS:
        raise BadInput(f"There is no export form {key!r}; nothing was written.", choice_hint(key, tuple(FORMS)))
    if key != "trl" and fmt != "jsonl":
        raise BadInput(f"The form {key} is written as JSONL, not as {fmt}; nothing was written.", "Use jsonl.")
    return FORMS[key]


def item_line(item: FrozenItem, pair: Pair, strengths: Sequence[int]) -> Line:
    """Return one line: TRL's conversational preference columns, then what Pairwright adds.

    ``strengths`` are the labels behind the item, 3..-3 with positive for the chosen answer, strongest first.
    """
    chosen, rejected = (pair.a, pair.b) if item.chosen == "A" else (pair.b, pair.a)
    sign = -1 if item.chosen == "A" else 1
    return {
        "prompt": pair.prompt.to_plain(),
        "chosen": [{"role": "assistant", "content": chosen.text}],
        "rejected": [{"role": "assistant", "content": rejected.text}],
        "strength": abs(item.strength),
        "strengths": sorted((sign * value for value in strengths), reverse=True),
        "weight": item.weight,
        "target": item.target,
        "is_tie": item.is_tie,
        "chosen_generation": _generation(chosen),
        "rejected_generation": _generation(rejected),
        "pair_sha256": item.pair_sha256,
    }


def _generation(response: Response) -> str:
    plain = response.generation.to_plain() if response.generation else {}
    return json.dumps(plain, sort_keys=True, ensure_ascii=False) if plain else ""


def _trl(item: FrozenItem, pair: Pair, strengths: Sequence[int], _said: Sequence[Judgement]) -> Line:
    return item_line(item, pair, strengths)


def _scored(item: FrozenItem, pair: Pair, _strengths: Sequence[int], _said: Sequence[Judgement]) -> Line:
    """Return UltraFeedback style: both answers as completions; the item's strength for one and against the other."""
    value = abs(item.strength) if item.chosen == "B" else -abs(item.strength)
    return {
        "prompt": pair.prompt.to_plain(),
        "completions": [
            {"response": one.text, "model": _model(one), "overall_score": score}
            for one, score in ((pair.a, -value), (pair.b, value))
        ],
        "pair_sha256": item.pair_sha256,
    }


def _model(response: Response) -> str:
    return response.generation.model if response.generation else ""


def _argilla(item: FrozenItem, pair: Pair, _strengths: Sequence[int], said: Sequence[Judgement]) -> Line:
    """Return a record of Argilla 2: texts as fields, every judgement as a submitted response of its reviewer."""
    answers = [
        {"value": value, "user_id": reviewer_uuid(one.reviewer.name), "status": "submitted"}
        for one in said
        if (value := _preference(one))
    ]
    return {
        "id": item.pair_sha256,
        "status": "completed",
        "fields": {"prompt": pair.prompt.as_text(), ANSWERS[0]: pair.a.text, ANSWERS[1]: pair.b.text},
        "metadata": {
            "reviewers": ", ".join(sorted({one.reviewer.name for one in said})),
            "rubric": ", ".join(sorted({one.rubric_title for one in said})),
            "strength": item.strength,
            "target": item.target,
        },
        "suggestions": {},
        "responses": {"preference": answers},
        "vectors": {},
    }


def _preference(judgement: Judgement) -> str:
    draft = judgement.draft
    if draft is None or draft.verdict not in (Verdict.PREFER, Verdict.TIE):
        return ""
    return "tie" if draft.strength is None else ANSWERS[int(draft.strength > 0)]


def reviewer_uuid(name: str) -> str:
    """Return the id of a reviewer in Argilla records: of the pseudonym alone, the same in every export.

    >>> reviewer_uuid("Ann") == reviewer_uuid("Ann") != reviewer_uuid("Bo")
    True
    """
    return str(uuid.uuid5(uuid.NAMESPACE_OID, f"pairwright reviewer {name}"))


def _soft(item: FrozenItem, pair: Pair, strengths: Sequence[int], _said: Sequence[Judgement]) -> Line:
    """Return how the labels are spread over A, tie and B, with the entropy in bits; nothing is decided."""
    n = len(strengths)
    shares = [sum(test) / n for test in ([s < 0 for s in strengths], [s == 0 for s in strengths],
                                         [s > 0 for s in strengths])]  # fmt: skip
    return {
        "prompt": pair.prompt.to_plain(),
        ANSWERS[0]: pair.a.text,
        ANSWERS[1]: pair.b.text,
        "labels": n,
        "p_a": shares[0],
        "p_tie": shares[1],
        "p_b": shares[2],
        "entropy_bits": -sum(p * math.log2(p) for p in shares if p) or 0.0,
        "strengths": sorted(strengths),
        "pair_sha256": item.pair_sha256,
    }


FORMS: dict[str, ExportForm] = {
    "trl": ExportForm("in TRL's format", "", _trl),
    "ultrafeedback": ExportForm(
        "in UltraFeedback style",
        "Each line holds a prompt as messages and two `completions`, each with its `overall_score`: the strength for "
        "it; equal scores are a tie.",
        _scored,
    ),
    "argilla": ExportForm(
        "as Argilla records",
        "Each line is an Argilla record: `fields` with prompt and two answers, and under `responses` one submitted "
        "`preference` for each reviewer, whose id is made of the pseudonym. Turns of a prompt stand in one text.",
        _argilla,
        needs_judgements=True,
    ),
    "soft": ExportForm(
        "as soft labels",
        "Each line holds a prompt as messages, two answers in no order of quality, and how the labels behind the item "
        "are spread: `p_a`, `p_tie` and `p_b` of `labels`, with the entropy in bits and every strength (negative "
        "favours A).",
        _soft,
    ),
}
"""Key of a form -> the form, in the order in which they are shown."""
