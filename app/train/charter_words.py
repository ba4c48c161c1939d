"""What the charter card says: its five questions, what can be chosen, counts. No widgets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from core.domain.charter import Charter
from core.domain.charter_start import benign_suites, starting_charter
from core.domain.counting import counted
from core.domain.evaluated_metrics import EVALUATED
from core.domain.metric_table import SPLIT_NAMES
from core.domain.suite import SuiteInfo

QUESTIONS: tuple[tuple[str, str], ...] = (
    ("1  Target behaviour", "What should the policy do afterwards that it does not do now?"),
    ("2  Variable", "Which number stands for it? One that runs log or evaluations measure."),
    ("3  Examples", "Which examples estimate that number?"),
    ("4  Loss or rule", "What turns the examples into a policy? Empty: the run's own loss."),
    ("5  Regression metric", "What must not get worse, by how much at most, and how is that tested?"),
)
LOCK = "Locked at Start together with the run's fingerprint: it says what was meant before the results were known."
TEST_WORDS: Mapping[str, str] = {
    "not_worse": "Not worse: the 95 % interval excludes a larger loss",
    "no_loss": "No significant loss (Holm)",
}
"""The tests of the charter, short enough for a field."""
NO_SUITE, EVERY_SUITE = "none", "every suite that has it"


@dataclass(frozen=True, slots=True)
class CharterSources:
    """What a charter can name: the chosen dataset version and the suites.

    Attributes:
        splits: pairs of train, dev and test.
    """

    splits: Mapping[str, int] = field(default_factory=dict)
    suites: Sequence[SuiteInfo] = ()
    rubrics: Sequence[str] = ()
    dataset: str = ""

    def start(self) -> Charter:
        """Return the charter that the form begins with."""
        return starting_charter(self.splits, self.suites, rubrics=self.rubrics, dataset=self.dataset)

    def examples(self) -> list[tuple[str, str]]:
        """Return name and words of everything that can estimate the variable, with its count."""
        if not self.splits:
            return [("train", "training pairs"), *self._of_suites()]
        found = [
            (split, f"{words} ({counted(self.splits[split], 'pair')})")
            for split, words in {**SPLIT_NAMES, "train": "training pairs"}.items()
            if self.splits.get(split)
        ]
        return found + self._of_suites()

    def _of_suites(self) -> list[tuple[str, str]]:
        return [(info.title, f"{info.title} ({counted(info.n, 'item')})") for info in self.suites]

    def benign(self) -> list[tuple[str, str]]:
        """Return name and words of the suites that can show over-refusal, none first."""
        return [("", NO_SUITE), *((i.title, f"{i.title} ({counted(i.n, 'item')})") for i in benign_suites(self.suites))]

    def regression(self) -> list[tuple[str, str]]:
        """Return name and words of the suites on which the regression metric can be read."""
        return [("", EVERY_SUITE), *((info.title, info.title) for info in self.suites)]


def metrics() -> list[tuple[str, str]]:
    """Return name and words of each number that can detect a regression."""
    return [(name, f"{name.replace('_', ' ')}: {what}") for name, (_, what) in EVALUATED.items()]


def gaps_line(charter: Charter) -> str:
    """Return what the charter leaves open, "" where nothing."""
    gaps = charter.gaps()
    return f"Before Start: {' '.join(gaps)}" if gaps else ""
