"""The quality of the labelling work: one report, from the labels that count now."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from core.domain.judgement import Reviewer
from core.domain.quality import QualityReport
from core.domain.rubric import RubricVersion
from core.domain.rubric_lint import LintFinding, lint
from core.domain.team import TeamReport
from core.services.quality.reviewer_table import ReviewerTable, export_reviewers
from core.store import batches, datasets, quality_labels, retest_pairs, reviewers, rubrics, sources
from core.store.sqlite.database import Session, Store

if TYPE_CHECKING:
    from core.services.quality.label_columns import LabelColumns

OnStep = Callable[[str], None]


def _go_on(_step: str) -> None:
    """Take no notice of a step."""


@dataclass(frozen=True, slots=True)
class _Read:
    """What a report is computed from.

    Attributes:
        of_batch: judgement -> the batch whose slot it answers. batches: id -> name.
        batch_id: the batch whose labels these are; 0 for all labels.
    """

    mark: tuple[int, int]
    labels: LabelColumns | None = None
    people: Sequence[Reviewer] = ()
    versions: Sequence[RubricVersion] = ()
    anchors: Sequence[retest_pairs.SecondAnswer] = ()
    repeats: Sequence[retest_pairs.SecondAnswer] = ()
    texts: Mapping[int, tuple[str, str]] = field(default_factory=dict)
    sources: Mapping[int, str] = field(default_factory=dict)
    behind: Mapping[str, Sequence[int]] = field(default_factory=dict)
    of_batch: Mapping[int, int] = field(default_factory=dict)
    batches: Mapping[int, str] = field(default_factory=dict)
    batch_id: int = 0

    def only(self, batch_id: int) -> _Read:
        """Return what was given in the slots of one batch."""
        labels = self.labels
        assert labels is not None
        inside = [key for key, batch in self.of_batch.items() if batch == batch_id]
        known = frozenset(inside)
        return replace(
            self,
            batch_id=batch_id,
            labels=labels.among(inside),
            anchors=[one for one in self.anchors if one.judgement_id in known],
            repeats=[one for one in self.repeats if one.judgement_id in known],
        )


class QualityService:
    """Measures agreement and reviewers. Nothing is stored.

    The labels that were read stay in memory, so that a later report reads only what was added since; the last report
    is kept, and given again while nothing changed. Thread-safe.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = Lock()
        self._labels: LabelColumns | None = None
        self._read_to = 0
        self._kept: _Read | None = None
        self._last: dict[int, TeamReport] = {}

    def report(self, batch_id: int = 0) -> QualityReport:
        """Return agreement over all labels, by criterion, version, pair of reviewers, source and batch, and reviewers.

        Each reviewer counts once per pair and rubric, with the newest label. Labels of retests, gold items and
        adjudications are not among them. For each frozen dataset version, agreement of the labels behind its items is
        given too: the difference to agreement over all labels is what filtering made of it.
        """
        return self.team(batch_id=batch_id).quality

    def team(self, on_step: OnStep = _go_on, batch_id: int = 0) -> TeamReport:
        """Return the report with agreement by clause and version, drift on gold items, and what needs a look.

        Args:
            on_step: gets the name of each step before it begins; it may raise to end the work, which leaves nothing
                behind.
            batch_id: only what was given in the slots of this batch; 0 takes all labels.
        """
        with self._lock:
            read = self._read(on_step)
            if (known := self._last.get(batch_id)) is None or known.mark != read.mark:
                known = _computed(read.only(batch_id) if batch_id else read, on_step)
                same = {key: one for key, one in self._last.items() if one.mark == read.mark}
                self._last = same | {batch_id: known}
            return known

    def _read(self, on_step: OnStep) -> _Read:
        """Read everything in one transaction, which is short: a long one would keep the write-ahead log growing."""
        # numpy, scipy and statsmodels take a second to import, and only the report needs them.
        from core.services.quality.reviewers import texts_wanted

        on_step("reading labels")
        with self._store.read() as session:
            mark = quality_labels.mark(session)
            if self._kept is not None and self._kept.mark == mark:
                return self._kept
            labels = self._current(session, mark[0])
            people = reviewers.listed(session)
            self._kept = _Read(
                mark,
                labels,
                people,
                rubrics.versions(session),
                list(retest_pairs.golds(session)),
                list(retest_pairs.retests(session)),
                quality_labels.texts(session, texts_wanted(people, labels)),
                {one.id: one.name for one in sources.listed(session)},
                {one.title: quality_labels.behind(session, one.id) for one in datasets.listed(session)},
                batches.judgements(session),
                {one.id: one.name for one in batches.listed(session)},
            )
            return self._kept

    def _current(self, session: Session, last: int) -> LabelColumns:
        """Return the labels that count; of those that were read before only the changes are read."""
        # numpy takes a tenth of a second to import, and only this needs it.
        from core.services.quality.label_columns import columns_of

        known = self._labels
        if known is None:
            known = columns_of(quality_labels.current(session))
        else:
            gone = quality_labels.superseded(session, self._read_to)
            added = columns_of(quality_labels.current(session, self._read_to), known.answer_texts)
            known = known.without(gone).followed_by(added)
        self._labels, self._read_to = known, last
        return known

    def export(self, path: Path, *, replace: bool = False) -> ReviewerTable:
        """Write every judgement that counts as one row of a CSV file: side shown, times, rationale, criteria, marks.

        Raises:
            BadInput: the name does not end in .csv, or a file is there and ``replace`` is not said.
            StorageFull, UserError: a file that was there is as it was.
        """
        with self._store.read() as session:
            return export_reviewers(session, path, replace=replace)

    def lint(self, version_id: int) -> list[LintFinding]:
        """Return what in a rubric version will make reviewers disagree, and what its labels show of its clauses.

        Raises:
            NotFound: when there is no such version.
        """
        # scipy takes a second to import, and only this and the report need it.
        from core.services.quality.clauses import clause_findings

        with self._store.read() as session:
            version = rubrics.get(session, version_id)
        return [*lint(version.body), *clause_findings(version.body.criteria, self.labels_under((version_id,)))]

    def labels_under(self, version_ids: Sequence[int]) -> LabelColumns:
        """Return the labels that count under some rubric versions, oldest first."""
        # numpy takes a tenth of a second to import, and only this needs it.
        import numpy as np

        with self._lock, self._store.read() as session:
            labels = self._current(session, quality_labels.mark(session)[0])
        return labels.only(np.isin(labels.version, list(version_ids)))


