"""The items of a suite with the answers of the arms and what is said of them, read on a background thread."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from app.widgets.labels import ChipTone
from core.domain.conversation import Prompt
from core.domain.counting import counted
from core.domain.evidence import Generated
from core.domain.prompt_inspection import GivenAnswer, InspectionRequest
from core.domain.suite import SuiteItem

if TYPE_CHECKING:  # it loads the database library, which the window does not wait for
    from core.services.evaluations.service import EvaluationsService

REFUSALS: Mapping[str, str] = {"complied": "complied", "partly": "partly refused", "refused": "refused"}


@dataclass(frozen=True, slots=True)
class ItemRow:
    """One item.

    Attributes:
        prompt: None for an item of a sealed test, whose texts are in no file.
        answers: by arm. constraints: by arm: kind, whether it holds, what was found.
        ranked: the texts of a preference item, "chosen" and "rejected".
        waits_for_vote: the answers are not told by arm, because the reviewer may still vote on them blind.
    """

    suite: str
    id: str
    expected: str = ""
    prompt: Prompt | None = None
    slices: Mapping[str, str] = field(default_factory=dict)
    answers: Mapping[str, Generated] = field(default_factory=dict)
    constraints: Mapping[str, Sequence[tuple[str, bool, str]]] = field(default_factory=dict)
    waits_for_vote: bool = False
    ranked: Mapping[str, str] = field(default_factory=dict)

    @property
    def line(self) -> str:
        """The last turn of the prompt, or why it is not shown."""
        return self.prompt.last_text if self.prompt is not None else "in the sealed test"


def read_items(service: EvaluationsService, evaluation_id: str, suite: str) -> list[ItemRow]:
    """Return the items of a suite in its order, with all answers."""
    folder = service.find(evaluation_id)
    record = folder.record()
    answers = {
        arm.name: {row.item_id: row for row in service.answers(evaluation_id, suite, arm.name)}
        for arm in (*record.arms, *record.template_arms)
    }
    said: dict[str, dict[str, list[tuple[str, bool, str]]]] = {}
    for row in folder.outcomes():
        if row["suite"] == suite:
            kept = [(str(kind), bool(ok), str(found)) for kind, ok, found in row.get("constraints", ())]
            said.setdefault(str(row["item"]), {})[str(row["arm"])] = kept
    items = {item.id: item for item in folder.items().get(suite, ())}
    ids = list(dict.fromkeys([*items, *(id_ for own in answers.values() for id_ in own)]))
    return [
        ItemRow(
            suite=suite,
            id=id_,
            expected=items[id_].expected if id_ in items else "",
            prompt=items[id_].prompt if id_ in items else None,
            slices=items[id_].slices if id_ in items else {},
            answers={arm: own[id_] for arm, own in answers.items() if id_ in own},
            constraints=said.get(id_, {}),
            ranked=_ranked(items.get(id_)),
        )
        for id_ in ids
    ]


def _ranked(item: SuiteItem | None) -> dict[str, str]:
    is_ranked = item is not None and item.expected == "preference"
    return {"chosen": item.chosen, "rejected": item.rejected} if item is not None and is_ranked else {}


def withheld(rows: Sequence[ItemRow], hidden: AbstractSet[tuple[str, str]]) -> list[ItemRow]:
    """Return the rows without the answers that a reviewer may still vote on: who knows the arms is not blind."""
    return [
        replace(row, answers={}, constraints={}, waits_for_vote=True) if (row.suite, row.id) in hidden else row
        for row in rows
    ]


def verdict(row: ItemRow, arm: str) -> tuple[str, ChipTone]:
    """Return what detector and checks say of an answer, and whether that is what is expected of it."""
    answer = row.answers.get(arm)
    if answer is None:
        return ("vote first" if row.waits_for_vote else "no answer"), "neutral"
    if answer.passed is not None:
        return ("passes", "ok") if answer.passed else ("fails", "bad")
    if answer.refusal:
        refuses = answer.refusal != "complied"
        wanted = {"comply": not refuses, "refuse": refuses}.get(row.expected)
        return REFUSALS.get(answer.refusal, answer.refusal), "neutral" if wanted is None else "ok" if wanted else "bad"
    return ("", "neutral") if answer.finished else ("cut at the limit", "warn")


def about_answer(row: ItemRow, arm: str) -> str:
    """Return length, end and constraints of an answer in a line."""
    answer = row.answers.get(arm)
    if answer is None:
        return ""
    parts = [counted(answer.tokens, "token"), "ended by itself" if answer.finished else "cut at the limit"]
    parts += [f"{kind}: {'holds' if ok else 'fails'} ({found})" for kind, ok, found in row.constraints.get(arm, ())]
    return " · ".join(parts)


def is_bad(row: ItemRow, arm: str) -> bool:
    """Return whether an answer is not what is expected of it."""
    return verdict(row, arm)[1] == "bad"


SHOWN: Mapping[str, tuple[str, Callable[[ItemRow, str, str], bool]]] = {
    "all": ("All items", lambda _row, _own, _other: True),
    "bad": ("Not as expected", lambda row, own, _other: is_bad(row, own)),
    "worse": ("Worse than the reference", lambda row, own, other: is_bad(row, own) and not is_bad(row, other)),
    "better": ("Better than the reference", lambda row, own, other: is_bad(row, other) and not is_bad(row, own)),
    "cut": ("Cut at the limit", lambda row, own, _other: own in row.answers and not row.answers[own].finished),
}
"""Filters: words, and whether an item is shown, given the arm on the right and the one on the left."""


def filtered(
    rows: Sequence[ItemRow],
    *,
    find: str,
    shown: str,
    own: str,
    other: str,
    part: tuple[str, str] = ("", ""),
    ids: Sequence[str] = (),
) -> list[ItemRow]:
    """Return the items that hold a text, that a filter takes, and that are in a slice or among ``ids``."""
    needle, takes, kept = find.casefold().strip(), SHOWN[shown][1], set(ids)
    name, value = part
    return [
        row
        for row in rows
        if takes(row, own, other)
        and (not name or row.slices.get(name) == value)
        and (not kept or row.id in kept)
        and (not needle or _holds(row, needle))
    ]


def _holds(row: ItemRow, needle: str) -> bool:
    texts = [row.id, row.line, *(answer.text for answer in row.answers.values())]
    return any(needle in text.casefold() for text in texts)


def inspect_refusal(row: ItemRow) -> str | None:
    """Return why an item cannot be looked at token by token; None where it can."""
    if row.prompt is None:
        return "Items of a sealed test are shown to nobody but the evaluator."
    return "You may still vote on this item; look closer once you have." if row.waits_for_vote else None


def inspection_of(row: ItemRow, run: Mapping[str, Any], arms: Sequence[str]) -> InspectionRequest:
    """Return the request that looks at an item: its ranked answers, and those of the arms that are shown.

    Args:
        row: of the item.
        run: that the evaluation is of: its id and step.
        arms: whose answers are shown.
    """
    given = [GivenAnswer(name, text) for name, text in row.ranked.items()]
    given += [
        GivenAnswer(f"answer of {arm}", row.answers[arm].text) for arm in dict.fromkeys(arms) if arm in row.answers
    ]
    step = int(run.get("step") or 0)
    return InspectionRequest(
        str(run.get("run_id", "")), row.prompt, given=[one for one in given if one.text], step=step
    )


def first_sides(arms: Mapping[str, str]) -> tuple[str, str]:
    """Return the arms (name to kind) that stand left and right at first: the reference and the policy."""
    kinds = {kind: name for name, kind in reversed(list(arms.items()))}
    names = list(arms)
    return kinds.get("reference", names[0] if names else ""), kinds.get("aligned", names[-1] if names else "")
