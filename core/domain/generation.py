"""Pairs that models generate: what answers, what is asked, and what becomes of each pair of answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Literal, get_args

from core.domain.batch import BatchOrder, BatchPolicy
from core.domain.choices import choice_hint
from core.domain.errors import BadInput
from core.domain.evaluation_record import Arm
from core.domain.evaluation_settings import EvaluationConfig
from core.domain.pair import Side
from core.domain.pair_table import PairFilter

GENERATED = "generated"
"""The format of sources that a generation became, and the kind that is shown for them."""
SideKind = Literal["policy", "reference", "model", "endpoint"]
LeaveReason = Literal["equal", "nearly_equal", "empty", "truncated", "known"]
REASONS: tuple[LeaveReason, ...] = get_args(LeaveReason)
"""Why a pair may be left out, in the order in which it is counted."""
KeepChoice = Literal["keep", "leave_out"]
GenerationRule = Literal["random", "margin_near_zero", "disagreement", "length_gap"]
RULE_ORDERS: dict[GenerationRule, BatchOrder] = {
    "random": "random",
    "margin_near_zero": "margin",
    "disagreement": "disagreement",
    "length_gap": "length",
}
"""By which rule pairs are taken into a batch, and the order of batches that it is."""
NEARLY = 0.9
"""Jaccard similarity of the sets of words from which two answers count as nearly equal."""
DECODER_NAMES = (
    "max_new_tokens", "temperature", "top_p", "top_k", "repetition_penalty", "seed",
    "device", "threads", "batch_answers", "batch_tokens",
)  # fmt: skip
"""The settings of an evaluation that a generation uses."""


def leave_choices(keep: Iterable[str]) -> dict[LeaveReason, KeepChoice]:
    """Return the choice for each reason: ``keep`` for those named, else ``leave_out``.

    Raises:
        BadInput: for a word that is no reason.
    """
    wanted = [word.replace("-", "_") for word in keep]
    for word in wanted:
        if word not in REASONS:
            raise BadInput(f"{word!r} is no reason to leave a pair out.", choice_hint(word, REASONS))
    return {reason: "keep" if reason in wanted else "leave_out" for reason in REASONS}


@dataclass(frozen=True, slots=True)
class AnsweringSide:
    """What answers for one side of the pairs.

    Attributes:
        letter: A or B. name: as people read it.
        run_dir, run_id, run_name, step: of the run whose policy or reference it is; step 0 is the run's result.
        model_dir: of a model folder. settings: how its texts become tokens, as plain values of a run's settings.
        url, served_model: of an endpoint.
        inputs: sha256 by "model", "tokenizer", "template" and "policy".
    """

    letter: Side
    kind: SideKind
    name: str
    run_dir: str = ""
    run_id: str = ""
    run_name: str = ""
    step: int = 0
    model_dir: str = ""
    url: str = ""
    served_model: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)

    @property
    def weights(self) -> tuple[str, int]:
        """What must be loaded for it; sides with the same value share it."""
        return self.run_dir or self.model_dir or f"{self.url}#{self.served_model}", self.step

    @property
    def arm(self) -> Arm:
        """The arm of an evaluation that answers like this side."""
        kind = "endpoint" if self.url else "reference" if self.kind == "reference" else "run"
        return Arm(self.name, kind, self.run_dir, self.run_id, self.step, url=self.url, served_model=self.served_model)

    @property
    def checkpoint(self) -> str:
        """The checkpoint in words; "" where there is none."""
        return "" if not self.run_dir else f"step {self.step}" if self.step else "result"

    def answers_like(self, other: AnsweringSide) -> bool:
        """Return whether both are the same model, so that both answers are two samples of one policy."""
        return self.kind == other.kind and self.weights == other.weights

    def to_plain(self) -> dict[str, Any]:
        """Return plain values without the empty ones."""
        plain = {**asdict(self), "settings": dict(self.settings), "inputs": dict(self.inputs)}
        return {key: value for key, value in plain.items() if value not in ("", 0, {})}


@dataclass(frozen=True, slots=True)
class PairGeneration:
    """The content of ``generation.json``: everything frozen when the generation was created.

    Attributes:
        samples: pairs for each prompt.
        prompts: how many there are.
        origin: where they come from: "from" (source, file or typed), "name", "of" (how many there were), "seed" of the
            draw and "sealed" (how many were left out as prompts of a sealed test).
        margins: letters of the sides whose run scores both answers of each pair.
        choices: what is done with a pair by reason, unless the landing says otherwise. nearly: see :data:`NEARLY`.
        batch: the batch that is wanted for labelling, as plain values; empty for none.
        versions: of Python and of each library that computes.
    """

    generation_id: str
    name: str
    created_ms: int
    a: AnsweringSide
    b: AnsweringSide
    config: EvaluationConfig
    samples: int
    prompts: int
    origin: Mapping[str, Any] = field(default_factory=dict)
    system_prompt: str = ""
    margins: tuple[Side, ...] = ()
    choices: Mapping[LeaveReason, KeepChoice] = field(default_factory=lambda: leave_choices(()))
    nearly: float = NEARLY
    batch: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    command_line: str = ""

    @property
    def sides(self) -> tuple[AnsweringSide, AnsweringSide]:
        """Both sides, A first."""
        return self.a, self.b

    @property
    def pairs(self) -> int:
        """Pairs that are made, before any is left out."""
        return self.prompts * self.samples

    @property
    def runs(self) -> dict[str, str]:
        """Name of each run that takes part, by its id."""
        return {side.run_id: side.run_name for side in self.sides if side.run_id}

    def to_plain(self) -> dict[str, Any]:
        """Return plain values for ``generation.json``."""
        plain = {one.name: getattr(self, one.name) for one in fields(self)}
        config = self.config.to_plain()
        return {
            **plain,
            "a": self.a.to_plain(),
            "b": self.b.to_plain(),
            "config": {name: config[name] for name in DECODER_NAMES},
            "margins": list(self.margins),
            "origin": dict(self.origin),
            "choices": dict(self.choices),
            "batch": dict(self.batch),
            "versions": dict(self.versions),
        }

    @classmethod
    def from_plain(cls, row: Mapping[str, Any]) -> PairGeneration:
        """Return the record written by :meth:`to_plain`; fields of a newer program are ignored.

        Raises:
            KeyError, TypeError, ValueError: when a field is missing or of the wrong kind.
            UsageError: when a setting has no usable value.
        """
        known = {one.name for one in fields(cls)}
        values = {key: value for key, value in row.items() if key in known}
        values["a"], values["b"] = AnsweringSide(**row["a"]), AnsweringSide(**row["b"])
        values["config"] = EvaluationConfig().with_values(row["config"])
        values["margins"] = tuple(row.get("margins", ()))
        return cls(**values)


@dataclass(frozen=True, slots=True)
class BatchWish:
    """The batch that is made of a generation's pairs for blind labelling.

    Attributes:
        name: of the batch. version_id: the published rubric version that is labelled under.
        reviewers: ids of those who label.
        take: pairs that the rule picks; 0 takes all. random: pairs that are drawn at random beside them.
        seed: fixes every draw.

    Raises:
        BadInput: for an unknown rule or a number out of bounds.
    """

    name: str
    version_id: int
    reviewers: tuple[int, ...]
    take: int = 0
    random: int = 0
    rule: GenerationRule = "random"
    seed: int = 0

    def __post_init__(self) -> None:
        if self.rule not in RULE_ORDERS:
            raise BadInput(f"Unknown rule {self.rule!r}.", choice_hint(self.rule, RULE_ORDERS))
        if self.take < 0 or self.random < 0:
            raise BadInput("The number of pairs cannot be below 0.", "0 takes all that are kept.")
        if not self.reviewers:
            raise BadInput("A batch needs somebody who labels.", "Name a reviewer with --for.")

    @property
    def margins(self) -> int:
        """How many runs must score the answers for the rule."""
        return {"margin_near_zero": 1, "disagreement": 2}.get(self.rule, 0)

    def policy(self, source_id: int, runs: Sequence[str]) -> BatchPolicy:
        """Return the policy of the batch.

        Args:
            source_id: of the generated pairs.
            runs: ids of those that scored the answers, as many as the rule reads.
        """
        both = self.take + self.random
        share = 1.0 if self.rule == "random" or not both else self.random / both
        limit = both if self.take else 0
        return BatchPolicy(
            self.reviewers,
            filter=PairFilter(label="none", source_id=source_id),
            limit=limit,
            order=RULE_ORDERS[self.rule],
            seed=self.seed,
            runs=tuple(runs)[: self.margins],
            random_share=share,
        )

    def to_plain(self) -> dict[str, Any]:
        """Return plain values for ``generation.json``."""
        return {**asdict(self), "reviewers": list(self.reviewers)}

    @classmethod
    def from_plain(cls, row: Mapping[str, Any]) -> BatchWish:
        """Return the wish written by :meth:`to_plain`."""
        return cls(**{**row, "reviewers": tuple(row["reviewers"])})
