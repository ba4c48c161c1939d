"""The evaluation folder: the names of its files, how it is created, and how its manifest is written at the end.

Its request (``evaluation.json`` and ``items.jsonl``) is published with a manifest and never changes. The items of a
sealed test are in none of its files. When everything is measured, the evaluator writes ``evidence.json`` and
``outcomes.jsonl``, and a new manifest that covers them too and names the head of the ledger's hash chain.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from core import durable
from core.domain.errors import BadInput, NotFound
from core.domain.evaluation_record import EvaluationRecord
from core.domain.suite import SuiteItem
from core.runs.evaluations.moved import placed_in
from core.runs.folder import WorkFolder, lines_text, publish_new

EVALUATION_JSON, ITEMS = "evaluation.json", "items.jsonl"
EVIDENCE, OUTCOMES = "evidence.json", "outcomes.jsonl"
NAMES = (EVALUATION_JSON, ITEMS, OUTCOMES, EVIDENCE)
"""Files that no longer change once all is measured."""
PLACE = "evaluations"
"""Folder of a workspace that holds its evaluations."""
_RESTORE = "Restore the evaluation folder from a copy."


class EvaluationFolder(WorkFolder):
    """Names and reads the parts of an evaluation folder."""

    @property
    def request(self) -> Path:
        """The frozen request."""
        return self.path / EVALUATION_JSON

    @property
    def items_file(self) -> Path:
        """The items of the open suites that are evaluated, one a line."""
        return self.path / ITEMS

    @property
    def evidence_file(self) -> Path:
        """Every number; there once all is measured."""
        return self.path / EVIDENCE

    @property
    def outcomes_file(self) -> Path:
        """What the detector and the checks say of each answer, one a line; there once all is measured."""
        return self.path / OUTCOMES

    def exists(self) -> bool:
        """Return whether this is an evaluation folder."""
        return self.request.is_file()

    def record(self) -> EvaluationRecord:
        """Return the frozen request, with the runs and sealed tests of its workspace where they lie now.

        Raises:
            NotFound: when the folder holds no evaluation.
            BadInput: when ``evaluation.json`` is damaged.
        """
        if not self.exists():
            raise NotFound(f"{self.path} holds no evaluation.", "Name an evaluation folder.")
        try:
            record = EvaluationRecord.from_plain(durable.read_json(self.request))
        except (KeyError, TypeError, ValueError) as error:
            raise BadInput(f"{self.request} lacks {error}.", _RESTORE) from error
        place = self.path.resolve().parent
        return placed_in(record, place.parent) if place.name == PLACE else record

    def items(self) -> dict[str, list[SuiteItem]]:
        """Return the items of each open suite by its title, in the suite's order.

        Raises:
            BadInput: naming the line that cannot be read.
        """
        found: dict[str, list[SuiteItem]] = {}
        for number, row in self.rows_of(self.items_file, _RESTORE):
            try:
                found.setdefault(row["suite"], []).append(SuiteItem.from_plain(row["item"]))
            except (KeyError, TypeError, AttributeError) as error:
                raise BadInput(f"Line {number} of {self.items_file} is damaged.", _RESTORE) from error
        return found

    def evidence(self) -> dict[str, Any] | None:
        """Return the content of ``evidence.json``; None before all is measured.

        Raises:
            BadInput: when it is damaged.
        """
        return durable.read_json(self.evidence_file) if self.evidence_file.is_file() else None

    def outcomes(self) -> list[dict[str, Any]]:
        """Return what the detector and the checks say of each answer; nothing before all is measured."""
        return [row for _, row in self.rows_of(self.outcomes_file, _RESTORE)] if self.outcomes_file.is_file() else []

    def verify(self) -> dict[str, Any]:
        """Check the files against the manifest and return its identity.

        Raises:
            BadInput: naming the file that is missing or was altered.
        """
        return durable.verify_folder(self.path)


def publish(path: Path, record: EvaluationRecord, items: Mapping[str, Sequence[SuiteItem]]) -> EvaluationFolder:
    """Make the folder of a new evaluation appear complete, or not at all.

    Raises:
        UsageError: when ``path`` exists and is not an empty folder.
        StorageFull: when there is no room; nothing is left behind.
    """

    def fill(folder: Path) -> None:
        rows = ({"suite": title, "item": item.to_plain()} for title, own in items.items() for item in own)
        durable.write_text(folder / ITEMS, lines_text(rows))
        durable.write_json(folder / EVALUATION_JSON, record.to_plain())

    publish_new(path, fill, {"evaluation_id": record.evaluation_id}, "evaluation")
    return EvaluationFolder(path)


def write_results(
    folder: EvaluationFolder,
    evidence: Mapping[str, Any],
    outcomes: Iterable[Mapping[str, Any]],
    *,
    evaluation_id: str,
    head: tuple[int, str],
) -> str:
    """Write evidence and outcomes and the manifest over all files that no longer change; return its sha256.

    Args:
        folder: of the evaluation.
        evidence: plain values without NaN.
        outcomes: the same, a row each.
        evaluation_id: of its record.
        head: number and hash of the newest event in the ledger's chain, which the evidence is made of.
    """
    durable.write_text(folder.outcomes_file, lines_text(outcomes))
    durable.write_json(folder.evidence_file, evidence)
    identity = {"evaluation_id": evaluation_id, "ledger_seq": head[0], "ledger_sha256": head[1]}
    return durable.write_manifest(folder.path, NAMES, identity)
