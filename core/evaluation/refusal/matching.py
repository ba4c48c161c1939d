"""What the rules say of an answer. Needs no trained model and loads at once."""

from __future__ import annotations

from core.evaluation.refusal.phrases import ASKS_BACK, HARM, RULES
from core.evaluation.refusal.rules import Rule, plain_text, without_speech


def says_no(answer: str) -> bool:
    """Return whether the rules alone call an answer a refusal."""
    text = plain_text(answer)
    return bool(first_rule(text)) and not asks_back(text)


def first_rule(text: str) -> str:
    """Return the name of the first rule that fits a text of ``plain_text``; empty when none does."""
    own_words = without_speech(text)
    return next((rule.name for rule in RULES if _fits(rule, own_words)), "")


def asks_back(text: str) -> bool:
    """Return whether a text of ``plain_text`` only says that it did not understand."""
    return any(_fits(rule, text) for rule in ASKS_BACK) and not _fits(HARM, text)


def _fits(rule: Rule, text: str) -> bool:
    return rule.pattern.search(text[: rule.within]) is not None
