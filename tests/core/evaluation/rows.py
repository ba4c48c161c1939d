"""Ledger rows made of a few numbers."""

from __future__ import annotations

import math
from dataclasses import fields

from core.domain.run_events import EvalDone, PairMetrics, StepDone

BETA = 0.1


def row(name: str = "p", h_chosen: float = 0.0, h_rejected: float = 0.0, **values) -> PairMetrics:
    """A pair whose answers moved by ``h_chosen`` and ``h_rejected`` nats."""
    ref = {"ref_chosen": -20.0, "ref_rejected": -30.0, "tokens_chosen": 10, "tokens_rejected": 10, **values}
    z = BETA * (h_chosen - h_rejected)
    return PairMetrics(
        pair_id=name,
        loss=math.log1p(math.exp(-z)),
        logp_chosen=ref["ref_chosen"] + h_chosen,
        logp_rejected=ref["ref_rejected"] + h_rejected,
        ref_chosen=ref["ref_chosen"],
        ref_rejected=ref["ref_rejected"],
        h=h_chosen - h_rejected,
        margin=z,
        weight=1 / (1 + math.exp(z)),
        tokens_chosen=ref["tokens_chosen"],
        tokens_rejected=ref["tokens_rejected"],
        truncated=bool(values.get("truncated", False)),
    )


def of_margin(z: float, name: str = "p", **values) -> PairMetrics:
    """A pair with margin ``z``, moved on the chosen side only."""
    return row(name, z / BETA, 0.0, **values)


def _event(cls, **values):
    plain = {f.name: 0 if f.type == "int" else 0.0 for f in fields(cls) if f.name not in ("rows", "extra")}
    return cls(**{**plain, **values})


def step(number: int, **values) -> StepDone:
    """A step with the starting loss and nothing else."""
    return _event(StepDone, step=number, **{"loss": math.log(2), "grad_norm": 1.0, "lr": 1e-5, "pairs": 8, **values})


def probe(number: int, split: str = "dev", accuracy: float = 0.5, width: float = 0.05, **values) -> EvalDone:
    """A probe with a given accuracy and interval."""
    limits = {"accuracy_low": accuracy - width, "accuracy_high": accuracy + width}
    return _event(
        EvalDone, step=number, split=split, accuracy=accuracy, **{"loss": 0.69, "pairs": 100, **limits, **values}
    )
