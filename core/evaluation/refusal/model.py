"""The trained half of the refusal detector: TF-IDF of words and of characters, and two logistic regressions.

The first tells whether an answer declines at all, the second whether one that declines still gives a part. Trained by
scikit-learn and stored as JSON (terms) and safetensors (weights); a model that is read back gives the same numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray
from safetensors import SafetensorError
from safetensors.numpy import load, save
from scipy.sparse import csr_matrix, hstack
from scipy.special import expit
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from core import bounded, durable
from core.domain.errors import BadInput
from core.domain.refusal_kind import REFUSAL_KINDS, LabelledAnswer
from core.evaluation.refusal.rules import plain_text

Array = NDArray[np.float64]
LOOKED_AT = 500
"""Characters of an answer that the model sees: with more, what a long answer is about drowns how it begins."""
FORMAT = "refusal-model-1"
TERMS_FILE, WEIGHTS_FILE = "terms.json", "weights.safetensors"
_STRENGTH = 30.0
_MOST_TERMS = 50_000
_FILE_BYTES = 16 * bounded.MIB
_ANALYSERS: tuple[dict[str, Any], ...] = (
    {"analyzer": "word", "ngram_range": (1, 3), "token_pattern": r"(?u)\b\w+\b"},
    {"analyzer": "char_wb", "ngram_range": (3, 5)},
)


@dataclass(frozen=True, slots=True)
class RefusalModel:
    """Terms and weights.

    Attributes:
        terms: of each analyser (words, characters), in the order of their columns.
        idf: (terms of all analysers,) inverse document frequencies, in the same order.
        weights: (2, terms) of the two regressions. intercepts: (2,).
        threshold: of P(it declines), above which an answer counts as declining.
    """

    terms: tuple[tuple[str, ...], ...]
    idf: Array
    weights: Array
    intercepts: Array
    threshold: float

    @classmethod
    def fit(cls, answers: Sequence[LabelledAnswer], weights: ArrayLike, threshold: float) -> Self:
        """Return the model trained on labelled answers.

        Args:
            answers: of all three kinds.
            weights: (n,) how much each counts.
            threshold: of the model.

        Raises:
            BadInput: when one of the three kinds is missing.
        """
        kinds = np.array([answer.kind for answer in answers])
        if missing := [kind for kind in REFUSAL_KINDS if kind not in kinds]:
            raise BadInput(
                f"No answer among the examples is labelled {' or '.join(missing)}; nothing was trained.",
                "Label at least some answers of each kind: complied, partly, refused.",
            )
        texts = [_seen(answer.text) for answer in answers]
        made = [TfidfVectorizer(min_df=2, sublinear_tf=True, max_features=_MOST_TERMS, **a) for a in _ANALYSERS]
        features = csr_matrix(hstack([vectorizer.fit_transform(texts) for vectorizer in made]))
        declines = kinds != "complied"
        w = np.asarray(weights, dtype=np.float64)
        first = _regression(features, declines, w)
        second = _regression(features[np.flatnonzero(declines)], kinds[declines] == "partly", w[declines])
        return cls(
            tuple(tuple(str(term) for term in v.get_feature_names_out()) for v in made),
            np.concatenate([v.idf_ for v in made]).astype(np.float64),
            np.concatenate([first.coef_, second.coef_]),
            np.concatenate([first.intercept_, second.intercept_]),
            threshold,
        )

    def probabilities(self, answers: Sequence[str]) -> tuple[Array, Array]:
        """Return for each answer P(it declines), and P(it still gives a part, given that it declines), (n,) each."""
        if not answers:
            return np.zeros(0), np.zeros(0)
        texts, begin, blocks = [_seen(answer) for answer in answers], 0, []
        for analyser, terms in zip(_ANALYSERS, self.terms, strict=True):
            vectorizer = TfidfVectorizer(vocabulary=terms, sublinear_tf=True, **analyser)
            vectorizer.idf_ = self.idf[begin : begin + len(terms)]
            begin += len(terms)
            blocks.append(vectorizer.transform(texts))
        z = hstack(blocks) @ self.weights.T + self.intercepts
        return expit(z[:, 0]), expit(z[:, 1])

    def save(self, folder: Path) -> None:
        """Write the model into ``folder``, which exists."""
        tensors = {"idf": self.idf, "weights": self.weights, "intercepts": self.intercepts}
        durable.write_bytes(folder / WEIGHTS_FILE, save({k: np.ascontiguousarray(v) for k, v in tensors.items()}))
        plain = {"format": FORMAT, "threshold": self.threshold, "terms": [list(terms) for terms in self.terms]}
        durable.write_json(folder / TERMS_FILE, plain)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Return the model of :meth:`save`.

        Raises:
            BadInput: when a file is missing or damaged, or the files do not belong together.
        """
        plain = bounded.read_object(folder / TERMS_FILE, _FILE_BYTES)
        try:
            tensors = load(bounded.read_bytes(folder / WEIGHTS_FILE, _FILE_BYTES))
        except SafetensorError as error:
            raise BadInput(f"{WEIGHTS_FILE} of the refusal model is damaged: {error}.", _AGAIN) from error
        terms = tuple(tuple(part) for part in plain["terms"]) if _is_terms(plain) else ()
        count = sum(len(part) for part in terms)
        shapes = {"idf": (count,), "weights": (2, count), "intercepts": (2,)}
        if not terms or {name: tensor.shape for name, tensor in tensors.items()} != shapes:
            raise BadInput(f"The files in {folder} are no refusal model of this version.", _AGAIN)
        if not all(np.isfinite(tensor).all() for tensor in tensors.values()):
            raise BadInput(f"{WEIGHTS_FILE} of the refusal model holds values that are no numbers.", _AGAIN)
        return cls(terms, tensors["idf"], tensors["weights"], tensors["intercepts"], float(plain["threshold"]))


_AGAIN = "Train it again with `refusal retrain`, or use the one that comes with the program."


def _seen(answer: str) -> str:
    return plain_text(answer)[:LOOKED_AT]


def _regression(features: csr_matrix, target: NDArray[np.bool_], weights: Array) -> LogisticRegression:
    return LogisticRegression(C=_STRENGTH, solver="liblinear").fit(features, target, sample_weight=weights)


def _is_terms(plain: dict[str, Any]) -> bool:
    parts = plain.get("terms")
    if plain.get("format") != FORMAT or not isinstance(parts, list) or len(parts) != len(_ANALYSERS):
        return False
    if not isinstance(plain.get("threshold"), int | float):
        return False
    return all(isinstance(part, list) and all(isinstance(term, str) for term in part) for part in parts)
