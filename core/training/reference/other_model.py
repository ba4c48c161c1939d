"""A third model as the reference: neither the base of the policy nor a copy of its start.

Its log-probs are computed in padded rows and cached under its own identity, so that runs of any policy against it
share them. The policy does not start at this reference: h is not 0 and the first loss is not its closed form, which is
why the truth gate only reports them. It must read the same token ids and give as many logits.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

from core.domain.errors import ModelRefused
from core.generation.lm import PolicyAndReference
from core.model_files.folder_check import check_model
from core.training.forward.padded import PaddedScorer
from core.training.forward.scorer import ResponseHidden, Scorer, Scores, TokenWeights
from core.training.policy.read_model import read_tokenizer
from core.training.text.encoded_pair import EncodedPair


def require_same_tokens(folder: Path, tokenizer: Any, vocabulary: int) -> None:
    """Refuse a reference that reads other token ids than the policy.

    Args:
        folder: of the reference.
        tokenizer: the policy's.
        vocabulary: logits of the policy.

    Raises:
        ModelRefused: naming a token that differs, or the number of logits.
    """
    check = check_model(folder)
    theirs, ours = read_tokenizer(folder).get_vocab(), tokenizer.get_vocab()
    if different := sorted(token for token in theirs.keys() | ours.keys() if theirs.get(token) != ours.get(token)):
        token = different[0]
        raise ModelRefused(
            f"The reference {check.path.name} has other token ids than the policy: {token!r} is {theirs.get(token)} "
            f"there and {ours.get(token)} here ({len(different)} differ).",
            "Choose a reference with the policy's tokenizer.",
        )
    found = _vocabulary(folder)
    if found != vocabulary:
        raise ModelRefused(
            f"The reference {check.path.name} gives {found} logits and the policy {vocabulary}.",
            "Choose a reference with the policy's vocabulary.",
        )


def _vocabulary(folder: Path) -> int:
    # Imported here: transformers reads its network settings when it is imported, after go_offline().
    from transformers import AutoConfig

    path = Path(folder)
    if path.is_file():
        config = AutoConfig.from_pretrained(str(path.parent), gguf_file=path.name, local_files_only=True)
    else:
        config = AutoConfig.from_pretrained(str(path), local_files_only=True)
    return int(config.get_text_config().vocab_size)


class PolicyAlone:
    """The policy with its own start as reference, so that its forward pass is chosen without the third model."""

    def __init__(self, model: PolicyAndReference) -> None:
        self.model, self.tokenizer = model.model, model.tokenizer
        self.reference_kind = "adapter_off" if hasattr(model.model, "peft_config") else "frozen_copy"

    @contextmanager
    def reference(self) -> Iterator[Any]:
        """Yield the policy with its adapter off."""
        with self.model.disable_adapter() if self.reference_kind == "adapter_off" else nullcontext():
            yield self.model


class OtherModelScorer:
    """Keeps :class:`core.training.forward.scorer.Scorer`: one pass for the policy, padded rows for the reference.

    Args:
        policy: the run's forward pass.
        padded: scores policy and reference in padded rows, in one order, for the exact KL between them.
    """

    def __init__(self, policy: Scorer, padded: PaddedScorer) -> None:
        self._policy, self._padded = policy, padded
        self.name, self.kernel_id = policy.name, policy.kernel_id

    @property
    def reference_kernel_id(self) -> str:
        """Identifies the arithmetic of the reference's log-probs."""
        return self._padded.kernel_id

    def score(
        self,
        pairs: Sequence[EncodedPair],
        *,
        policy: bool = True,
        token_weights: TokenWeights | None = None,
        stats: bool = True,
    ) -> Scores:
        """Score ``pairs``; see :class:`core.training.forward.scorer.Scorer`."""
        scorer = self._policy if policy else self._padded
        return scorer.score(pairs, policy=policy, token_weights=token_weights, stats=stats)

    def response_hidden(self, pairs: Sequence[EncodedPair], *, policy: bool = True) -> ResponseHidden:
        """Return hidden states of all response positions, without grad."""
        return self._padded.response_hidden(pairs, policy=policy)
