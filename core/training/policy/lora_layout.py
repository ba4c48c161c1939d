"""The layout of a fresh LoRA: which layers it adapts, with which rank and scale, as PEFT's own config."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from copy import copy
from typing import Any

from torch import nn

from core.domain.counting import counted
from core.domain.errors import UsageError
from core.domain.named_numbers import named_numbers
from core.domain.run_config import RunConfig
from core.training.policy.experts import Mixture, is_mixture, read_mixture

ALL_LINEAR = "all-linear"


def fresh_layout(model: Any, config: RunConfig) -> tuple[Any, str]:
    """Return PEFT's config of a fresh adapter on ``model``, and a note on what it leaves out ("" for nothing).

    Raises:
        UsageError: when the settings name parts that cannot be adapted.
    """
    # Imported here: transformers reads its network settings when it is imported, after go_offline().
    from peft import LoraConfig

    ranks = named_numbers(config.rank_pattern, "rank_pattern", low=1, high=4096, whole=True)
    alphas = named_numbers(config.alpha_pattern, "alpha_pattern", low=0, high=1e6)
    saved = _words(config.modules_to_save)
    layout = LoraConfig(
        r=config.lora_r,
        lora_alpha=config.lora_alpha,  # type: ignore[arg-type]
        target_modules=_targets(config),
        lora_dropout=0.0,
        bias="none",
        task_type="CAUSAL_LM",
        fan_in_fan_out=_is_transposed(model, _targets(config)),
        use_rslora=config.lora_rslora,
        use_dora=config.lora_dora,
        modules_to_save=saved or None,
        rank_pattern={name: int(rank) for name, rank in ranks.items()},
        alpha_pattern=alphas,
    )
    _refuse_tied(model, saved)
    mixture = read_mixture(model) if is_mixture(model.config) else None
    if mixture is None:
        if config.lora_experts:
            raise UsageError("This model has no experts to train.", "Set lora_experts=no.")
        return layout, ""
    return _of_mixture(layout, model, mixture, config)


def _of_mixture(layout: Any, model: Any, mixture: Mixture, config: RunConfig) -> tuple[Any, str]:
    """Return the layout for a mixture: its routers only where named, its experts only where asked for."""
    if config.lora_targets != ALL_LINEAR:
        if not config.lora_experts and (reached := _reached_experts(layout, model, mixture)):
            raise UsageError(
                f"lora_targets reaches the experts of this model ({reached[0]}).",
                "Set lora_experts=yes to train them, or name layers of the attention.",
            )
        names, note = list(layout.target_modules), ""
    else:
        kept = [name for name in mixture.linear if not _renamed(layout, model, name)]
        left = len(mixture.linear) - len(kept)
        names = _short_names(kept, model)
        routers = "The routers" if config.lora_experts else "Routers and experts"
        note = f"{routers} of this mixture get no adapter" + (
            f", nor do {counted(left, 'linear layer')} whose names PEFT gives to experts." if left else "."
        )
    if config.lora_experts:
        if not mixture.expert_parameters and not mixture.expert_linear:
            raise UsageError("The experts of this model cannot be adapted.", "Set lora_experts=no.")
        names += _short_names(mixture.expert_linear, model)
        layout.target_parameters = sorted({".".join(name.split(".")[-2:]) for name in mixture.expert_parameters})
    layout.target_modules = set(names)
    return layout, note


def _targets(config: RunConfig) -> str | list[str]:
    return ALL_LINEAR if config.lora_targets == ALL_LINEAR else _words(config.lora_targets)


def _words(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _is_transposed(model: nn.Module, targets: str | list[str]) -> bool:
    """Return whether the targets are GPT-2's Conv1D, whose weight is stored input by output."""
    # Imported here: transformers reads its network settings when it is imported, after go_offline().
    from transformers.pytorch_utils import Conv1D

    named = [m for n, m in model.named_modules() if targets == ALL_LINEAR or n.rsplit(".", 1)[-1] in targets]
    return any(isinstance(m, Conv1D) for m in named)


def _converted(layout: Any, model: Any, names: Iterable[str]) -> Any:
    """Return the layout as PEFT rewrites it for this model when it targets ``names``.

    PEFT reads the names that expert layers had in transformers 4 as those of the stacked parameters of today.

    Raises:
        ValueError: from PEFT, when only a part of what became one parameter is named.
    """
    # Imported here: peft imports transformers, which must not be imported before go_offline().
    from peft.utils.transformers_weight_conversion import convert_peft_config_for_transformers

    converted = copy(layout)
    converted.target_modules, converted.target_parameters = set(names), None
    converted.rank_pattern, converted.alpha_pattern = {}, {}
    convert_peft_config_for_transformers(converted, model, None)
    return converted


def _renamed(layout: Any, model: Any, name: str) -> bool:
    """Return whether PEFT would take the name of a linear layer for that of an expert's."""
    try:
        return bool(_converted(layout, model, [name]).target_parameters)
    except ValueError:
        return True


