"""Where runs and sealed tests of an evaluation lie now: a workspace may have been moved or copied since it was made."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from core.domain.evaluation_record import EvaluationRecord

_RUNS, _SEALED = "runs", "sealed"


def placed_in(record: EvaluationRecord, workspace: Path) -> EvaluationRecord:
    """Return the request with its runs and sealed tests in this workspace, each where it has one of the same name.

    What the workspace does not hold stays where the request says: a run elsewhere may be an arm too.

    Args:
        record: as it was frozen, with the folders of then.
        workspace: the folder that holds the evaluation now.
    """
    return replace(
        record,
        run={**record.run, "folder": beside(str(record.run.get("folder", "")), _RUNS, workspace)},
        arms=tuple(replace(arm, run_dir=beside(arm.run_dir, _RUNS, workspace)) for arm in record.arms),
        suites=tuple(replace(suite, sealed=beside(suite.sealed, _SEALED, workspace)) for suite in record.suites),
    )


def beside(known: str, room: str, workspace: Path) -> str:
    """Return the part of the workspace that is called like a known one; the known one where there is none."""
    path = Path(known)
    beside = workspace / room / path.name
    return str(beside) if known and path.parent.name == room and beside.exists() else known
