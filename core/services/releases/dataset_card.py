"""The dataset card of a release whose policy was trained on pairs that no dataset version of the workspace holds."""

from __future__ import annotations

from core.domain.counting import counted
from core.domain.run_record import RunRecord


def pairs_card(run: RunRecord) -> str:
    """Return what is known of the pairs of a run as Markdown: where they came from, how many, and their hash."""
    named = str(run.dataset.get("title") or run.dataset.get("path") or "a file of pairs")
    root = str(run.dataset.get("root_sha256") or "")
    lines = [
        f"# {named}",
        "",
        "Preference pairs that the released policy was trained on. No dataset version of the workspace that made the "
        "release stands behind them, so nothing is known here of their labels, rubrics, reviewers and consent.",
        "",
        "## Size",
        "",
        f"- {counted(run.n_train, 'pair')} trained the policy.",
        f"- {counted(run.n_dev, 'pair')} were held out while it trained.",
        "",
        "## Identity",
        "",
        f"- sha256 of the pairs that train: `{run.inputs.get('pairs', '')}`",
        *([f"- root sha256 of the dataset version: `{root}`"] if root else []),
        "",
    ]
    return "\n".join(lines)
