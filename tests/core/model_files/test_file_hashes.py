from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from core import durable
from core.model_files import file_hashes
from core.model_files.file_hashes import HASHES_FILE, hash_files
from core.paths import cache_dir


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the files that were read whole to be hashed."""
    names: list[str] = []
    real = durable.file_sha256

    def counted(path: Path) -> str:
        names.append(path.name)
        return real(path)

    monkeypatch.setattr(durable, "file_sha256", counted)
    return names


def old_file(path: Path, content: bytes) -> Path:
    """Write a file that was last changed long ago."""
    path.write_bytes(content)
    os.utime(path, ns=(10**18, 10**18))
    return path


def test_that_an_unchanged_file_is_read_once(tmp_path: Path, reads: list[str]) -> None:
    file = old_file(tmp_path / "a", b"one")
    wanted = hashlib.sha256(b"one").hexdigest()
    assert hash_files([file]) == hash_files([file]) == {file: wanted}
    assert reads == ["a"]


def test_that_a_file_of_another_time_or_size_is_read_again(tmp_path: Path, reads: list[str]) -> None:
    file = old_file(tmp_path / "a", b"one")
    hash_files([file])
    os.utime(file, ns=(10**18, 10**18 + 1))
    hash_files([file])
    file.write_bytes(b"longer")
    os.utime(file, ns=(10**18, 10**18 + 1))
    assert hash_files([file])[file] == hashlib.sha256(b"longer").hexdigest()
    assert len(reads) == 3


def test_that_another_file_in_the_same_place_is_read_again(tmp_path: Path) -> None:
    file, other = old_file(tmp_path / "a", b"one"), old_file(tmp_path / "b", b"two")
    hash_files([file])
    other.replace(file)
    assert hash_files([file])[file] == hashlib.sha256(b"two").hexdigest()


def test_that_fresh_finds_a_change_that_kept_size_and_time(tmp_path: Path) -> None:
    file = old_file(tmp_path / "a", b"one")
    hash_files([file])
    old_file(file, b"two")
    wanted = {file: hashlib.sha256(b"two").hexdigest()}
    assert hash_files([file], fresh=True) == wanted
    assert hash_files([file]) == wanted, "what was read last is remembered"


def test_that_a_file_changed_a_moment_ago_is_not_remembered(tmp_path: Path, reads: list[str]) -> None:
    file = tmp_path / "a"
    file.write_bytes(b"one")
    hash_files([file])
    hash_files([file])
    assert reads == ["a", "a"]


@pytest.mark.parametrize("content", ["", "[]", "{", '{"x": 1}', '{"x": [1, 2]}'])
def test_that_a_damaged_memory_costs_only_a_read(tmp_path: Path, content: str) -> None:
    cache_dir().mkdir(parents=True)
    (cache_dir() / HASHES_FILE).write_text(content)
    file = old_file(tmp_path / "a", b"one")
    assert hash_files([file])[file] == hashlib.sha256(b"one").hexdigest()
    assert str(file) in (cache_dir() / HASHES_FILE).read_text()


def test_that_a_memory_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    cache_dir().parent.mkdir(parents=True, exist_ok=True)
    cache_dir().write_text("a file where the folder should be")
    file = old_file(tmp_path / "a", b"one")
    assert hash_files([file])[file] == hashlib.sha256(b"one").hexdigest()


def test_that_the_memory_keeps_only_the_newest_entries(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_hashes, "MAX_ENTRIES", 2)
    for name in "abc":
        hash_files([old_file(tmp_path / name, b"x")])
    kept = durable.read_json(cache_dir() / HASHES_FILE)
    assert [Path(path).name for path in kept] == ["b", "c"]
