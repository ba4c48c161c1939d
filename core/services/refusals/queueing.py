"""What an audit shows and counts: answers of the ledger that wait, what was said of them, and how far it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations, pairwise
from statistics import median
from typing import TYPE_CHECKING

from core.domain.audit import AnswerPlace, AuditDraw, AuditLabel, AuditWord, DrawnAnswer, all_answers, kinds_of
from core.domain.errors import NotFound
from core.domain.evaluation_events import AnswerRow
from core.domain.ids import sha256_text
from core.domain.refusal_kind import REFUSAL_KINDS
from core.domain.suite import SuiteItem
from core.domain.text_length import text_length
from core.runs.evaluations.folder import EvaluationFolder
from core.runs.evaluations.ledger import EvaluationLedger
from core.services.refusals.views import ArmProgress, FlaggedAnswer, PastLabel, QueuedAnswer

if TYPE_CHECKING:
    from core.domain.estimate import Estimate
    from core.services.refusals.correcting import AuditedArm

_PAUSE_MS = 120_000
Said = Mapping[AnswerPlace, Sequence[AuditLabel]]
"""The labels of each answer."""


def population(folder: EvaluationFolder) -> list[DrawnAnswer]:
    """Return every answer that the detector judged, with the hash of its text.

    Raises:
        NotFound: before everything is measured, or where it judged nothing.
    """
    if folder.evidence() is None:
        raise NotFound("This evaluation is not finished; there is nothing to audit yet.", "Resume it first.")
    expected = {(title, item.id): item.expected for title, items in folder.items().items() for item in items}
    texts = _all_texts(folder)
    found = [
        DrawnAnswer("", *place, expected[row["suite"], row["item"]], row["refusal"], sha256_text(texts[place].text))
        for row in folder.outcomes()
        if row["refusal"] and (place := (row["arm"], row["suite"], row["item"])) in texts
    ]
    if not found:
        raise NotFound(
            "This evaluation measured no refusals; there is nothing to audit.",
            "Evaluate a suite of benign requests and one of harmful ones.",
        )
    return found


def numbers_of(draws: Sequence[AuditDraw]) -> dict[AnswerPlace, int]:
    """Return the place of each answer in the sample, from 1."""
    return {answer.place: number for number, answer in enumerate(all_answers(draws), 1)}


def waits(answer: DrawnAnswer, labels: Sequence[AuditLabel], reviewer_id: int) -> bool:
    """Return whether a reviewer shall label an answer: nobody did, or everybody shall and this one did not."""
    if any(label.reviewer_id == reviewer_id for label in labels):
        return False
    return answer.shared or not kinds_of(labels)


def shown(
    folder: EvaluationFolder, answers: Sequence[DrawnAnswer], numbers: Mapping[AnswerPlace, int]
) -> list[QueuedAnswer]:
    """Return answers as a reviewer sees them; the prompt is the item's own, which is the same for all arms."""
    items = _items(folder)
    found = []
    for answer, row in zip(answers, texts_of(folder, answers), strict=True):
        if row is not None:
            prompt, length = items[answer.suite, answer.item].prompt, str(text_length(row.text))
            number = numbers[answer.place]
            found.append(QueuedAnswer(answer.key, number, prompt, row.text, length, row.tokens, row.finished))
    return found


def texts_of(folder: EvaluationFolder, answers: Sequence[DrawnAnswer]) -> list[AnswerRow | None]:
    """Return the answers of the ledger, None where one is gone."""
    ledger, kept = EvaluationLedger(folder.ledger), {}
    for arm, suite in dict.fromkeys((answer.arm, answer.suite) for answer in answers):
        kept |= {(arm, suite, row.item): row for row in ledger.answers(suite, arm)}
    return [kept.get(answer.place) for answer in answers]


def flagged(
    answers: Sequence[DrawnAnswer], flags: Mapping[str, tuple[str, ...]], numbers: Mapping[AnswerPlace, int]
) -> tuple[FlaggedAnswer, ...]:
    """Return the answers that somebody flagged, in the order of the sample."""
    return tuple(FlaggedAnswer(one.key, numbers[one.place], flags[one.key]) for one in answers if one.key in flags)


def told(answer: DrawnAnswer, word: AuditWord, numbers: Mapping[AnswerPlace, int]) -> PastLabel:
    """Return what a reviewer said of an answer with what is told only afterwards."""
    agrees = word != "cannot_judge" and (word == "complied") == (answer.verdict == "complied")
    return PastLabel(answer.key, numbers[answer.place], word, answer.arm, answer.verdict, agrees)


def progress(arm: AuditedArm) -> ArmProgress:
    """Return how far an arm is, for a page."""
    return ArmProgress(
        arm.arm,
        arm.labelled,
        arm.needed,
        arm.unclear,
        arm.complete,
        arm.problem,
        arm.rates.fpr,
        arm.rates.fnr,
        arm.rates.youden,
    )


def cells(answers: Sequence[DrawnAnswer], said: Said) -> dict[str, tuple[int, int]]:
    """Return by kind of request how many answers have a label, and how many were drawn."""
    found: dict[str, tuple[int, int]] = {}
    for answer in answers:
        done, total = found.get(answer.expected, (0, 0))
        found[answer.expected] = (done + bool(kinds_of(said.get(answer.place, ()))), total + 1)
    return dict(sorted(found.items()))


def word_counts(labels: Iterable[Sequence[AuditLabel]]) -> dict[str, int]:
    """Return how often each word was said."""
    found: dict[str, int] = {}
    for own in labels:
        for label in own:
            found[label.word] = found.get(label.word, 0) + 1
    return found


def equal_labels(said: Said) -> Estimate | None:
    """Return the share of equal labels over every two reviewers of an answer; None where nobody shared one."""
    from core.evaluation.measures.shares import share_by_prompt  # it loads scipy, which the window does not wait for

    pairs = [(place, a == b) for place, own in said.items() for a, b in combinations(kinds_of(own), 2)]
    if not pairs:
        return None
    return share_by_prompt([equal for _, equal in pairs], [place for place, _ in pairs], "share of equal labels")


def label_ranks(said: Said) -> tuple[list[int], list[int]]:
    """Return the labels of answers with several: the answer of each as a number, and its rank from 0, complied."""
    shared = [kinds for own in said.values() if len(kinds := kinds_of(own)) > 1]
    pairs = [(number, REFUSAL_KINDS.index(kind)) for number, kinds in enumerate(shared) for kind in kinds]
    return [number for number, _ in pairs], [rank for _, rank in pairs]


def pace(times_ms: Sequence[int]) -> float:
    """Return the median seconds between labels among the last 30 times; pauses of over two minutes are left out.

    >>> pace([0, 4000, 10_000, 900_000, 905_000])
    5.0
    """
    last = times_ms[-30:]
    gaps = [(b - a) / 1000 for a, b in pairwise(last) if 0 < b - a <= _PAUSE_MS]
    return median(gaps) if gaps else 0.0


def _items(folder: EvaluationFolder) -> dict[tuple[str, str], SuiteItem]:
    return {(title, item.id): item for title, items in folder.items().items() for item in items}


def _all_texts(folder: EvaluationFolder) -> dict[AnswerPlace, AnswerRow]:
    record, ledger = folder.record(), EvaluationLedger(folder.ledger)
    return {
        (arm.name, suite.title, row.item): row
        for arm in record.arms
        for suite in record.suites
        for row in ledger.answers(suite.title, arm.name)
    }
