"""The leak gate over a workspace: what a test or a suite is compared with."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from core.domain.dataset import DatasetVersion
from core.domain.pair import TrainingPair
from core.domain.suite import Suite
from core.evaluation.leaks import ComparedItem, LeakReport, find_leaks
from core.store import pair_texts
from core.store.pair_texts import StoredTexts
from core.store.sqlite.database import Session

Progress = Callable[[int, str], None]


def leaks_of_test(
    session: Session,
    version: DatasetVersion,
    *,
    suites: Sequence[Suite] = (),
    runs: Sequence[tuple[str, Sequence[TrainingPair]]] = (),
    on_progress: Progress | None = None,
) -> LeakReport:
    """Compare the test split of a version with its train and dev splits, all other pairs, suites and pairs of runs.

    A pair outside the version whose prompt asks the same as a test item is a leak only when it is a copy, answers
    included: a freeze draws all pairs of such prompts into the same split.
    """
    test = list(pair_texts.of_split(session, version.id, "test"))
    keys = {row.same for row in test}
    places: dict[str, Iterable[ComparedItem]] = {
        "train": map(_compared, pair_texts.of_split(session, version.id, "train")),
        "dev": map(_compared, pair_texts.of_split(session, version.id, "dev")),
        "imports": _imports(session, version, keys),
        **_of_suites(suites),
        **_of_runs(runs),
    }
    return find_leaks(map(_compared, test), places, on_progress=on_progress)


def leaks_of_suite(
    session: Session,
    suite: Suite,
    versions: Sequence[DatasetVersion],
    *,
    runs: Sequence[tuple[str, Sequence[TrainingPair]]] = (),
    on_progress: Progress | None = None,
) -> LeakReport:
    """Compare the items of a suite with the train and dev splits of dataset versions, and with the pairs of runs."""
    places: dict[str, Iterable[ComparedItem]] = {}
    for version in versions:
        for split in ("train", "dev"):
            places[f"{split} of {version.title}"] = map(_compared, pair_texts.of_split(session, version.id, split))
    places |= _of_runs(runs)
    return find_leaks(map(ComparedItem.of_suite, suite.items), places, on_progress=on_progress)


def _imports(session: Session, version: DatasetVersion, keys: set[int]) -> Iterator[ComparedItem]:
    for row in pair_texts.outside(session, version.id):
        yield _compared(row, only_copies=row.same in keys)


def _of_suites(suites: Sequence[Suite]) -> dict[str, Iterable[ComparedItem]]:
    return {suite.title: map(ComparedItem.of_suite, suite.items) for suite in suites}


def _of_runs(runs: Sequence[tuple[str, Sequence[TrainingPair]]]) -> dict[str, Iterable[ComparedItem]]:
    return {f"run {name}": map(ComparedItem.of_pair, pairs) for name, pairs in runs}


def _compared(row: StoredTexts, only_copies: bool = False) -> ComparedItem:
    return ComparedItem(str(row.pair_id), row.prompt, (row.a, row.b), only_copies)
