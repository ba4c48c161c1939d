"""Child program: tokenise the pairs of a run and show of some what is trained. It needs transformers."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from core.domain.run_config import RunConfig
from core.model_files.folder_check import check_model
from core.model_files.offline import go_offline
from core.runs.child_processes.request import Progress, serve
from core.runs.folder import RunFolder
from core.training.gate.left_out import ReadableRows, encode_usable
from core.training.policy.read_model import read_tokenizer
from core.training.text.proof import prove


def show(request: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Return the proof of the request ``{config, model_dir, pairs_dir, most}`` as plain values."""
    go_offline()
    config, model_dir = RunConfig.from_plain(request["config"]), Path(request["model_dir"])
    pairs = RunFolder(Path(request["pairs_dir"])).pairs()
    check_model(model_dir)
    tokenizer = read_tokenizer(model_dir)
    _, report = encode_usable(
        pairs,
        tokenizer,
        config,
        ReadableRows(),
        on_progress=lambda done, total: progress(done, total, "Tokenising"),
    )
    return prove(pairs, tokenizer, config, report, most=request["most"]).to_plain()


if __name__ == "__main__":
    sys.exit(serve(show))
