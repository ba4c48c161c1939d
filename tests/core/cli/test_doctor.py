from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from core.domain.gate_causes import GATE_CAUSES
from core.paths import resources_dir
from core.services.diagnosis import wal_reset_status
from core.version import VERSION
from tests.core.cli.conftest import Said

Call = Callable[..., Said]


@pytest.mark.parametrize(
    ("version", "fixed"),
    [
        ((3, 40, 1), False),
        ((3, 44, 5), False),
        ((3, 44, 6), True),
        ((3, 45, 0), False),
        ((3, 50, 6), False),
        ((3, 50, 7), True),
        ((3, 51, 2), False),
        ((3, 51, 3), True),
        ((3, 52, 0), True),
    ],
)
def test_that_the_versions_with_the_wal_reset_fix_are_known(version: tuple[int, int, int], fixed: bool) -> None:
    assert ("has the WAL-reset fix" in wal_reset_status(version)) is fixed


def test_that_doctor_tells_versions_devices_places_and_what_is_missing(call: Call) -> None:
    said = call("doctor", "--json")
    found = said.json()
    assert found["versions"]["sqlite"] == sqlite3.sqlite_version
    assert found["versions"]["torch"]
    assert found["devices"][0].startswith("cpu")
    assert {"data", "models", "cache", "logs", "resources"} == set(found["places"])
    assert said.code == (0 if found["healthy"] else 1)
    assert call("doctor").out.splitlines()[-1] in ("Everything needed is installed.", "Something needed is missing.")


def test_that_a_missing_library_is_named_and_returns_1(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    import core.services.diagnosis as diagnosis

    real = diagnosis._version
    monkeypatch.setattr(diagnosis, "_version", lambda name: "" if name == "peft" else real(name))
    said = call("doctor", "--json")
    assert said.code == 1
    assert said.json()["missing"] == ["peft (training)"]


def test_that_a_resource_that_is_not_there_is_named_with_what_needs_it(
    call: Call, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    here = tmp_path / "resources"
    shutil.copytree(resources_dir(), here, ignore=shutil.ignore_patterns("screenshots", "dark.json"))
    monkeypatch.setattr("core.paths.resources_dir", lambda: here)
    said = call("doctor", "--json")
    assert "resources/themes/dark.json (window)" in said.json()["missing"]
    assert len([line for line in said.json()["missing"] if line.startswith("resources/")]) == 1
    assert said.code == 1


def test_that_the_version_is_shown_without_a_command(call: Call) -> None:
    said = call("--version")
    assert said.out == f"pairwright {VERSION}\n"
    assert said.code == 0


def test_that_the_causes_of_the_truth_gate_are_listed_with_their_messages(call: Call) -> None:
    assert call("doctor", "--gate", "--json").json() == GATE_CAUSES
    said = call("doctor", "--gate")
    assert said.code == 0
    for line, (cause, message) in zip(said.out.splitlines()[1:], GATE_CAUSES.items(), strict=True):
        assert line.startswith(f"gate:{cause} ")
        assert line.endswith(message)


def test_that_help_names_every_command(call: Call) -> None:
    said = call("--help")
    assert said.code == 0
    for name in ("train", "sweep", "runs", "doctor"):
        assert name in said.out
    assert call().code == 2
