"""The truth gate: checks before the first step that the objective is what the settings say.

At policy = reference every loss has a closed form (ln 2 for sigmoid) and every h is zero, whatever the data. The gate
measures both on real pairs, in the run's dtype and on its device, with the run's own scorer and loss. Where a
measurement differs, the gate names the cause and the run stops.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from core.domain.counting import counted
from core.domain.errors import GateFailed
from core.domain.run_config import RunConfig
from core.domain.run_events import GateReport, PairMetrics
from core.training.forward.scorer import Scorer, Scores
from core.training.gate.first_loss import TOLERANCES, check_loss, first_loss
from core.training.gate.gradient_checks import check_gradients
from core.training.gate.model_checks import check_model, check_readable
from core.training.gate.token_audit import audit_tokens
from core.training.policy.device import resolve_dtype
from core.training.policy.model import DROPOUT_LAYERS, LoadedModel
from core.training.policy.stored_weights import differing_base_weights
from core.training.text.encoded_pair import EncodedPair

CachedReference = Callable[[EncodedPair], Any]
"""Returns a pair's cached reference log-probs, (chosen, rejected): sums, or per-token tensors."""
ATOMIC_SUMS = 1e-6
"""Difference of two sums over the same terms in another order, relative and in nats; float32 sums on Apple's GPU."""
_PLAIN_INITS = (True, False, "gaussian", "orthogonal")


def run_gate(
    model: LoadedModel,
    encoded: Sequence[EncodedPair],
    scorer: Scorer,
    config: RunConfig,
    cached_reference: CachedReference | None = None,
    *,
    sample: int = 3,
) -> GateReport:
    """Check weights, tokens, gradients and the first loss; return what was measured.

    Call it before the first step of a fresh run; in a resumed run the policy is no longer the reference.

    Args:
        model: as loaded, before any step.
        encoded: all pairs; every one is audited, ``sample`` of them are scored.
        scorer: the run's own forward pass.
        config: the run's settings.
        cached_reference: returns the run's cached reference log-probs, which are compared with fresh ones.
        sample: how many pairs are scored.

    Raises:
        GateFailed: naming the cause, one of ``GATE_CAUSES``. Gradients are cleared and no weight is changed.
    """
    checks = {
        "wrong_dtype": check_dtype(model, config),
        "dropout": check_no_dropout(model),
        "adapter_changes_base": check_adapter_initialisation(model),
        "reference_is_base": check_reference_kind(model),
        **check_model(model),
        **check_readable(model, encoded),
    }
    checks.update(audit_tokens(encoded, model.tokenizer, config, model.stop_ids))
    pairs = _first_and_shortest(encoded, sample)
    if not pairs:
        raise GateFailed(
            "No pair is left to train on.", "See the counts of dropped pairs; raise max_length.", cause="all_masked"
        )
    policy, reference = _score_both(pairs, scorer)
    checks["non_finite"] = check_finite(pairs, policy, reference)
    checks["dropout"] = check_repeatable(pairs, scorer)
    if cached_reference is not None:
        checks["stale_cache"] = check_cache(pairs, reference, cached_reference, model.dtype)
    h_max, checks["noise_floor"] = check_start(model, policy, reference)
    loss, expected = first_loss(pairs, policy, reference, config)
    if model.reference_kind == "other_model":
        expected, checks["loss_closed_form"] = loss, f"{loss:.9f}; none, as the policy does not start at the reference"
    else:
        checks["loss_closed_form"] = check_loss(loss, expected, model.dtype)
    checks["frozen_adapter"] = check_gradients(model, pairs, scorer)
    checks["base_changed"] = check_base_unchanged(model)
    return GateReport(passed=True, loss=loss, expected_loss=expected, h_max=h_max, checks=checks)


def check_dtype(model: LoadedModel, config: RunConfig) -> str:
    """Require that the base's matrices have the dtype of the run."""
    wanted = resolve_dtype(config, model.device)
    asked = str(wanted).removeprefix("torch.")
    wrong = {
        name: parameter.dtype
        for name, parameter in model.base.named_parameters()
        if parameter.ndim >= 2 and parameter.is_floating_point() and ".lora_" not in name and parameter.dtype != wanted
    }
    if wrong and not model.quantised:
        name, found = next(iter(wrong.items()))
        raise GateFailed(
            f"The run asks for {asked}, but {len(wrong)} weights are {str(found).removeprefix('torch.')} "
            f"(the first is {name}).",
            "Load the model again with this run's dtype.",
            cause="wrong_dtype",
        )
    return f"weights are {asked}" + (", quantised" if model.quantised else "")


