"""An evaluation of a workspace that was moved or copied reads the runs and sealed tests that lie there."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from core.runs.evaluations.folder import EvaluationFolder, publish


def test_that_runs_and_sealed_tests_of_a_moved_workspace_are_found_in_it(
    tmp_path: Path, make_evaluation: Callable[..., EvaluationFolder]
) -> None:
    made = make_evaluation().record()
    old, here = Path("/gone/ws"), tmp_path / "ws"
    arms = tuple(replace(arm, run_dir=str(old / "runs" / arm.run_id)) for arm in made.arms)
    other = replace(arms[1], name="other", run_dir="/elsewhere/run", run_id="other")
    sealed = replace(made.suites[0], sealed=str(old / "sealed" / "abc.sealed"), keys="/keys")
    record = replace(
        made, arms=(*arms, other), suites=(sealed, *made.suites[1:]), run={**made.run, "folder": arms[0].run_dir}
    )
    folder = publish(here / "evaluations" / "one", record, {})
    assert folder.record() == record  # nothing of it lies there
    run = here / "runs" / arms[0].run_id
    run.mkdir(parents=True)
    (here / "sealed").mkdir()
    (here / "sealed" / "abc.sealed").touch()
    found = folder.record()
    assert [arm.run_dir for arm in found.arms] == [str(run), str(run), "/elsewhere/run"]
    assert (found.run["folder"], found.suites[0].sealed) == (str(run), str(here / "sealed" / "abc.sealed"))
    assert found.suites[0].keys == "/keys"
    moved = here.rename(tmp_path / "again")
    assert EvaluationFolder(moved / "evaluations" / "one").record().run["folder"] == str(
        moved / "runs" / arms[0].run_id
    )
