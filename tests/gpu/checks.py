"""The checks of the engine on a card. Each returns what it measured and whether that is as it should be.

Every check trains the golden model, so that all of them together take a few minutes. On a CPU they run too, which keeps
them working where there is no card.
"""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from core.domain.run_events import (
    Failed,
    Finished,
    KlDone,
    PhaseChanged,
    RunEvent,
    StepDone,
    TokenReport,
    Warned,
)
from core.paths import starter_model_dir
from core.runs.hosting.probes import StandardProbe
from core.training.control_protocol import NoControl
from core.training.engine import train
from core.training.memory_plan import MIB, ModelShape, plan_memory
from tests.core.training.golden_runs import FIELDS, GOLDEN, golden_config, golden_pairs, trajectories

STEPS = 6
STARTER = starter_model_dir()


@dataclass(frozen=True, slots=True)
class Outcome:
    """One check: what was measured against which limit. ``ok`` is None where it could not be made."""

    ok: bool | None
    text: str


def events_of(device: str, folder: Path, *, until: int = 0, **changes: Any) -> list[RunEvent]:
    """Train the golden model and return all events, or those up to step ``until``."""
    options = {name: changes.pop(name) for name in ("resume", "probe") if name in changes}
    name = changes.pop("name", "sigmoid")
    config = golden_config(name, **{"device": device, "steps": STEPS, **changes})
    found: list[RunEvent] = []
    events = train(config, golden_pairs(), model_dir=GOLDEN / "model", run_dir=folder, control=NoControl(), **options)
    with closing(events):
        for event in events:
            found.append(event)
            if until and isinstance(event, StepDone) and event.step == until:
                break
    if isinstance(found[-1], Failed):
        raise AssertionError(f"{found[-1].kind}: {found[-1].message} {found[-1].traceback[-800:]}")
    return found


def steps(events: list[RunEvent]) -> list[StepDone]:
    """Return the optimizer steps."""
    return [event for event in events if isinstance(event, StepDone)]


def furthest(first: list[StepDone], second: list[StepDone]) -> float:
    """Return the largest relative difference of loss and log-probs of two runs."""
    names = ("loss", "logp_chosen", "logp_rejected")
    pairs = [(getattr(a, n), getattr(b, n)) for a, b in zip(first, second, strict=True) for n in names]
    return max(abs(x - y) / max(1.0, abs(x)) for x, y in pairs)


def forward_of(events: list[RunEvent]) -> str:
    """Return the forward pass that a run took."""
    return next(e.detail for e in events if isinstance(e, PhaseChanged) and e.phase == "forward" and e.done == 1)


def golden_parity(device: str, folder: Path) -> Outcome:
    """Compare the steps with TRL's golden trajectory."""
    events = events_of(device, folder)
    logged = trajectories()["sigmoid"]["steps"][:STEPS]
    worst = max(
        abs(getattr(step, ours) - row[theirs]) / max(1.0, abs(row[theirs]))
        for step, row in zip(steps(events), logged, strict=True)
        for theirs, ours in FIELDS.items()
    )
    return Outcome(worst < 1e-4, f"furthest from TRL {worst:.1e} (limit 1e-4), forward {forward_of(events)}")


def forwards_agree(device: str, folder: Path) -> Outcome:
    """Compare the packed forward pass, its mask and its backward pass with one padded row a response."""
    packed = events_of(device, folder / "shared", forward="shared")
    plain = events_of(device, folder / "separate", forward="separate")
    off = furthest(steps(plain), steps(packed))
    return Outcome(off < 1e-4, f"shared against separate {off:.1e} (limit 1e-4)")


def micro_batches_agree(device: str, folder: Path) -> Outcome:
    """Compare one pass a step with one pair a pass."""
    whole = events_of(device, folder / "whole")
    single = events_of(device, folder / "single", micro_batch=1)
    off = furthest(steps(whole), steps(single))
    return Outcome(off < 1e-5, f"micro-batch 1 against the largest {off:.1e} (limit 1e-5)")


