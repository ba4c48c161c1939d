"""Answers given in Prodigy: the recipes ``choice`` and ``compare``.

Prodigy's pages on its annotation interfaces: ``options`` with id and text, ``accept`` with the chosen ids, ``answer``
(accept, reject or ignore), and who answered in ``_annotator_id`` or ``_session_id``. "ignore" is never a label.
"""

from __future__ import annotations

from core.domain.pair import Response
from core.services.importing.formats.messages import read_answer, read_prompt
from core.services.importing.formats.rankings import AnswerOrder, ranked_pairs
from core.services.importing.formats.row_format import BoundFormat, RowFormat
from core.services.importing.formats.sample import Row, Sample
from core.services.importing.limits import Limits, RowRejected, describe_type
from core.services.importing.reading import ColumnRole
from core.services.importing.rows import ParsedPair

_PROMPTS = ("prompt", "question", "instruction", "text", "input")


def bind_prodigy(sample: Sample, limits: Limits) -> BoundFormat | None:
    """Bind to choices among options."""
    prompt = sample.pick(*_PROMPTS)
    if prompt is None or "options" not in sample.names or not {"accept", "answer"} & sample.names.keys():
        return None
    who = sample.pick("_annotator_id", "_session_id")

    def convert(row: Row) -> list[ParsedPair]:
        asked = row.get(prompt)
        if isinstance(asked, dict):
            asked = asked.get("text")
        ids, answers = _options(row.get("options"), limits, sample)
        rankings = _rankings(row, ids, who, sample)
        return ranked_pairs(read_prompt(asked, prompt, limits, sample.remarks), answers, rankings, "decisive")

    roles = {prompt: ColumnRole.PROMPT, sample.names["options"]: ColumnRole.ANSWERS}
    roles |= {c: ColumnRole.LABEL for n in ("accept", "answer") if (c := sample.names.get(n))}
    roles |= {who: ColumnRole.REVIEWER} if who else {}
    return BoundFormat(
        convert, ("the accepted option is better than the others; an ignored task has no label",), roles=roles
    )


def _options(value: object, limits: Limits, sample: Sample) -> tuple[list[str], list[Response]]:
    if not isinstance(value, list):
        raise RowRejected(f"options is {describe_type(value)}, not a list")
    ids, answers = [], []
    for number, option in enumerate(value, 1):
        name = f"option {number}"
        if not isinstance(option, dict) or "text" not in option:
            raise RowRejected(f"{name} is {describe_type(option)}; an object with text is expected")
        ids.append(str(option.get("id", number)))
        answers.append(Response(read_answer(option["text"], name, limits, sample.remarks)))
    return ids, answers


def _rankings(row: Row, ids: list[str], who: str | None, sample: Sample) -> list[AnswerOrder]:
    """Return the order that the accepted options give, or nothing."""
    answer, accepted = str(row.get("answer") or "accept"), row.get("accept")
    if answer != "accept":
        sample.remarks.count(f"a task that was answered with {answer[:20]!r} has no label")
        return []
    chosen = {str(item) for item in accepted} if isinstance(accepted, list) else set[str]()
    ranks = {index: float(name not in chosen) for index, name in enumerate(ids)}
    if not chosen & set(ids):
        sample.remarks.count("a task in which no option was chosen has no label")
        return []
    return [AnswerOrder(ranks, _reviewer(row.get(who)) if who else "")]


def _reviewer(value: object) -> str:
    return str(value)[:80] if isinstance(value, str | int) and not isinstance(value, bool) else ""


FORMATS = (
    RowFormat(
        "prodigy", "Prodigy choice or compare", "text, options, accept and answer of each task", 0.99, bind_prodigy
    ),
)
