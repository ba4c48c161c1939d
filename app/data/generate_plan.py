"""What pairs can be generated of, what the form asks for, and the words about it. No widgets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from core.domain.counting import counted
from core.domain.errors import UsageError
from core.domain.generation import REASONS, BatchWish, GenerationRule, KeepChoice, LeaveReason
from core.domain.judgement import Reviewer
from core.domain.number_text import estimate_text
from core.domain.pair_table import SourceInfo
from core.domain.rubric import RubricVersion
from core.domain.tried_pairs import TriedPairs
from core.services.generations.requests import GENERATION_CONFIG, Answerer, GenerationRequest
from core.services.generations.views import GenerationInfo, LandedPairs, done_words
from core.services.runs.views import duration

if TYPE_CHECKING:  # it loads the database library, which the window does not wait for
    from core.services.application import Application

Kind = Literal["twice", "reference", "runs", "server"]
KINDS: tuple[tuple[Kind, str], ...] = (
    ("twice", "One policy twice"),
    ("reference", "Policy, reference"),
    ("runs", "Two policies"),
    ("server", "Server"),
)
ORIGINS = (("source", "A source"), ("file", "A file"), ("typed", "Typed"))
RULES: tuple[tuple[GenerationRule, str], ...] = (
    ("margin_near_zero", "with |margin| nearest 0"),
    ("disagreement", "on which two runs disagree"),
    ("length_gap", "with the largest gap of lengths"),
    ("random", "at random too"),
)


@dataclass(frozen=True, slots=True)
class GenerateChoices:
    """What there is to choose from; ``unfinished`` are generations to go on with, newest first."""

    answerers: Sequence[Answerer] = ()
    sources: Sequence[SourceInfo] = ()
    reviewers: Sequence[Reviewer] = ()
    rubrics: Sequence[RubricVersion] = ()
    unfinished: Sequence[GenerationInfo] = ()
    training: Sequence[str] = ()

    @property
    def runs(self) -> list[Answerer]:
        """Results and checkpoints of runs."""
        return [one for one in self.answerers if one.run_id]


@dataclass(frozen=True, slots=True)
class GenerateWish:
    """What the form asks for."""

    origin: str = "source"
    source: int | None = None
    file: str = ""
    typed: str = ""
    choose: int = 0
    choose_seed: int = 0
    unlabelled: bool = True
    kind: Kind = "reference"
    a: str = ""
    b: str = ""
    url: str = ""
    samples: int = 1
    temperature: float = GENERATION_CONFIG.temperature
    top_p: float = GENERATION_CONFIG.top_p
    repetition_penalty: float = GENERATION_CONFIG.repetition_penalty
    max_new_tokens: int = GENERATION_CONFIG.max_new_tokens
    seed: int = 0
    system_prompt: str = ""
    choices: Mapping[LeaveReason, KeepChoice] = field(default_factory=lambda: dict.fromkeys(REASONS, "leave_out"))
    batch: bool = False
    batch_name: str = ""
    take: int = 30
    random: int = 30
    rule: GenerationRule = "margin_near_zero"
    reviewers: tuple[int, ...] = ()
    rubric: int | None = None
    name: str = ""


def read_choices(services: Application, training: Sequence[str]) -> GenerateChoices:
    """Read what there is to choose from."""
    return GenerateChoices(
        answerers=services.generations.answerers(),
        sources=services.imports.sources(),
        reviewers=[one for one in services.reviewers.list() if one.kind.value == "human"],
        rubrics=services.rubrics.published(),
        unfinished=services.generations.unfinished(),
        training=training,
    )


def sides_of(wish: GenerateWish) -> tuple[str, str]:
    """Return the words of both sides; the second is empty where one policy answers twice.

    >>> sides_of(GenerateWish(kind="reference", a="run:r1@20"))
    ('run:r1@20', 'reference:r1@20')
    """
    if wish.kind == "server":
        return (f"endpoint:{wish.url.strip()}" if wish.url.strip() else ""), wish.b
    if wish.kind == "reference":
        return wish.a, f"reference:{wish.a.removeprefix('run:')}" if wish.a else ""
    return wish.a, "" if wish.kind == "twice" else wish.b


def request_of(wish: GenerateWish) -> GenerationRequest:
    """Return the request that the form asks for.

    Raises:
        UsageError: where a field must be filled in first.
        BadInput: for numbers that contradict each other.
    """
    a, b = sides_of(wish)
    if not a:
        raise UsageError("Nobody answers for side A yet.", "Choose a policy or a model, or type the URL of a server.")
    if wish.origin == "file" and not wish.file.strip():
        raise UsageError("No file of prompts is chosen.", "Choose one, or another place for the prompts.")
    typed = tuple(line.strip() for line in wish.typed.splitlines() if line.strip())
    if wish.origin == "typed" and not typed:
        raise UsageError("No prompt is typed.", "Type a prompt a line.")
    names = ("temperature", "top_p", "repetition_penalty", "max_new_tokens", "seed")
    values = {name: getattr(wish, name) for name in names}
    return GenerationRequest(
        a=a,
        b=b,
        file=Path(wish.file).expanduser() if wish.origin == "file" else None,
        source=wish.source if wish.origin == "source" else None,
        typed=typed if wish.origin == "typed" else (),
        choose=wish.choose,
        choose_seed=wish.choose_seed,
        unlabelled=wish.unlabelled,
        samples=wish.samples,
        config=GENERATION_CONFIG.with_values(values),
        system_prompt=wish.system_prompt.strip(),
        keep=tuple(reason for reason, choice in wish.choices.items() if choice == "keep"),
        batch=_batch_of(wish),
        margins=wish.kind == "reference",
        name=wish.name.strip(),
    )


def _batch_of(wish: GenerateWish) -> BatchWish | None:
    if not wish.batch:
        return None
    if not wish.batch_name.strip():
        raise UsageError("The batch has no name.", "Type one, or make no batch.")
    if wish.rubric is None:
        raise UsageError("A batch is labelled under a published rubric version.", "Publish one in Rubrics first.")
    if not wish.reviewers:
        raise UsageError("Nobody is chosen to label the batch.", "Choose a reviewer, or make no batch.")
    return BatchWish(wish.batch_name.strip(), wish.rubric, wish.reviewers, wish.take, wish.random, wish.rule, wish.seed)


def rules_of(kind: Kind) -> list[tuple[GenerationRule, str]]:
    """Return the rules that a kind of generation can answer.

    >>> [rule for rule, _ in rules_of("server")]
    ['length_gap', 'random']
    """
    margins: dict[Kind, tuple[str, ...]] = {"runs": (), "server": ("margin_near_zero", "disagreement")}
    without = margins.get(kind, ("disagreement",))
    return [(rule, words) for rule, words in RULES if rule not in without]


def on_policy_words(wish: GenerateWish, titles: Mapping[str, str], pairs: int) -> str:
    """Return which share of the answers a policy gives, and which one.

    >>> on_policy_words(GenerateWish(kind="reference", a="run:r1"), {"run:r1": "dpo · result"}, 200)
    '200 of 400 of dpo · result'
    """
    a, b = sides_of(wish)
    own = [word for word in (a, b or a) if word.partition(":")[0] in ("run", "model")]
    if not own:
        return f"0 of {2 * pairs:,}"
    named = list(dict.fromkeys(titles.get(word, word) for word in own))
    return f"{pairs * len(own):,} of {2 * pairs:,} of {' and '.join(named)}"


def tried_rows(tried: TriedPairs) -> list[tuple[str, str]]:
    """Return what was measured on the first pairs as rows of words."""
    rows = [
        ("Tokens of an answer", estimate_text(tried.tokens)),
        ("Cut at the limit", estimate_text(tried.cut)),
    ]
    if tried.memory_bytes:
        rows.append(("Memory", f"{tried.memory_bytes / 1e9:.1f} of {tried.machine_bytes / 1e9:.1f} GB"))
    return rows


def time_words(tried: TriedPairs) -> tuple[str, str]:
    """Return how long the whole takes, and its interval."""
    seconds = tried.seconds
    more = f"{duration(seconds.low)} to {duration(seconds.high)}" if seconds.has_interval else seconds.why_no_interval
    return f"about {duration(seconds.value)}", f"{more}, measured on {counted(tried.answers, 'answer')}"


def unfinished_words(info: GenerationInfo) -> str:
    """Return where a generation stopped."""
    done = done_words(info.status) or f"0 of {counted(2 * info.record.pairs, 'answer')}"
    return f"{info.name} stopped at {done}. Its answers are kept."


def landed_words(landed: LandedPairs) -> tuple[str, str]:
    """Return what became of a generation's pairs: a sentence, and the reasons."""
    report = landed.report
    where = f" are in Data as {landed.source}" if landed.source_id else " were kept"
    out = [f"{one.left_out:,} {one.title}" for one in report.reasons if one.left_out]
    told = [f"Left out: {'; '.join(out)}."] if out else []
    return f"{report.kept:,} of {counted(report.made, 'generated pair')}{where}.", " ".join([*told, *landed.told])
