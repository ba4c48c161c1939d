"""Settings of the demo's run."""

from __future__ import annotations

from core.domain.run_config import RunConfig

DEMO_CONFIG = RunConfig(
    lr=1e-4,
    batch_size=8,
    steps=40,
    max_length=512,
    eval_every=10,
    kl_every=20,
    sample_every=20,
    look_share=0.25,
    checkpoint_every=20,
    probe_pairs=16,
    kl_prompts=8,
    kl_max_new_tokens=32,
)
