"""Which items of an evaluation people are asked about, and the pairs that they see. Reads the evaluation's folder."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.domain.conversation import Prompt
from core.domain.errors import NotFound, UsageError
from core.domain.evaluation_events import AnswerRow
from core.domain.evaluation_record import SEALED, Arm, EvaluatedSuite, EvaluationRecord
from core.domain.ids import sha256_text
from core.domain.pair import GenerationRecord, Response
from core.domain.suite import SuiteItem
from core.domain.text_form import prompt_keys
from core.domain.votes import VoteItem, VotePlan, VoteRequest
from core.runs.evaluations.folder import EvaluationFolder
from core.runs.evaluations.ledger import EvaluationLedger
from core.services.importing.prepare import prepare
from core.services.importing.rows import ParsedPair
from core.store.import_rows import NewPair

ReadSealed = Callable[[str, Sequence[str]], Mapping[str, SuiteItem]]
"""From the title of a sealed test and ids of its items to the items; it notes the opening first."""
_NAMED = 20
Known = Callable[[Sequence[str]], set[str]]
"""From hashes of pairs to those that the data hold."""


@dataclass(frozen=True, slots=True)
class AnsweredItem:
    """An item that both arms answered; ``prompt`` is None while it is sealed."""

    suite: str
    item: str
    prompt: Prompt | None
    slices: Mapping[str, str]
    first: AnswerRow
    second: AnswerRow
    is_sealed: bool = False

    @property
    def is_identical(self) -> bool:
        """Whether nobody needs to be asked: the answers are the same, or both are empty."""
        return self.first.text == self.second.text or not (self.first.text.strip() or self.second.text.strip())


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a request draws from an evaluation.

    Attributes:
        request: with arms and suites filled in.
        items: to be asked about, in an order that says nothing of them. identical: (suite, item) that count as ties.
    """

    request: VoteRequest
    items: tuple[AnsweredItem, ...]
    identical: tuple[tuple[str, str], ...]
    missing: int = 0
    repeated: int = 0
    known: int = 0

    def plan(self, planned: int, detectable: float | None) -> VotePlan:
        """Return the plan with what the number can detect."""
        wanted = self.request
        return VotePlan(
            wanted.first_arm,
            wanted.second_arm,
            wanted.suites,
            len(self.items) + len(self.identical),
            len(self.identical),
            self.missing,
            self.repeated,
            self.known,
            sum(one.is_sealed for one in self.items),
            len(self.items),
            wanted.votes_per_item,
            planned,
            wanted.margin,
            detectable,
        )


def filled_in(request: VoteRequest, record: EvaluationRecord) -> VoteRequest:
    """Return the request with the names of its arms and suites.

    Raises:
        UsageError: for an arm or a suite that the evaluation does not have.
    """
    first = request.first_arm or _of_kind(record, "aligned")
    second = request.second_arm or _of_kind(record, "reference")
    names = [arm.name for arm in record.arms]
    for name in (first, second):
        if name not in names:
            raise UsageError(f"The evaluation has no arm {name!r}.", f"Its arms are {', '.join(names)}.")
    if first == second:
        raise UsageError("Votes compare two different arms.", f"Choose two of {', '.join(names)}.")
    suites = tuple(dict.fromkeys(_title(record, word) for word in request.suites))
    open_ = tuple(suite.title for suite in record.suites if not suite.sealed and suite.answered)
    if not (suites or open_):
        raise UsageError("The evaluation has no answers that people could compare.", "Evaluate a suite with answers.")
    return replace(request, evaluation=record.evaluation_id, first_arm=first, second_arm=second, suites=suites or open_)


def draw(folder: EvaluationFolder, request: VoteRequest, known: Known) -> Drawn:
    """Return the items that a request, filled in, asks about. Prompts of a sealed test are not read.

    Args:
        folder: of a finished evaluation.
        request: what is asked.
        known: which pairs the data hold for another purpose.

    Raises:
        NotFound: when no item is left to be asked about.
        UsageError: for a slice that none of the answered items is in.
    """
    answered = list(_answered(folder, request))
    both = [one for one in answered if one is not None]
    _require_slices(request, both)
    missing = len(answered) - len(both)
    found = [one for one in both if not request.slices or any(one.slices.get(k) == v for k, v in request.slices)]
    found.sort(key=lambda one: sha256_text(f"{request.seed} {one.suite} {one.item}"))
    different, repeated = _of_different_prompts(found)
    taken = different[: request.limit] if request.limit else different
    identical = [one for one in taken if one.is_identical]
    asked = [one for one in taken if not one.is_identical]
    hashes = {id(one): _pair(one).sha256 for one in asked if one.prompt is not None}
    there = known(list(hashes.values()))
    kept = [one for one in asked if hashes.get(id(one)) not in there]
    if not kept and not identical:
        raise NotFound("No item is left that both arms answered.", "Choose other suites, slices or arms.")
    return Drawn(
        request,
        tuple(kept),
        tuple((one.suite, one.item) for one in identical),
        missing,
        repeated,
        len(asked) - len(kept),
    )


