"""The charter of a run: what should change and what must not get worse, written down before the run starts.

Five questions, in this order: the target behaviour, the variable that stands for it, the examples that estimate it, the
loss or decision rule, the metric that detects a regression with its margin and its test.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, get_type_hints

from core.domain.counting import counted
from core.domain.errors import UsageError
from core.domain.evaluated_metrics import EVALUATED, is_measured
from core.domain.ids import sha256_json

TESTS: Mapping[str, str] = {
    "not_worse": "the 95 % interval of the paired difference must exclude a loss above the margin",
    "no_loss": "no loss above the margin may be significant, p adjusted by Holm",
}
"""How a regression is looked for, strictest first."""
DIRECTIONS = ("higher", "lower")
REFUSAL_SHARE = 0.2
"""Refusals among the chosen answers above which a benign suite must be named."""


class BenignSuiteNeeded(UsageError):
    """A run would train on many refusals, and its charter names no suite that shows what becomes of it."""


@dataclass(frozen=True, slots=True)
class Charter:
    """Why a run is made, locked with its fingerprint when it starts.

    Attributes:
        target_behaviour: what should change, in plain words.
        regression_metric: the number that must not get worse; by name when the gate shall test it.
        variable: name of the logged or evaluated number that stands for the target behaviour.
        examples: which examples estimate it: ``train``, ``dev``, ``test``, or titles of suites.
        counts: how many there are of each, filled in when the run is created.
        rule: the loss or decision rule in words; "" is the run's own loss.
        regression_suite: the suite on which the regression metric is read; "" is every suite that has it.
        better: which way of the regression metric is good: ``higher`` or ``lower``; "" where its name says so.
        margin: the largest loss that counts as none, in the metric's unit (0.02 is two points of a share).
        test: a key of ``TESTS``.
        benign_suite: a suite of requests that should be answered, on which over-refusal is measured.
        refusal_share: refusals among the chosen answers above which ``benign_suite`` must be named.
        planned_items: items that each named suite needs before its numbers decide anything.
        planned_judgements: blind judgements of people that the win rate needs.
        kl_budget: KL that the policy should stay below, nats for each answer; 0 is none.
        answer_seconds, memory_gib: most seconds an answer and GiB of memory where the policy is to work; 0 is none.
    """

    target_behaviour: str = ""
    regression_metric: str = ""
    variable: str = ""
    examples: tuple[str, ...] = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    rule: str = ""
    regression_suite: str = ""
    better: str = ""
    margin: float = 0.0
    test: str = ""
    benign_suite: str = ""
    refusal_share: float = REFUSAL_SHARE
    planned_items: int = 0
    planned_judgements: int = 0
    kl_budget: float = 0.0
    answer_seconds: float = 0.0
    memory_gib: float = 0.0

    @property
    def direction(self) -> str:
        """Which way of the regression metric is good; "" where neither charter nor name says."""
        named = EVALUATED.get(self.regression_metric, ("", ""))[0]
        return self.better or (named if named in DIRECTIONS else "")

    def to_plain(self) -> dict[str, Any]:
        """Return plain values for ``run.json``: the two oldest fields, and each other one that says something."""
        plain = {f.name: getattr(self, f.name) for f in fields(self)}
        plain |= {"examples": list(self.examples), "counts": dict(self.counts)}
        standard = {**_STANDARD, "examples": [], "counts": {}}
        return {name: value for name, value in plain.items() if name in _OLDEST or value != standard[name]}

    @classmethod
    def from_plain(cls, row: Mapping[str, Any]) -> Charter:
        """Return the charter of :meth:`to_plain`; fields that a newer version added are left out.

        Raises:
            TypeError: naming a field of the wrong kind.
        """
        values: dict[str, Any] = {}
        for name, kind in _KINDS.items():
            value = row.get(name, _STANDARD[name])
            if not isinstance(value, kind) or isinstance(value, bool):
                raise TypeError(f"a usable {name} of the charter")
            values[name] = value
        values["examples"] = tuple(map(str, values["examples"]))
        values["counts"] = {str(name): int(count) for name, count in values["counts"].items()}
        return cls(**values)

    def check(self) -> None:
        """Raise where a field has a value that it cannot have; what is only missing is in :meth:`gaps`.

        Raises:
            UsageError: naming the field.
        """
        if self.variable and not is_measured(self.variable):
            raise UsageError(
                f"The charter's variable {self.variable!r} is neither logged nor evaluated.",
                f"Name a number of a run, such as dev.accuracy, or one of: {', '.join(EVALUATED)}.",
            )
        if self.better not in ("", *DIRECTIONS):
            raise UsageError(f"The charter's better cannot be {self.better!r}.", "Use higher or lower.")
        if self.test and self.test not in TESTS:
            raise UsageError(f"The charter knows no test {self.test!r}.", f"Use {' or '.join(TESTS)}.")
        for name in _NOT_BELOW_0:
            if not 0 <= getattr(self, name) < math.inf:
                raise UsageError(f"The charter's {name} cannot be below 0.", "Leave it out, or name a number.")
        if not 0 <= self.refusal_share <= 1:
            raise UsageError("The charter's refusal_share is a share.", "Name a number from 0 to 1.")

    def gaps(self) -> list[str]:
        """Return what the charter leaves open, a sentence each; nothing where all five questions are answered."""
        found = [f"It names no {words}." for name, words in _ASKED.items() if not getattr(self, name)]
        if self.regression_metric and self.regression_metric not in EVALUATED:
            found.append(f"Its regression metric {self.regression_metric!r} is no number of an evaluation.")
        elif self.regression_metric and not self.direction:
            found.append(f"It does not say which way {self.regression_metric} is good.")
        return found

    def lock(self, fingerprint: str) -> str:
        """Return the hash over the charter and the run's fingerprint, as it stands in ``run.json``."""
        return sha256_json({"charter": self.to_plain(), "fingerprint": fingerprint})

    def lines(self, loss: str = "") -> list[tuple[str, str]]:
        """Return the five questions with their answers, "–" where there is none.

        Args:
            loss: the run's own loss in words, for a charter without a rule.
        """
        known = [
            f"{name} ({counted(self.counts[name], 'example')})" if name in self.counts else name
            for name in self.examples
        ]
        where = f" on {self.regression_suite}" if self.regression_suite else ""
        regression = f"{self.regression_metric}{where}"
        if self.direction:
            regression += f", {self.direction} is better, margin {self.margin:g}"
        if self.test:
            regression += f"; {TESTS[self.test]}"
        return [
            ("target behaviour", self.target_behaviour or "–"),
            ("variable", self.variable or "–"),
            ("examples", ", ".join(known) or "–"),
            ("loss or rule", self.rule or loss or "–"),
            ("regression metric", regression or "–"),
            ("benign suite", self.benign_suite or "–"),
            *([("cost limits", words)] if (words := limit_words(self.answer_seconds, self.memory_gib)) else ()),
        ]