def check_no_dropout(model: LoadedModel) -> str:
    """Require that no module drops anything, in evaluation or training mode."""
    for name, module in model.model.named_modules():
        rate = module.p if isinstance(module, DROPOUT_LAYERS) else 0.0
        if not isinstance(module, nn.Dropout):
            rate = max([rate, *(v for k, v in vars(module).items() if "dropout" in k and isinstance(v, float))])
        if rate > 0 and module.training:
            raise GateFailed(
                f"{name} has a dropout of {rate:g}, so policy and reference differ by chance.",
                "Set every dropout of the model and the adapter to 0.",
                cause="dropout",
            )
    return "off everywhere"


def check_adapter_initialisation(model: LoadedModel) -> str:
    """Require that the adapter was added to the stored base weights, not to weights an initialisation changed."""
    if not model.is_peft:
        return "no adapter"
    for adapter, lora in model.model.peft_config.items():
        init = getattr(lora, "init_lora_weights", True)
        if init not in _PLAIN_INITS:
            raise _changed_base(f"Adapter {adapter} was initialised by {init}")
    different = differing_base_weights(model)
    if different:
        raise _changed_base(
            f"{len(different)} base weights differ from the model's files (the first is {different[0]})"
        )
    return "base weights are those of the model's files"


def _changed_base(what: str) -> GateFailed:
    return GateFailed(
        f"{what}: with the adapter off, the model is not the base of its files.",
        "Use the default LoRA initialisation (B = 0), or merge the adapter into the model first.",
        cause="adapter_changes_base",
    )


def check_reference_kind(model: LoadedModel) -> str:
    """Require the frozen copy as reference when training starts from an adapter that changes the base."""
    if model.reference_kind == "adapter_off" and model.starts_from_adapter:
        raise GateFailed(
            "Training starts from an adapter that already changes the model, but the reference is the base without it: "
            "the first margins would measure the earlier training.",
            "Set reference to auto or init, so that the starting adapter is copied as the reference.",
            cause="reference_is_base",
        )
    return {
        "adapter_off": "base model, adapter off",
        "reference_adapter": "frozen copy of the starting adapter",
        "frozen_copy": "frozen copy of the starting weights",
        "other_model": "a third model",
    }[model.reference_kind]


def check_finite(pairs: Sequence[EncodedPair], policy: Tensor, reference: Tensor) -> str:
    """Require finite log-probs."""
    bad = ~(torch.isfinite(policy) & torch.isfinite(reference)).all(dim=1)
    if bool(bad.any()):
        names = ", ".join(pair.pair_id for pair, flag in zip(pairs, bad.tolist(), strict=True) if flag)
        raise GateFailed(
            f"Log-probs of {counted(int(bad.sum()), 'pair')} are not finite numbers: {names}.",
            "Use float32 or bfloat16; check the model with a few generated answers.",
            cause="non_finite",
        )
    return f"{2 * len(pairs)} finite log-probs"


def check_repeatable(pairs: Sequence[EncodedPair], scorer: Scorer) -> str:
    """Require that two passes over the shortest pair give the same numbers."""
    shortest = [min(pairs, key=lambda pair: pair.length)]
    with torch.no_grad():
        first, again = (scorer.score(shortest, stats=False).logps.detach() for _ in range(2))
    if not is_repeated(first, again, first.device.type):
        raise GateFailed(
            f"Two passes over the same pair differ by {(first - again).abs().max():.3g} nats.",
            "Switch dropout off; on a GPU choose deterministic kernels.",
            cause="dropout",
        )
    return "off everywhere; a second pass is the same"


def is_repeated(first: Tensor, second: Tensor, device: str) -> bool:
    """Return whether two passes gave the same log-probs: every bit on the CPU.

    Other devices add the float64 terms of a sum in any order, which moves its last bits and nothing that dropout would
    not move a million times as far.
    """
    if device == "cpu":
        return torch.equal(first, second)
    return torch.allclose(first, second, rtol=ATOMIC_SUMS, atol=ATOMIC_SUMS)


