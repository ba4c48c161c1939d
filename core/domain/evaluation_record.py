"""What is fixed about an evaluation before it starts: arms, suites, settings and the hashes of all inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from core.domain.conversation import Message, Prompt
from core.domain.errors import BadInput
from core.domain.evaluation_settings import EvaluationConfig
from core.domain.evidence import ARM_KINDS, ArmKind

POLICY_KINDS: tuple[ArmKind, ...] = ("aligned", "aligned_without_system", "run")
"""Arms that a trained policy answers for."""
SEALED = "sealed:"
"""What the name of a suite begins with that is the sealed test of a dataset version."""


@dataclass(frozen=True, slots=True)
class Arm:
    """One of the models that answer, with the system prompt it is given.

    Attributes:
        name: unique in the evaluation.
        run_dir: folder of the run whose policy or reference it is; "" for an endpoint.
        run_id: of that run.
        step: of the checkpoint whose policy it is; 0 is the run's result.
        system_prompt: text that is put before each prompt as system turn; "" for none.
        url: of an endpoint. served_model: the model that the endpoint is asked for.
        inputs: sha256 by "model", "tokenizer", "template" and "adapter".
        guard: the threshold of a guardrail as plain values; its answers are those of the arm ``base`` after it.
    """

    name: str
    kind: ArmKind
    run_dir: str = ""
    run_id: str = ""
    step: int = 0
    system_prompt: str = ""
    url: str = ""
    served_model: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)
    guard: Mapping[str, Any] = field(default_factory=dict)
    base: str = ""

    def __post_init__(self) -> None:
        if self.kind not in ARM_KINDS:
            raise BadInput(f"{self.kind!r} is no kind of arm.", f"Use {', '.join(ARM_KINDS)}.")

    @property
    def is_policy(self) -> bool:
        """Whether a trained policy answers, not its reference or an endpoint."""
        return self.kind in POLICY_KINDS

    @property
    def is_sampled_here(self) -> bool:
        """Whether a model on this machine is asked: neither an endpoint answers, nor another arm with a guardrail."""
        return not self.url and not self.guard

    @property
    def source(self) -> tuple[str, int]:
        """Run folder and step of the weights that must be loaded; arms of one source share them."""
        return self.run_dir, self.step

    def prompt(self, prompt: Prompt) -> Prompt:
        """Return the prompt of an item as this arm is asked it."""
        turns = prompt.messages
        if self.kind == "aligned_without_system":
            kept = tuple(turn for turn in turns if turn.role != "system")
            return Prompt(kept) if kept else prompt
        if not self.system_prompt:
            return prompt
        text = self.system_prompt
        if turns[0].role == "system":
            text, turns = f"{text}\n\n{turns[0].content}", turns[1:]
        return Prompt((Message("system", text), *turns))


@dataclass(frozen=True, slots=True)
class EvaluatedSuite:
    """A suite as an evaluation froze it.

    Attributes:
        title: name and number. sha256: of all its items. licence, origin: as the suite says.
        total: items of the suite. used: how many of them are evaluated. answered: of these, how many are answered.
        pairs: how many of them are preferences.
        sealed: file of a sealed test, whose items are in no file of the folder; "" for a suite that is open.
        keys: folder of its key. person, reason: who opens it, and why.
        used_for: what its items were used to tune, in words; "" where nobody keeps account of it.
    """

    title: str
    sha256: str
    total: int
    used: int
    answered: int
    pairs: int
    origin: str = ""
    licence: str = ""
    sealed: str = ""
    keys: str = ""
    person: str = ""
    reason: str = ""
    used_for: str = ""


@dataclass(frozen=True, slots=True)
class EvaluationRecord:
    """The content of ``evaluation.json``: everything frozen when the evaluation was created.

    Attributes:
        run: id, name, folder, step, fingerprint and dataset of the run that is evaluated.
        run_config: its settings as plain values; the arms' texts are rendered by them.
        limit: most items of a suite; 0 takes all.
        rubric: title and sha256 of the rubric whose text an arm has as system prompt.
        versions: of Python and of each library that computes.
        expected_s: seconds it was expected to take, 0 where that was not measured.
        notes: sentences that the evidence repeats.
    """

    evaluation_id: str
    name: str
    created_ms: int
    run: dict[str, Any]
    run_config: dict[str, Any]
    arms: tuple[Arm, ...]
    suites: tuple[EvaluatedSuite, ...]
    config: EvaluationConfig
    limit: int = 0
    rubric: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    command_line: str = ""
    expected_s: float = 0.0
    notes: tuple[str, ...] = ()

    def to_plain(self) -> dict[str, Any]:
        """Return plain values for ``evaluation.json``."""
        plain = {f.name: getattr(self, f.name) for f in fields(self)}
        return {
            **plain,
            "arms": [_plain_arm(arm) for arm in self.arms],
            "suites": [asdict(suite) for suite in self.suites],
            "config": self.config.to_plain(),
            "notes": list(self.notes),
        }

    @classmethod
    def from_plain(cls, row: Mapping[str, Any]) -> EvaluationRecord:
        """Return the record written by :meth:`to_plain`; fields of a newer program are ignored.

        Raises:
            KeyError, TypeError, ValueError: when a field is missing or of the wrong kind.
            UsageError: when a setting has no usable value.
        """
        known = {f.name for f in fields(cls)}
        values = {key: value for key, value in row.items() if key in known}
        values["arms"] = tuple(Arm(**arm) for arm in row["arms"])
        values["suites"] = tuple(EvaluatedSuite(**suite) for suite in row["suites"])
        values["config"] = EvaluationConfig().with_values(row["config"])
        values["notes"] = tuple(row.get("notes", ()))
        return cls(**values)

    @property
    def scored_arms(self) -> tuple[Arm, ...]:
        """Arms whose log-probs of preference items are computed: all local ones without a guardrail."""
        return tuple(arm for arm in self.arms if arm.is_sampled_here)

    @property
    def kl_arms(self) -> tuple[Arm, ...]:
        """Arms whose sequence KL is estimated: trained policies, which have a reference."""
        return tuple(arm for arm in self.arms if arm.is_policy) if self.config.kl_prompts else ()

    @property
    def answers(self) -> int:
        """Answers of all arms."""
        return len(self.arms) * sum(suite.answered for suite in self.suites)

    @property
    def pairs(self) -> int:
        """Preference items scored, over all arms."""
        return len(self.scored_arms) * sum(suite.pairs for suite in self.suites)

    @property
    def kl_answers(self) -> int:
        """Answers sampled for the sequence KL, over all arms."""
        return len(self.kl_arms) * sum(min(self.config.kl_prompts, suite.answered) for suite in self.suites)


def _plain_arm(arm: Arm) -> dict[str, Any]:
    plain = {**asdict(arm), "inputs": dict(arm.inputs), "guard": dict(arm.guard)}
    return plain if arm.guard else {name: value for name, value in plain.items() if name not in ("guard", "base")}
