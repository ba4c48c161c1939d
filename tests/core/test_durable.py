"""Files that last: every operation fails once at every point, and power is lost at every point."""

from __future__ import annotations

import errno
import hashlib
import json
import random
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from core import durable
from core.domain.errors import BadInput, StorageFull, UserError
from core.durable import MANIFEST, Ops

Act = Callable[[Path, Ops], object]


class Failing(Ops):
    """Lets the first ``after`` calls pass and fails the next one; ``torn`` leaves half of a file behind."""

    def __init__(self, after: int, code: int) -> None:
        self.left, self.code = after, code

    def _count(self, path: Path) -> None:
        self.left -= 1
        if self.left < 0:
            raise OSError(self.code, "made to fail", str(path))

    def write(self, path: Path, data: bytes) -> None:
        if self.left == 0:
            path.write_bytes(data[: len(data) // 2])
        self._count(path)
        super().write(path, data)

    def write_chunks(self, path: Path, chunks: Iterable[bytes]) -> None:
        self.write(path, b"".join(chunks))

    def sync_file(self, path: Path) -> None:
        self._count(path)
        super().sync_file(path)

    def replace(self, source: Path, target: Path) -> None:
        self._count(target)
        super().replace(source, target)

    def sync_dir(self, path: Path) -> None:
        self._count(path)
        super().sync_dir(path)


def fill(folder: Path) -> None:
    (folder / "inner").mkdir()
    (folder / "one.bin").write_bytes(b"1" * 400)
    (folder / "inner" / "two.bin").write_bytes(b"2" * 400)


ACTS: dict[str, Act] = {
    "bytes": lambda place, ops: durable.write_bytes(place / "file", b"new" * 100, ops=ops),
    "text": lambda place, ops: durable.write_text(place / "file", "new" * 100, ops=ops),
    "json": lambda place, ops: durable.write_json(place / "file", ["new"] * 100, ops=ops),
    "stream": lambda place, ops: durable.write_stream(place / "file", [b"new"] * 100, ops=ops),
    "folder": lambda place, ops: durable.publish_folder(place / "out", fill, identity={"n": 1}, ops=ops),
}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO, errno.EACCES], ids=lambda code: errno.errorcode[code])
def test_that_a_failure_at_any_point_leaves_what_was_there(tmp_path: Path, act: Act, code: int) -> None:
    for after in range(100):
        place = tmp_path / str(after)
        place.mkdir()
        (place / "file").write_bytes(b"old")
        error = _error(lambda place=place, after=after: act(place, Failing(after, code)))
        if error is None:
            assert after >= 3
            return
        assert isinstance(error, StorageFull) == (code == errno.ENOSPC)
        assert "untouched" in error.message
        assert error.hint
        # Past the rename the new content may stand, complete; before it nothing changed.
        assert (place / "file").read_bytes() in (b"old", *_whole(act, tmp_path))
        if (place / "out").exists():
            assert durable.verify_folder(place / "out") == {"n": 1}
        else:
            act(place, Ops())
        assert not list(place.glob(".tmp-*"))
    raise AssertionError("it never succeeded")


def _error(act: Callable[[], object]) -> UserError | None:
    try:
        act()
    except UserError as error:
        return error
    return None


def _whole(act: Act, tmp_path: Path) -> list[bytes]:
    """Return what the act writes when nothing fails."""
    place = tmp_path / "whole"
    if not place.exists():
        place.mkdir()
        act(place, Ops())
    return [(place / "file").read_bytes()] if (place / "file").exists() else []


class Recorder(Ops):
    """Does every operation and records what a disk would see: writes, file syncs, renames, folder syncs."""

    def __init__(self, *forget: str) -> None:
        self.log: list[tuple[Any, ...]] = []
        self.forget = forget

    def _note(self, *entry: Any) -> None:
        if entry[0] not in self.forget:
            self.log.append(entry)

    def write(self, path: Path, data: bytes) -> None:
        super().write(path, data)
        self._note("write", str(path), data)
        self._note("sync", str(path))

    def sync_file(self, path: Path) -> None:
        super().sync_file(path)
        self._note("write", str(path), path.read_bytes())
        self._note("sync", str(path))

    def replace(self, source: Path, target: Path) -> None:
        super().replace(source, target)
        self._note("rename", str(source), str(target))

    def sync_dir(self, path: Path) -> None:
        super().sync_dir(path)
        self._note("syncdir", str(path))


