"""Answers to one prompt as the objective lab reads them: their log-probs under policy, reference and other runs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from core.domain.closed_form import AnswersObjective, Placed
from core.domain.conversation import Prompt
from core.domain.counting import counted
from core.domain.errors import BadInput, UsageError
from core.domain.prompt_inspection import Author, GivenAnswer

Weighing = Literal["reference", "equal"]
"""How the reference is spread over the answers: its own probabilities renormalised on them, or each drawing alike."""
WEIGHINGS: Mapping[Weighing, str] = {
    "reference": "the reference's own probabilities, renormalised on these answers",
    "equal": "each answer alike, as often as it was drawn",
}
WHY_ONE_PROMPT = (
    "A reward is known only up to beta log Z(x), and Z(x) belongs to the prompt: rewards of two prompts are never "
    "compared, and no average over prompts is shown."
)
"""Why the lab shows one prompt at a time."""
_COLLAPSED = 1.5
"""Effective answers of the reference below which its renormalised probabilities say nothing of the others."""
_ALIKE = 0.05
"""Nats by which two runs' reference log-probs of one answer may differ by rounding."""


@dataclass(frozen=True, slots=True)
class LabRequest:
    """What the lab is asked for.

    Attributes:
        run: id, name or folder. step: of a checkpoint; 0 is the run's result.
        prompt: what is asked; None where ``pair`` names it.
        pair: id of a pair of the run or of the workspace. pair_answers: its two answers come first.
        given: further answers, each with its name.
        stored: take samples of the run and answers of evaluations to the same prompt too.
        draw: how many answers are sampled now. authors: whom they are drawn from.
        others: further runs whose policies are placed on the same answers.
        settings: changes of the decoder's settings by name, as for an evaluation.
    """

    run: str
    prompt: Prompt | None = None
    pair: str = ""
    pair_answers: bool = True
    given: Sequence[GivenAnswer] = ()
    stored: bool = False
    draw: int = 6
    authors: tuple[Author, ...] = ("reference",)
    others: Sequence[str] = ()
    step: int = 0
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LabAnswer:
    """One answer with its log-probs, sums over its tokens in nats.

    Attributes:
        name: "sample 1", "chosen" or what it was called. author: whose it is.
        tokens: how many, the stop token included. finished: whether it ends by itself, not at the limit of tokens.
        count: how often it was drawn. seed: of the first drawing.
    """

    name: str
    author: Author
    text: str
    tokens: int
    policy: float
    reference: float
    finished: bool = True
    count: int = 1
    seed: int | None = None

    @property
    def displacement(self) -> float:
        """Log-prob under the policy minus under the reference, nats."""
        return self.policy - self.reference


@dataclass(frozen=True, slots=True)
class OtherPolicy:
    """Another run's log-probs of the same answers, nats, in their order."""

    run_id: str
    name: str
    beta: float
    policy: tuple[float, ...]
    reference: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class PromptLab:
    """What the objective lab shows of one prompt.

    Attributes:
        run: id, name and step of the run. beta: the run was trained with. loss: its loss.
        answers: different ones, at least two.
        others: other runs on the same answers.
        horizon: most tokens of a drawn answer. settings: of the decoder, in words.
        drawn: whether every answer was drawn from the reference's own distribution.
        notes: what must be said beside the numbers.
    """

    run: Mapping[str, Any]
    beta: float
    loss: str
    prompt: Prompt
    answers: tuple[LabAnswer, ...]
    others: tuple[OtherPolicy, ...] = ()
    horizon: int = 0
    settings: str = ""
    drawn: bool = False
    notes: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        """How the answers are called in formulas: y1, y2, ..."""
        return tuple(f"y{number}" for number in range(1, len(self.answers) + 1))

    @property
    def rewards(self) -> tuple[float, ...]:
        """Implicit rewards, beta of the run times displacement, nats * beta."""
        return tuple(self.beta * answer.displacement for answer in self.answers)

    def log_weights(self, weighing: Weighing = "reference") -> tuple[float, ...]:
        """Return the logarithms of the reference's weights on the answers; they need not add up to one."""
        if weighing == "reference":
            return tuple(answer.reference for answer in self.answers)
        return tuple(math.log(answer.count) for answer in self.answers)

    def objective(self, weighing: Weighing = "reference") -> AnswersObjective:
        """Return the objective on these answers."""
        return AnswersObjective.of(self.log_weights(weighing), self.rewards)

    def placed(self, other: OtherPolicy, weighing: Weighing = "reference") -> Placed:
        """Return where another run's policy stands: its shares of these answers, weighed as the reference's are."""
        weights = zip(self.log_weights(weighing), other.policy, self.answers, strict=True)
        return self.objective(weighing).placed([log + own - answer.reference for log, own, answer in weights])

    def best_and_worst(self) -> tuple[int, int]:
        """Return the places of y_w and y_l: chosen and rejected where they are among the answers, else by reward."""
        places = {answer.name: place for place, answer in enumerate(self.answers) if answer.author == "given"}
        if "chosen" in places and "rejected" in places:
            return places["chosen"], places["rejected"]
        rewards = self.rewards
        best, worst = rewards.index(max(rewards)), rewards.index(min(rewards))
        return (best, worst) if best != worst else (0, 1)

    @property
    def suggested(self) -> Weighing:
        """The weighing to begin with: each alike where the reference's own probabilities collapse onto one answer."""
        return "equal" if self.objective().at(math.inf).effective < _COLLAPSED else "reference"

    @property
    def held(self) -> float:
        """Logarithm of the probability that the reference gives to all these answers together."""
        largest = max(answer.reference for answer in self.answers)
        return largest + math.log(math.fsum(math.exp(answer.reference - largest) for answer in self.answers))

    def to_plain(self) -> dict[str, Any]:
        """Return plain values."""
        answers = [
            {"y": name, **asdict(answer), "displacement": answer.displacement, "reward": reward}
            for name, answer, reward in zip(self.names, self.answers, self.rewards, strict=True)
        ]
        return {
            "run": dict(self.run),
            "beta": self.beta,
            "loss": self.loss,
            "prompt": self.prompt.to_plain(),
            "answers": answers,
            "others": [asdict(other) for other in self.others],
            "horizon": self.horizon,
            "settings": self.settings,
            "drawn": self.drawn,
            "log_probability_held": self.held,
            "notes": list(self.notes),
        }


