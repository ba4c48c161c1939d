"""What the objective lab shows: the answers, the beta that is looked at, and the figures that follow from both."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from app.widgets.labels import short
from app.widgets.plots.chart_card import TableRow
from core.domain.closed_form import AnswersObjective, Optimum, Placed
from core.domain.conversation import Prompt
from core.domain.counting import counted
from core.domain.lab_steps import LabStep, StepsView, lab_steps
from core.domain.number_text import format_value, signed
from core.domain.prompt_inspection import Author
from core.domain.prompt_lab import LabRequest, PromptLab, Weighing, power_text

LOW, HIGH = 0.02, 2.0
"""Ends of the beta slider; a run that was trained outside them widens it."""
MARKED = (0.05, 0.1, 0.2, 0.5, 1.0)
"""Betas whose points the frontier names."""
FRONTIER_HEADS = ("Point", "β", "KL, nats", "E[r]", "Effective answers")
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")
_WORDS = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
_MOST_LETTERS = 400


@dataclass(frozen=True, slots=True)
class DrawChoices:
    """How answers are got: how many are drawn, from whom and how, and which others come with them.

    Attributes:
        answers: of each author. author: "reference", "policy" or "both".
        pair_answers: the two answers of the pair come first. stored: samples of the run and answers of evaluations too.
        others: ids of further runs that are placed on the same answers.
    """

    answers: int = 6
    author: str = "reference"
    temperature: float = 1.0
    seed: int = 0
    tokens: int = 64
    pair_answers: bool = True
    stored: bool = False
    others: tuple[str, ...] = ()

    @property
    def authors(self) -> tuple[Author, ...]:
        """Whom answers are drawn from."""
        if self.author == "both":
            return ("reference", "policy")
        return ("policy",) if self.author == "policy" else ("reference",)

    def again(self) -> DrawChoices:
        """Return the same with the next seed."""
        return replace(self, seed=self.seed + 1)


@dataclass(frozen=True, slots=True)
class LabPrompt:
    """What is asked: a pair of the run, or a text that was typed (then ``pair_id`` is empty)."""

    text: str
    pair_id: str = ""


def lab_request(run_id: str, prompt: LabPrompt, choices: DrawChoices) -> LabRequest:
    """Return what the service is asked for."""
    return LabRequest(
        run_id,
        None if prompt.pair_id else Prompt.from_text(prompt.text),
        prompt.pair_id,
        choices.pair_answers,
        stored=choices.stored,
        draw=choices.answers,
        authors=choices.authors,
        others=choices.others,
        settings={"temperature": choices.temperature, "seed": choices.seed, "max_new_tokens": choices.tokens},
    )


@dataclass(frozen=True, slots=True)
class LabRow:
    """One answer as the table shows it.

    Attributes:
        name: "y₁"; role: "w" or "l" for the answers of 5.3 and 5.5, else "".
        tokens: how many; "64+" for one that was cut. before, after: its share of the reference and of the optimum.
    """

    name: str
    role: str
    text: str
    origin: str
    tokens: str
    reference: str
    h: str
    reward: str
    reward_value: float
    before: float
    after: float


class LabState:
    """The lab that is shown and what the user looks at. Frontier and rows are computed from it; nothing is read."""

    def __init__(self) -> None:
        self.lab: PromptLab | None = None
        self.beta = 0.1
        self.weighing: Weighing = "reference"
        self.of = self.winner = self.loser = 0
        self._objective: AnswersObjective | None = None
        self._frontier: tuple[Optimum, ...] = ()

    def show(self, lab: PromptLab) -> None:
        """Take another lab, at the beta that its run was trained with."""
        self.lab, self.beta = lab, lab.beta
        self.winner, self.loser = lab.best_and_worst()
        self.of = self.winner
        self.weigh(lab.suggested)

    def weigh(self, weighing: Weighing) -> None:
        """Spread the reference over the answers in another way."""
        self.weighing = weighing
        if self.lab is not None:
            self._objective = self.lab.objective(weighing)
            low, high = self.ends
            self._frontier = self._objective.frontier(low / 4, high * 8, 161)

    @property
    def ends(self) -> tuple[float, float]:
        """Ends of the slider."""
        trained = self.lab.beta if self.lab is not None else LOW
        return min(LOW, trained / 2), max(HIGH, trained * 2)

    def choose(self, *, winner: int | None = None, loser: int | None = None) -> None:
        """Choose y_w or y_l; when it was the other one, both change places."""
        before = self.winner, self.loser
        if winner is not None:
            self.winner, self.loser = winner, before[0] if winner == before[1] else before[1]
        if loser is not None:
            self.loser, self.winner = loser, before[1] if loser == before[0] else before[0]

    @property
    def objective(self) -> AnswersObjective:
        """The objective on the answers; only while a lab is shown."""
        assert self._objective is not None
        return self._objective

    @property
    def optimum(self) -> Optimum:
        """The optimum at the present beta."""
        return self.objective.at(self.beta)

    @property
    def frontier(self) -> tuple[Optimum, ...]:
        """The optima from the reference to a small beta."""
        return self._frontier

    def over_beta(self) -> tuple[tuple[float, ...], list[tuple[str, tuple[float, ...]]], tuple[float, ...]]:
        """Return rising betas, the named share of each answer over them, and the effective number of answers."""
        low, high = self.ends
        optima = [one for one in reversed(self._frontier) if low <= one.beta <= high]
        count = len(self.objective.rewards)
        shares = [(y_name(place), tuple(one.shares[place] for one in optima)) for place in range(count)]
        return tuple(one.beta for one in optima), shares, tuple(one.effective for one in optima)

    def steps(self) -> tuple[LabStep, ...]:
        """Return the five steps."""
        assert self.lab is not None
        view = StepsView(self.lab, self.weighing, self.optimum, self.of, self.winner, self.loser)
        return lab_steps(view)

    def rows(self) -> list[LabRow]:
        """Return the answers with their shares at the present beta."""
        lab = self.lab
        if lab is None:
            return []
        before, after = self.objective.shares, self.optimum.shares
        roles = {self.winner: "w", self.loser: "l"}
        return [
            LabRow(
                y_name(place), roles.get(place, ""), " ".join(one.text.split())[:_MOST_LETTERS],
                one.name if one.count == 1 else f"{one.name}, drawn {one.count} times",
                f"{one.tokens}{'' if one.finished else '+'}", format_value(one.reference, 3),
                signed(one.displacement, 3), signed(lab.rewards[place], 3), lab.rewards[place], before[place],
                after[place],
            )
            for place, one in enumerate(lab.answers)
        ]  # fmt: skip

    def results(self) -> tuple[tuple[str, str, str], ...]:
        """Return name, value and tooltip of the four numbers over the table."""
        if self.lab is None:
            return ()
        at, on = self.optimum, on_these(len(self.lab.answers))
        return (
            ("E[r]", signed(at.reward), f"Expected implicit reward of the optimum {on}, an exact sum"),
            ("KL", f"{format_value(at.kl)} nats", f"KL(π* || π ref) {on}, an exact sum"),
            ("Z", power_text(at.log_z), f"Σ π ref(y) e^(r/β) {on}"),
            (
                "effective answers", f"{at.effective:.1f} of {len(self.lab.answers)}",
                "1 / Σ π*²: as many answers as equal shares would need for this spread",
            ),
        )  # fmt: skip

    def placed(self) -> list[tuple[str, Placed]]:
        """Return the other runs' points."""
        lab = self.lab
        return [] if lab is None else [(other.name, lab.placed(other, self.weighing)) for other in lab.others]

    def frontier_rows(self) -> list[TableRow]:
        """Return the points of the frontier as rows."""
        if self.lab is None:
            return []
        betas = sorted({*MARKED, self.lab.beta, self.beta}, reverse=True)
        found = [
            ("reference", self.objective.at(math.inf)),
            *((point_name(self, b), self.objective.at(b)) for b in betas),
        ]
        rows = [
            TableRow((name, f"{one.beta:g}", format_value(one.kl), signed(one.reward), f"{one.effective:.2f}"))
            for name, one in found
        ]
        for name, at in self.placed():
            words = f"{short(name)}, {format_value(at.gap)} below the line"
            rows.append(TableRow((words, "", format_value(at.kl), signed(at.reward), "")))
        return rows

    def note(self) -> str:
        """Return the sentence under the table."""
        if self.lab is None:
            return ""
        these = _these(len(self.lab.answers))
        if self.weighing == "equal" and not self.lab.drawn:
            return f"Each of {these} alike: at β = β₀ the optimum weighs an answer by e^h."
        if self.weighing == "equal":
            return f"At β = β₀ the optimum weighs each answer by e^h: the policy, importance-weighted on {these}."
        return f"At β = β₀ the optimum is the trained policy on {these}: that is step 5.2."


