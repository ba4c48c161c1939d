"""What the reference gives for the fixed pairs and prompts of a run's looks: computed once, used at every look.

A reference that follows the policy (TR-DPO) is computed anew each time. Where the policy starts at the reference, the
first look needs the reference alone.
"""

from __future__ import annotations

from collections.abc import Sequence

from core.generation.sampler import Sampled
from core.training.forward.scorer import ResponseHidden
from core.training.memory_plan import HIDDEN_BYTES
from core.training.steps.look_cadence import starts_free
from core.training.steps.session import TrainSession
from core.training.text.encoded_pair import EncodedPair


class ReferenceSide:
    """The reference's part of a look. Everything is keyed by the pairs or prompts that it was computed for."""

    def __init__(self) -> None:
        self._hidden: dict[tuple[str, ...], ResponseHidden] = {}
        self._bytes = 0
        self._answers: dict[tuple[str, ...], list[Sampled]] = {}

    def hidden(self, session: TrainSession, pairs: Sequence[EncodedPair]) -> ResponseHidden:
        """Return the reference's hidden states at the responses of ``pairs``."""
        key = tuple(pair.pair_id for pair in pairs)
        if key in self._hidden:
            return self._hidden[key]
        found = session.scorer.response_hidden(pairs, policy=False)
        if is_fixed(session):
            self._keep(pairs, found)
        return found

    def read(self, session: TrainSession, pairs: Sequence[EncodedPair]) -> None:
        """Compute log-probs and hidden states of pairs in one pass, where neither is known and both can be kept."""
        together = getattr(session.scorer, "score_and_hidden", None)
        if together is None or session.cache is None or len(session.cache.missing(pairs)) < len(pairs):
            return
        scores, found = together(pairs, policy=False, stats=False)
        session.cache.add(pairs, scores.token_logps)
        self._keep(pairs, found)

    def _keep(self, pairs: Sequence[EncodedPair], found: ResponseHidden) -> None:
        if self._bytes + found.hidden.nbytes <= HIDDEN_BYTES:
            self._hidden[tuple(pair.pair_id for pair in pairs)] = found
            self._bytes += found.hidden.nbytes

    def answers(self, key: Sequence[str]) -> list[Sampled] | None:
        """Return the reference's answers to the prompts of these pairs, None where they are not known."""
        return self._answers.get(tuple(key))

    def keep_answers(self, session: TrainSession, key: Sequence[str], answers: Sequence[Sampled]) -> None:
        """Remember the reference's answers."""
        if is_fixed(session):
            self._answers[tuple(key)] = list(answers)


def is_fixed(session: TrainSession) -> bool:
    """Return whether the reference stays as it is for the whole run."""
    return session.config.ref_refresh_every == 0


def is_policy(session: TrainSession, step: int) -> bool:
    """Return whether policy and reference are one model at this look, so that the reference's values are the policy's.

    The truth gate measured it. WPO and the routers' loss need statistics of a pass of the policy.
    """
    return step == 0 and session.starts_at_reference and starts_free(session.config)


def drawn_later(session: TrainSession, step: int) -> bool:
    """Return whether the samples of this look are the reference's alone, so that they can be drawn with later ones."""
    return is_policy(session, step) and is_fixed(session)


def is_first(session: TrainSession, step: int) -> bool:
    """Return whether the samples drawn after ``step`` are the first of a run that has left out those of its start."""
    return 0 < step <= session.looks.sample_every and drawn_later(session, 0)
