"""Requests and views of runs."""

from __future__ import annotations

import shlex
from dataclasses import dataclass, field, fields
from pathlib import Path

from core.domain.run_config import RunConfig
from core.domain.run_record import LIVE_STATES, Charter, RunRecord, RunState
from core.domain.time_spans import duration
from core.runs.progress_words import pending_words, phase_words, state_words, time_left_words
from core.runs.run_reader import LoggedEvent, PairVisit, RunReader
from core.runs.status import RunStatus

__all__ = [
    "Charter",
    "LoggedEvent",
    "PairVisit",
    "RunInfo",
    "RunReader",
    "RunRequest",
    "RunStatus",
    "command_line",
    "duration",
    "pending_words",
    "phase_words",
    "state_words",
    "time_left_words",
]


@dataclass(frozen=True, slots=True)
class RunRequest:
    """A run to create: data, model, settings and charter.

    Attributes:
        model_path: folder of the base model, or a GGUF file.
        dataset_id: frozen dataset version of the workspace; or
        pairs_path: a file of pairs, when there is no dataset version.
        measured_smoothing: take the flip rate measured behind the dataset version as ``label_smoothing``.
    """

    model_path: str
    dataset_id: int | None = None
    pairs_path: str = ""
    config: RunConfig = field(default_factory=RunConfig)
    name: str = ""
    charter: Charter = field(default_factory=Charter)
    tags: tuple[str, ...] = ()
    note: str = ""
    measured_smoothing: bool = False


@dataclass(frozen=True, slots=True)
class RunInfo:
    """One run as a list shows it."""

    run_id: str
    name: str
    folder: str
    record: RunRecord
    status: RunStatus
    tags: tuple[str, ...] = ()
    note: str = ""

    @property
    def state(self) -> RunState:
        """State of the run."""
        return self.status.state

    @property
    def live(self) -> bool:
        """Whether a process works on it."""
        return self.status.state in LIVE_STATES


def changed_settings(config: RunConfig) -> dict[str, object]:
    """Return the settings that differ from the defaults, in the order of the config."""
    plain, standard = config.to_plain(), RunConfig().to_plain()
    return {f.name: plain[f.name] for f in fields(RunConfig) if plain[f.name] != standard[f.name]}


def command_line(request: RunRequest, *, workspace: Path | None = None, dataset: str = "", out: str = "RUN") -> str:
    """Return the call of ``pairwright train`` that makes the same run.

    Args:
        request: the run.
        workspace: of a dataset version.
        dataset: its title.
        out: run folder of a run from a pairs file.
    """
    words = ["pairwright", "train"]
    if request.pairs_path:
        words += ["--pairs", request.pairs_path, "--out", out]
    else:
        words += [str(workspace or "WORKSPACE"), "--dataset", dataset or str(request.dataset_id)]
    words += ["--model", request.model_path]
    for key, value in changed_settings(request.config).items():
        words += ["--set", f"{key}={_text(value)}"]
    words += ["--set", "label_smoothing=measured"] if request.measured_smoothing else []
    for option, value in (
        ("--name", request.name),
        ("--target", request.charter.target_behaviour),
        ("--regression", request.charter.regression_metric),
    ):
        words += [option, value] if value else []
    words += [word for setting in charter_words(request.charter) for word in ("--charter-set", setting)]
    return shlex.join(words)


def charter_words(charter: Charter) -> list[str]:
    """Return ``key=value`` words for all of a charter but the two fields that have options of their own."""
    plain = charter.to_plain()
    own = {"target_behaviour", "regression_metric", "counts"}
    return [
        f"{key}={','.join(value) if isinstance(value, list) else value}"
        for key, value in plain.items()
        if key not in own
    ]


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else repr(value) if isinstance(value, float) else str(value)
