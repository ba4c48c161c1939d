"""The names of what a release consists of: its files, and its entries of the event log."""

from __future__ import annotations

MAKE, WITHDRAW, VERIFY = "release.make", "release.withdraw", "release.verify"
"""Names of the entries of the event log that tell of releases."""
CONTRACT, REPORT, MODEL_CARD, DATASET_CARD = "contract.json", "report.html", "MODEL_CARD.md", "DATASET_CARD.md"
ADAPTER, MERGED, GGUF, EVALUATION = "adapter", "merged", "model.gguf", "evaluation"
