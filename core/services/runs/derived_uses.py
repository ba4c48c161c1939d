"""What runs used items for, as their frozen settings say; deleting a run records it, so that it outlasts the folder.

Millions of rows need not be stored for what follows from ``run.json``: a run learned from the train split of its
dataset version; one that keeps its best checkpoint, or stops by patience, chose by the dev split (the probe draws from
it; the run's ledger has which pairs); runs that differ in nothing but beta can be compared on it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from core.domain.dataset import Split
from core.domain.ids import canonical_json
from core.domain.item_use import RecordedUse, UseKind
from core.domain.run_record import UNSTARTED_STATES
from core.services.runs.views import RunInfo
from core.store import item_uses
from core.store.sqlite.database import Session, Store

Derived = tuple[UseKind, RunInfo, Split]


def derived_uses(runs: Sequence[RunInfo]) -> Iterator[Derived]:
    """Yield what each run of a dataset version was used for, and the split; runs that never began used nothing."""
    begun = [run for run in runs if root_of(run) and run.state not in UNSTARTED_STATES]
    for run in begun:
        yield "train", run, "train"
        if run.record.config.best_metric != "off":
            yield "early_stop", run, "dev"
    for run in _differ_in_beta(begun):
        yield "beta", run, "dev"


def root_of(run: RunInfo) -> str:
    """Return the root hash of the dataset version that a run was made from; "" for a file of pairs."""
    return str(run.record.dataset.get("root_sha256") or "")


def record_uses_of(store: Store, run_id: str, runs: Sequence[RunInfo]) -> None:
    """Record what a run used items for, once; ``runs`` are those that were listed with it."""
    found: list[Derived] = [one for one in derived_uses(runs) if one[1].run_id == run_id]
    if not found:
        return
    context = store.write_context()

    def write(session: Session) -> None:
        known = {(use.kind, use.by_id) for use in item_uses.recorded(session)}
        for kind, run, split in found:
            if (kind, run_id) not in known:
                use = RecordedUse(kind, run.name, run_id, root_sha256=root_of(run), split=split, note="run deleted")
                title = str(run.record.dataset.get("title", "a dataset version"))
                item_uses.record(session, context, use, f"{title}, {split}")

    store.write(write, "recording what a run used")


def _differ_in_beta(runs: Sequence[RunInfo]) -> Iterator[RunInfo]:
    groups: dict[str, list[RunInfo]] = defaultdict(list)
    for run in runs:
        config = run.record.config
        if config.eval_every and config.probe_pairs and run.record.n_dev:
            plain = {**config.to_plain(), "beta": None, "root": root_of(run), "model": run.record.model_dir}
            groups[canonical_json(plain)].append(run)
    for group in groups.values():
        if len({run.record.config.beta for run in group}) > 1:
            yield from group