def distinct(answers: Sequence[LabAnswer]) -> tuple[LabAnswer, ...]:
    """Return each answer once, the first of its text, with how often it came.

    Raises:
        BadInput: when fewer than two are left.
    """
    found: dict[tuple[str, bool], LabAnswer] = {}
    for answer in answers:
        key = answer.text, answer.finished
        before = found.get(key)
        found[key] = answer if before is None else _again(before, answer)
    if len(found) < 2:
        raise BadInput(
            f"Of {counted(len(answers), 'answer')} only {counted(len(found), 'different one')} "
            "came: there is nothing to choose between. Nothing was changed.",
            "Draw more answers, with temperature 1, or give one.",
        )
    return tuple(found.values())


def _again(before: LabAnswer, answer: LabAnswer) -> LabAnswer:
    values = {**{name: getattr(before, name) for name in LabAnswer.__slots__}, "count": before.count + answer.count}
    return LabAnswer(**values)


def notes_of(lab: PromptLab) -> tuple[str, ...]:
    """Return what must be said beside the numbers of a lab."""
    n = len(lab.answers)
    found = [
        WHY_ONE_PROMPT,
        f"E[r], KL, Z and shares are exact sums over these {n} answers, no estimates for all answers: together they "
        f"hold a reference probability of {power_text(lab.held)}.",
    ]
    if lab.loss != "sigmoid":
        found.append(f"The run's loss is {lab.loss}; the five steps are those of the sigmoid loss, with its numbers.")
    cut = [name for name, answer in zip(lab.names, lab.answers, strict=True) if not answer.finished]
    if cut:
        found.append(f"{', '.join(cut)}: cut at the limit of tokens; the log-probs are those of what is there.")
    if lab.suggested == "equal":
        shares = lab.objective().shares
        place = shares.index(max(shares))
        found.append(
            f"{lab.names[place]} holds {shares[place]:.2f} of the reference's share: renormalised probabilities of "
            "whole answers collapse onto the likeliest, mostly the shortest one. Each alike shows the others too."
        )
    if not lab.drawn:
        found.append(
            "Not every answer was drawn from the reference unchanged: with each alike, the shares are a choice, not "
            "importance weighting."
        )
    found += [words for other in lab.others if (words := _other_note(lab, other))]
    return tuple(found)


def _other_note(lab: PromptLab, other: OtherPolicy) -> str:
    apart = [
        name
        for name, answer, reference in zip(lab.names, lab.answers, other.reference, strict=True)
        if abs(answer.reference - reference) > _ALIKE
    ]
    if not apart:
        return ""
    return (
        f"{other.name} has another reference, or reads {', '.join(apart)} as other tokens: its point is its policy's "
        f"probabilities on these answers, against the reference of {lab.run['name']}."
    )


def power_text(log_value: float) -> str:
    """Return a positive number that is given by its logarithm, however small or large it is.

    >>> power_text(math.log(0.25)), power_text(-1000.0), power_text(1000.0)
    ('0.25', '5.1e-435', '2.0e434')
    """
    if abs(log_value) < 9:
        return f"{math.exp(log_value):.3g}"
    exponent = math.floor(log_value / math.log(10))
    mantissa = math.exp(log_value - exponent * math.log(10))
    if mantissa >= 9.95:
        mantissa, exponent = mantissa / 10, exponent + 1
    return f"{mantissa:.1f}e{exponent}"


def given_of(lab_answers: Sequence[LabAnswer]) -> tuple[GivenAnswer, ...]:
    """Return the answers as another run scores them."""
    return tuple(
        GivenAnswer(f"y{number}", answer.text, answer.finished) for number, answer in enumerate(lab_answers, 1)
    )


def checked(request: LabRequest) -> LabRequest:
    """Return the request.

    Raises:
        UsageError: where it names no prompt or two, or cannot bring two answers.
    """
    if (request.prompt is None) == (not request.pair):
        raise UsageError("The lab looks at one prompt.", "Give its text, or name a pair.")
    has_pair = bool(request.pair) and request.pair_answers
    if not request.draw and not has_pair and not request.stored and len(request.given) < 2:
        raise UsageError("The lab needs two different answers.", "Draw some, or give two.")
    if request.draw and not request.authors:
        raise UsageError("Nobody is named to draw answers from.", "Name the reference or the policy.")
    return request