def crash(log: list[tuple[Any, ...]], rng: random.Random) -> dict[str, bytes]:
    """Return one state that a file system may legally be in after power loss at the end of ``log``.

    Entries of a folder last as a prefix that reaches at least to its last sync; content that was not synced may
    be empty, torn or zeros.
    """
    last_sync = {entry[1]: i for i, entry in enumerate(log) if entry[0] == "syncdir"}
    by_folder: dict[str, list[int]] = {}
    for i, entry in enumerate(log):
        if entry[0] in ("write", "rename"):
            by_folder.setdefault(str(Path(entry[2] if entry[0] == "rename" else entry[1]).parent), []).append(i)
    kept: set[int] = set()
    for folder, indexes in by_folder.items():
        must = [i for i in indexes if i < last_sync.get(folder, -1)]
        may = indexes[len(must) :]
        kept |= {*must, *may[: rng.randint(0, len(may))]}
    state: dict[str, bytes] = {}
    for i, entry in enumerate(log):
        if i not in kept:
            continue
        if entry[0] == "write":
            whole = ("sync", entry[1]) in log[i:]
            torn = [b"", entry[2][: rng.randint(0, len(entry[2]))], b"\0" * len(entry[2]), entry[2]]
            state[entry[1]] = entry[2] if whole else rng.choice(torn)
        else:
            source, target = entry[1], entry[2]
            for path in [p for p in state if p == source or p.startswith(source + "/")]:
                state[target + path[len(source) :]] = state.pop(path)
    return state


def losses(folder: Path, *forget: str) -> tuple[int, int]:
    """Publish three folders, lose power at every point; count lost acknowledged ones and broken ones that verify."""
    folder.mkdir()
    ops, acknowledged = Recorder(*forget), [0]
    for number in (1, 2, 3):
        before = len(ops.log)
        durable.publish_folder(folder / f"step-{number}", fill, identity={"n": number}, ops=ops)
        acknowledged += [number - 1] * (len(ops.log) - before - 1) + [number]
    rng, lost, broken = random.Random(0), 0, 0
    for point, known in enumerate(acknowledged):
        for _ in range(40):
            state = crash(ops.log[:point], rng)
            found = {n for n in (1, 2, 3) if _believed(state, folder / f"step-{n}")}
            lost += known > max(found, default=0)
            broken += any(not _complete(state, folder / f"step-{n}") for n in found)
    return lost, broken


def _believed(state: dict[str, bytes], folder: Path) -> bool:
    try:
        files = json.loads(state[f"{folder}/{MANIFEST}"])["files"]
        return all(hashlib.sha256(state[f"{folder}/{name}"]).hexdigest() == e["sha256"] for name, e in files.items())
    except (KeyError, ValueError):
        return False


def _complete(state: dict[str, bytes], folder: Path) -> bool:
    return (state.get(f"{folder}/one.bin"), state.get(f"{folder}/inner/two.bin")) == (b"1" * 400, b"2" * 400)


def test_that_power_loss_at_any_point_loses_nothing_acknowledged_and_shows_nothing_broken(tmp_path: Path) -> None:
    assert losses(tmp_path / "full") == (0, 0)


@pytest.mark.parametrize("forget", ["sync", "syncdir"])
def test_that_the_model_notices_when_a_sync_is_left_out(tmp_path: Path, forget: str) -> None:
    lost, broken = losses(tmp_path / "less", forget)
    assert lost > 0
    assert broken == 0  # the manifest catches what is torn


def test_that_a_folder_that_was_altered_cut_or_robbed_does_not_verify(tmp_path: Path) -> None:
    for number, (name, harm) in enumerate(
        {
            "altered": lambda p: p.write_bytes(b"x" * 400),
            "cut short": lambda p: p.write_bytes(b"1" * 399),
            "missing": lambda p: p.unlink(),
        }.items()
    ):
        target = tmp_path / str(number)
        durable.publish_folder(target, fill)
        harm(target / "one.bin")
        with pytest.raises(BadInput, match=f"one.bin .* {name}|one.bin .*{name}"):
            durable.verify_folder(target)
    with pytest.raises(BadInput, match="does not exist"):
        durable.verify_folder(tmp_path / "nothing")


def test_that_sweeping_removes_leftovers_only(tmp_path: Path) -> None:
    (tmp_path / ".tmp-a").mkdir()
    (tmp_path / ".tmp-a" / "x").write_bytes(b"")
    (tmp_path / ".tmp-b").write_bytes(b"")
    (tmp_path / "keep").write_bytes(b"")
    assert durable.sweep(tmp_path) == 2
    assert [p.name for p in tmp_path.iterdir()] == ["keep"]


class FailingOnce(Failing):
    """Fails one call only, as a disk does that has room again."""

    def _count(self, path: Path) -> None:
        self.left -= 1
        if self.left == -1:
            raise OSError(self.code, "made to fail", str(path))


def test_that_a_folder_that_is_replaced_is_the_old_one_or_the_new_one_after_a_failure_at_any_point(
    tmp_path: Path,
) -> None:
    for after in range(100):
        place = tmp_path / str(after)
        place.mkdir()
        durable.publish_folder(place / "out", fill, identity={"n": 1})
        ops = FailingOnce(after, errno.EIO)
        replace = lambda ops, place=place: durable.publish_folder(  # noqa: E731
            place / "out", fill, identity={"n": 2}, replacing=True, ops=ops
        )
        error = _error(lambda ops=ops, replace=replace: replace(ops))
        assert durable.verify_folder(place / "out") in ([{"n": 2}] if error is None else [{"n": 1}, {"n": 2}])
        assert [path.name for path in place.iterdir()] == ["out"]
        if error is None:
            assert after >= 6
            return
    raise AssertionError("it never succeeded")
