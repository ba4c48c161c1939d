"""What the items of a split or a suite were used for: recorded uses, and those that follow from the runs."""

from __future__ import annotations

from collections.abc import Sequence

from core.domain.dataset import DatasetVersion, Split
from core.domain.item_use import ItemUse, UsageReport, of_items
from core.domain.suite import Suite
from core.services.runs.derived_uses import derived_uses, root_of
from core.services.runs.views import RunInfo
from core.store import item_uses
from core.store.sqlite.database import Session


def usage_of_split(
    session: Session, version: DatasetVersion, split: Split, title: str, runs: Sequence[RunInfo]
) -> UsageReport:
    """Return what the items of a split were used for, by whatever dataset version they were used in."""
    own = item_uses.pair_ids(session, version.id, split)
    known: dict[tuple[str, str], list[str]] = {}

    def common(root_sha256: str, other: str) -> list[str]:
        key = (root_sha256, other)
        if key not in known:
            known[key] = item_uses.common_items(session, version.id, split, *key)
        return known[key]

    uses = [
        ItemUse(use.kind, use.by, use.by_id, of_items(use, common(use.root_sha256, use.split)), use.at_ms)
        for use in item_uses.recorded(session)
        if not use.suite
    ]
    known_runs = {(use.kind, use.by_id) for use in uses if use.by_id}
    for kind, run, other in derived_uses(runs):
        if (kind, run.run_id) not in known_runs:  # it was deleted once, and restored
            ids = tuple(sorted(common(root_of(run), other)))
            uses.append(ItemUse(kind, run.name, run.run_id, ids, run.record.created_ms, derived=True))
    return _report(title, len(own), uses)


def usage_of_suite(session: Session, suite: Suite) -> UsageReport:
    """Return what the items of a suite were used for, in whatever version of it."""
    ids = [item.id for item in suite.items]
    uses = [
        ItemUse(use.kind, use.by, use.by_id, of_items(use, ids), use.at_ms)
        for use in item_uses.recorded(session)
        if use.suite == suite.name
    ]
    return _report(suite.title, len(ids), uses)


def _report(title: str, rows: int, uses: Sequence[ItemUse]) -> UsageReport:
    found = sorted((use for use in uses if use.ids), key=lambda use: (use.at_ms, use.kind, use.by))
    return UsageReport(title, rows, tuple(found))
