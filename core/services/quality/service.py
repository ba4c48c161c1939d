"""The quality of the labelling work: one report, from the labels that count now."""

from __future__ import annotations

from core.domain.quality import QualityReport
from core.domain.rubric_lint import LintFinding, lint
from core.store import datasets, overview, quality_labels, retest_pairs, reviewers, rubrics, sources
from core.store.sqlite.database import Store


class QualityService:
    """Measures agreement and reviewers. Nothing is stored; a report costs one read of the labels."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def report(self) -> QualityReport:
        """Return agreement over all labels, by criterion, rubric version, pair of reviewers and source, and reviewers.

        Each reviewer counts once per pair and rubric, with the newest label. Labels of retests, gold items and
        adjudications are not among them. For each frozen dataset version, agreement of the labels behind its items is
        given too: the difference to agreement over all labels is what filtering made of it.
        """
        # scipy and statsmodels take a second to import, and only this needs them.
        from core.services.quality import agreement_by_group as agreement
        from core.services.quality.reviewers import reviewer_figures, texts_wanted

        with self._store.read() as session:
            people = reviewers.listed(session)
            labels = quality_labels.current(session)
            anchors = list(retest_pairs.golds(session))
            repeats = list(retest_pairs.retests(session))
            texts = quality_labels.texts(session, texts_wanted(people, labels))
            titles = overview.version_titles(session)
            of_source = {one.id: one.name for one in sources.listed(session)}
            after = {
                one.title: agreement.agreement_of(agreement.verdicts_of(quality_labels.current(session, one.id)))
                for one in datasets.listed(session)
            }
        verdicts = agreement.verdicts_of(labels)
        version = {(one.pair_id, one.rubric_id, one.reviewer_id): titles[one.version_id] for one in labels}
        source = {one.pair_id: of_source.get(one.source_id, "") for one in labels}
        groups = {
            "criterion": agreement.by_criterion(labels),
            "version": agreement.by_group((version[(*one[0], one[1])], one) for one in verdicts),
            "pair": agreement.by_pair_of_reviewers(verdicts, {one.id: one.name for one in people}),
            "source": agreement.by_group((source[one[0][0]], one) for one in verdicts),
        }
        figures = reviewer_figures(people, labels, verdicts, anchors, repeats, texts)
        everything = agreement.agreement_of(verdicts) if verdicts else None
        return QualityReport(everything, groups, figures, after, agreement.disagreed(verdicts))

    def lint(self, version_id: int) -> list[LintFinding]:
        """Return what in a rubric version will make reviewers disagree, and what its labels show of its clauses.

        Raises:
            NotFound: when there is no such version.
        """
        # scipy takes a second to import, and only this and the report need it.
        from core.services.quality.clauses import clause_findings

        with self._store.read() as session:
            version = rubrics.get(session, version_id)
            labels = [one for one in quality_labels.current(session) if one.version_id == version_id]
        return [*lint(version.body), *clause_findings(version.body.criteria, labels)]