def resumed_agrees(device: str, folder: Path) -> Outcome:
    """Compare a run that was cut with one that was not."""
    whole = steps(events_of(device, folder / "whole", checkpoint_every=2))
    events_of(device, folder / "cut", checkpoint_every=2, until=3)
    again = steps(events_of(device, folder / "cut", checkpoint_every=2, resume=True))
    off = furthest(whole[-len(again) :], again)
    limit = 0.0 if device == "cpu" else 1e-6
    return Outcome(off <= limit, f"resumed against whole {off:.1e} (limit {limit:g})")


def bfloat16(device: str, folder: Path) -> Outcome:
    """Compare bfloat16 with float32."""
    if device != "cpu" and not torch.cuda.is_bf16_supported():
        return Outcome(None, "this GPU has no bfloat16")
    wide = steps(events_of(device, folder / "wide"))
    narrow = steps(events_of(device, folder / "narrow", dtype="bfloat16"))
    off = max(abs(a.loss - b.loss) for a, b in zip(wide, narrow, strict=True))
    return Outcome(off < 0.1, f"loss off by {off:.1e} (limit 0.1)")


def measurements(device: str, folder: Path) -> Outcome:
    """Make every measurement of a run."""
    quick = {"eval_every": 3, "kl_every": 3, "sample_every": 3, "kl_max_new_tokens": 8, "look_share": 1.0}
    events = events_of(device, folder, probe=StandardProbe(), **quick)
    failed = [event.message for event in events if isinstance(event, Warned) and event.code == "probe_failed"]
    kls = [event.kl for event in events if isinstance(event, KlDone)]
    moved = len(kls) == 3 and kls[0] == 0 and (kls[-1] or 0.0) > 0
    return Outcome(not failed and moved, failed[0] if failed else f"KL {kls}")


def memory_plan(device: str, folder: Path) -> Outcome:
    """Compare the planned memory with the card's peak."""
    if device == "cpu":
        return Outcome(None, "measured on the CPU by tests/core/training/test_memory_plan.py")
    if not (STARTER / "model.safetensors").is_file():
        return Outcome(None, "the starter model is not installed")
    quiet = {"eval_every": 0, "kl_every": 0, "sample_every": 0}
    config = golden_config("sigmoid").with_values(
        {**quiet, "device": device, "steps": 2, "init_adapter": "", "lora_r": 16, "batch_size": 8, "micro_batch": 8}
    )
    torch.cuda.reset_peak_memory_stats()
    long = [replace(pair, chosen=pair.chosen * 8, rejected=pair.rejected * 8) for pair in golden_pairs()]
    lengths: list[int] = []
    for event in train(config, long, model_dir=STARTER, run_dir=folder, control=NoControl()):
        if isinstance(event, TokenReport):
            lengths = [event.longest * 2] * 8
        if isinstance(event, Failed):
            return Outcome(False, event.message)
    peak = torch.cuda.max_memory_reserved()
    plan = plan_memory(ModelShape.read(STARTER), config, lengths, forward="shared", device="cuda")
    planned = plan.total - plan.runtime  # the context is not in torch's count
    return Outcome(0.7 < planned / peak < 1.5, f"planned {planned / MIB:.0f} MiB, reserved {peak / MIB:.0f} MiB")


