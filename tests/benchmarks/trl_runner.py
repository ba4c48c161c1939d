"""Run TRL's DPOTrainer on a pairs file and write its per-step losses, CPU seconds and peak memory as JSON.

Runs in an environment of its own (trl, torch, transformers, peft, datasets) and imports nothing of this
project. ``--mode online`` computes the reference in every step, ``precomputed`` once before training.
TRL's defaults of bf16 and gradient checkpointing are switched off unless asked for, so that both sides do
float32 arithmetic and neither trades time for memory.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from pathlib import Path

os.environ.update(HF_HUB_OFFLINE="1", HF_HUB_DISABLE_TELEMETRY="1", TQDM_DISABLE="1")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", required=True)
    parser.add_argument("--pairs", required=True)
    parser.add_argument("--adapter", required=True, help="folder of a PEFT adapter with B = 0")
    parser.add_argument("--out", required=True)
    parser.add_argument("--mode", choices=("online", "precomputed"), default="online")
    parser.add_argument("--steps", type=int, default=25)
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--accumulate", type=int, default=1, help="micro-batches a step; batch / accumulate pairs each")
    parser.add_argument("--lr", type=float, default=1e-4)
    parser.add_argument("--beta", type=float, default=0.1)
    parser.add_argument("--max-length", type=int, default=512)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--checkpointing", action="store_true")
    return parser.parse_args()


def build_trainer(args: argparse.Namespace):
    import torch
    from datasets import Dataset, disable_caching
    from peft import LoraConfig
    from safetensors.torch import load_file
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import DPOConfig, DPOTrainer

    disable_caching()
    torch.set_num_threads(args.threads)
    pairs = [json.loads(line) for line in Path(args.pairs).read_text(encoding="utf-8").splitlines()]
    settings = DPOConfig(
        output_dir=tempfile.mkdtemp(),
        beta=args.beta,
        loss_type="sigmoid",
        learning_rate=args.lr,
        lr_scheduler_type="constant",
        max_steps=args.steps,
        per_device_train_batch_size=args.batch // args.accumulate,
        gradient_accumulation_steps=args.accumulate,
        max_length=args.max_length,
        precompute_ref_log_probs=args.mode == "precomputed",
        bf16=False,
        gradient_checkpointing=args.checkpointing,
        logging_steps=1,
        report_to=[],
        save_strategy="no",
        use_cpu=True,
        seed=0,
        train_sampling_strategy="sequential",
        weight_decay=0.0,
        disable_tqdm=True,
    )
    config = json.loads((Path(args.adapter) / "adapter_config.json").read_text(encoding="utf-8"))
    trainer = DPOTrainer(
        model=AutoModelForCausalLM.from_pretrained(args.model, dtype=torch.float32),
        args=settings,
        train_dataset=Dataset.from_list([{k: p[k] for k in ("prompt", "chosen", "rejected")} for p in pairs]),
        processing_class=AutoTokenizer.from_pretrained(args.model),
        peft_config=LoraConfig(
            r=config["r"],
            lora_alpha=config["lora_alpha"],
            lora_dropout=0.0,
            target_modules=config["target_modules"],
            task_type="CAUSAL_LM",
        ),
    )
    start = load_file(str(Path(args.adapter) / "adapter_model.safetensors"))
    with torch.no_grad():
        for name, parameter in trainer.model.named_parameters():
            if parameter.requires_grad:
                parameter.copy_(start[name.replace(".default", "")])
    return trainer


def main() -> None:
    args = arguments()
    begun = time.process_time()
    trainer = build_trainer(args)
    from transformers import TrainerCallback

    class Clock(TrainerCallback):
        """CPU and wall seconds at each step's ends, saved as the run goes."""

        def __init__(self) -> None:
            self.cpu: list[float] = []
            self.wall: list[float] = []
            self.losses: list[float] = []

        def on_step_begin(self, *_a, **_k) -> None:
            self.begin = (time.process_time(), time.perf_counter())

        def on_step_end(self, *_a, **_k) -> None:
            self.cpu.append(time.process_time() - self.begin[0])
            self.wall.append(time.perf_counter() - self.begin[1])

        def on_log(self, _args, _state, _control, logs=None, **_k) -> None:
            if logs and "loss" in logs:
                self.losses.append(float(logs["loss"]))
                print(len(self.losses), logs["loss"], f"{self.cpu[-1]:.1f} s", file=sys.stderr, flush=True)

    clock = Clock()
    trainer.add_callback(clock)
    before = time.process_time()
    trainer.train()
    logs = [entry for entry in trainer.state.log_history if "loss" in entry]
    result = {
        "settings": vars(args),
        "losses": [entry["loss"] for entry in logs],
        "logs": logs,
        "cpu_per_step": clock.cpu,
        "wall_per_step": clock.wall,
        "setup_cpu": before - begun,
        "total_cpu": time.process_time(),
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    Path(args.out).write_text(json.dumps(result, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
