"""Create a run: hash the inputs, freeze the settings, publish the folder."""

from __future__ import annotations

import importlib.metadata
import platform
import sqlite3
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from core.domain.clock import now_ms
from core.domain.errors import BadInput
from core.domain.ids import new_uid
from core.domain.pair import TrainingPair
from core.domain.run_config import RunConfig
from core.domain.run_record import Charter, RunRecord
from core.evaluation.chosen_refusals import require_benign_suite
from core.model_files.adapter_config import require_none_ignored
from core.model_files.identity import hash_model, run_inputs
from core.model_files.template_files import template_files
from core.runs.cuda_cards import with_precision
from core.runs.folder import RunFolder, publish
from core.training.text.fixed_settings import day_of, fixed_for_new_run

_LIBRARIES = ("torch", "transformers", "peft", "safetensors", "tokenizers", "accelerate", "numpy")


@dataclass(frozen=True, slots=True)
class NewRun:
    """What a new run is made of.

    Attributes:
        dataset: where the pairs come from: id, title and hash of the dataset version, or the file.
        command_line: the call that creates the same run again.
        parent_run, parent_step: of a fork, the run and the checkpoint that it continues.
    """

    config: RunConfig
    model_dir: Path
    pairs: Sequence[TrainingPair]
    name: str = ""
    dataset: dict[str, Any] = field(default_factory=dict)
    charter: Charter = field(default_factory=Charter)
    command_line: str = ""
    tags: tuple[str, ...] = ()
    note: str = ""
    parent_run: str = ""
    parent_step: int = 0


def create_run(path: Path, new: NewRun, *, run_id: str = "", created_ms: int | None = None) -> RunFolder:
    """Publish the folder of a new run at ``path``; nothing is left behind when that fails.

    Args:
        path: of the new folder.
        new: what the run is made of.
        run_id: its id; a new one when "".
        created_ms: when it is created, in UTC milliseconds since 1970; None takes the clock. Its chat template writes
            this day, on whatever day the run is worked on.

    Raises:
        BadInput: when no pair is left to train on, or there is no adapter.
        UsageError: when ``path`` exists and is not an empty folder, the chat template ignores one of its settings, or
            the charter has a value it cannot have, or names no benign suite where refusals are trained.
        NotFound: when there is no model.
    """
    record = make_record(new, run_id or new_uid(), now_ms() if created_ms is None else created_ms)
    return publish(path, record, _used(new.pairs))


def make_record(new: NewRun, run_id: str, created_ms: int) -> RunRecord:
    """Hash the inputs and return the content of ``run.json``.

    Raises:
        BadInput: when no pair is left to train on.
        UsageError: when the chat template, or the adapter that training starts from, ignores one of the settings, or
            the charter cannot be kept; see :func:`core.evaluation.chosen_refusals.require_benign_suite`.
    """
    new.charter.check()
    pairs = _used(new.pairs)
    n_train = sum(pair.split == "train" for pair in pairs)
    if n_train == 0:
        raise BadInput("There is no pair to train on.", "Freeze a dataset version with a train split.")
    require_benign_suite(new.charter, pairs)
    if not new.parent_run:  # a fork keeps its parent's adapter
        require_none_ignored(new.config)
    files = hash_model(new.model_dir)
    # A fork keeps what its parent fixed, or left open.
    config = new.config if new.parent_run else with_fixed_settings(new.config, new.model_dir, created_ms)
    inputs = run_inputs(pairs, config, new.model_dir)
    charter, fingerprint = with_counts(new.charter, pairs), config.fingerprint(**inputs)
    return RunRecord(
        run_id=run_id,
        name=new.name or f"{new.config.loss}-b{new.config.beta:g}-{_method(new.config)}",
        created_ms=created_ms,
        config=config,
        model_dir=str(Path(new.model_dir).resolve()),
        fingerprint=fingerprint,
        n_train=n_train,
        n_dev=len(pairs) - n_train,
        inputs=inputs,
        model_files=files,
        versions=versions(),
        dataset=new.dataset,
        charter=charter,
        charter_sha256=charter.lock(fingerprint),
        command_line=_same_run(new.command_line, new.config, config),
        tags=new.tags,
        note=new.note,
        parent_run=new.parent_run,
        parent_step=new.parent_step,
    )


def _same_run(call: str, asked: RunConfig, fixed: RunConfig) -> str:
    """Return a call with the precision that was fixed, as another machine would choose another."""
    return f"{call} --set dtype={fixed.dtype}" if call and asked.dtype != fixed.dtype else call


def with_fixed_settings(config: RunConfig, model_dir: Path, created_ms: int) -> RunConfig:
    """Return the settings with what a run fixes when it is created: its precision, and what its chat template reads.

    See :mod:`core.runs.cuda_cards` and :mod:`core.training.text.fixed_settings`.

    Raises:
        UsageError: when the chat template ignores one of them.
    """
    config, files = with_precision(config), template_files(model_dir)
    return config if files is None else fixed_for_new_run(config, files, day_of(created_ms))


def with_counts(charter: Charter, pairs: Sequence[TrainingPair]) -> Charter:
    """Return the charter with the number of pairs of each split that it names as its examples."""
    splits = Counter(pair.split for pair in pairs)
    named = {name: splits[name] for name in charter.examples if name in ("train", "dev")}
    return replace(charter, counts={**charter.counts, **named}) if named else charter


def versions() -> dict[str, str]:
    """Return the versions of Python, SQLite and each installed library that computes; imports none of them."""
    found = {"python": platform.python_version(), "sqlite": sqlite3.sqlite_version, "platform": platform.platform()}
    for name in _LIBRARIES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _used(pairs: Sequence[TrainingPair]) -> list[TrainingPair]:
    """Return train and dev pairs: the sealed test split never reaches a run folder."""
    return [pair for pair in pairs if pair.split != "test"]


def _method(config: RunConfig) -> str:
    return f"r{config.lora_r}" if config.method == "lora" else "full"
