"""The list of rejected records in the workspace folder."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from core import durable
from core.domain.ids import canonical_json
from core.private_files import make_folders
from core.services.importing.rows import Reject

FOLDER = "rejects"
_KEPT = 100_000


class RejectList:
    """Collects rejected records and writes them to ``rejects/<name>.jsonl``, one object with line and reason each.

    The first 100,000 are kept, the rest only counted, so that a hostile file cannot fill the memory; the last line of
    the list then says how many more there were.

    Attributes:
        count: all rejected records.
        reasons: how often each reason occurred. first_lines: where each occurred first.
    """

    def __init__(self) -> None:
        self.count = 0
        self.reasons: Counter[str] = Counter()
        self.first_lines: dict[str, int] = {}
        self._kept: list[Reject] = []

    def add(self, line: int, reason: str) -> None:
        """Add one rejected record."""
        self.count += 1
        if len(self.reasons) < 1000 or reason in self.reasons:
            self.reasons[reason] += 1
            self.first_lines.setdefault(reason, line)
        if len(self._kept) < _KEPT:
            self._kept.append(Reject(line, reason))

    def first(self, limit: int = 20) -> tuple[Reject, ...]:
        """Return the first few, for a preview."""
        return tuple(self._kept[:limit])

    def told(self) -> list[tuple[str, int, int]]:
        """Return each reason with its count and the line of its first record, the most frequent first."""
        return [(reason, count, self.first_lines[reason]) for reason, count in self.reasons.most_common()]

    def save(self, workspace: Path, name: str) -> Path | None:
        """Write the list and return its path; None when nothing was rejected."""
        if not self.count:
            return None
        folder = workspace / FOLDER
        make_folders(folder)
        path = folder / f"{name}.jsonl"
        self.write(path)
        return path

    def write(self, path: Path) -> None:
        """Write the list to a file."""
        lines = [canonical_json({"line": entry.line, "reason": _printable(entry.reason)}) for entry in self._kept]
        if self.count > len(self._kept):
            lines.append(canonical_json({"and_more": self.count - len(self._kept)}))
        durable.write_text(path, "".join(f"{line}\n" for line in lines))


def _printable(text: str) -> str:
    """Return text that UTF-8 can encode: a reason may quote a damaged value."""
    return text.encode("utf-8", errors="replace").decode("utf-8")
