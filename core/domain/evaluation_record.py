"""What is fixed about an evaluation before it starts: arms, suites, settings and the hashes of all inputs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from core.domain.conversation import Message, Prompt
from core.domain.errors import BadInput
from core.domain.evaluation_settings import EvaluationConfig
from core.domain.evidence import ARM_KINDS, ArmKind

POLICY_KINDS: tuple[ArmKind, ...] = ("aligned", "aligned_without_system", "run")
"""Arms that a trained policy answers for."""
SEALED = "sealed:"
"""What the name of a suite begins with that is the sealed test of a dataset version."""
DEV = "dev"
"""Names the held-out pairs of the run itself as a suite."""
TRAINED = "training pairs"
"""Stands in the ledger in place of a suite for training pairs that are measured to see what was memorised."""
COMPARED_KINDS: tuple[ArmKind, ...] = ("reference", "aligned")
"""Arms that answer under other templates and to training pairs: what the run changed, and what it started from."""

TEXT_KINDS: tuple[ArmKind, ...] = ("reference", "aligned", "run")
"""Arms that read neutral texts: a text has no system prompt, so that the others would read the same as one of these."""


def suite_words(title: str) -> str:
    """Return the title of an evaluated suite as people read it; every title stays what names the suite.

    >>> suite_words("sealed:hh v1"), suite_words("dev v1"), suite_words("basics v1")
    ('sealed test of hh v1', 'held-out pairs', 'basics v1')
    """
    if title.startswith(SEALED):
        return f"sealed test of {title.removeprefix(SEALED)}"
    return "held-out pairs" if title == f"{DEV} v1" else title


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
        template: another chat template than the one of training, by name; "" for that one.
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
    template: str = ""

    def __post_init__(self) -> None:
        if self.kind not in ARM_KINDS:
            raise BadInput(f"{self.kind!r} is no kind of arm.", f"Use {', '.join(ARM_KINDS)}.")

    @property
    def is_policy(self) -> bool:
        """Whether a trained policy answers, not its reference or an endpoint."""
        return self.kind in POLICY_KINDS

    def under(self, template: str) -> Arm:
        """Return this arm under another chat template, with a name of its own."""
        return replace(self, name=f"{self.name} · {template}", template=template)

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
        pairs: how many of them are preferences. aligned: how many ask the same in several languages.
        texts: how many are neutral texts, which are only read.
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
    aligned: int = 0
    texts: int = 0

    @property
    def is_dev(self) -> bool:
        """Whether its pairs are the held-out pairs of the run itself, which may tune what a test may not."""
        return self.title.startswith(f"{DEV} v")

    def is_held_out_of(self, dataset: str) -> bool:
        """Return whether its pairs are of the same frozen split as the training pairs of a run on this dataset."""
        return self.is_dev or bool(dataset and self.title == f"{SEALED}{dataset}")


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
        training_template: name of the run's chat template, "" where it is the model's own.
        templates: others, under which the suites in several languages are answered too.
        trained_pairs: training pairs that are measured beside held-out ones.
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
    training_template: str = ""
    templates: tuple[str, ...] = ()
    trained_pairs: int = 0

    def to_plain(self) -> dict[str, Any]:
        """Return plain values for ``evaluation.json``."""
        plain = {f.name: getattr(self, f.name) for f in fields(self)}
        return {
            **plain,
            "arms": [_plain_arm(arm) for arm in self.arms],
            "suites": [asdict(suite) for suite in self.suites],
            "config": self.config.to_plain(),
            "notes": list(self.notes),
            "templates": list(self.templates),
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
        values["templates"] = tuple(row.get("templates", ()))
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
    def compared_arms(self) -> tuple[Arm, ...]:
        """The run's own policy and its reference."""
        return tuple(arm for arm in self.arms if arm.kind in COMPARED_KINDS)

    @property
    def template_arms(self) -> tuple[Arm, ...]:
        """Policy and reference under each other template."""
        return tuple(arm.under(template) for template in self.templates for arm in self.compared_arms)

    @property
    def answers(self) -> int:
        """Answers of all arms, those under other templates and to training pairs included."""
        own = len(self.arms) * sum(suite.answered for suite in self.suites)
        return own + self.template_answers + self.trained_answers

    @property
    def template_answers(self) -> int:
        """Answers under other templates."""
        return len(self.template_arms) * sum(suite.aligned for suite in self.suites)

    @property
    def trained_answers(self) -> int:
        """Answers to the prompts of training pairs; as many pairs are scored."""
        return len(self.compared_arms) * self.trained_pairs

    @property
    def pairs(self) -> int:
        """Preference items and neutral texts scored, over all arms and templates, training pairs included."""
        texts = sum(arm.kind in TEXT_KINDS for arm in self.arms) * sum(suite.texts for suite in self.suites)
        return len(self.scored_arms) * self._own_pairs + texts + self.template_pairs + self.trained_answers

    @property
    def _own_pairs(self) -> int:
        return sum(suite.pairs for suite in self.suites)

    @property
    def template_pairs(self) -> int:
        """Preference items scored under other templates."""
        return len(self.template_arms) * self._own_pairs

    @property
    def kl_answers(self) -> int:
        """Answers sampled for the sequence KL, over all arms."""
        return len(self.kl_arms) * sum(min(self.config.kl_prompts, suite.answered) for suite in self.suites)


def _plain_arm(arm: Arm) -> dict[str, Any]:
    plain = {**asdict(arm), "inputs": dict(arm.inputs), "guard": dict(arm.guard)}
    return {name: value for name, value in plain.items() if value or name not in ("guard", "base", "template")}
