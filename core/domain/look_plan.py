"""How often a run measures: the cadences that it keeps, and why they are not those that were set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol

from core.domain.counting import counted


class Cadences(Protocol):
    """Steps between two measurements of each kind; 0 is off."""

    @property
    def eval_every(self) -> int:
        """Of the probe pairs."""
        ...

    @property
    def kl_every(self) -> int:
        """Of the on-policy KL."""
        ...

    @property
    def sample_every(self) -> int:
        """Of the samples side by side."""
        ...


class Sizes(Protocol):
    """How much a measurement measures."""

    @property
    def probe_pairs(self) -> int:
        """Pairs of each split."""
        ...

    @property
    def kl_prompts(self) -> int:
        """Answers of an estimate of the KL."""
        ...


@dataclass(frozen=True, slots=True)
class LooksPlanned:
    """How often the run measures, decided before the first step from counts of tokens and weights alone.

    Attributes:
        eval_every, kl_every, sample_every: steps between two measurements of each kind; 0 is off.
        factor: what the cadences that were set are multiplied by.
        share: of the work of all steps and measurements, what the measurements take; 0 where it is not known.
        asked_share: what they would take at the cadences that were set.
        limit: most of the work that they may take, from the settings.
        probe_pairs, kl_prompts: pairs of a split in a probe, and answers of a KL; None as set. They are fewer than set
            where the run is so short that measuring less often does not keep to the limit.
    """

    event: ClassVar[str] = "looks"
    eval_every: int
    kl_every: int
    sample_every: int
    factor: int = 1
    share: float = 0.0
    asked_share: float = 0.0
    limit: float = 1.0
    probe_pairs: int | None = None
    kl_prompts: int | None = None

    @classmethod
    def as_set(cls, settings: Cadences) -> LooksPlanned:
        """Return the plan that keeps the cadences of ``settings``."""
        return cls(settings.eval_every, settings.kl_every, settings.sample_every)

    @property
    def every(self) -> Mapping[str, int]:
        """Steps between two measurements by kind: "eval", "kl", "sample"."""
        return {"eval": self.eval_every, "kl": self.kl_every, "sample": self.sample_every}

    def pairs_of_a_split(self, settings: Sizes, held_out: int) -> int:
        """Return how many pairs of a split a probe has; as many training pairs as held-out ones where there are any."""
        size = settings.probe_pairs if self.probe_pairs is None else self.probe_pairs
        return min(size, held_out or size)

    def answers_of_a_kl(self, settings: Sizes) -> int:
        """Return how many prompts the policy answers for an estimate of the KL."""
        return settings.kl_prompts if self.kl_prompts is None else self.kl_prompts


_NAMES = {"eval": "probes", "kl": "KL", "sample": "samples"}


def cadence_words(plan: LooksPlanned) -> str:
    """Return the cadences in a few words.

    >>> cadence_words(LooksPlanned(40, 100, 100))
    'probes every 40 steps, KL and samples every 100'
    >>> cadence_words(LooksPlanned(1, 0, 0)), cadence_words(LooksPlanned(0, 0, 0))
    ('probes every step', 'no measurements')
    """
    kinds: dict[int, list[str]] = {}
    for kind, every in plan.every.items():
        if every:
            kinds.setdefault(every, []).append(_NAMES[kind])
    parts = []
    for every, names in kinds.items():
        steps = "every step" if every == 1 else f"every {every:,}" + (" steps" if not parts else "")
        listed = ", ".join(names[:-1]) + " and " * (len(names) > 1) + names[-1]
        parts.append(f"{listed} {steps}")
    return ", ".join(parts) or "no measurements"


def look_words(plan: LooksPlanned) -> str:
    """Return the plan in sentences: the cadences, their share of the work, and what was changed for it.

    >>> look_words(LooksPlanned(40, 100, 100, 2, 0.12, 0.22, 0.15))
    'Probes every 40 steps, KL and samples every 100: 12 % of the work. As set they would take 22 %, above the limit \
of 15 % (look_share).'
    >>> look_words(LooksPlanned(20, 50, 50, 3, 0.14, 0.9, 0.15, 8, 4)).partition("(look_share). ")[2]
    'The run is short, so a probe has 8 pairs of a split and a KL 4 answers.'
    """
    words = cadence_words(plan)
    words = words[0].upper() + words[1:]
    if not plan.share:
        return f"{words}."
    words += f": {_percent(plan.share)} of the work."
    if plan.factor > 1:
        words += f" As set they would take {_percent(plan.asked_share)}, above the limit of {_percent(plan.limit)} "
        words += "(look_share)."
    words += _size_words(plan)
    if plan.share > plan.limit:
        words += f" They take more than {_percent(plan.limit)}, because the run is short or goes by what it measures."
    return words


def _size_words(plan: LooksPlanned) -> str:
    sizes = [] if plan.probe_pairs is None else [f"a probe has {counted(plan.probe_pairs, 'pair')} of a split"]
    sizes += [] if plan.kl_prompts is None else [f"a KL {'has ' * (not sizes)}{counted(plan.kl_prompts, 'answer')}"]
    return f" The run is short, so {' and '.join(sizes)}." if sizes else ""


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"
