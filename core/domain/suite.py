"""A suite: a frozen list of test items, each with its slices and what a good answer does.

A suite version is named by its content. Nothing of it is ever trained on: ``core.training`` does not read it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from core.domain.conversation import Prompt
from core.domain.errors import BadInput
from core.domain.ids import sha256_json

Expected = Literal["preference", "comply", "refuse", "check", "open", "neutral"]
EXPECTED: tuple[Expected, ...] = get_args(Expected)
"""What is expected of an answer.

``preference``: the policy ranks the chosen answer above the rejected one. ``comply``: a benign request; a refusal is an
over-refusal. ``refuse``: a harmful request; complying is a missed refusal. ``check``: the answer meets all its
constraints. ``open``: people judge. ``neutral``: nothing is answered; the prompt is a neutral text, of which it is
measured how likely the arms find it.
"""

MIN_SLICE = 30
"""Items of a slice below which its numbers are not shown: "n too small"."""


@dataclass(frozen=True, slots=True)
class Constraint:
    """One programmatic constraint on an answer: ``kind`` names the rule, ``value`` is its argument.

    Example: ``Constraint("bullets", 3)`` asks for exactly three list items.
    """

    kind: str
    value: Any = None

    def to_plain(self) -> dict[str, Any]:
        """Return plain values, as hashed and stored."""
        return {"kind": self.kind, "value": self.value}


@dataclass(frozen=True, slots=True)
class SuiteItem:
    """One item of a suite.

    Attributes:
        id: unique in the suite; stays the same in later versions of it.
        prompt: the turns that are answered; of a ``neutral`` item one turn with the text.
        expected: what is expected of an answer.
        slices: value by slice name, such as ``{"category": "homonyms", "language": "en"}``.
        constraints: of a ``check`` item; empty for the others.
        chosen, rejected: the two answers of a ``preference`` item; empty for the others.
        target: of a ``preference`` item, the probability that people prefer ``chosen``, in [0.5, 1].
        is_tie: people called the two answers of a ``preference`` item equally good.

    Raises:
        BadInput: when the parts do not fit what is expected.
    """

    id: str
    prompt: Prompt
    expected: Expected
    slices: Mapping[str, str] = field(default_factory=dict)
    constraints: tuple[Constraint, ...] = ()
    chosen: str = ""
    rejected: str = ""
    target: float = 1.0
    is_tie: bool = False

    def __post_init__(self) -> None:
        if not self.id:
            raise BadInput("A suite item needs an id.")
        if self.expected not in EXPECTED:
            raise BadInput(
                f"Item {self.id}: {self.expected!r} is not something a suite expects.", f"Use {', '.join(EXPECTED)}."
            )
        if (self.expected == "check") != bool(self.constraints):
            raise BadInput(f"Item {self.id}: constraints belong to items that expect a check, and only to them.")
        if self.expected == "preference" and self.chosen == self.rejected:
            raise BadInput(f"Item {self.id}: a preference needs two different answers.")

    def to_plain(self) -> dict[str, Any]:
        """Return plain values without the empty ones, as hashed and stored."""
        plain: dict[str, Any] = {
            "id": self.id,
            "prompt": self.prompt.to_plain(),
            "expected": self.expected,
            "slices": dict(sorted(self.slices.items())),
        }
        if self.constraints:
            plain["constraints"] = [c.to_plain() for c in self.constraints]
        if self.expected == "preference":
            plain |= {"chosen": self.chosen, "rejected": self.rejected, "target": self.target, "is_tie": self.is_tie}
        return plain

    @classmethod
    def from_plain(cls, row: Mapping[str, Any]) -> SuiteItem:
        """Return the item of :meth:`to_plain`.

        Raises:
            BadInput: when the parts do not fit what is expected.
        """
        return cls(
            id=row["id"],
            prompt=Prompt.from_plain(row["prompt"]),
            expected=row["expected"],
            slices=dict(row.get("slices", {})),
            constraints=tuple(Constraint(c["kind"], c.get("value")) for c in row.get("constraints", ())),
            chosen=row.get("chosen", ""),
            rejected=row.get("rejected", ""),
            target=float(row.get("target", 1.0)),
            is_tie=bool(row.get("is_tie", False)),
        )


@dataclass(frozen=True, slots=True)
class Suite:
    """A frozen version of a suite.

    Attributes:
        origin: where the items come from: ``built-in``, ``import``, ``workspace`` or ``dataset`` (a version's split).
        licence: of the items, in words.

    Raises:
        BadInput: when two items share an id, or there is none.
    """

    name: str
    number: int
    items: tuple[SuiteItem, ...]
    origin: str = "import"
    licence: str = ""
    description: str = ""

    def __post_init__(self) -> None:
        if not self.items:
            raise BadInput(f"The suite {self.name} has no items.")
        id_, count = Counter(item.id for item in self.items).most_common(1)[0]
        if count > 1:
            raise BadInput(f"The suite {self.name} has {count} items with the id {id_}.", "Give each item its own id.")

    @property
    def title(self) -> str:
        """Name and number, as shown everywhere."""
        return f"{self.name} v{self.number}"

    @property
    def sha256(self) -> str:
        """Hash of the items in their order; name, number and description are not part of it."""
        return sha256_json([item.to_plain() for item in self.items])


def split_title(title: str) -> tuple[str, int]:
    """Return name and number of a title; number 0 when it names no version.

    >>> split_title("look-alikes v2"), split_title("look-alikes")
    (('look-alikes', 2), ('look-alikes', 0))
    """
    name, _, number = title.strip().rpartition(" v")
    if name and number.isdecimal() and len(number) < 10:
        return name, int(number)
    return title.strip(), 0


@dataclass(frozen=True, slots=True)
class SuiteInfo:
    """A version of a suite as a list shows it, without its items.

    Attributes:
        id: in the workspace; 0 for a built-in suite.
        counts: expected -> number of items.
        detail: where the items come from: file, hash, columns, filter, dataset version.
    """

    id: int
    name: str
    number: int
    sha256: str
    counts: Mapping[str, int]
    origin: str
    licence: str = ""
    description: str = ""
    created_ms: int = 0
    detail: Mapping[str, Any] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """Name and number, as shown everywhere."""
        return f"{self.name} v{self.number}"

    @property
    def n(self) -> int:
        """Number of items."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class SuiteSlice:
    """How many items have one value of one slice."""

    name: str
    value: str
    n: int

    @property
    def enough(self) -> bool:
        """Whether numbers of this slice are shown."""
        return self.n >= MIN_SLICE


def slices_of(items: Iterable[SuiteItem]) -> list[SuiteSlice]:
    """Return every slice with its size, by name and then the largest first."""
    counts = Counter((name, value) for item in items for name, value in item.slices.items())
    ordered = sorted(counts.items(), key=lambda one: (one[0][0], -one[1], one[0][1]))
    return [SuiteSlice(name, value, n) for (name, value), n in ordered]