def limit_words(answer_seconds: float, memory_gib: float) -> str:
    """Return the limits of time and memory in words, "" without any.

    >>> limit_words(2, 0), limit_words(0.5, 8), limit_words(0, 0)
    ('at most 2 s an answer', 'at most 0.5 s an answer, 8 GiB of memory', '')
    """
    seconds = f"{answer_seconds:g} s an answer" if answer_seconds else ""
    words = ", ".join(filter(None, [seconds, f"{memory_gib:g} GiB of memory" if memory_gib else ""]))
    return f"at most {words}" if words else ""


_NOT_BELOW_0 = ("margin", "planned_items", "planned_judgements", "kl_budget", "answer_seconds", "memory_gib")
_OLDEST = ("target_behaviour", "regression_metric")
_STANDARD: dict[str, Any] = {
    f.name: () if f.name == "examples" else {} if f.name == "counts" else f.default for f in fields(Charter)
}
_KINDS: dict[str, Any] = {
    name: (list, tuple) if name == "examples" else Mapping if name == "counts" else (int, float) if kind is float
    else kind
    for name, kind in get_type_hints(Charter).items()
}  # fmt: skip
_ASKED = {
    "target_behaviour": "target behaviour",
    "variable": "variable that stands for it",
    "examples": "examples that estimate it",
    "regression_metric": "regression metric",
    "test": "test of the regression metric",
}
