"""The leak gate of an evaluation: test items that stand in what the policy was trained or tuned on.

A leak in a sealed test ends the evaluation before anything is answered, with the list of hits in ``leaks.json``. In an
open suite it is a note in the evidence, because such a suite is known to everybody.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from core import durable
from core.domain.counting import counted, verb
from core.domain.errors import UserError
from core.domain.evaluation_record import EvaluationRecord
from core.domain.suite import SuiteItem
from core.evaluation.leaks import ComparedItem, LeakReport, find_leaks
from core.runs.evaluations.folder import EvaluationFolder
from core.runs.folder import RunFolder

LEAKS = "leaks.json"
_NAMED = 5
Items = Mapping[str, Sequence[SuiteItem]]


class Leaked(UserError):
    """A sealed test of which copies stand elsewhere.

    Attributes:
        items: ids of the test items with a copy.
    """

    def __init__(self, message: str, hint: str = "", items: tuple[str, ...] = ()) -> None:
        super().__init__(message, hint)
        self.items = items


def check_leaks(folder: EvaluationFolder, record: EvaluationRecord, items: Items) -> dict[str, Any]:
    """Return what the gate found for each suite as plain values.

    Raises:
        Leaked: when a sealed test has a hit; ``leaks.json`` in the folder lists all of them.
    """
    found: dict[str, LeakReport] = {}
    for suite in record.suites:
        test = [ComparedItem.of_suite(item) for item in items[suite.title]]
        found[suite.title] = find_leaks(test, _places(record, suite.title, items))
    plain = {title: report.to_plain() for title, report in found.items()}
    for suite in record.suites:
        report = found[suite.title]
        if suite.sealed and report.blocks:
            durable.write_json(folder.path / LEAKS, plain)
            ids = tuple(sorted(report.items))
            named = ", ".join(ids[:_NAMED]) + (" and more" if len(ids) > _NAMED else "")
            raise Leaked(
                f"The leak gate stopped the evaluation on {suite.title}: {report.sentence()} The items are {named}. "
                "Nothing was answered; the opening of the test is noted.",
                f"All hits are listed in {LEAKS}. Take the copies out of what is trained, freeze again and train anew.",
                ids,
            )
    return plain


def leak_notes(found: Mapping[str, Any]) -> list[str]:
    """Return a sentence for each open suite with hits."""
    return [
        f"{counted(n, 'item')} of {title} {verb(n, 'has', 'have')} a copy or near copy in what the run was trained or "
        "tuned on; their numbers say less."
        for title, report in found.items()
        if (n := report["leaked"])
    ]


def _places(record: EvaluationRecord, title: str, items: Items) -> dict[str, Iterator[ComparedItem]]:
    """Return what a suite is compared with: the pairs of every run among the arms, and for a sealed test the suites.

    A suite that is itself a dataset's held-out pairs is compared with what trains alone.
    """
    own = next(suite for suite in record.suites if suite.title == title)
    splits = ("train",) if own.origin == "dataset" else ("train", "dev")
    runs = sorted({arm.run_dir for arm in record.arms if arm.run_dir})
    places = {split: _pairs(runs, split) for split in splits}
    if own.sealed:
        others = [suite.title for suite in record.suites if not suite.sealed and suite.origin != "dataset"]
        places |= {other: (ComparedItem.of_suite(item) for item in items[other]) for other in others}
    return places


def _pairs(runs: Sequence[str], split: str) -> Iterator[ComparedItem]:
    for run in runs:
        yield from (ComparedItem.of_pair(pair) for pair in RunFolder(Path(run)).pairs() if pair.split == split)
