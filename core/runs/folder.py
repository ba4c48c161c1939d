"""The run folder: the names of its files, and how it is created.

Its inputs (``run.json`` and ``pairs.jsonl``) are published together with a manifest of their hashes and never change.
Everything else in the folder is written by the process that trains, except ``control.json``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from core import durable
from core.domain.errors import BadInput, NotFound, UsageError
from core.domain.pair import TrainingPair
from core.domain.run_record import RunRecord
from core.private_files import follow_folder, make_folders

RUN_JSON = "run.json"
PAIRS = "pairs.jsonl"
_TAIL_BYTES = 400_000


class WorkFolder:
    """Names the parts of a folder that one process writes and anyone watches: of a run, or of an evaluation."""

    def __init__(self, path: Path) -> None:
        self.path = Path(path)

    @property
    def ledger(self) -> Path:
        """Everything that was done, and the rows of it."""
        return self.path / "ledger.sqlite"

    @property
    def control(self) -> Path:
        """Requests to the process that works on it."""
        return self.path / "control.json"

    @property
    def worker(self) -> Path:
        """The process that works on it, with its heartbeat."""
        return self.path / "worker.json"

    @property
    def lock(self) -> Path:
        """The lock that this process holds."""
        return self.path / ".lock"

    @property
    def log(self) -> Path:
        """The events as lines for people; ids only, never prompt text."""
        return self.path / "log.txt"

    @property
    def worker_output(self) -> Path:
        """What a worker process printed, for crashes that leave no event."""
        return self.path / "worker-output.txt"

    def log_tail(self, lines: int) -> list[str]:
        """Return the last lines of the log."""
        if not self.log.is_file():
            return []
        with self.log.open("rb") as handle:
            handle.seek(max(0, self.log.stat().st_size - _TAIL_BYTES))
            return handle.read().decode("utf-8", "replace").splitlines()[-lines:]

    def rows_of(self, path: Path, hint: str) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield number and object of each line of a file of JSON lines.

        Raises:
            BadInput: naming the file that is missing or the line that is damaged, with ``hint``.
        """
        if not path.is_file():
            raise BadInput(f"{path} is missing.", hint)
        with path.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                try:
                    row = json.loads(line.decode("utf-8"))
                    if not isinstance(row, dict):
                        raise TypeError(row)
                except (ValueError, TypeError, RecursionError) as error:
                    raise BadInput(f"Line {number} of {path} is damaged.", hint) from error
                yield number, row


class RunFolder(WorkFolder):
    """Names and reads the parts of a run folder."""

    @property
    def run_json(self) -> Path:
        """The frozen record."""
        return self.path / RUN_JSON

    @property
    def pairs_file(self) -> Path:
        """Train and dev pairs, one a line."""
        return self.path / PAIRS

    @property
    def checkpoints(self) -> Path:
        """The checkpoints, a folder each."""
        return self.path / "checkpoints"

    def exists(self) -> bool:
        """Return whether this is a run folder."""
        return self.run_json.is_file()

    def record(self) -> RunRecord:
        """Return the frozen record.

        Raises:
            NotFound: when the folder holds no run.
            BadInput: when ``run.json`` is damaged.
        """
        if not self.exists():
            raise NotFound(f"{self.path} holds no run.", "Name a run folder.")
        try:
            return RunRecord.from_plain(durable.read_json(self.run_json))
        except (KeyError, TypeError, ValueError) as error:
            raise BadInput(f"{self.run_json} lacks {error}.", "Restore the run folder from a copy.") from error

    def pairs(self) -> list[TrainingPair]:
        """Return the pairs of the run in their frozen order.

        Raises:
            BadInput: naming the line that cannot be read.
        """
        pairs = []
        if not self.pairs_file.is_file():
            raise BadInput(f"{self.pairs_file} is missing.", "Restore the run folder from a copy.")
        with self.pairs_file.open("rb") as lines:
            for number, line in enumerate(lines, 1):
                try:
                    pairs.append(TrainingPair.from_plain(json.loads(line.decode("utf-8"))))
                except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
                    raise BadInput(
                        f"Line {number} of {self.pairs_file} is damaged.", "Restore the run folder from a copy."
                    ) from error
        return pairs

    def verify_inputs(self) -> None:
        """Check ``run.json`` and ``pairs.jsonl`` against the hashes they were published with.

        Raises:
            BadInput: naming the file that is missing or was altered.
        """
        durable.verify_folder(self.path)


def pairs_text(pairs: Iterable[TrainingPair]) -> str:
    """Return the content of ``pairs.jsonl``: one canonical line a pair."""
    return "".join(json.dumps(pair.to_plain(), ensure_ascii=False, sort_keys=True) + "\n" for pair in pairs)


def publish(path: Path, record: RunRecord, pairs: Sequence[TrainingPair]) -> RunFolder:
    """Make the run folder appear complete, or not at all.

    Raises:
        UsageError: when ``path`` exists and is not an empty folder.
        StorageFull: when there is no room; nothing is left behind.
    """

    def fill(folder: Path) -> None:
        durable.write_text(folder / PAIRS, pairs_text(pairs))
        durable.write_json(folder / RUN_JSON, record.to_plain())

    publish_new(path, fill, {"run_id": record.run_id}, "run")
    return RunFolder(path)


def publish_new(path: Path, fill: Callable[[Path], None], identity: Mapping[str, Any], noun: str) -> None:
    """Make a new work folder appear complete, or not at all.

    Args:
        path: of the folder.
        fill: writes the files into the folder that it is given.
        identity: what the manifest says that the folder is.
        noun: what the folder is, for messages.

    Raises:
        UsageError: when ``path`` exists and is not an empty folder.
        StorageFull: when there is no room; nothing is left behind.
    """
    path = Path(path)
    if path.is_dir() and not any(path.iterdir()):
        path.rmdir()
    if path.exists():
        raise UsageError(f"{path} exists already.", f"Name a new folder, or resume the {noun} with --resume.")
    make_folders(path.parent)
    follow_folder(path.parent)
    durable.publish_folder(path, fill, identity=dict(identity))


def lines_text(rows: Iterable[Mapping[str, Any]]) -> str:
    """Return rows as strict JSON, one canonical line each."""
    return "".join(json.dumps(row, ensure_ascii=False, sort_keys=True, allow_nan=False) + "\n" for row in rows)
