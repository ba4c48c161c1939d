"""Loads what answers for a side: the policy or reference of a run, or a model folder.

This module imports torch, so it is imported only where a generation is worked on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from core.domain.errors import ModelRefused
from core.domain.evaluation_settings import EvaluationConfig
from core.domain.generation import AnsweringSide
from core.domain.run_config import RunConfig
from core.generation.footprint import limit_caches
from core.model_files.identity import hash_model, model_sha256
from core.runs.evaluations.local_model import LocalModel
from core.training.policy.device import resolve_device, set_threads
from core.training.policy.model import load_model

OpenSide = Callable[[AnsweringSide, EvaluationConfig], LocalModel]


class FolderModel(LocalModel):
    """A model folder or GGUF file as the policy of a generation.

    Args:
        side: whose folder, template settings and hashes.
        config: settings of the decoder.

    Raises:
        ModelRefused: when a file of the model was altered since the generation was created.
        NotFound: when the model is gone.
    """

    def __init__(self, side: AnsweringSide, config: EvaluationConfig) -> None:
        place = Path(side.model_dir)
        hash_model(place, fresh=True)
        if model_sha256(place) != side.inputs.get("model"):
            raise ModelRefused(
                f"The model in {place} was altered since this generation was created; nothing was sampled from it.",
                "Restore it, or make a new generation.",
            )
        set_threads(config.threads)
        limit_caches()
        run_config = replace(RunConfig().with_values(side.settings), device=config.device)
        device = resolve_device(config.device)
        self._hold(load_model(place, run_config, device), run_config, config)


def open_side(side: AnsweringSide, config: EvaluationConfig) -> LocalModel:
    """Load what answers for a side; see :class:`FolderModel` and :class:`LocalModel`.

    Raises:
        UserError: when it cannot be used.
    """
    if side.model_dir:
        return FolderModel(side, config)
    return LocalModel(Path(side.run_dir), side.step, config, dict(side.inputs))
