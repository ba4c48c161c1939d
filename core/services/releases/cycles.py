"""Finding both sides of a comparison in the workspace, and measuring what changed between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from core import durable
from core.domain.bought import Bought
from core.domain.dataset import DatasetDiff, diff_versions
from core.domain.errors import NotFound, UserError
from core.domain.evaluation_record import SEALED, EvaluatedSuite
from core.domain.release_gate import STATE_WORDS
from core.domain.suite import SuiteItem
from core.runs.evaluations.folder import EvaluationFolder
from core.services.releases.cycle import Cycle, CycleSide, cycle_of
from core.services.releases.names import CONTRACT, EVALUATION
from core.store import datasets
from core.store.split_suite import split_suite
from core.store.sqlite.database import Session, Store

if TYPE_CHECKING:
    from core.services.releases.views import ReleaseInfo

FindRelease = Callable[[str], "ReleaseInfo"]
FindEvaluation = Callable[[str], EvaluationFolder]


class CycleReader:
    """Compares two releases or evaluations of a workspace.

    Args:
        store: knows the dataset versions.
        find_release: by id, beginning of it, or name.
        find_evaluation: the same of evaluations.
    """

    def __init__(self, store: Store, find_release: FindRelease, find_evaluation: FindEvaluation) -> None:
        self._store, self._release, self._evaluation = store, find_release, find_evaluation

    def compare(self, old: CycleSide, new: CycleSide) -> Cycle:
        """Return what changed, with the answers of both compared item by item."""
        # It imports scipy and the detector, which the window must not load when it starts.
        from core.runs.evaluations.paired import compare_values, suite_values

        with self._store.read() as session:
            known = {s.sha256: _sealed_items(session, s) for side in (old, new) for s in side.record.suites if s.sealed}
            pairs = _pairs(session, old.root_sha256, new.root_sha256)
        before, after = (suite_values(side.folder, lambda suite: known[suite.sha256]) for side in (old, new))
        missing = [side.title for side, found in ((old, before), (new, after)) if not found]
        return cycle_of(old, new, pairs, compare_values(before, after), missing)

    def bridges(self, wanted: str) -> list[Bought]:
        """Return what one policy scores on each version of a suite and on the next one, by a finished evaluation.

        Raises:
            NotFound: when it is not there, not finished, or measured no two versions of a suite.
        """
        # It imports scipy and the detector, which the window must not load when it starts.
        from core.runs.evaluations.paired import bridge_scores, suite_values

        side = self.side(wanted)
        with self._store.read() as session:
            known = {s.sha256: _sealed_items(session, s) for s in side.record.suites if s.sealed}
        found = bridge_scores(suite_values(side.folder, lambda suite: known[suite.sha256]))
        if not found:
            raise NotFound(
                f"{side.title} measured no two versions of one suite.",
                "Evaluate both in one evaluation: evaluate WS RUN --suite 'NAME v1' --suite 'NAME v2'.",
            )
        return found

    def side(self, wanted: str) -> CycleSide:
        """Return a release, or an evaluation that is finished.

        Raises:
            NotFound: when neither is there.
        """
        try:
            return self.release_side(wanted)
        except NotFound:
            folder = self._evaluation_of(wanted)
        if folder.evidence() is None:
            raise NotFound(f"Evaluation {wanted} is not finished; there is nothing to compare.", "Resume it first.")
        record = folder.record()
        return CycleSide("evaluation", record.name, record.evaluation_id, folder, record)

    def _evaluation_of(self, wanted: str) -> EvaluationFolder:
        try:
            return self._evaluation(wanted)
        except NotFound as error:
            raise NotFound(
                f"There is neither a release nor an evaluation {wanted!r}.",
                "See them with: releases WS, evaluations WS",
            ) from error

    def release_side(self, wanted: str) -> CycleSide:
        """Return a release with its evaluation: that of the workspace, or the one in its folder.

        Raises:
            NotFound: when there is no such release, or both evaluations are gone.
        """
        release = self._release(wanted)
        try:
            folder = self._evaluation(release.evaluation_id)
        except NotFound:
            folder = EvaluationFolder(Path(release.folder) / EVALUATION)
        if not folder.exists():
            raise NotFound(
                f"The evaluation of release {release.name} is gone.", "Put back its folder, or the release's folder."
            )
        decision = {
            "gate": STATE_WORDS.get(release.outcome, release.outcome),  # type: ignore[call-overload]
            "approver": release.approver,
            "released despite": release.despite,
            "withdrawn": release.withdrawn,
        }
        return CycleSide(
            "release", release.name, release.release_id, folder, folder.record(), _thresholds(release), decision
        )


def _thresholds(release: ReleaseInfo) -> tuple[str, ...]:
    """Return the thresholds with their values from the contract; their names alone where the folder is gone."""
    try:
        contract = durable.read_json(Path(release.folder) / CONTRACT)
        return tuple(f"{one['name']} v{one['number']} at {one['value']:g}" for one in contract["thresholds"])
    except (UserError, OSError, KeyError, TypeError, ValueError):
        named = release.tuple_.get("thresholds", "–")
        return () if named == "–" else tuple(named.split(", "))


def _sealed_items(session: Session, suite: EvaluatedSuite) -> Sequence[SuiteItem]:
    """Return the items of a sealed test as they were frozen; it is no look, because nobody is shown a text."""
    try:
        version = datasets.get(session, suite.title.removeprefix(SEALED))
    except NotFound:
        return ()
    found = split_suite(session, version, "test")
    return found.items if found is not None and found.sha256 == suite.sha256 else ()


def _pairs(session: Session, old: str, new: str) -> DatasetDiff | None:
    known = {version.root_sha256: version for version in datasets.listed(session)}
    if old == new or old not in known or new not in known:
        return None
    before, after = known[old], known[new]
    return diff_versions(before, datasets.items(session, before.id), after, datasets.items(session, after.id))
