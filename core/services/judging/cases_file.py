"""The file of a judge's verdicts in an evaluation's folder: one line a comparison, appended and forced to disk."""

from __future__ import annotations

import json
import os
from pathlib import Path

from core.domain.errors import BadInput
from core.domain.judging import JudgedCase, JudgeSetup
from core.private_files import follow_folder, make_folders

PLACE = "judges"
_REMOVE = "Remove the file; the judge is asked again."
Case = tuple[str, str, str, str, bool]
"""Suite, item, arm a, arm b, and whether a stood first."""


class CasesFile:
    """Verdicts of one judge. A line that a crash cut off at the end is dropped and asked again.

    Args:
        folder: of the evaluation.
        setup: of the judge; its key names the file.
    """

    def __init__(self, folder: Path, setup: JudgeSetup) -> None:
        self.path = folder / PLACE / f"{setup.key}.jsonl"
        self._setup = setup

    def read(self) -> dict[Case, JudgedCase]:
        """Return the verdicts so far; nothing before the first.

        Raises:
            BadInput: naming the damaged line, unless it is the last and unfinished.
        """
        if not self.path.is_file():
            return {}
        return _cases(self.path, self.path.read_bytes())

    def append(self, case: JudgedCase) -> None:
        """Add a verdict; it is on the disk when this returns."""
        if not self.path.exists():
            make_folders(self.path.parent)
            follow_folder(self.path.parent)
            self._write(b"", {"setup": self._setup.to_plain()})
        kept = self.path.read_bytes()
        whole = kept[: kept.rfind(b"\n") + 1]
        self._write(whole if len(whole) < len(kept) else None, case.to_plain())

    def _write(self, instead: bytes | None, row: dict[str, object]) -> None:
        """Append a row, after ``instead`` in place of all bytes where an unfinished line stands at the end."""
        with self.path.open("r+b" if self.path.exists() else "w+b") as file:
            if instead is not None:
                file.truncate(len(instead))
            file.seek(0, os.SEEK_END)
            file.write(json.dumps(row, ensure_ascii=False, sort_keys=True).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())


def setups_in(folder: Path) -> list[JudgeSetup]:
    """Return the judges with verdicts in an evaluation's folder, by their key.

    Raises:
        BadInput: when the head of a file is damaged.
    """
    found = []
    for path in sorted((folder / PLACE).glob("*.jsonl")):
        head, _, _ = path.read_bytes().partition(b"\n")
        try:
            found.append(JudgeSetup(**json.loads(head)["setup"]))
        except (ValueError, KeyError, TypeError) as error:
            raise BadInput(f"The first line of {path} is damaged.", _REMOVE) from error
    return found


def _cases(path: Path, data: bytes) -> dict[Case, JudgedCase]:
    found: dict[Case, JudgedCase] = {}
    lines = data.split(b"\n")
    for number, line in enumerate(
        lines[1:-1], 2
    ):  # the first is the head, what follows the last line end is unfinished
        try:
            case = JudgedCase.from_plain(json.loads(line))
        except (ValueError, KeyError, TypeError) as error:
            raise BadInput(f"Line {number} of {path} is damaged.", _REMOVE) from error
        found[case.suite, case.item, case.arm_a, case.arm_b, case.a_first] = case
    return found
