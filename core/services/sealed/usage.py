"""What the items of a split or a suite were used for: recorded uses, and those that follow from the runs.

Millions of rows need not be stored for what a run's frozen settings say: a run learned from the train split of its
dataset version; one that keeps its best checkpoint, or stops by patience, chose by the dev split (the probe draws from
it; the run's ledger has which pairs); runs that differ in nothing but beta can be compared on it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from core.domain.dataset import DatasetVersion, Split
from core.domain.ids import canonical_json
from core.domain.item_use import ItemUse, UsageReport, UseKind, of_items
from core.domain.suite import Suite
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
    for kind, run, other in _derived(runs):
        ids = tuple(sorted(common(_root(run), other)))
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


def _derived(runs: Sequence[RunInfo]) -> Iterator[tuple[UseKind, RunInfo, Split]]:
    """Yield what each run of a dataset version was used for, and the split; runs that never began used nothing."""
    begun = [run for run in runs if _root(run) and run.state != "created"]
    for run in begun:
        yield "train", run, "train"
        if run.record.config.best_metric != "off":
            yield "early_stop", run, "dev"
    for run in _differ_in_beta(begun):
        yield "beta", run, "dev"


def _differ_in_beta(runs: Sequence[RunInfo]) -> Iterator[RunInfo]:
    groups: dict[str, list[RunInfo]] = defaultdict(list)
    for run in runs:
        config = run.record.config
        if config.eval_every and config.probe_pairs and run.record.n_dev:
            plain = {**config.to_plain(), "beta": None, "root": _root(run), "model": run.record.model_dir}
            groups[canonical_json(plain)].append(run)
    for group in groups.values():
        if len({run.record.config.beta for run in group}) > 1:
            yield from group


def _root(run: RunInfo) -> str:
    return str(run.record.dataset.get("root_sha256") or "")
