"""The page of a dataset version: read in one snapshot, in words."""

from __future__ import annotations

from dataclasses import replace

from core.domain.dataset import diff_versions
from core.domain.dataset_view import DatasetPart, DatasetView, policy_in_words
from core.domain.ids import sha256_json
from core.domain.on_policy import OnPolicy
from core.store import dataset_parts as parts
from core.store import datasets as repository
from core.store import generated, reviewers, rubrics, sources


def view(session: repository.Session, wanted: int | str) -> DatasetView:
    """Return everything that the page of a dataset version shows.

    Raises:
        NotFound: when there is none.
    """
    version = repository.get(session, wanted)
    before = parts.version_before(session, version.id)
    difference = None
    if before is not None:
        old = repository.get(session, before)
        difference = diff_versions(
            old, repository.items(session, old.id), version, repository.items(session, version.id)
        )
    marks = generated.marks(session, version.id)
    titles = {one.id: one.title for one in (rubrics.get(session, key) for key in version.policy.rubric_version_ids)}
    return DatasetView(
        version=version,
        rubrics=parts.rubrics_of(session, version.id),
        reviewers=parts.reviewers_of(session, version.id),
        sources=parts.sources_of(session, version.id),
        adjudicated=parts.count_of(session, version.id, DatasetPart(adjudicated=True)),
        edited=parts.count_of(session, version.id, DatasetPart(edited=True)),
        runs=parts.runs_of(session, version.id),
        difference=difference,
        policy=policy_in_words(
            version.policy,
            titles,
            {one.id: one.name for one in reviewers.listed(session)},
            {one.id: one.name for one in sources.listed(session)},
        ),
        policy_sha256=sha256_json(version.policy.to_plain()),
        on_policy=replace(OnPolicy.count(marks, marks), of=version.counts.get("items", 0)),
    )
