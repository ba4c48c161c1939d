"""Views of releases: one as a list shows it, and one that shall be made."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.services.models.export import ExportForm


@dataclass(frozen=True, slots=True)
class ReleaseInfo:
    """One release as a list shows it.

    Attributes:
        tuple_: policy, rubrics, dataset, suites and thresholds in words.
        outcome: of the gate. despite: why it was made although the gate did not pass.
        manifest_sha256: names the whole content of its folder.
        withdrawn: why it was withdrawn; "" while it stands.
        verified: what came of measuring it again the last time; "" where nobody did. came_out_equal: whether every
            number came back exactly then.
    """

    release_id: str
    name: str
    folder: str
    evaluation_id: str
    run_id: str
    outcome: str
    approver: str
    runner: str
    despite: str
    created_ms: int
    manifest_sha256: str
    tuple_: dict[str, str]
    withdrawn: str = ""
    withdrawn_by: str = ""
    verified: str = ""
    verified_ms: int = 0
    came_out_equal: bool = False

    def to_plain(self) -> dict[str, Any]:
        """Return plain values, as the command line prints them."""
        names = ("release_id", "name", "folder", "evaluation_id", "run_id", "outcome", "approver", "runner", "despite")
        more = ("created_ms", "manifest_sha256", "withdrawn", "withdrawn_by", "verified", "verified_ms")
        return {name: getattr(self, name) for name in (*names, *more)} | {"of": dict(self.tuple_)}


@dataclass(frozen=True, slots=True)
class ReleaseRequest:
    """A release to be made.

    Attributes:
        evaluation: its id, the beginning of it, or its name.
        out: the new folder.
        approver: name of a person who did not run the evaluation.
        forms: in which the policy is written.
        thresholds: titles of those that the policy is used with.
        despite: why it is released although the gate did not pass.
    """

    evaluation: str
    out: Path
    approver: str
    name: str = ""
    forms: tuple[ExportForm, ...] = ("adapter",)
    thresholds: tuple[str, ...] = ()
    despite: str = ""