def _reached_experts(layout: Any, model: Any, mixture: Mixture) -> list[str]:
    """Return the names in ``lora_targets`` that stand for experts."""
    found = []
    for name in layout.target_modules:
        if any(key == name or key.endswith(f".{name}") for key in mixture.expert_linear):
            found.append(name)
            continue
        try:
            parameters = _converted(layout, model, [name]).target_parameters or ()
        except ValueError:
            parameters = mixture.expert_parameters
        if any(key.endswith(f".{parameter}") for parameter in parameters for key in mixture.expert_parameters):
            found.append(name)
    return found


def _short_names(names: Iterable[str], model: nn.Module) -> list[str]:
    """Return the last words of ``names`` where every module with that last word is among them, else the names."""
    wanted = set(names)
    by_last: dict[str, set[str]] = {}
    for name, _ in model.named_modules():
        by_last.setdefault(name.rsplit(".", 1)[-1], set()).add(name)
    return sorted({last if by_last[last] <= wanted else name for name in wanted for last in [name.rsplit(".", 1)[-1]]})


def _refuse_tied(model: Any, saved: list[str]) -> None:
    """Refuse to train in full an output head that is the input embedding too: stored, it would change both.

    Raises:
        UsageError: naming it.
    """
    head, embedding = model.get_output_embeddings(), model.get_input_embeddings()
    if head is None or getattr(head, "weight", None) is not embedding.weight:
        return
    tied = [n.rsplit(".", 1)[-1] for n, m in model.named_modules() if m is head or m is embedding]
    if wrong := [name for name in saved if name.rsplit(".", 1)[-1] in tied]:
        raise UsageError(
            f"{wrong[0]} shares its weights with {' and '.join(t for t in tied if t != wrong[0]) or 'another layer'} "
            "in this model, so that it could not be trained apart from it.",
            "Leave it out of modules_to_save.",
        )


def require_used(wrapped: Any, config: RunConfig) -> None:
    """Refuse names in the settings that no module of the model bears: they would be ignored.

    Raises:
        UsageError: naming them.
    """
    layers = [name for name, module in wrapped.get_base_model().named_modules() if hasattr(module, "lora_A")]
    layers += list(wrapped.base_model.targeted_parameter_names)
    full = [name for name, module in wrapped.named_modules() if hasattr(module, "modules_to_save")]
    unused = {
        "rank_pattern": [
            n for n in named_numbers(config.rank_pattern, "rank_pattern", low=1, high=4096) if not _is_borne(n, layers)
        ],
        "alpha_pattern": [
            n for n in named_numbers(config.alpha_pattern, "alpha_pattern", low=0, high=1e6) if not _is_borne(n, layers)
        ],
        "modules_to_save": [
            n for n in _words(config.modules_to_save) if not any(f".{key}".endswith(f".{n}") for key in full)
        ],
    }
    for setting, names in unused.items():
        if names:
            raise UsageError(
                f"{setting} names {names[0]}, which no {'module' if full else 'adapted module'} of this model bears.",
                f"Name modules such as {', '.join(sorted({name.rsplit('.', 1)[-1] for name in layers})[:4])}.",
            )


def _is_borne(pattern: str, layers: Iterable[str]) -> bool:
    """Return whether PEFT applies a key of rank_pattern or alpha_pattern to any of ``layers``."""
    try:
        compiled = re.compile(rf"(.*\.)?({pattern})$")
    except re.error as error:
        raise UsageError(f"{pattern!r} is no name of a module and no pattern: {error}.", "Name a module.") from error
    return any(compiled.match(name) for name in layers)


def live_layout(model: Any, adapter: str) -> dict[str, Any]:
    """Return what an adapter really is, as plain values, read from its config and its layers in memory.

    Returns:
        r, alpha, rslora, dora, rank_pattern, alpha_pattern, target_modules, target_parameters, modules_to_save;
        ``layers``: adapted layers by rank and scale; ``numbers``: trained numbers; ``dtypes``: of its tensors.
    """
    layout = model.peft_config[adapter]
    layers = [module for module in model.modules() if adapter in getattr(module, "lora_A", {})]
    layers += [module for module in model.modules() if adapter in getattr(module, "lora_embedding_A", {})]
    kinds = Counter(f"r={module.r[adapter]}, scale={module.scaling[adapter]:g}" for module in layers)
    tensors = [p for name, p in model.named_parameters() if f".{adapter}." in f"{name}."]
    targets = layout.target_modules
    return {
        "r": layout.r,
        "alpha": layout.lora_alpha,
        "rslora": bool(layout.use_rslora),
        "dora": bool(layout.use_dora),
        "rank_pattern": dict(layout.rank_pattern or {}),
        "alpha_pattern": dict(layout.alpha_pattern or {}),
        "target_modules": targets if isinstance(targets, str) else sorted(targets or ()),
        "target_parameters": sorted(getattr(layout, "target_parameters", None) or ()),
        "modules_to_save": sorted(layout.modules_to_save or ()),
        "layers": dict(sorted(kinds.items())),
        "numbers": sum(p.numel() for p in tensors),
        "dtypes": sorted({str(p.dtype).removeprefix("torch.") for p in tensors}),
    }
