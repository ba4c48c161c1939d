"""Two evaluations on the items that both hold: what one policy gained over the other, and what other items did.

What was reported differs for three reasons, and these add up to the difference: another policy on the same items,
another detector on the same answers, and other items. Each is an estimate of its own.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.domain.bought import Bought
from core.domain.estimate import Estimate
from core.domain.evaluation_record import Arm, EvaluatedSuite
from core.domain.ids import sha256_json
from core.domain.suite import SuiteItem, split_title
from core.evaluation.measures.flips import flips
from core.evaluation.measures.means import bootstrap_of_sums, p_value, paired_difference
from core.evaluation.measures.multiplicity import adjusted
from core.runs.evaluations.columns import ArmRows, Column, answer_columns, kl_columns, preference_columns, text_columns
from core.runs.evaluations.comparisons import estimate_of
from core.runs.evaluations.folder import EvaluationFolder
from core.runs.evaluations.ledger import EvaluationLedger
from core.runs.evaluations.outcomes import AnswerOutcome, outcome_columns, outcomes_of, refusal_columns

SealedItems = Callable[[EvaluatedSuite], Sequence[SuiteItem]]
"""The items of a sealed test, as the workspace froze them; nothing where it does not know them."""
Columns = Mapping[str, Column]


@dataclass(frozen=True, slots=True)
class SuiteValues:
    """A suite as an evaluation measured it.

    Attributes:
        title, sha256: of the suite.
        asked: hash of what each item asks and expects, by its id.
        groups: the prompt of each item.
        policy, reference: columns by metric, all by the detector of today.
        noted: those of the policy as they were noted when it was measured.
    """

    title: str
    sha256: str
    asked: Mapping[str, str]
    groups: Mapping[str, str]
    policy: Columns
    noted: Columns
    reference: Columns = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The suite without its version: "look-alikes v2" is a version of "look-alikes"."""
        head, _, last = self.title.rpartition(" ")
        return head if head and last[:1] == "v" and last[1:].isdigit() else self.title


def suite_values(folder: EvaluationFolder, sealed_items: SealedItems) -> list[SuiteValues]:
    """Return the values of each suite of a finished evaluation; none where its ledger is not there.

    Args:
        folder: of the evaluation.
        sealed_items: looks up the items of a sealed test, which are in no file of the folder.
    """
    record, items, noted = folder.record(), folder.items(), folder.outcomes()
    policy = next((arm for arm in record.arms if arm.kind == "aligned"), None)
    reference = next((arm for arm in record.arms if arm.kind == "reference"), None)
    if policy is None or reference is None:
        return []
    ledger, found = EvaluationLedger(folder.ledger), []
    for suite in record.suites:
        before, own = _rows(ledger, suite.title, reference), _rows(ledger, suite.title, policy)
        known = {*own.answers, *own.scores}
        asked = list(sealed_items(suite)) if suite.sealed else items.get(suite.title, [])
        asked = [item for item in asked if item.id in known]
        if asked:
            found.append(_values(suite, asked, own, before, [r for r in noted if r["suite"] == suite.title]))
    return found


def _rows(ledger: EvaluationLedger, suite: str, arm: Arm) -> ArmRows:
    return ArmRows(
        arm,
        {row.item: row for row in ledger.answers(suite, arm.name)},
        {row.item: row for row in ledger.scores(suite, arm.name)},
        {row.item: row for row in ledger.kl_rows(suite, arm.name)},
    )


def _values(
    suite: EvaluatedSuite, items: Sequence[SuiteItem], own: ArmRows, before: ArmRows, noted: Sequence[Mapping[str, Any]]
) -> SuiteValues:
    kept = {
        row["item"]: AnswerOutcome(row["item"], row["refusal"], row["passed"], tuple(map(tuple, row["constraints"])))
        for row in noted
        if row["arm"] == own.arm.name
    }
    return SuiteValues(
        suite.title,
        suite.sha256,
        {item.id: _asked(item) for item in items},
        {item.id: item.prompt.sha256 for item in items},
        _columns(own, before, items, outcomes_of(own, items)),
        _columns(own, before, items, kept),
        _columns(before, before, items, outcomes_of(before, items)),
    )


def _asked(item: SuiteItem) -> str:
    """Return the hash of what an item asks and expects; slices only describe it."""
    return sha256_json({key: value for key, value in item.to_plain().items() if key != "slices"})


def _columns(
    own: ArmRows, reference: ArmRows, items: Sequence[SuiteItem], outcomes: Mapping[str, AnswerOutcome]
) -> dict[str, Column]:
    columns = [
        *preference_columns(own, reference, items),
        *answer_columns(own),
        *kl_columns(own),
        *text_columns(own, items),
        *refusal_columns(outcomes, items),
        *outcome_columns(outcomes),
    ]
    return {column.metric: column for column in columns if column.values}