def _require_slices(request: VoteRequest, items: Sequence[AnsweredItem]) -> None:
    """Raise for a slice that does not occur; slices of a sealed test are not known before it is opened."""
    known = {part for one in items for part in one.slices.items()}
    unknown = [f"{name}={value}" for name, value in request.slices if (name, value) not in known]
    if unknown and not any(one.is_sealed for one in items):
        named = [f"{name}={value}" for name, value in sorted(known)]
        more = f" and {len(named) - _NAMED:,} more" if len(named) > _NAMED else ""
        raise UsageError(
            f"No answered item is in the slice {unknown[0]}. Nobody was asked.",
            f"Its slices are {', '.join(named[:_NAMED])}{more}." if named else "Its items have no slices.",
        )


def pairs_of(drawn: Drawn, record: EvaluationRecord, read_sealed: ReadSealed) -> list[tuple[NewPair, VoteItem]]:
    """Return the pairs that people see, each with its item; sealed prompts are opened, which is noted first.

    The pairs carry no generation record and stand in canonical order: nothing of a pair says which arm is where.
    """
    opened: dict[str, Mapping[str, SuiteItem]] = {}
    for suite in dict.fromkeys(one.suite for one in drawn.items if one.is_sealed):
        opened[suite] = read_sealed(suite, [one.item for one in drawn.items if one.suite == suite])
    found = []
    for one in drawn.items:
        if one.is_sealed:
            item = opened[one.suite].get(one.item)
            if item is None:
                raise NotFound(f"The sealed test has no item {one.item}.", "Nothing was asked; check the workspace.")
            one = replace(one, prompt=item.prompt, slices=item.slices)
        pair = _pair(one)
        found.append((pair, _item(one, pair, drawn.request, record)))
    return found


def _item(one: AnsweredItem, pair: NewPair, request: VoteRequest, record: EvaluationRecord) -> VoteItem:
    arms = {arm.name: arm for arm in record.arms}
    detail = {
        "slices": dict(one.slices),
        "tokens": [one.first.tokens, one.second.tokens],
        "generation": [
            _generation(record, arms[name], row)
            for name, row in ((request.first_arm, one.first), (request.second_arm, one.second))
        ],
    }
    return VoteItem(0, one.suite, one.item, 1 if pair.left_is == "A" else 2, one.is_sealed, detail)


def _pair(one: AnsweredItem) -> NewPair:
    assert one.prompt is not None
    return prepare(ParsedPair(one.prompt, Response(one.first.text), Response(one.second.text)))


def _generation(record: EvaluationRecord, arm: Arm, row: AnswerRow) -> dict[str, Any]:
    config = record.config
    return GenerationRecord(
        model=arm.served_model or str(record.run.get("model", "")),
        model_sha256=arm.inputs.get("model", ""),
        temperature=config.temperature,
        top_p=config.top_p,
        top_k=config.top_k,
        max_new_tokens=config.max_new_tokens,
        seed=row.seed,
        repetition_penalty=config.repetition_penalty,
        system_prompt=arm.system_prompt or None,
        template_sha256=arm.inputs.get("template", ""),
        finished=row.finished,
        extra={"arm": arm.name, "kind": arm.kind, "run": arm.run_id, "step": arm.step, "item": row.item},
    ).to_plain()


def _answered(folder: EvaluationFolder, request: VoteRequest) -> Iterator[AnsweredItem | None]:
    """Yield what both arms answered; None for each item that only one of them did."""
    ledger, stored = EvaluationLedger(folder.ledger), folder.items()
    suites = {suite.title: suite for suite in folder.record().suites}
    for title in request.suites:
        first, second = (
            {row.item: row for row in ledger.answers(title, arm)} for arm in (request.first_arm, request.second_arm)
        )
        known = {item.id: item for item in stored.get(title, ())}
        for id_ in dict.fromkeys([*first, *second]):
            if id_ in first and id_ in second:
                yield _candidate(suites[title], known.get(id_), first[id_], second[id_])
            else:
                yield None


def _candidate(
    suite: EvaluatedSuite, item: SuiteItem | None, first: AnswerRow, second: AnswerRow
) -> AnsweredItem | None:
    if item is None and not suite.sealed:
        return None
    prompt, slices = (item.prompt, item.slices) if item is not None else (None, {})
    return AnsweredItem(suite.title, first.item, prompt, slices, first, second, bool(suite.sealed))


def _of_different_prompts(found: Sequence[AnsweredItem]) -> tuple[list[AnsweredItem], int]:
    """Return one item for each prompt, so that every outcome is a draw of its own, and how many were left out."""
    seen: set[int] = set()
    kept = []
    for one in found:
        key = prompt_keys(one.prompt.to_plain()).same if one.prompt is not None else None
        if key is None or key not in seen:
            kept.append(one)
        if key is not None:
            seen.add(key)
    return kept, len(found) - len(kept)


def _of_kind(record: EvaluationRecord, kind: str) -> str:
    name = next((arm.name for arm in record.arms if arm.kind == kind), "")
    if not name:
        raise UsageError(f"The evaluation has no arm of kind {kind}.", "Name the two arms to compare.")
    return name


def _title(record: EvaluationRecord, word: str) -> str:
    for suite in record.suites:
        if word in (suite.title, suite.title.rpartition(" v")[0]) or (suite.sealed and word == SEALED.rstrip(":")):
            return suite.title
    names = ", ".join(suite.title for suite in record.suites)
    raise UsageError(f"The evaluation has no suite {word!r}.", f"Its suites are {names}.")
