"""Trained weights for other tools: a PEFT adapter, a merged model, and the proof that both compute the same.

Every export is a folder that appears complete with a manifest, and carries ``contract.json``. Before it
appears it is loaded again from its own files, by plain transformers and PEFT, and its logits are compared.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from core.domain.errors import BadInput, ModelRefused
from core.durable import publish_folder, read_json, write_json
from core.model_files.folder_check import check_adapter, check_model
from core.model_files.identity import model_sha256
from core.model_files.offline import go_offline
from core.training.export.contract import build_contract, write_contract
from core.training.policy.adapters import POLICY
from core.training.policy.model import LoadedModel, read_base
from core.training.policy.provenance import read_contract, require_base

PROBES: tuple[str, ...] = (
    "The capital of France is",
    "Question: how do I check a bicycle chain?\nAnswer: First,",
    "0, 1, 1, 2, 3, 5, 8,",
    "naïve café – 漢字 🙂 \t end",
)
TOLERANCE = {torch.float64: 1e-9, torch.float32: 2e-3, torch.bfloat16: 1.0, torch.float16: 0.25}
"""Largest accepted difference of one logit. Merging rounds W + BA once, which float32 shows in the fourth digit."""


@dataclass(frozen=True, slots=True)
class RunExport:
    """What was written and how near it is to what was trained.

    Attributes:
        path: the folder. sha256: of its manifest.
        logits: how many were compared. max_difference: the largest between the two.
        same_top1: share of positions where both predict the same token.
    """

    path: Path
    sha256: str
    logits: int
    max_difference: float
    same_top1: float


def save_adapter(
    model: LoadedModel, target: Path, *, facts: dict[str, Any] | None = None, verify: bool = True
) -> RunExport:
    """Write the policy's adapter as plain transformers + PEFT load it.

    Args:
        model: the trained policy; it must have an adapter.
        target: folder, must not exist.
        facts: entries for the contract, see :func:`build_contract`.
        verify: load it again onto the base's files and compare every logit of the probe texts.
    """
    if not model.is_peft:
        raise BadInput("This model has no adapter.", "Export it as a full model.")
    contract = build_contract(model, facts)
    report: list[tuple[int, float, float]] = []

    def fill(folder: Path) -> None:
        model.model.save_pretrained(folder, selected_adapters=[POLICY], save_embedding_layers=False)
        neutral_config(folder, contract["base"]["name"])
        write_contract(folder, contract)
        if verify:
            report.append(_compare_adapter(model, folder))

    digest = publish_folder(
        Path(target), fill, identity={"kind": "adapter", "policy_sha256": contract["policy_sha256"]}
    )
    return RunExport(Path(target), digest, *(report[0] if report else (0, 0.0, 1.0)))


def neutral_config(folder: Path, base_name: str) -> None:
    """Name the base without this machine's path, and drop the empty model card that PEFT writes."""
    config = read_json(folder / "adapter_config.json")
    config["base_model_name_or_path"] = base_name
    write_json(folder / "adapter_config.json", config)
    (folder / "README.md").unlink(missing_ok=True)


def _compare_adapter(model: LoadedModel, folder: Path) -> tuple[int, float, float]:
    if model.quantised:
        return 0, 0.0, 1.0  # a 4-bit base cannot be read twice into the same numbers
    again = load_peft(read_base(model.model_dir, model.dtype).to(model.device), folder)
    texts = probe_ids(model.tokenizer)
    return compare_logits(model.model, again, texts, tolerance=TOLERANCE[model.dtype], what="The saved adapter")


def load_peft(base: Any, folder: Path) -> Any:
    """Return ``base`` with the adapter in ``folder``, through PEFT's own public loader, in evaluation mode."""
    from peft import PeftModel

    return PeftModel.from_pretrained(base, str(folder), local_files_only=True).eval()


def load_exported(model_dir: Path, adapter_dir: Path, dtype: torch.dtype = torch.float32) -> Any:
    """Return the base with an exported adapter, after checking that they belong together.

    An adapter trained on a 4-bit base is loaded onto the full-precision weights of the same files: what it
    computes there is near to, but not exactly, what was trained.

    Raises:
        ModelRefused: when the adapter's contract names another base, or either folder is unsafe.
    """
    go_offline()
    check_model(model_dir)
    check_adapter(adapter_dir)
    contract = read_contract(adapter_dir) or {}
    four_bit = contract.get("config", {}).get("quantize", "none") != "none"
    require_base(adapter_dir, model_sha256(model_dir, quantised="4bit" if four_bit else ""), Path(model_dir).name)
    return load_peft(read_base(model_dir, dtype), adapter_dir)


def save_full(model: LoadedModel, target: Path, *, facts: dict[str, Any] | None = None) -> RunExport:
    """Write a fully fine-tuned model as a Hugging Face folder, compared logit by logit after reading it back."""
    if model.is_peft:
        raise BadInput("This model has an adapter.", "Export the adapter, or merge it.")
    contract = build_contract(model, facts)
    texts = probe_ids(model.tokenizer)
    report: list[tuple[int, float, float]] = []

    def fill(folder: Path) -> None:
        model.model.save_pretrained(folder)
        model.tokenizer.save_pretrained(folder)
        write_contract(folder, contract)
        again = read_base(folder, model.dtype).to(model.device).eval()
        report.append(
            compare_logits(model.model, again, texts, tolerance=TOLERANCE[model.dtype], what="The saved model")
        )

    digest = publish_folder(Path(target), fill, identity={"kind": "model", "policy_sha256": contract["policy_sha256"]})
    return RunExport(Path(target), digest, *report[0])


def probe_ids(tokenizer: Any, probes: Sequence[str] = PROBES) -> list[list[int]]:
    """Return the probe texts as token ids."""
    return [ids for text in probes if (ids := tokenizer(text, add_special_tokens=False)["input_ids"])]


@torch.no_grad()
def all_logits(model: Any, texts: Sequence[list[int]]) -> list[Tensor]:
    """Return every logit of each text, (tokens, vocabulary) in the model's dtype on the CPU."""
    device = next(model.parameters()).device
    return [model(input_ids=torch.tensor([ids], device=device), use_cache=False).logits[0].cpu() for ids in texts]


def compare_logits(
    one: Any, other: Any, texts: Sequence[list[int]], *, tolerance: float, what: str
) -> tuple[int, float, float]:
    """Compare every logit of two models; return (compared, largest difference, share of equal top tokens).

    Raises:
        ModelRefused: when one differs by more than ``tolerance``.
    """
    return difference(all_logits(one, texts), all_logits(other, texts), tolerance, what)


def difference(expected: list[Tensor], found: list[Tensor], tolerance: float, what: str) -> tuple[int, float, float]:
    """Compare logits; see :func:`compare_logits`."""
    gap = max(float((a.double() - b.double()).abs().max()) for a, b in zip(expected, found, strict=True))
    same = torch.cat([a.argmax(-1) == b.argmax(-1) for a, b in zip(expected, found, strict=True)])
    if not gap <= tolerance:
        raise ModelRefused(
            f"{what} differs from what was trained by up to {gap:.3g} in a logit; it was not kept.",
            "Export again in float32. If it stays, the base folder has changed since the training.",
        )
    return sum(a.numel() for a in expected), gap, float(same.double().mean())
