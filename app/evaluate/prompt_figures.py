"""One prompt under policy and reference as rows and sentences: answers, tokens, likeliest tokens, near pairs."""

from __future__ import annotations

from collections.abc import Sequence

from app.widgets.labels import short
from app.widgets.plots.chart_card import TableRow
from app.widgets.token_texts import token_words
from core.domain.counting import counted
from core.domain.number_text import estimate_text, format_value, signed
from core.domain.prompt_inspection import InspectedAnswer, PromptInspection

TOKEN_HEADS = (
    "Place", "Token", "log π, nats", "log ref, nats", "π − ref", "Rank π", "Rank ref", "Entropy π", "Entropy ref",
    "KL, nats",
)  # fmt: skip
NEAR_HEADS = ("Pair", "Similarity", "Prompt", "Chosen")


def answer_title(answer: InspectedAnswer) -> str:
    """Return what an answer is called in the list."""
    whose = "" if answer.author == "given" else f" of the {answer.author}"
    return f"{answer.name}{whose}: {signed(answer.displacement, 3)} nats"


def answer_words(answer: InspectedAnswer, beta: float | None) -> str:
    """Return the sums of an answer, with their units; ``beta`` is None before it was read."""
    sums = (("log π", answer.policy), ("log ref", answer.reference))
    parts = [f"{name} {format_value(value, 4)} nats" for name, value in sums]
    reward = "" if beta is None else f" (implicit reward {signed(beta * answer.displacement, 3)} at β {beta:g})"
    parts.append(f"displacement {signed(answer.displacement, 3)} nats{reward}")
    parts.append(f"token KL along it {format_value(answer.kl, 3)} nats")
    end = "stops by itself" if answer.finished else "cut at the limit of tokens"
    return f"{counted(len(answer.tokens), 'token')}, {end}. {'; '.join(parts)}."


def token_rows(answer: InspectedAnswer) -> list[TableRow]:
    """Return a row for each token of an answer."""
    return [
        TableRow(
            (
                f"{place}", token_words(one.text), format_value(one.policy, 3), format_value(one.reference, 3),
                signed(one.displacement, 3), f"{one.policy_rank:,}", f"{one.reference_rank:,}",
                format_value(one.policy_entropy, 3), format_value(one.reference_entropy, 3), format_value(one.kl, 3),
            )
        )
        for place, one in enumerate(answer.tokens, 1)
    ]  # fmt: skip


def near_rows(found: PromptInspection) -> list[TableRow]:
    """Return the training pairs with the likest prompts, the nearest first."""
    return [
        TableRow((pair.pair_id, f"{pair.similarity:.2f}", _line(pair.prompt), _line(pair.chosen)))
        for pair in found.nearest
    ]


def near_words(found: PromptInspection) -> str:
    """Return how many training pairs were compared, and how."""
    if not found.searched:
        return "No training pair of this run could be compared."
    return f"Of {counted(found.searched, 'training pair')}, by TF-IDF cosine of the prompts: 1 is the same words."


def kl_words(found: PromptInspection) -> str:
    """Return the sequence KL at this prompt with interval, n and estimator; "" where it is not known."""
    if found.kl is None:
        return ""
    return f"Sequence KL at this prompt: {estimate_text(found.kl)} ({found.kl.estimator})."


def about_words(found: PromptInspection) -> list[str]:
    """Return what must stand beside the numbers."""
    dropped = f"{counted(found.dropped_turns, 'turn')} of the prompt did not fit." if found.dropped_turns else ""
    settings = f"Samples: {found.settings}, at most {counted(found.horizon, 'token')}." if found.settings else ""
    return [words for words in (kl_words(found), settings, dropped, *found.notes) if words]


def largest(answers: Sequence[InspectedAnswer]) -> float:
    """Return the largest change of a token among answers, nats; 1 at least, so that small ones look small."""
    return max([1.0, *(abs(token.displacement) for answer in answers for token in answer.tokens)])


def _line(text: str) -> str:
    return short(" ".join(text.split()), 90)
