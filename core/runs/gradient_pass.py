"""A run's policy with its reference, loaded to take gradients of single pairs. It imports torch at module level."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from core.domain.errors import BadInput
from core.domain.loss_mix import needs_whole_step
from core.domain.run_events import PairMetrics
from core.model_files.identity import verify_model
from core.model_files.offline import go_offline
from core.runs.folder import RunFolder
from core.training.export.trained_policy import load_trained
from core.training.forward.padded import PaddedScorer
from core.training.gate.left_out import ReadableRows, encode_usable
from core.training.losses.evaluate_pairs import LossEvaluator
from core.training.pair_norms import pair_norms
from core.training.policy.device import set_threads
from core.training.reference.cache import TokenLogps
from core.training.text.encoded_pair import EncodedPair


class GradientPass:
    """The policy of a run or of a checkpoint, ready to measure.

    Args:
        folder: of the run.
        base: folder of its base model.
        step: of the checkpoint; 0 is the result.

    Attributes:
        pairs: training pairs that the run can use.
        weights: how many numbers train.

    Raises:
        BadInput: when the loss of a pair depends on the other pairs of its step.
        ModelRefused: when a file of the base model was altered since.
        NotFound: when there are no such weights.
    """

    def __init__(self, folder: RunFolder, base: Path, step: int) -> None:
        record = folder.record()
        if needs_whole_step(record.config):
            raise BadInput(
                "The loss of this run couples the pairs of a step; a pair alone has no gradient of its own.",
                "Look at the gradient norm of its steps.",
            )
        go_offline()
        verify_model(base, record.model_files)
        set_threads(record.config.threads)
        self._model = load_trained(base, record.config, folder.path, step)
        self._scorer = PaddedScorer(self._model)
        self._evaluator = LossEvaluator(record.config, self._reference)
        rows = ReadableRows.of(self._model.model, self._model.tokenizer, self._model.stop_ids)
        train = [pair for pair in folder.pairs() if pair.split == "train"]
        self.pairs, _ = encode_usable(train, self._model.tokenizer, record.config, rows)
        self.weights = sum(one.numel() for one in self._model.trainable().values())

    def norms(self, pairs: Sequence[EncodedPair]) -> Iterator[tuple[PairMetrics, float]]:
        """Yield values and gradient norm of each pair; see :func:`core.training.pair_norms.pair_norms`."""
        return pair_norms(self._model, self._scorer, self._evaluator, pairs)

    def close(self) -> None:
        """Free the models."""
        self._model.release_reference()

    def _reference(self, pairs: Sequence[EncodedPair]) -> Mapping[str, TokenLogps]:
        found = self._scorer.score(pairs, policy=False, stats=False).token_logps
        return {pair.pair_id: logps for pair, logps in zip(pairs, found, strict=True)}
