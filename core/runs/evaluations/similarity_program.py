"""Child program: rank the training pairs of a run by how alike their answers are to the model it would begin with."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from core.domain.pair_similarity import PairSimilarity, SimilarPairs
from core.domain.run_config import RunConfig
from core.evaluation.hidden_similarity import answer_similarities
from core.model_files.offline import go_offline
from core.runs.child_processes.request import Progress, serve
from core.runs.evaluations.model_batches import pair_batches
from core.runs.folder import RunFolder
from core.runs.priority import lower_priority
from core.training.forward.padded import PaddedScorer
from core.training.gate.left_out import ReadableRows, encode_usable
from core.training.policy.device import set_threads
from core.training.policy.model import load_model
from core.training.text.encoded_pair import EncodedPair


def rank(request: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """Return the ranking of the request ``{config, model_dir, pairs_dir}`` as plain values."""
    lower_priority()
    go_offline()
    config = RunConfig.from_plain(request["config"])
    pairs = [pair for pair in RunFolder(Path(request["pairs_dir"])).pairs() if pair.split == "train"]
    set_threads(config.threads)
    progress(0, len(pairs), "Loading the model")
    model = load_model(Path(request["model_dir"]), config)
    rows = ReadableRows.of(model.model, model.tokenizer, model.stop_ids)
    encoded, _ = encode_usable(pairs, model.tokenizer, config, rows)
    found = _similarities(PaddedScorer(model), sorted(encoded, key=lambda pair: pair.longer_row), progress)
    return SimilarPairs.ranked(found, len(pairs)).to_plain()


def _similarities(scorer: PaddedScorer, pairs: Sequence[EncodedPair], progress: Progress) -> Iterator[PairSimilarity]:
    done = 0
    for batch in pair_batches(pairs):
        found = scorer.response_hidden(batch, policy=False)
        for pair, alike in zip(batch, answer_similarities(found.hidden, found.owner, len(batch)), strict=True):
            yield PairSimilarity(pair.pair_id, alike.ches, alike.by_length, *pair.response_tokens())
        done += len(batch)
        progress(done, len(pairs), "Comparing the answers of each pair")


if __name__ == "__main__":
    sys.exit(serve(rank))
