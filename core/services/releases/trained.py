"""What a run really trained, as its result's own contract tells it: for the contract and the card of a release."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.domain.counting import counted
from core.runs.folder import RunFolder
from core.training.policy.provenance import read_contract

_REFERENCES = {
    "adapter_off": "the base without the adapter",
    "reference_adapter": "a frozen copy of the adapter that training started from",
    "frozen_copy": "a frozen copy of the weights that training started from",
    "other_model": "a third model",
}
_KEPT = ("base", "reference", "template", "stop_ids", "adapter", "versions")


def trained_of(run: RunFolder) -> dict[str, Any]:
    """Return what the contract of a run's result says of the policy: its base, its adapter's real layout, its texts.

    The settings of a run say what was asked for; an adapter that training starts from brings its own layout. {} for a
    run whose result is gone or has no contract.

    Raises:
        BadInput: when the contract is not readable.
    """
    for name in ("adapter", "model"):
        if contract := read_contract(run.path / name):
            kept = {key: contract[key] for key in _KEPT if key in contract}
            return {**kept, "config": contract.get("config", {}), "step": contract.get("run", {}).get("step")}
    return {}


def trained_lines(trained: Mapping[str, Any], pairs: int) -> list[str]:
    """Return Markdown lines that say what was trained, on what and against which reference.

    Args:
        trained: as :func:`trained_of` returns it; empty where nothing is known.
        pairs: that the run trained on.
    """
    if not trained:
        return ["- The result of the run has no contract, so that its real layout is not known."]
    base, config, texts = trained["base"], trained["config"], trained.get("template", {})
    template = f"chat template {texts.get('mode', '')}" + (f" ({texts['sha256'][:12]})" if texts.get("sha256") else "")
    stops = ", ".join(str(token) for token in trained.get("stop_ids", ()))
    kind = trained.get("reference", {}).get("kind", "")
    return [
        f"- base: {base['name']} ({base['model_type'] or 'unknown type'}, weights {base['weights_sha256'][:12]})",
        f"- trained: {_parts(trained.get('adapter', {}), config)}",
        f"- steps: {trained['step']} of {counted(config['batch_size'], 'pair')}, {counted(pairs, 'training pair')}, "
        f"seed {config['seed']}",
        f"- reference: {_REFERENCES.get(kind, kind or 'unknown')}",
        f"- texts: {template}; answers end with token {stops or 'none'}",
    ]


def _parts(layout: Mapping[str, Any], config: Mapping[str, Any]) -> str:
    base = "" if config.get("quantize", "none") == "none" else f", on a {config['quantize']} base"
    if not layout:
        return f"every weight of the model, in {config['dtype']}"
    targets = layout["target_modules"]
    names = targets if isinstance(targets, str) else ", ".join(targets)
    kind = "".join(word for word, on in (("rsLoRA, ", layout["rslora"]), ("DoRA, ", layout["dora"])) if on)
    more = [f"{', '.join(layout[key])} {what}" for key, what in _MORE.items() if layout.get(key)]
    return (
        f"a LoRA adapter ({kind}{'; '.join(f'{n} layers with {one}' for one, n in layout['layers'].items())}) of "
        f"{counted(layout['numbers'], 'number')} in {', '.join(layout['dtypes'])}, on {names}"
        f"{''.join(f', with {text}' for text in more)}{base}"
    )


_MORE = {"target_parameters": "of the experts", "modules_to_save": "trained whole"}
