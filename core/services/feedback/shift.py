"""How far feedback is from what was trained on and from what is measured on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from core.domain.errors import BadInput
from core.domain.estimate import Estimate
from core.domain.evidence import plain
from core.services.datasets.service import DatasetsService
from core.services.feedback.mixes import Mix, mixes_of
from core.services.feedback.service import FeedbackService
from core.services.suites.service import SuitesService
from core.store import datasets
from core.store.sqlite.database import Store

if TYPE_CHECKING:
    from core.evaluation.shift import PromptCollection, ShiftComparison

__all__ = ["FeedbackShiftService", "ShiftReport"]

OnStep = Callable[[int, int, str], None]
"""Called with how many comparisons are done, of how many, and what comes next."""


@dataclass(frozen=True, slots=True)
class ShiftReport:
    """Each pair of collections compared, and what could not be.

    Attributes:
        sizes: collection -> prompts. mixes: what each collection is made of.
    """

    comparisons: tuple[ShiftComparison, ...]
    sizes: dict[str, int]
    notes: tuple[str, ...] = ()
    mixes: tuple[Mix, ...] = ()

    def to_plain(self) -> dict[str, Any]:
        """Return plain values without NaN."""
        return {
            "sizes": self.sizes,
            "comparisons": [
                {
                    "first": one.first,
                    "second": one.second,
                    "n_first": one.n_first,
                    "n_second": one.n_second,
                    **{
                        name: {
                            **plain(found.estimate),
                            "chance": _finite(found.chance),
                            "psi": {**plain(found.psi), "chance": _finite(found.psi_chance)},
                        }
                        for name, found in (
                            ("length", one.length),
                            ("language", one.language),
                            ("category", one.category),
                        )
                    },
                    "auc": plain(one.auc),
                    "shares": {
                        what: {name: list(shares) for name, shares in values.items()}
                        for what, values in one.shares.items()
                    },
                }
                for one in self.comparisons
            ],
            "notes": list(self.notes),
            "mixes": {
                mix.what: {
                    row.value: {name: plain(share) for name, share in zip(mix.collections, row.shares, strict=True)}
                    for row in mix.rows
                }
                for mix in self.mixes
            },
        }

    def lines(self) -> list[str]:
        """Return the report as lines for people."""
        told = []
        for one in self.comparisons:
            told.append(f"{one.second} ({one.n_second:,}) against {one.first} ({one.n_first:,}):")
            for name, found in (("length", one.length), ("language", one.language), ("category", one.category)):
                known = found.estimate.has_interval or found.psi.has_interval
                told.append(f"  {name:9} {_words(found.estimate)}{_chance(found.chance) if known else ''}")
                if known:
                    told.append(f"  {'':9} PSI {_words(found.psi)}{_chance(found.psi_chance)}")
            told.append(f"  told apart {_words(one.auc)} (0.5: nothing tells them apart)")
        return [*told, *self.notes]


class FeedbackShiftService:
    """Compares the prompts of training, suites and feedback."""

    def __init__(
        self, store: Store, feedback: FeedbackService, suites: SuitesService, versions: DatasetsService
    ) -> None:
        self._store, self._feedback, self._suites, self._datasets = store, feedback, suites, versions

    def report(
        self,
        dataset: int | str | None = None,
        suites: Sequence[str] = (),
        *,
        together: bool = False,
        on_step: OnStep | None = None,
    ) -> ShiftReport:
        """Return how the train split of a dataset version, suites and feedback differ, two by two.

        Args:
            dataset: the version; the newest when None.
            suites: titles or names.
            together: whether all suites are one collection.
            on_step: told before each comparison which one comes, of how many; what it raises ends the report.

        Raises:
            BadInput: when there are not two collections with prompts.
            NotFound: when there is no such version or suite.
        """
        # scipy and scikit-learn take seconds to load, which nothing else in the window needs.
        from core.evaluation.shift import LEAST, compare

        found = [one for one in self._collections(dataset, suites, together) if one.texts]
        if len(found) < 2:
            raise BadInput(
                "There are not two collections of prompts to compare.",
                "Freeze a dataset version and import feedback first, or name a suite.",
            )
        notes = tuple(
            f"{one.name} has fewer than {LEAST} prompts; nothing is measured on it."
            for one in found
            if len(one.texts) < LEAST
        )
        pairs = [(one, other) for at, one in enumerate(found) for other in found[at + 1 :]]
        comparisons = []
        for done, (one, other) in enumerate(pairs):
            if on_step is not None:
                on_step(done, len(pairs), f"{other.name} against {one.name}")
            comparisons.append(compare(one, other))
        mixes = mixes_of({one.name: (one.texts, one.categories) for one in found})
        return ShiftReport(tuple(comparisons), {one.name: len(one.texts) for one in found}, notes, mixes)

    def _collections(self, dataset: int | str | None, suites: Sequence[str], together: bool) -> list[PromptCollection]:
        """Return training, suites and feedback; events without consent any more are left out."""
        # Loads what the function above says.
        from core.evaluation.shift import PromptCollection

        found = []
        versions = self._datasets.list()
        if dataset is not None or versions:
            version = self._datasets.get(dataset if dataset is not None else versions[-1].id)
            with self._store.read() as session:
                texts = tuple(datasets.questions(session, version.id, "train"))
            found.append(PromptCollection(f"training, {version.title}", texts, ("",) * len(texts)))
        named = {}
        for name in suites:
            suite = self._suites.get(name)
            named.setdefault("suites" if together else f"suite {suite.title}", []).extend(suite.items)
        for title, items in named.items():
            texts = tuple(item.prompt.last_text for item in items)
            found.append(PromptCollection(title, texts, tuple(item.slices.get("category", "") for item in items)))
        said = [one.content for one in self._feedback.list() if one.content is not None and one.content.prompt]
        texts = tuple(content.prompt.last_text for content in said if content.prompt is not None)
        found.append(PromptCollection("feedback", texts, tuple(content.category for content in said)))
        return found


def _words(estimate: Estimate) -> str:
    if not estimate.has_interval:
        return "not measured"
    return f"{estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}] {estimate.unit}".rstrip()


def _chance(value: float) -> str:
    return f"; chance gives up to {value:.3f}"


def _finite(value: float) -> float | None:
    return value if value == value else None