def point_name(state: LabState, beta: float) -> str:
    """Return what a point of the frontier is called."""
    trained = state.lab is not None and math.isclose(beta, state.lab.beta)
    return f"β {beta:.3g}{' = β₀, the policy' if trained else ''}"


def share_text(share: float) -> str:
    """Return a share in as few letters as a bar has beside it.

    >>> share_text(0.6541), share_text(0.0), share_text(1e-9)
    ('0.654', '0.000', '<0.001')
    """
    return "<0.001" if 0 < share < 0.0005 else f"{share:.3f}"


def y_name(place: int) -> str:
    """Return what an answer is called.

    >>> y_name(0), y_name(11)
    ('y₁', 'y₁₂')
    """
    return f"y{place + 1}".translate(_SUBSCRIPTS)


def with_subscripts(text: str) -> str:
    """Return a name of a formula with its answers written as the table writes them.

    >>> with_subscripts("π*(y12)")
    'π*(y₁₂)'
    """
    return re.sub(r"y\d+", lambda found: found[0].translate(_SUBSCRIPTS), text)


def number_word(count: int) -> str:
    """Return a small count in letters.

    >>> number_word(6), number_word(30)
    ('six', '30')
    """
    return _WORDS[count] if count < len(_WORDS) else f"{count}"


def _these(count: int) -> str:
    return f"these {number_word(count)}"


def on_these(count: int) -> str:
    """Return that a number is one of the answers that are shown."""
    return f"on {_these(count)} answers"


def chips_of(lab: PromptLab, choices: DrawChoices) -> tuple[str, str]:
    """Return the two chips of the header: how many answers from where, and the seed."""
    drawn = sum(one.count for one in lab.answers if one.author != "given")
    given = len(lab.answers) - sum(one.author != "given" for one in lab.answers)
    author = {"both": "reference and policy"}.get(choices.author, f"the {choices.author}")
    words = counted(len(lab.answers), "answer")
    if drawn and not given:
        words += f" drawn from {author}"
    elif drawn:
        words += f", {drawn} drawn from {author}"
    return words, f"seed {choices.seed}" if drawn else ""


def prompts_of(pairs: Iterable[tuple[str, str]], most: int = 400) -> list[LabPrompt]:
    """Return the prompts of (pair id, prompt), each once, the first pair of it."""
    found: dict[str, LabPrompt] = {}
    for pair_id, text in pairs:
        if len(found) >= most:
            break
        found.setdefault(text, LabPrompt(text, pair_id))
    return list(found.values())