def compare_values(old: Sequence[SuiteValues], new: Sequence[SuiteValues]) -> list[Bought]:
    """Return every number that both evaluations have, suite by suite; suites are matched without their versions."""
    before = {suite.name: suite for suite in old}
    found = [row for after in new if after.name in before for row in _bought(before[after.name], after)]
    tested = {str(n): row.p for n, row in enumerate(found) if row.is_primary and math.isfinite(row.p)}
    holm = adjusted(tested, "holm")
    return [_with_holm(row, holm.get(str(n), math.nan)) for n, row in enumerate(found)]


def bridge_scores(measured: Sequence[SuiteValues]) -> list[Bought]:
    """Return every number on each version of a suite and on the next one, of the same policy in one evaluation.

    What the policy scores on both tells how numbers on the new version are to be read beside older ones on the old
    version: the policy is the same, so that all of the difference is due to the items.
    """
    found: list[Bought] = []
    ordered = sorted(measured, key=lambda suite: split_title(suite.title))
    for old, new in pairwise(ordered):
        if old.name == new.name and old.title != new.title:
            found += _bought(old, new)
    return found


def _with_holm(row: Bought, p: float) -> Bought:
    values = {name: getattr(row, name) for name in Bought.__slots__}
    return Bought(**{**values, "p_holm": p})


def _bought(old: SuiteValues, new: SuiteValues) -> Iterator[Bought]:
    groups = {**old.groups, **new.groups}
    same = [id_ for id_ in sorted(new.asked) if old.asked.get(id_) == new.asked[id_]]
    for metric, after in new.noted.items():
        before = old.noted.get(metric)
        if before is None:
            continue
        pair = old.policy.get(metric, before), new.policy.get(metric, after)
        ids = [id_ for id_ in same if all(id_ in column.values for column in (before, after, *pair))]
        difference, p = _paired(*pair, ids, groups) if ids else (None, math.nan)
        yield Bought(
            old.title,
            new.title,
            metric,
            estimate_of(before, old.groups),
            estimate_of(after, new.groups),
            difference,
            p,
            reference=_of_reference(old, new, metric, ids, groups),
            by_detector=_by_detector((before, after), pair, ids, groups),
            by_items=_by_items(before, after, ids, groups),
            is_primary=after.is_primary,
        )


def _paired(before: Column, after: Column, ids: Sequence[str], groups: Mapping[str, str]) -> tuple[Estimate, float]:
    one, two = [before.values[i] for i in ids], [after.values[i] for i in ids]
    prompts = [groups[i] for i in ids]
    if after.kind == "share" and {*one, *two} <= {0.0, 1.0}:
        table = flips(one, two, prompts)
        return table.difference, table.p
    found = paired_difference(two, one, prompts, after.unit, "mean paired difference, same items")
    return found, p_value(found)


def _of_reference(
    old: SuiteValues, new: SuiteValues, metric: str, ids: Sequence[str], groups: Mapping[str, str]
) -> Estimate | None:
    before, after = old.reference.get(metric), new.reference.get(metric)
    if before is None or after is None:
        return None
    kept = [id_ for id_ in ids if id_ in before.values and id_ in after.values]
    return _paired(before, after, kept, groups)[0] if kept else None


def _by_detector(
    noted: tuple[Column, Column], today: tuple[Column, Column], ids: Sequence[str], groups: Mapping[str, str]
) -> Estimate | None:
    """Return what the detectors of then say beyond that of today, on the same answers."""
    moved = [[then.values[i] - now.values[i] for i in ids] for then, now in zip(noted, today, strict=True)]
    if not any(value for side in moved for value in side):
        return None
    what = "verdicts of the detector of then minus that of today"
    return paired_difference(moved[1], moved[0], [groups[i] for i in ids], noted[1].unit, what)


def _by_items(before: Column, after: Column, ids: Sequence[str], groups: Mapping[str, str]) -> Estimate | None:
    """Return what of the reported difference comes from items that only one of both has."""
    every = sorted({*before.values, *after.values})
    if not ids or len(ids) == len(every):
        return None
    return bootstrap_of_sums(
        _due_to_items,
        [_sides(before.values.get(i), after.values.get(i), i in ids) for i in every],
        [groups[i] for i in every],
        after.unit,
        "part due to other items",
    )


def _sides(before: float | None, after: float | None, in_both: bool) -> list[float]:
    """Return of an item both values and whether there is one, then the same where both sides have the item."""
    one, two = (0.0 if value is None else value for value in (before, after))
    kept = float(in_both)
    return [one, before is not None, two, after is not None, kept * one, kept * two, kept]


def _due_to_items(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the difference of the means of all items minus that of the items of both, from sums of :func:`_sides`."""
    one, ones, two, twos, kept_one, kept_two, kept = np.moveaxis(sums, -1, 0)
    return two / twos - one / ones - (kept_two - kept_one) / kept
