"""The leak gate of an evaluation: test items that stand in what the policy was trained or tuned on.

A leak ends the evaluation before anything is answered, with the list of hits in ``leaks.json``. Open suites are
compared before anything is made, too, and their items that leak can be left out when that is asked for. In the run's
own held-out pairs a near copy is a note in the evidence: they may tune, and prompts that differ in a word stand in both
splits.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from core import durable
from core.domain.counting import counted, verb
from core.domain.errors import UserError
from core.domain.evaluation_record import EvaluatedSuite, EvaluationRecord
from core.domain.suite import SuiteItem
from core.evaluation.leaks import ComparedItem, LeakReport, find_leaks
from core.runs.evaluations.folder import EvaluationFolder
from core.runs.folder import RunFolder

LEAKS = "leaks.json"
_NAMED = 5
_SPLITS = ("train", "dev")
_RETRAIN = "Take the copies out of what is trained, freeze again and train anew."
_OPEN = (
    "Leave those items out (--leave-out-leaks; in the window the box under the suites), or the suite; or take the "
    "copies out of what is trained and train anew."
)
Items = Mapping[str, Sequence[SuiteItem]]


class Leaked(UserError):
    """A suite of which copies stand elsewhere.

    Attributes:
        items: ids of the test items with a copy.
    """

    def __init__(self, message: str, hint: str = "", items: tuple[str, ...] = ()) -> None:
        super().__init__(message, hint)
        self.items = items


def check_leaks(folder: EvaluationFolder, record: EvaluationRecord, items: Items) -> dict[str, Any]:
    """Return what the gate found for each suite as plain values.

    Raises:
        Leaked: when a suite has a hit; ``leaks.json`` in the folder lists all of them.
    """
    found = {suite.title: _leaks(record, suite, items) for suite in record.suites}
    plain = {title: report.to_plain() for title, report in found.items()}
    for suite in record.suites:
        if found[suite.title].blocks and not suite.is_dev:
            durable.write_json(folder.path / LEAKS, plain)
            noted = (
                "Nothing was answered; the opening of the test is noted." if suite.sealed else "Nothing was answered."
            )
            hint = _RETRAIN if suite.sealed else _OPEN
            raise _leaked(suite, found[suite.title], noted, f"All hits are listed in {LEAKS}. {hint}")
    return plain


def require_no_open_leak(record: EvaluationRecord, items: Items) -> None:
    """Compare the open suites with what the arms were trained and tuned on, before anything is made.

    Raises:
        Leaked: when one has a hit.
    """
    for suite in record.suites:
        if not suite.sealed and not suite.is_dev:
            report = _leaks(record, suite, items)
            if report.blocks:
                raise _leaked(suite, report, "Nothing was made.", _OPEN)


def without_leaks(items: Sequence[SuiteItem], runs: Sequence[str]) -> tuple[SuiteItem, ...]:
    """Return the items of a suite without those that have a copy or near copy in the pairs of these run folders."""
    test = [ComparedItem.of_suite(item) for item in items]
    leaked = find_leaks(test, {split: _pairs(runs, split) for split in _SPLITS}).items
    return tuple(item for item in items if item.id not in leaked)


def _leaks(record: EvaluationRecord, suite: EvaluatedSuite, items: Items) -> LeakReport:
    test = [ComparedItem.of_suite(item) for item in items[suite.title]]
    return find_leaks(test, _places(record, suite, items))


def _leaked(suite: EvaluatedSuite, report: LeakReport, safe: str, hint: str) -> Leaked:
    ids = tuple(sorted(report.items))
    named = ", ".join(ids[:_NAMED]) + (" and more" if len(ids) > _NAMED else "")
    stopped = f"The leak gate stopped the evaluation on {suite.title}: {report.sentence()} The items are {named}."
    return Leaked(f"{stopped} {safe}", hint, ids)


def leak_notes(found: Mapping[str, Any]) -> list[str]:
    """Return a sentence where held-out pairs have hits."""
    return [
        f"{counted(n, 'item')} of {title} {verb(n, 'has', 'have')} a copy or near copy in what the run was trained on; "
        "their numbers say less."
        for title, report in found.items()
        if (n := report["leaked"])
    ]


def _places(record: EvaluationRecord, own: EvaluatedSuite, items: Items) -> dict[str, Iterator[ComparedItem]]:
    """Return what a suite is compared with: the pairs of every run among the arms, and for a sealed test the suites.

    A suite that is itself a dataset's held-out pairs is compared with what trains alone.
    """
    splits = _SPLITS[:1] if own.origin == "dataset" else _SPLITS
    runs = sorted({arm.run_dir for arm in record.arms if arm.run_dir})
    places = {split: _pairs(runs, split) for split in splits}
    if own.sealed:
        others = [suite.title for suite in record.suites if not suite.sealed and suite.origin != "dataset"]
        places |= {other: (ComparedItem.of_suite(item) for item in items[other]) for other in others}
    return places


def _pairs(runs: Sequence[str], split: str) -> Iterator[ComparedItem]:
    for run in runs:
        yield from (ComparedItem.of_pair(pair) for pair in RunFolder(Path(run)).pairs() if pair.split == split)
