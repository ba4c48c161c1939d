"""Run this project's engine on a pairs file and write losses, CPU seconds and peak memory as JSON.

The counterpart of ``trl_runner``: same pairs, same starting adapter, same optimizer settings, one process, every
logged metric on. The reference pass and the gate run before the first step and are clocked apart.
"""

from __future__ import annotations

import argparse
import json
import resource
import tempfile
import time
from pathlib import Path

from core.domain.conversation import Prompt
from core.domain.pair import TrainingPair
from core.domain.run_config import RunConfig
from core.domain.run_events import Failed, PhaseChanged, StepDone
from core.training.control_protocol import NoControl
from core.training.engine import train


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    parser.add_argument("--pairs", required=True)
    parser.add_argument("--adapter", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--forward", default="auto")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--cache", default="", help="folder of the reference cache; empty computes it in this run")
    parser.add_argument("--steps", type=int, default=25)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--lr", type=float, default=1e-4)
    parser.add_argument("--beta", type=float, default=0.1)
    parser.add_argument("--max-length", type=int, default=512)
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


def read_pairs(path: Path) -> list[TrainingPair]:
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    return [
        TrainingPair(f"p{i}", Prompt.from_text(r["prompt"]), r["chosen"], r["rejected"]) for i, r in enumerate(rows)
    ]


def settings(args: argparse.Namespace) -> RunConfig:
    config = json.loads((Path(args.adapter) / "adapter_config.json").read_text(encoding="utf-8"))
    return RunConfig(
        beta=args.beta,
        lr=args.lr,
        scheduler="constant",
        warmup=0,
        steps=args.steps,
        batch_size=args.batch,
        shuffle=False,
        dtype=args.dtype,
        lora_r=config["r"],
        lora_alpha=config["lora_alpha"],
        init_adapter=args.adapter,
        template="none",
        max_length=args.max_length,
        forward=args.forward,
        threads=args.threads,
        device="cpu",
        eval_every=0,
        kl_every=0,
        sample_every=0,
        checkpoint_every=0,
    )


def peak_mb() -> float:
    """Largest resident size of this process so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    args = arguments()
    result: dict[str, object] = {
        "settings": vars(args),
        "phases": [],
        "losses": [],
        "cpu_per_step": [],
        "wall_per_step": [],
    }
    with tempfile.TemporaryDirectory() as folder:
        events = train(
            settings(args),
            read_pairs(Path(args.pairs)),
            model_dir=Path(args.model),
            run_dir=Path(folder),
            control=NoControl(),
            cache_dir=Path(args.cache) if args.cache else None,
        )
        cpu, wall, begun = time.process_time(), time.perf_counter(), time.process_time()
        for event in events:
            now, clock = time.process_time(), time.perf_counter()
            if isinstance(event, Failed):
                raise SystemExit(f"{event}")
            if isinstance(event, PhaseChanged):
                result["phases"].append([event.phase, event.detail, now - begun, peak_mb()])  # type: ignore[attr-defined]
            if isinstance(event, StepDone):
                result["losses"].append(event.loss)  # type: ignore[attr-defined]
                result["cpu_per_step"].append(now - cpu)  # type: ignore[attr-defined]
                result["wall_per_step"].append(clock - wall)  # type: ignore[attr-defined]
            cpu, wall = time.process_time(), time.perf_counter()
    result["total_cpu"] = time.process_time()
    result["peak_mb"] = peak_mb()
    Path(args.out).write_text(json.dumps(result, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
