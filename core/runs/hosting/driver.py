"""Work on a run from its folder; the same code for a process, a thread and a terminal.

Verifies the run's inputs and gives the engine's events to :func:`core.runs.hosting.attempt.attend`, which stores them.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from core.domain.pair import TrainingPair
from core.domain.run_config import RunConfig
from core.domain.run_events import Failed, Finished, RunEvent
from core.domain.run_record import RunRecord
from core.model_files.identity import verify_adapter, verify_model, verify_reference
from core.model_files.offline import go_offline
from core.runs.control_file import ControlFile
from core.runs.folder import RunFolder
from core.runs.hosting.attempt import Work, attend
from core.runs.status import require_startable

OnEvent = Callable[[RunEvent], None]


class Engine(Protocol):
    """``core.training.engine.train``, or a scripted one."""

    def __call__(
        self,
        config: RunConfig,
        pairs: list[TrainingPair],
        *,
        model_dir: Path,
        run_dir: Path,
        control: Any,
        probe: Any,
        resume: bool,
        run_id: str,
        cache_dir: Path | None,
        inputs: Mapping[str, str] | None,
        created_ms: int,
    ) -> Iterator[RunEvent]:
        """Yield the events of one attempt."""
        ...


@dataclass(frozen=True, slots=True)
class HostOptions:
    """How a run is hosted.

    Attributes:
        host: "process", "thread" or "terminal", as the run's status shows it.
        engine: None takes the real one, which is imported when the run starts, because it imports torch.
        probe: None takes the standard probes.
        on_event: called with each event after it was stored.
        cache_dir: where reference log-probs are kept between runs.
        signals: signals that mean stop and save while the run is worked on; in the main thread only.
        reset: drop earlier requests, such as the stop that an earlier attempt ended with. False where the starting
            process has dropped them: a stop that was requested since then must not be lost.
    """

    host: str = "process"
    engine: Engine | None = None
    probe: Any = None
    on_event: OnEvent | None = None
    cache_dir: Path | None = None
    signals: tuple[int, ...] = ()
    reset: bool = False


def drive(run_dir: Path, options: HostOptions) -> Finished | Failed:
    """Work on the run in ``run_dir`` until its last event, and return that event.

    Raises:
        WorkspaceInUse: when another process works on it.
        UsageError: when it is finished, or has settings that this version does not know.
        StorageFull: when the disk is full and the run was asked to stop meanwhile.
    """
    folder = RunFolder(run_dir)
    record = folder.record()

    def events(control: ControlFile, attempt: int) -> Iterator[RunEvent]:
        resume = attempt > 1 or bool(record.parent_run)
        return _engine_events(folder, record, control, resume, options)

    return attend(
        folder,
        Work(
            host=options.host,
            owner=record.run_id,
            require_startable=lambda: require_startable(folder),
            events=events,
            on_event=options.on_event,
            signals=options.signals,
            reset=options.reset,
        ),
    )


def _engine_events(
    folder: RunFolder, record: RunRecord, control: ControlFile, resume: bool, options: HostOptions
) -> Iterator[RunEvent]:
    inputs = verified_inputs(folder, record)
    engine, probe = options.engine, options.probe
    if engine is None:
        engine, probe = real_engine(probe)
    yield from engine(
        record.config,
        folder.pairs(),
        model_dir=Path(record.model_dir),
        run_dir=folder.path,
        control=control,
        probe=probe,
        resume=resume,
        run_id=record.run_id,
        cache_dir=options.cache_dir,
        inputs=inputs,
        created_ms=record.created_ms,
    )


def verified_inputs(folder: RunFolder, record: RunRecord) -> Mapping[str, str] | None:
    """Compare pairs, model and starting adapter with the hashes in ``run.json``; read each file once.

    Returns:
        The run's input hashes, for the engine, which then does not hash them again; None where the record has none.

    Raises:
        BadInput: when ``run.json`` or ``pairs.jsonl`` was altered, or the adapter is gone.
        ModelRefused: when a file of model or adapter is missing, new or altered.
        NotFound: when the model is gone.
    """
    folder.verify_inputs()
    verify_model(Path(record.model_dir), record.model_files)
    verify_adapter(record.config.init_adapter, record.inputs.get("adapter", ""))
    verify_reference(record.config.reference_model, record.inputs.get("reference", ""))
    return record.inputs or None


def real_engine(probe: Any = None) -> tuple[Engine, Any]:
    """Return ``core.training.engine.train`` and the probe, the standard ones for None; the libraries are offline."""
    # These import torch, which a process that starts or reads runs must not load.
    from core.runs.hosting.probes import StandardProbe
    from core.training.engine import train

    go_offline()
    return train, probe if probe is not None else StandardProbe()


def named_engine(name: str) -> Engine:
    """Return the engine named "module:function"."""
    module, _, function = name.partition(":")
    return getattr(importlib.import_module(module), function)
