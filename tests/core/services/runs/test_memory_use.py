from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from core.cli.app import build_app
from core.domain.run_events import RunStarted, StepDone
from core.paths import resources_dir
from core.runs.folder import RunFolder
from core.runs.ledger.writer import LedgerWriter
from core.runs.run_reader import RunReader
from core.services.runs.log_points import log_points
from core.services.runs.memory_use import memory_curves, memory_words, plain_memory

Ask = Callable[..., str]


def step(number: int, resident: int | None, peak: int | None = None) -> StepDone:
    means = (0.5, 0, 0, 0.5, 0, 0, -1, -2, 0, 0, 0.5, 1, 1e-5, 10, 4, 0, 0.1)
    return StepDone(number, 0.1, *means, resident_bytes=resident, cuda_peak_bytes=peak)


def written(folder: Path, steps: Iterable[StepDone]) -> RunReader:
    run = RunFolder(folder)
    folder.mkdir()
    writer = LedgerWriter(run.ledger, "r")
    writer.append(RunStarted("r", 10, 1, 4, 0, "cpu", "float32", "f"))
    for one in steps:
        writer.append(one)
    writer.close()
    return RunReader(folder)


@pytest.fixture
def old() -> RunReader:
    """The demo's run, which an earlier version made."""
    (found,) = (resources_dir() / "demo" / "workspace" / "runs").iterdir()
    return RunReader(found)


@pytest.fixture
def ask() -> Ask:
    def run(*words: object) -> str:
        answer = CliRunner().invoke(build_app(), ["runs", *map(str, words)])
        assert answer.exit_code == 0, answer.output
        return answer.output

    return run


def test_that_memory_is_told_in_gib_and_steps_without_it_are_left_out(tmp_path: Path) -> None:
    reader = written(tmp_path / "r", [step(1, None), step(2, 3 * 2**30), step(3, 2**31, 2**29)])
    curves = memory_curves(reader)
    assert curves == {"memory.resident": ([2, 3], [3.0, 2.0]), "memory.cuda_peak": ([3], [0.5])}
    assert plain_memory(curves) == {
        "unit": "GiB",
        "resident": {"step": 3, "last": 2.0, "max": 3.0, "n": 2},
        "cuda_peak": {"step": 3, "last": 0.5, "max": 0.5, "n": 1},
    }
    assert memory_words(curves).startswith("memory 2.00 GiB at step 3, at most 3.00 (n 2 steps); peak memory")
    assert [point.values.get("train/resident_bytes") for point in log_points(reader)] == [None, 3 * 2**30, 2**31]


def test_that_a_run_of_an_earlier_version_is_read_and_says_that_it_has_none(old: RunReader, ask: Ask) -> None:
    assert memory_words(memory_curves(old)) == "memory not recorded"
    assert plain_memory(memory_curves(old)) == {"unit": "GiB", "resident": None, "cuda_peak": None}
    assert "memory not recorded" in ask("show", old.folder.path)
    assert "not recorded" in ask("plot", old.folder.path, "memory")
