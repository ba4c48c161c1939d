"""Settings of the demo's run: measurements take at most the default share of its work."""

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
    checkpoint_every=20,
    probe_pairs=16,
    kl_prompts=8,
    kl_max_new_tokens=32,
)

SHIPPED_CONFIG = DEMO_CONFIG.with_values({"look_share": 0.25})
"""Of the run in the demo workspace that comes with the program: its plots have more points."""