def check_cache(pairs: Sequence[EncodedPair], reference: Tensor, cached: CachedReference, dtype: torch.dtype) -> str:
    """Require that cached reference log-probs are those computed now."""
    stored = torch.tensor([[_total(side) for side in cached(pair)] for pair in pairs], dtype=torch.float64)
    gap = (stored - reference.double().cpu()).abs()
    allowed = TOLERANCES[dtype].h + TOLERANCES[dtype].logp * reference.double().cpu().abs()
    if bool((gap > allowed).any()) or not bool(torch.isfinite(stored).all()):
        worst = int(gap.amax(dim=1).nan_to_num(nan=float("inf")).argmax())
        raise GateFailed(
            f"The cached reference log-probs of pair {pairs[worst].pair_id} are off by "
            f"{float(gap[worst].max()):.3g} nats: they do not belong to these tokens and weights.",
            "Clear the reference cache; it will be computed again. Nothing else depends on it.",
            cause="stale_cache",
        )
    return f"cached and fresh reference differ by at most {float(gap.max()):.1e} nats"


def _total(side: Any) -> float:
    return float(side.double().sum()) if isinstance(side, Tensor) else float(side)


def check_first_batch(
    model: LoadedModel, pairs: Sequence[EncodedPair], rows: Sequence[PairMetrics], config: RunConfig
) -> None:
    """Require policy = reference and the closed form of the loss in the first step's own pass, before it is made.

    The gate itself therefore scores few pairs. The reference comes from the cache here, of batches of another shape, so
    that a log-prob may differ by what :func:`check_cache` allows. The closed form holds where none differs.

    Raises:
        GateFailed: naming the cause; no weight was changed.
    """
    if model.reference_kind == "other_model":
        return
    policy = torch.tensor([[row.logp_chosen, row.logp_rejected] for row in rows], dtype=torch.float64)
    reference = torch.tensor([[row.ref_chosen, row.ref_rejected] for row in rows], dtype=torch.float64)
    gap, tolerance = (policy - reference).abs(), TOLERANCES[model.dtype]
    if bool((gap > tolerance.h + tolerance.logp * reference.abs()).any()):
        worst = pairs[int(gap.amax(dim=1).argmax())].pair_id
        raise GateFailed(
            f"In the first step policy and reference differ by {float(gap.max()):.3g} nats in a log-prob of pair "
            f"{worst}; they should be one model.",
            "Clear the reference cache and start again. No weight was changed.",
            cause="loss_closed_form",
        )
    if not bool(gap.any()):
        check_loss(*first_loss(pairs, policy, reference, config), model.dtype)


def check_start(model: LoadedModel, policy: Tensor, reference: Tensor) -> tuple[float, str]:
    """Require policy = reference: every log-ratio and every h is rounding noise. Returns (largest |h|, text)."""
    ratio = (policy - reference).double()
    h_max = float((ratio[:, 0] - ratio[:, 1]).abs().max())
    worst = float(ratio.abs().max())
    if model.reference_kind == "other_model":
        return h_max, f"the reference is another model: |h| up to {h_max:.3g} nats at the start is as it should be"
    if max(h_max, worst) > TOLERANCES[model.dtype].h:
        raise GateFailed(
            f"Before the first step policy and reference differ by up to {worst:.3g} nats in a log-prob "
            f"and {h_max:.3g} in h; both should be zero.",
            "The reference is not what training starts from. Check reference, init_adapter and the model folder.",
            cause="reference_is_base" if model.starts_from_adapter else "loss_closed_form",
        )
    return h_max, f"|h| at most {h_max:.1e}, log-ratios at most {worst:.1e} nats"


def check_base_unchanged(model: LoadedModel) -> str:
    """Require that every frozen tensor has the bits it was loaded with; it may be called after steps too."""
    changed = model.changed_base_tensors()
    if changed:
        raise GateFailed(
            f"{len(changed)} frozen weights have changed (the first is {changed[0]}): the reference has moved.",
            "Start the run again from the model's files.",
            cause="base_changed",
        )
    return "frozen weights are untouched" if model.is_peft else "all weights train"


def _score_both(pairs: Sequence[EncodedPair], scorer: Scorer) -> tuple[Tensor, Tensor]:
    with torch.no_grad():
        policy: Scores = scorer.score(pairs, policy=True, stats=False)
        reference = scorer.score(pairs, policy=False, stats=False)
    return policy.logps.detach(), reference.logps.detach()


def _first_and_shortest(encoded: Sequence[EncodedPair], count: int) -> list[EncodedPair]:
    """Return ``count`` pairs: the first of the data and the shortest ones, to keep the gate fast."""
    rest = sorted(encoded[1:], key=lambda pair: pair.length)
    return [*encoded[:1], *rest[: count - 1]]
