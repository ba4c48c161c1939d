"""A run in progress: model, forward pass, token ids and reference, as the steps and the probes use them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext

import torch

from core.domain.look_plan import LooksPlanned
from core.domain.pair import TrainingPair
from core.domain.run_config import RunConfig
from core.domain.run_events import PairMetrics
from core.training.forward.scorer import ResponseHidden, Scorer, Scores
from core.training.losses.evaluate_pairs import LossEvaluator
from core.training.parallel.fsdp import Sharded
from core.training.policy.model import LoadedModel
from core.training.reference.cache import ReferenceCache, TokenLogps
from core.training.text.encoded_pair import EncodedPair


class TrainSession:
    """A run in progress, as a probe sees it. A probe must leave weights and gradients alone.

    Attributes:
        config: the run's settings.
        model: policy and reference.
        scorer: the forward pass of the run.
        encoded: token ids by pair id, of train and dev.
        pairs: the training pairs by pair id, of train and dev.
        train_ids, dev_ids: ids of each split, in file order; dropped pairs are in neither.
        sharded: the policy's shards where several processes train all of its weights, else None.
        stop_reason: set by :meth:`request_stop`.
        cache: of the reference's log-probs, None where the reference is not fixed.
        starts_at_reference: whether the truth gate found every log-ratio to be exactly 0 before the first step.
        looks: how often the run measures.
    """

    def __init__(
        self,
        config: RunConfig,
        model: LoadedModel,
        scorer: Scorer,
        pairs: Sequence[TrainingPair],
        encoded: Sequence[EncodedPair],
        fetch_reference: Callable[[Sequence[EncodedPair]], Mapping[str, TokenLogps]],
        sharded: Sharded | None = None,
        cache: ReferenceCache | None = None,
    ) -> None:
        self.config = config
        self.sharded = sharded
        self.cache = cache
        self.model = model
        self.scorer = scorer
        self.encoded = {pair.pair_id: pair for pair in encoded}
        self.pairs = {pair.pair_id: pair for pair in pairs if pair.pair_id in self.encoded}
        self.train_ids = tuple(p.pair_id for p in self.pairs.values() if p.split == "train")
        self.dev_ids = tuple(p.pair_id for p in self.pairs.values() if p.split == "dev")
        self.evaluator = LossEvaluator(config, fetch_reference)
        self.stop_reason = ""
        self.starts_at_reference = False
        self.looks = LooksPlanned.as_set(config)

    def whole_model(self) -> AbstractContextManager[None]:
        """Return a context in which one process alone may use or save the model; every process must enter it."""
        return nullcontext() if self.sharded is None else self.sharded.whole()

    def reference_logps(self, pair: EncodedPair) -> tuple[float, float]:
        """Return the cached reference log-prob sums of chosen and rejected, in nats."""
        return self.evaluator.reference_logps(pair)

    def prepare(self, pairs: Sequence[EncodedPair]) -> None:
        """Fetch the reference log-probs of ``pairs`` together, as a probe does with its fixed set."""
        self.evaluator.prepare(pairs)

    def pair_rows(self, pairs: Sequence[EncodedPair], *, batch: int = 4) -> list[PairMetrics]:
        """Return each pair's values under the current policy, ``batch`` pairs a forward pass, without grad.

        A row depends on its pair alone, so the result does not depend on ``batch``, except for losses over a whole
        step, which are computed over each batch.
        """
        rows: list[PairMetrics] = []
        for start in range(0, len(pairs), batch):
            part = pairs[start : start + batch]
            rows += self._rows(part, self._scores(part))
        return rows

    def rows_and_hidden(self, pairs: Sequence[EncodedPair]) -> tuple[list[PairMetrics], ResponseHidden]:
        """Return each pair's values and the hidden states behind them, from one forward pass where that is possible."""
        together = getattr(self.scorer, "score_and_hidden", None)
        if together is None:
            return self._rows(pairs, self._scores(pairs)), self.scorer.response_hidden(pairs, policy=True)
        with torch.no_grad():
            scores, hidden = together(pairs, token_weights=self.evaluator.token_weights, stats=self.config.wpo)
        return self._rows(pairs, scores), hidden

    def rows_at_reference(self, pairs: Sequence[EncodedPair]) -> list[PairMetrics]:
        """Return each pair's values for a policy that is the reference, without a pass of the policy."""
        return self._rows(pairs, self.evaluator.reference_scores(pairs))

    def _scores(self, pairs: Sequence[EncodedPair]) -> Scores:
        with torch.no_grad():
            return self.scorer.score(
                pairs, policy=True, token_weights=self.evaluator.token_weights, stats=self.config.wpo
            )

    def _rows(self, pairs: Sequence[EncodedPair], scores: Scores) -> list[PairMetrics]:
        lengths = [float(max(pair.response_tokens()[0], 1)) for pair in pairs]
        return self.evaluator.evaluate(pairs, scores, lengths).rows

    def request_stop(self, reason: str) -> None:
        """Ask the engine to end the run after this probe; ``reason`` is "kl_budget"."""
        self.stop_reason = reason
