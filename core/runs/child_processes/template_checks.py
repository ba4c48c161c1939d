"""Checks of a preflight that say what the chat template and the tokenizer do to the texts of a run."""

from __future__ import annotations

from core.domain.counting import counted
from core.domain.preflight_report import Check, Level
from core.domain.run_config import RunConfig
from core.domain.run_events import TokenReport
from core.domain.token_notes import token_notes

TOLD_BEFORE = (
    "rewritten_answers",
    "respelled_answers",
    "other_header",
    "stop_added",
    "changed_prompts",
    "control_tokens",
    "folded_system",
    "lost_system",
)
"""Warnings of the engine that these checks say already, of all pairs."""
_HARMLESS = frozenset(("other_header", "folded_system"))


def template_checks(config: RunConfig, tokens: TokenReport) -> list[Check]:
    """Return what there is to say of the template's inputs and of the texts; nothing when there is nothing."""
    inputs = []
    if config.template_date:
        inputs.append(f"The template writes the date; fixed to {config.template_date} for this run.")
    if config.template_args:
        inputs.append(f"Its arguments: {config.template_args}.")
    found = [Check("template", "ok", " ".join(inputs))] if inputs else []
    notes = token_notes(tokens, config)
    level: Level = "warn" if notes.keys() - _HARMLESS else "ok"
    texts, hint = list(notes.values()), ""
    if tokens.rewritten and config.rewritten_answers == "stop":
        level, hint = "bad", "Look at the tokens; then set rewritten_answers to template or to answer."
        named = ", ".join(tokens.rewritten_ids[:5]) + (", ..." if tokens.rewritten > 5 else "")
        texts.insert(
            0,
            f"The chat template changes an answer of {counted(tokens.rewritten, 'pair')} ({named}), so the run would "
            "stop.",
        )
    return [*found, Check("answers", level, " ".join(texts), hint)] if texts else found
