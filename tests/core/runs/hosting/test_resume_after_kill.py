"""SIGKILL at random steps, then resume: weights, metrics and per-pair rows equal the uninterrupted run, bit for bit.

Each process imports torch. The default suite holds the two halves of the promise: ``test_resume`` that the engine goes
on bit for bit, ``test_hosts`` that a killed process leaves a run that another one ends with the same ledger.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from core.domain.run_events import MACHINE_FIELDS, Finished
from core.runs.folder import RunFolder
from core.runs.hosting.driver import HostOptions, drive
from core.runs.hosting.hosts import ProcessHost, start
from core.runs.run_reader import RunReader
from tests.core.runs.golden_cli import golden_run
from tests.patience import LIMIT_S, wait_until

STEPS = 8

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def until_step(reader: RunReader, step: int, host: ProcessHost) -> None:
    wait_until(lambda: reader.status().step >= step or not host.alive())


def kill_at(folder: RunFolder, step: int) -> None:
    """Work on the run in a process and kill that as soon as the ledger shows ``step``."""
    host = start(folder.path, "process")
    assert isinstance(host, ProcessHost)
    until_step(RunReader(folder.path), step, host)
    host.kill()


def assert_same(found: RunFolder, expected: RunFolder) -> None:
    one, two = RunReader(found.path), RunReader(expected.path)
    names = [n for n in two.series_names() if n not in MACHINE_FIELDS]
    assert [n for n in one.series_names() if n not in MACHINE_FIELDS] == names
    for name in names:
        assert one.series(name) == two.series(name), name
    assert one.samples() == two.samples()
    for kind in ("train", "dev", "probe_train"):
        rows = [[replace(v, attempt=0) for v in reader.pairs_of_range(0, STEPS, kind)] for reader in (one, two)]
        assert sorted(rows[0], key=_place) == sorted(rows[1], key=_place)
    weights = [(f.path / "adapter" / "adapter_model.safetensors").read_bytes() for f in (found, expected)]
    assert weights[0] == weights[1]


def _place(visit: object) -> tuple[int, str]:
    return visit.step, visit.pair_id  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return one data folder for all runs here, as on one machine: it remembers which matrix kernel was taken."""
    return tmp_path_factory.mktemp("machine")


@pytest.fixture(autouse=True)
def pairwright_home(machine: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("PAIRWRIGHT_HOME", str(machine))
    return machine


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory, machine: Path) -> RunFolder:
    folder = golden_run(tmp_path_factory.mktemp("whole") / "run", steps=STEPS)
    assert isinstance(drive(folder.path, HostOptions(host="thread", cache_dir=machine / "cache")), Finished)
    return folder


@pytest.fixture
def finish() -> Callable[[RunFolder], None]:
    def go(folder: RunFolder) -> None:
        host = start(folder.path, "process")
        assert host.wait(LIMIT_S) == 0, (folder.path / "worker-output.txt").read_text()

    return go


def test_that_a_killed_run_ends_like_one_that_was_not(tmp_path: Path, whole: RunFolder, machine: Path) -> None:
    folder = golden_run(tmp_path / "run", steps=STEPS)
    kill_at(folder, 5)
    assert RunReader(folder.path).status().state == "interrupted"
    assert isinstance(drive(folder.path, HostOptions(host="thread", cache_dir=machine / "cache")), Finished)
    assert RunReader(folder.path).status().attempt == 2
    assert_same(folder, whole)


def test_that_both_hosts_give_the_same_bits(
    tmp_path: Path, whole: RunFolder, finish: Callable[[RunFolder], None]
) -> None:
    folder = golden_run(tmp_path / "run", steps=STEPS)
    finish(folder)
    assert_same(folder, whole)


@pytest.mark.timeout(3000)
def test_that_twenty_random_kills_change_nothing(
    tmp_path: Path, whole: RunFolder, finish: Callable[[RunFolder], None]
) -> None:
    draw = random.Random(17)
    kills = 0
    while kills < 20:
        folder = golden_run(tmp_path / f"run{kills}", steps=STEPS)
        for _ in range(draw.randint(1, 3)):
            kill_at(folder, draw.randint(0, STEPS - 1))
            kills += 1
        finish(folder)
        assert_same(folder, whole)