def out_of_memory(device: str, folder: Path) -> Outcome:
    """Give the process less memory than a step needs: it goes on with smaller passes, or ends as ``oom``."""
    if device == "cpu":
        return Outcome(None, "needs a card")
    free, whole = torch.cuda.mem_get_info()
    torch.cuda.empty_cache()
    held = torch.cuda.memory_reserved()
    torch.cuda.set_per_process_memory_fraction(min(1.0, (held + 48 * MIB) / whole))
    config = golden_config("sigmoid", device=device, steps=1, batch_size=16, micro_batch=16)
    try:
        found = list(train(config, golden_pairs(), model_dir=GOLDEN / "model", run_dir=folder, control=NoControl()))
    finally:
        torch.cuda.set_per_process_memory_fraction(1.0)
    last, smaller = found[-1], any(isinstance(e, Warned) and e.code == "out_of_memory" for e in found)
    ok = isinstance(last, Finished) or (isinstance(last, Failed) and last.kind == "oom")
    passes = "smaller passes" if smaller else "no smaller passes"
    return Outcome(ok, f"{last.event}, {passes}, {free / MIB:.0f} MiB free")


def eight_bit(device: str, folder: Path) -> Outcome:
    """Train with moments of 8 bits."""
    if importlib.util.find_spec("bitsandbytes") is None:
        return Outcome(None, "bitsandbytes is not installed")
    full = {"lora_r": 0, "init_adapter": "", "lr": 1e-5}  # tensors large enough for moments of 8 bits
    exact = steps(events_of(device, folder / "adamw", **full))
    near = steps(events_of(device, folder / "8bit", optimizer="adamw_8bit", **full))
    off = max(abs(a.loss - b.loss) for a, b in zip(exact, near, strict=True))
    return Outcome(off < 0.05, f"loss off by {off:.1e} from AdamW (limit 0.05)")


def four_bit(device: str, folder: Path) -> Outcome:
    """Train an adapter on a base of 4 bits."""
    if device == "cpu" or importlib.util.find_spec("bitsandbytes") is None:
        return Outcome(None, "needs a card and bitsandbytes")
    made = steps(events_of(device, folder, quantize="4bit", dtype="bfloat16", init_adapter=""))
    return Outcome(len(made) == STEPS and abs(made[0].loss - 0.6931) < 0.02, f"first loss {made[0].loss:.4f}")


def full_weights(device: str, folder: Path) -> Outcome:
    """Train all weights."""
    made = steps(events_of(device, folder, lora_r=0, init_adapter="", lr=1e-5))
    return Outcome(abs(made[0].loss - 0.6931) < 1e-3, f"first loss {made[0].loss:.6f}, last {made[-1].loss:.4f}")


def speed(device: str, folder: Path) -> Outcome:
    """Measure the tokens a second of the starter model."""
    if not (STARTER / "model.safetensors").is_file():
        return Outcome(None, "the starter model is not installed")
    config = golden_config("sigmoid").with_values(
        {"device": device, "steps": STEPS, "init_adapter": "", "lora_r": 16, "batch_size": 8, "dtype": "float32"}
    )
    if device != "cpu" and torch.cuda.is_bf16_supported():
        config = replace(config, dtype="bfloat16")
    made = steps(list(train(config, golden_pairs(), model_dir=STARTER, run_dir=folder, control=NoControl())))
    rates = [step.tokens_per_s for step in made[2:]]
    peak = made[-1].cuda_peak_bytes or 0
    told = bool(rates) and (peak > 0) == device.startswith("cuda")
    rate = f"{sum(rates) / max(len(rates), 1):,.0f} answer tokens a second"
    return Outcome(told, f"{rate}, {config.dtype}, {peak / 2**30:.2f} GiB of the card at most")


CHECKS: tuple[Callable[[str, Path], Outcome], ...] = (
    golden_parity,
    forwards_agree,
    micro_batches_agree,
    resumed_agrees,
    bfloat16,
    full_weights,
    measurements,
    eight_bit,
    four_bit,
    memory_plan,
    out_of_memory,
    speed,
)


def made(check: Callable[[str, Path], Outcome], device: str) -> Outcome:
    """Make one check in a folder of its own; an error is its outcome."""
    with tempfile.TemporaryDirectory() as place:
        try:
            return check(device, Path(place))
        except Exception as error:  # noqa: BLE001 (the others are still made)
            return Outcome(False, f"{type(error).__name__}: {error}")
