"""The detectors of guardrails: rules, a classifier trained on pairs, the refusal detector. Each is stored with its
threshold as plain values, and read back from them it gives the same scores.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol, Self, get_args

import numpy as np
from scipy.special import expit
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from core.domain.conversation import Prompt
from core.domain.counting import counted
from core.domain.errors import BadInput, UsageError
from core.evaluation.refusal.detector import RefusalDetector

Case = tuple[str, str]
"""Prompt and answer."""
Read = Literal["prompt", "answer", "both"]
READ: tuple[Read, ...] = get_args(Read)
LOOKED_AT = 8000
"""Characters of a text that a detector reads."""
MOST_RULES, MOST_LETTERS = 500, 500
MOST_TERMS, LEAST_PAIRS = 1500, 20
"""Terms of a classifier, and pairs below which none is trained."""
_TERMS: dict[str, Any] = {"ngram_range": (1, 2), "token_pattern": r"(?u)\b\w+\b", "sublinear_tf": True}


class AnswerDetector(Protocol):
    """Says how much it objects to each answer."""

    def scores(self, cases: Sequence[Case]) -> list[float]:
        """Return a score for each prompt and answer; the higher, the more it objects."""
        ...

    def to_plain(self) -> dict[str, Any]:
        """Return what :func:`scorer_of` makes it of again."""
        ...


@dataclass(frozen=True, slots=True)
class RuleScore:
    """A score of rules: the largest weight among the patterns that occur in prompt or answer; 0 for none.

    Attributes:
        weights: weight by regular expression; case does not matter.
        read: which text is read.
    """

    weights: Mapping[str, float]
    read: Read = "both"
    _compiled: tuple[tuple[re.Pattern[str], float], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        rules = tuple((re.compile(text, re.IGNORECASE), weight) for text, weight in self.weights.items())
        object.__setattr__(self, "_compiled", rules)

    def scores(self, cases: Sequence[Case]) -> list[float]:
        """Return the score of each answer."""
        texts = [_texts(case, self.read) for case in cases]
        return [max((w for rule, w in self._compiled if any(map(rule.search, own))), default=0.0) for own in texts]

    def to_plain(self) -> dict[str, Any]:
        """Return plain values."""
        return {"kind": "rules", "weights": dict(self.weights), "read": self.read}


@dataclass(frozen=True, slots=True)
class RefusalScore:
    """The refusal detector that comes with the program: the probability that an answer declines."""

    def scores(self, cases: Sequence[Case]) -> list[float]:
        """Return the score of each answer."""
        return [found.score for found in RefusalDetector.shipped().judge_all([answer for _, answer in cases])]

    def to_plain(self) -> dict[str, Any]:
        """Return plain values."""
        return {"kind": "refusal"}


@dataclass(frozen=True, slots=True)
class ClassifierScore:
    """TF-IDF of words and pairs of words with a logistic regression: the probability of a rejected answer.

    Attributes:
        terms: in the order of the weights. idf, weights: (terms,). intercept: of the regression.
        read: which text is read. fitted_on: the examples in words.
    """

    terms: tuple[str, ...]
    idf: tuple[float, ...]
    weights: tuple[float, ...]
    intercept: float
    read: Read = "answer"
    fitted_on: str = ""

    @classmethod
    def fit(cls, accepted: Sequence[Case], rejected: Sequence[Case], fitted_on: str, read: Read = "answer") -> Self:
        """Return the classifier trained to tell rejected answers from accepted ones.

        Raises:
            BadInput: with too few examples, or no word that occurs twice.
        """
        if min(len(accepted), len(rejected)) < LEAST_PAIRS:
            few = counted(min(len(accepted), len(rejected)), "pair")
            raise BadInput(
                f"A classifier is trained on {few}, and needs {LEAST_PAIRS}. Nothing was stored.",
                "Use rules, or a dataset version with more decided pairs to train on.",
            )
        texts = ["\n".join(_texts(case, read)) for case in (*accepted, *rejected)]
        target = np.array([0] * len(accepted) + [1] * len(rejected))
        vectorizer = TfidfVectorizer(min_df=2, max_features=MOST_TERMS, **_TERMS)
        try:
            features = vectorizer.fit_transform(texts)
        except ValueError as error:
            raise BadInput("No word occurs in two of the answers; nothing can be learned from them.") from error
        found = LogisticRegression(C=1.0, solver="liblinear").fit(features, target)
        return cls(
            tuple(map(str, vectorizer.get_feature_names_out())),
            tuple(round(float(value), 6) for value in vectorizer.idf_),
            tuple(round(float(value), 6) for value in found.coef_[0]),
            round(float(found.intercept_[0]), 6),
            read,
            fitted_on,
        )

    def scores(self, cases: Sequence[Case]) -> list[float]:
        """Return the score of each answer."""
        if not cases:
            return []
        vectorizer = TfidfVectorizer(vocabulary=self.terms, **_TERMS)
        vectorizer.idf_ = np.array(self.idf)
        features = vectorizer.transform(["\n".join(_texts(case, self.read)) for case in cases])
        return expit(features @ np.array(self.weights) + self.intercept).tolist()

    def to_plain(self) -> dict[str, Any]:
        """Return plain values."""
        own = {name: list(getattr(self, name)) for name in ("terms", "idf", "weights")}
        more = {"intercept": self.intercept, "read": self.read, "fitted_on": self.fitted_on}
        return {"kind": "classifier", **own, **more}


def prompt_text(prompt: Prompt) -> str:
    """Return what a guardrail reads of a prompt: all turns, because an attack may stand in any of them."""
    return "\n".join(turn.content for turn in prompt.messages)


def scorer_of(scoring: Mapping[str, Any]) -> AnswerDetector:
    """Return the detector of :meth:`AnswerDetector.to_plain`.

    Raises:
        BadInput: when it is none.
    """
    kind = scoring.get("kind")
    try:
        if kind == "refusal":
            return RefusalScore()
        if kind == "rules":
            return RuleScore({str(text): float(w) for text, w in scoring["weights"].items()}, scoring["read"])
        if kind == "classifier":
            terms, idf, weights = (tuple(scoring[name]) for name in ("terms", "idf", "weights"))
            if not len(terms) == len(idf) == len(weights) > 0:
                raise ValueError("as many weights as terms")
            more = float(scoring["intercept"]), scoring["read"], str(scoring.get("fitted_on", ""))
            return ClassifierScore(terms, idf, weights, *more)
    except (KeyError, TypeError, ValueError, AttributeError, re.error) as error:
        raise BadInput(f"The stored detector cannot be read: {error}.", "Measure the threshold anew.") from error
    raise BadInput(f"{kind!r} is no detector.", "Measure the threshold anew.")


def read_rules(text: str, read: str = "both") -> RuleScore:
    """Return the rules of a text: one a line, a weight and a regular expression; a weight left out is 1.

    Lines that begin with # say nothing.

    Raises:
        UsageError: naming the line that cannot be read.
    """
    if read not in READ:
        raise UsageError(f"Rules cannot read {read!r}.", f"Use {', '.join(READ)}.")
    weights: dict[str, float] = {}
    for number, line in enumerate(text.splitlines(), 1):
        rule = line.strip()
        if not rule or rule.startswith("#"):
            continue
        weight, pattern = _weighted(rule)
        try:
            re.compile(pattern)
        except re.error as error:
            raise UsageError(f"Line {number} of the rules is no regular expression: {error}.", _RULE) from error
        if len(pattern) > MOST_LETTERS or len(weights) >= MOST_RULES:
            raise UsageError(f"Line {number}: at most {MOST_RULES} rules of {MOST_LETTERS} letters are read.", _RULE)
        weights[pattern] = weight
    if not weights:
        raise UsageError("There is no rule.", _RULE)
    return RuleScore(weights, read)


_RULE = "Write a rule a line, such as: 0.9 \\bbleach\\b"


def _weighted(rule: str) -> tuple[float, str]:
    first, _, rest = rule.partition(" ")
    try:
        weight = float(first)
    except ValueError:
        return 1.0, rule
    return (weight, rest.strip()) if rest.strip() and np.isfinite(weight) else (1.0, rule)


def _texts(case: Case, read: Read) -> tuple[str, ...]:
    prompt, answer = (text[:LOOKED_AT] for text in case)
    return {"prompt": (prompt,), "answer": (answer,), "both": (prompt, answer)}[read]