def _computed(read: _Read, on_step: OnStep) -> TeamReport:
    # scipy and statsmodels take a second to import, and only this needs them.
    import numpy as np

    # These compute with them.
    from core.services.quality import agreement_by_group as agreement
    from core.services.quality.clause_board import clause_boards
    from core.services.quality.drift import drift_findings, drift_of
    from core.services.quality.label_columns import verdicts_of
    from core.services.quality.looks import looks_of
    from core.services.quality.reviewers import reviewer_figures

    labels = read.labels
    assert labels is not None
    on_step("agreement")
    verdicts = verdicts_of(labels)
    given = labels.among(list(read.of_batch))
    inside = verdicts_of(given)
    batch_of = np.array([read.of_batch[key] for key in given.judgement[inside.place].tolist()], dtype=np.int64)
    titles, names = {one.id: one.title for one in read.versions}, {one.id: one.name for one in read.people}
    groups = {
        "criterion": agreement.by_criterion(labels),
        "version": agreement.by_version(labels, titles),
        "pair": agreement.by_pair_of_reviewers(verdicts, names),
        "source": agreement.by_group(verdicts, labels.source[verdicts.place], read.sources),
        "batch": agreement.by_group(inside, batch_of, read.batches),
    }
    kept = {title: verdicts_of(labels.among(keys)) for title, keys in read.behind.items()}
    after = {title: agreement.agreement_of(found) for title, found in kept.items() if found.size or not read.batch_id}
    on_step("reviewers")
    figures = reviewer_figures(read.people, labels, verdicts, read.anchors, read.repeats, read.texts)
    everything = agreement.agreement_of(verdicts) if verdicts.size else None
    found = QualityReport(everything, groups, figures, after, agreement.disagreed(labels, verdicts))
    boards = clause_boards(read.versions, labels, read.sources, lambda: on_step("agreement by clause"))
    drift = drift_of(read.people, read.versions, read.anchors)
    looks = (*looks_of(found, boards), *drift_findings(drift))
    return TeamReport(read.mark, found, boards, drift, looks)
