"""One prompt with several completions, each with a score, as UltraFeedback writes them."""

from __future__ import annotations

from core.domain.pair import GenerationRecord, Response
from core.services.importing.formats.codings import side_label
from core.services.importing.formats.columns import Row, Sample, prompt_reader, read_score
from core.services.importing.formats.row_format import BoundFormat, RowFormat
from core.services.importing.limits import Limits, RowRejected, check_text, describe_type, parse_json
from core.services.importing.rows import ParsedPair

_TEXTS = ("response", "completion", "text", "content", "output", "answer")
_SCORES = ("overall_score", "score", "fine-grained_score", "fine_grained_score", "rating", "reward")


def bind_scored(sample: Sample, limits: Limits) -> BoundFormat | None:
    """Bind to a prompt and several completions with scores."""
    column = sample.pick("completions", "responses", "answers", "candidates")
    prompt = prompt_reader(sample, limits)
    if column is None or prompt is None:
        return None
    scores = sample.pick("scores", "ratings", "rewards")

    def convert(row: Row) -> list[ParsedPair]:
        answers = _answers(row.get(column), column, row.get(scores) if scores else None, limits)
        best_score, best = max(answers, key=lambda item: item[0])
        asked = prompt(row)
        others = [(score, other) for score, other in answers if other.text != best.text]
        if not others:
            raise RowRejected("all completions are the same text")
        return [
            ParsedPair(asked, best, other, (side_label(0 if score == best_score else -1),)) for score, other in others
        ]

    return BoundFormat(convert, ("the best completion is paired with each other one; equal scores are a tie",))


def _answers(value: object, name: str, scores: object, limits: Limits) -> list[tuple[float, Response]]:
    if isinstance(value, str) and value.startswith("["):
        value = parse_json(value, limits)
    if not isinstance(value, list) or len(value) < 2:
        raise RowRejected(f"{name} is {describe_type(value)} with fewer than two completions")
    if scores is not None and (not isinstance(scores, list) or len(scores) != len(value)):
        raise RowRejected("there are not as many scores as completions")
    found: dict[str, tuple[float, Response]] = {}
    for index, item in enumerate(value):
        number = f"completion {index + 1}"
        text, score, model = _one(item, number, limits)
        score = read_score(scores[index]) if scores is not None else score
        if score is None:
            raise RowRejected(f"{number} has no score")
        record = GenerationRecord(model=model, extra={"score": score})
        if text not in found or found[text][0] < score:
            found[text] = (score, Response(text, record))
    return list(found.values())


def _one(item: object, name: str, limits: Limits) -> tuple[str, float | None, str]:
    if isinstance(item, str):
        return check_text(item, name, limits), None, ""
    if not isinstance(item, dict):
        raise RowRejected(f"{name} is {describe_type(item)}")
    text = next((item[key] for key in _TEXTS if key in item), None)
    score = next((s for key in _SCORES if (s := read_score(item.get(key))) is not None), None)
    model = item.get("model")
    named = check_text(model, "model", limits)[:200] if isinstance(model, str) else ""
    return check_text(text, name, limits), score, named


FORMATS = (RowFormat("scored", "Scored completions", "one prompt, several completions with scores", 0.95, bind_scored),)
