"""Publishes the result of a finished run: its adapter as a PEFT folder, or the model after full fine-tuning."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from torch import Tensor

from core import durable
from core.training.checkpoints.save_load import save_adapter
from core.training.export.contract import build_contract, write_contract
from core.training.policy.model import LoadedModel


def publish_result(
    run_dir: Path, model: LoadedModel, identity: dict[str, Any], weights: dict[str, Tensor] | None = None
) -> tuple[Path, str]:
    """Write ``run_dir/adapter`` (PEFT) or ``run_dir/model`` (Hugging Face) and return folder and manifest sha256.

    The result of an earlier attempt stays until the new one is complete. ``weights`` are the gathered weights of a
    sharded model.
    """
    target = Path(run_dir) / ("adapter" if model.is_peft else "model")

    def fill(folder: Path) -> None:
        if model.is_peft:
            save_adapter(model, folder)
        else:
            model.base.save_pretrained(folder, state_dict=weights)
            model.tokenizer.save_pretrained(folder)
        write_contract(folder, build_contract(model, {"run": identity}))

    result = {"kind": target.name, "base_sha256": model.weights_sha256, **identity}
    return target, durable.publish_folder(target, fill, identity=result, replacing=True)
