"""How long a run's answers are expected to be, from a few that were written before it starts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WrittenLengths:
    """Tokens of the answers that were seen, each written until it ended or had ``most`` tokens.

    Up to ``most`` tokens the share of answers that go on is the one that was seen. Beyond, each token ends its answer
    with the probability that a token had among those seen. With no answers, none ends before it must.
    """

    tokens: tuple[int, ...] = ()
    ended: int = 0
    most: int = 0

    def going_on(self, done: int) -> float:
        """Return the share of answers that have more than ``done`` tokens, where nothing limits them.

        >>> seen = WrittenLengths((1, 2, 4, 4), ended=2, most=4)
        >>> [seen.going_on(done) for done in range(5)]
        [1.0, 0.75, 0.5, 0.5, 0.5]
        >>> round(seen.going_on(5), 4)  # two of eleven tokens ended their answer
        0.4091
        """
        if not self.tokens:
            return 1.0
        if done < self.most:
            return sum(length > done for length in self.tokens) / len(self.tokens)
        left = (len(self.tokens) - self.ended) / len(self.tokens)
        return left * (1.0 - self.ended / sum(self.tokens)) ** (done - self.most)

    def expected(self, most: int, of: int = 1) -> float:
        """Return the expected tokens of an answer of at most ``most``, or of the longest of ``of`` answers.

        >>> WrittenLengths().expected(128)
        128.0
        >>> seen = WrittenLengths((1, 2, 4, 4), ended=2, most=4)
        >>> seen.expected(3), seen.expected(3, of=2)  # (1 + 2 + 3 + 3) / 4, and over all sixteen pairs of them
        (2.25, 2.6875)
        """
        return sum(1.0 - (1.0 - self.going_on(done)) ** of for done in range(most))
