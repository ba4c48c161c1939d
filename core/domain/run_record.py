"""What is fixed about a run before it starts, and the states it can be in."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args

from core.domain.charter import Charter
from core.domain.errors import UsageError
from core.domain.run_config import RENAMED, SETTINGS, RunConfig

__all__ = [
    "ARCHIVED",
    "LIVE_STATES",
    "RESUMABLE_STATES",
    "RUN_STATES",
    "UNSTARTED_STATES",
    "Charter",
    "RunRecord",
    "RunState",
]

RunState = Literal["created", "queued", "running", "paused", "stopping", "finished", "stopped", "failed", "interrupted"]
RUN_STATES: tuple[str, ...] = get_args(RunState)
LIVE_STATES: tuple[str, ...] = ("running", "paused", "stopping")
"""States in which a process is working on the run."""
UNSTARTED_STATES: tuple[str, ...] = ("created", "queued")
"""States of a run that was never worked on; a queued one waits in the run queue."""
RESUMABLE_STATES: tuple[str, ...] = (*UNSTARTED_STATES, "stopped", "failed", "interrupted")
"""States from which the run can be started or taken up again."""

ARCHIVED = "archived"
"""Tag of a run that lists leave out unless asked for."""


_KINDS: dict[str, type] = {
    **dict.fromkeys(
        ("run_id", "name", "model_dir", "fingerprint", "command_line", "note", "parent_run", "charter_sha256"), str
    ),
    **dict.fromkeys(("created_ms", "n_train", "n_dev", "parent_step"), int),
    **dict.fromkeys(("config", "inputs", "model_files", "versions", "dataset", "charter"), dict),
    "tags": list,
}
"""What kind of value each field of ``run.json`` has."""


@dataclass(frozen=True, slots=True)
class RunRecord:
    """The content of ``run.json``: everything frozen when the run was created.

    Attributes:
        model_dir: absolute folder of the base model.
        fingerprint: hash of all that changes the effective objective.
        inputs: sha256 by input: ``pairs`` (that train), ``model``, ``tokenizer``, ``adapter``.
        model_files: sha256 of each weight, config and tokenizer file, so that a change is named.
        versions: of Python and of each library that computes.
        dataset: id, title and root sha256 of the dataset version, or the pairs file it came from.
        charter_sha256: lock of the charter, over it and the fingerprint; empty in runs of earlier versions.
        parent_run, parent_step: of a fork, the run and checkpoint that it continues; empty otherwise.
        unknown_settings: names of settings in ``run.json`` that this version does not have; a newer one wrote them.
            Such a run can be watched, but not started or forked.
    """

    run_id: str
    name: str
    created_ms: int
    config: RunConfig
    model_dir: str
    fingerprint: str
    n_train: int
    n_dev: int
    inputs: dict[str, str] = field(default_factory=dict)
    model_files: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    dataset: dict[str, Any] = field(default_factory=dict)
    charter: Charter = field(default_factory=Charter)
    charter_sha256: str = ""
    command_line: str = ""
    tags: tuple[str, ...] = ()
    note: str = ""
    parent_run: str = ""
    parent_step: int = 0
    unknown_settings: tuple[str, ...] = ()

    def to_plain(self) -> dict[str, Any]:
        """Return plain values for ``run.json``."""
        plain = {f.name: getattr(self, f.name) for f in fields(self) if f.name != "unknown_settings"}
        return {
            **plain,
            "config": self.config.to_plain(),
            "charter": self.charter.to_plain(),
            "tags": list(self.tags),
        }

    @classmethod
    def from_plain(cls, row: dict[str, Any]) -> RunRecord:
        """Return the record written by :meth:`to_plain`.

        Old names of settings are read as today's. Fields of the record that a newer version added are ignored; its
        settings are named in ``unknown_settings``.

        Raises:
            KeyError, TypeError, ValueError: when a field is missing or of the wrong kind.
            UsageError: when a setting has no usable value.
        """
        if not isinstance(row, dict):
            raise TypeError("the object of a run")
        for name, kind in _KINDS.items():
            if name in row and (not isinstance(row[name], kind) or isinstance(row[name], bool)):
                raise TypeError(f"a usable {name}")
        known = {f.name for f in fields(cls)}
        values = {key: value for key, value in row.items() if key in known}
        values["config"] = RunConfig.as_stored(row["config"])
        values["charter"] = Charter.from_plain(row.get("charter", {}))
        values["tags"] = tuple(row.get("tags", ()))
        values["unknown_settings"] = tuple(sorted(k for k in row["config"] if RENAMED.get(k, k) not in SETTINGS))
        return cls(**values)

    @property
    def charter_holds(self) -> bool:
        """Whether charter and fingerprint are those that were locked together."""
        return bool(self.charter_sha256) and self.charter_sha256 == self.charter.lock(self.fingerprint)

    def require_known_settings(self) -> None:
        """Raise where the run has settings that this version cannot honour, or values outside of today's limits.

        Raises:
            UsageError: naming them.
        """
        if self.unknown_settings:
            raise UsageError(
                f"This run has settings that this version does not know: {', '.join(self.unknown_settings)}. "
                "Nothing was changed.",
                "Use the version of Pairwright that created the run, or create a new run.",
            )
        self.config.check()
