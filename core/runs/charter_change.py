"""Change the charter of a run that was created and not started; a started run keeps its charter."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from core import durable
from core.domain.charter import Charter
from core.domain.errors import UsageError
from core.domain.run_record import UNSTARTED_STATES, RunRecord
from core.evaluation.chosen_refusals import require_benign_suite
from core.runs.creation import with_counts
from core.runs.folder import PAIRS, RUN_JSON, RunFolder
from core.runs.hosting.run_lock import lock_run
from core.runs.status import read_status


def change_charter(folder: RunFolder, charter: Charter) -> RunRecord:
    """Replace the charter of a run that nothing was done on yet, and return its new record.

    The run folder is published anew and put in the place of the old one, so that it is the old or the new one after a
    crash.

    Raises:
        UsageError: when the run was started or is a fork, or the charter cannot be kept.
        WorkspaceInUse: when a process works on it.
    """
    charter.check()
    with lock_run(folder):
        record = folder.record()
        _require_untouched(folder, record)
        folder.verify_inputs()
        pairs = folder.pairs()
        require_benign_suite(charter, pairs)
        kept = with_counts(charter, pairs)
        changed = replace(record, charter=kept, charter_sha256=kept.lock(record.fingerprint))
    _publish(folder.path, changed)
    return changed


def _require_untouched(folder: RunFolder, record: RunRecord) -> None:
    state = read_status(folder).state
    if state not in UNSTARTED_STATES or folder.ledger.exists():
        raise UsageError(
            f"The charter of a started run cannot be changed; this one is {state}. Nothing was changed.",
            "It says what was meant before the results were known. Create a new run with another charter.",
        )
    if record.parent_run:
        raise UsageError(
            "The charter of a fork is fixed when it is made. Nothing was changed.", "Make another fork, or a new run."
        )


def _publish(path: Path, record: RunRecord) -> None:
    def fill(new: Path) -> None:
        shutil.copyfile(path / PAIRS, new / PAIRS)
        durable.write_json(new / RUN_JSON, record.to_plain())

    durable.publish_folder(path, fill, identity={"run_id": record.run_id}, replacing=True)
