"""Runs beside each other: what each measured, how each differs from the first one, and what makes them comparable."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.domain.counting import counted, verb
from core.domain.estimate import Estimate
from core.domain.fingerprint_fields import FieldComparison, SettingComparison, objection_of, variation_of
from core.domain.run_record import RunRecord

COMPARED: Mapping[str, str] = {
    "accuracy": "Held-out accuracy",
    "h": "h = margin / β",
    "displacement_chosen": "Chosen displacement",
    "displacement_rejected": "Rejected displacement",
    "kl": "On-policy KL",
    "length": "Answer length",
    "loss": "Held-out loss",
}
"""Names of the numbers that runs are compared in, and what they are called. All but the loss depend on no beta."""


@dataclass(frozen=True, slots=True)
class ComparedRun:
    """One run of a comparison, measured at one held-out probe.

    Attributes:
        letter: what it is called here; A is the baseline.
        step: of the held-out probe; None where there is none. kl_step: of the on-policy KL.
        values: its own estimates by the names of ``COMPARED``.
    """

    letter: str
    name: str
    record: RunRecord
    state: str
    step: int | None
    kl_step: int | None
    values: Mapping[str, Estimate]

    def to_plain(self) -> dict[str, Any]:
        """Return plain values."""
        return {
            "letter": self.letter,
            "id": self.record.run_id,
            "name": self.name,
            "state": self.state,
            "step": self.step,
            "kl_step": self.kl_step,
            "beta": self.record.config.beta,
            "loss": self.record.config.loss,
            "fingerprint": self.record.fingerprint,
            "parent_run": self.record.parent_run,
            "measured": {name: one.to_plain() for name, one in self.values.items()},
        }


@dataclass(frozen=True, slots=True)
class Difference:
    """A run's number minus the baseline's; ``estimate`` is None where they cannot be compared, and ``why`` says it.

    ``paired``: made pair by pair on the pairs that both measured.
    """

    metric: str
    estimate: Estimate | None
    paired: bool = False
    why: str = ""

    @property
    def label(self) -> str:
        """What the number is called."""
        return COMPARED[self.metric]

    @property
    def leaves_zero(self) -> bool:
        """Whether the 95 % interval does not hold 0."""
        one = self.estimate
        return one is not None and one.has_interval and not one.low <= 0 <= one.high

    def to_plain(self) -> dict[str, Any]:
        """Return plain values."""
        plain = None if self.estimate is None else self.estimate.to_plain()
        return {"metric": self.metric, "label": self.label, "difference": plain, "paired": self.paired, "why": self.why}


@dataclass(frozen=True, slots=True)
class SharedPairs:
    """Which held-out pairs a run and the baseline have in common, as they were measured.

    Attributes:
        both: how many pairs both measured with the same texts and label. prompts: of how many prompts.
        only_baseline, only_run: pairs that one alone measured; they are left out of paired differences.
        relabelled: pairs of both whose label is the other way round; they are among those left out of both.
    """

    both: int
    prompts: int
    only_baseline: int
    only_run: int
    relabelled: int = 0

    def words(self, letter: str) -> str:
        """Return in a sentence what is compared and what is left out."""
        if not self.both:
            return (
                f"{letter} and A share no held-out pair, so their means are compared, unpaired "
                f"(A measured {counted(self.only_baseline, 'pair')}, {letter} {counted(self.only_run, 'pair')})."
            )
        text = f"{letter} and A measured the same {counted(self.both, 'pair')} of {counted(self.prompts, 'prompt')}"
        left = self.only_baseline + self.only_run
        if not left:
            return f"{text}."
        text += f"; {counted(left, 'pair')} that only one of them measured {verb(left, 'is', 'are')} left out"
        return f"{text} ({self.relabelled} with the other label)." if self.relabelled else f"{text}."


@dataclass(frozen=True, slots=True)
class PairFlips:
    """Shared pairs that the baseline ranks right and the run does not (``lost``), or the reverse, by pair id.

    ``p`` is two-sided, of no difference; ``test`` names how it was made.
    """

    lost: tuple[str, ...] = ()
    gained: tuple[str, ...] = ()
    p: float = math.nan
    test: str = ""

    def to_plain(self) -> dict[str, Any]:
        """Return plain values."""
        p = self.p if math.isfinite(self.p) else None
        return {"lost": list(self.lost), "gained": list(self.gained), "p": p, "test": self.test}


@dataclass(frozen=True, slots=True)
class AgainstBaseline:
    """One run against the baseline.

    Attributes:
        letter: of the run. pairs: which held-out pairs both have.
        differences: by ``COMPARED``. flips: pairs that changed sides.
        objection: why its numbers answer another question than the baseline's; "" where they do not.
        variation: what else it varies; "" where nothing.
    """

    letter: str
    pairs: SharedPairs
    differences: tuple[Difference, ...]
    flips: PairFlips
    objection: str = ""
    variation: str = ""

    def to_plain(self) -> dict[str, Any]:
        """Return plain values."""
        pairs = self.pairs
        return {
            "run": self.letter,
            "pairs": {
                "both": pairs.both,
                "prompts": pairs.prompts,
                "only_baseline": pairs.only_baseline,
                "only_run": pairs.only_run,
                "relabelled": pairs.relabelled,
                "sentence": pairs.words(self.letter),
            },
            "differences": [one.to_plain() for one in self.differences],
            "flips": self.flips.to_plain(),
            "objection": self.objection,
            "variation": self.variation,
        }


@dataclass(frozen=True, slots=True)
class RunComparison:
    """A baseline and the runs compared with it.

    Attributes:
        runs: the baseline first. against: the others, in their order.
        settings: every setting with its value in each run. fields: the parts of the fingerprints.
        notes: what limits the comparison, a sentence each.
        step: at which all runs are compared; None where each is taken at its own newest probe.
        common_steps: at which every run has a held-out probe.
    """

    runs: tuple[ComparedRun, ...]
    against: tuple[AgainstBaseline, ...]
    settings: tuple[SettingComparison, ...]
    fields: tuple[FieldComparison, ...]
    notes: tuple[str, ...] = field(default=())
    step: int | None = None
    common_steps: tuple[int, ...] = ()

    @property
    def letters(self) -> tuple[str, ...]:
        """What the runs are called, the baseline first."""
        return tuple(run.letter for run in self.runs)

    @property
    def differing(self) -> tuple[SettingComparison, ...]:
        """The settings that differ."""
        return tuple(one for one in self.settings if one.differs)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What must be said wherever these runs are shown in one picture: other objectives, then what else varies."""
        other = [one.letter for one in self.against if one.objection]
        told = []
        if other:
            head = f"{_listed(other)} {verb(len(other), 'has another objective', 'have other objectives')}"
            told.append(f"{head}: {self._sentences(asks_other=True, named=len(self.against) > 1)}.")
        if varied := self._sentences(asks_other=False, named=len(self.against) > 1):
            letters = [one.letter for one in self.against if one.variation]
            told.append(f"{_listed(letters)} {verb(len(letters), 'varies', 'vary')}: {varied}.")
        if len({run.record.config.beta for run in self.runs}) > 1:
            told.append("β differs, so margins are compared in nats (h = margin / β).")
        return tuple(told)

    def _sentences(self, *, asks_other: bool, named: bool) -> str:
        """Return how the runs differ from the baseline; runs that differ in the same way are told together."""
        runs_of: dict[str, list[str]] = {}
        for one in self.fields:
            for letter, text in zip(self.letters, one.sentences, strict=True):
                if text and one.field.asks_other is asks_other:
                    runs_of.setdefault(text, []).append(letter)
        return "; ".join(f"{text} ({', '.join(runs)})" if named else text for text, runs in runs_of.items())

    def to_plain(self) -> dict[str, Any]:
        """Return plain values, as the command line prints them."""
        letters = self.letters
        return {
            "baseline": letters[0],
            "step": self.step,
            "common_steps": list(self.common_steps),
            "runs": [run.to_plain() for run in self.runs],
            "against_baseline": [one.to_plain() for one in self.against],
            "same_fingerprint": len({run.record.fingerprint for run in self.runs}) == 1,
            "settings": [one.to_plain(letters) for one in self.differing],
            "fingerprint": [one.to_plain(letters) for one in self.fields],
            "warnings": list(self.warnings),
            "notes": list(self.notes),
        }


def _listed(letters: Sequence[str]) -> str:
    return letters[0] if len(letters) == 1 else f"{', '.join(letters[:-1])} and {letters[-1]}"


def letter_of(number: int) -> str:
    """Return what the run of this place is called: A to Z, then 27, 28 and so on.

    >>> letter_of(0), letter_of(2), letter_of(26)
    ('A', 'C', '27')
    """
    return chr(ord("A") + number) if number < 26 else str(number + 1)


def sentences_against(fields: Sequence[FieldComparison], number: int) -> tuple[str, str]:
    """Return objection and variation of the run at this place."""
    letter = letter_of(number)
    return objection_of(fields, number, letter), variation_of(fields, number, letter)
