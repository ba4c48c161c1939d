"""What a person is told of the texts of a run: sentences drawn from the counts of its token report."""

from __future__ import annotations

from core.domain.counting import counted, verb
from core.domain.run_config import RunConfig
from core.domain.run_events import TokenReport


def token_notes(report: TokenReport, config: RunConfig) -> dict[str, str]:
    """Return a sentence for each thing that template and tokenizer do to the texts, by a machine name.

    Args:
        report: of the run's pairs.
        config: of the run. Plain text (template=none) has no stop token of its own, so that none is told as missing.
    """
    found = {}
    if report.rewritten and config.rewritten_answers != "stop":
        found["rewritten_answers"] = (
            f"The chat template changes an answer of {counted(report.rewritten, 'pair')} "
            f"({_named(report.rewritten_ids, report.rewritten)}); it is trained as the template makes it."
        )
    if n := report.respelled:
        found["respelled_answers"] = (
            f"The tokens of {counted(n, 'pair')} ({_named(report.respelled_ids, n)}) stand for another text than the "
            "answer: the tokenizer composes letters or lacks a character."
        )
    if n := report.other_header:
        found["other_header"] = (
            f"The answers of {counted(n, 'pair')} {verb(n, 'starts', 'start')} behind another header than the one that "
            "the template gives for generation (an empty thought, or no opened thought). Samples and KL start from "
            "the same header as training."
        )
    if report.eos_added and config.template != "none":
        n = report.eos_added
        found["stop_added"] = (
            f"The chat template ends an answer of {counted(n, 'pair')} without the model's stop token. The run appends "
            "it, so that the policy learns to stop."
        )
    if n := report.changed_prompts:
        found["changed_prompts"] = (
            f"The template does not show every turn of the prompt of {counted(n, 'pair')} whole: it drops earlier "
            "thoughts or strips blanks."
        )
    if n := report.folded_system:
        found["folded_system"] = (
            f"The template has no place for a system text: that of {counted(n, 'pair')} opens the first question."
        )
    if n := report.lost_system:
        found["lost_system"] = (
            f"{counted(n, 'pair')} {verb(n, 'loses', 'lose')} the system text, because it stands in a turn that is cut "
            "to max_length."
        )
    if n := report.control_tokens:
        found["control_tokens"] = (
            f"{counted(n, 'pair')} {verb(n, 'holds', 'hold')} control tokens of the tokenizer inside a text; they are "
            "encoded as control tokens, not as text."
        )
    return found


def cut_words(report: TokenReport) -> str:
    """Return what the truncated pairs lost; "" where that is not known."""
    prompts, answers = report.cut_prompts, report.cut_answers
    lost = [f"{counted(prompts, 'prompt')} lost {verb(prompts, 'its', 'their')} start"] if prompts else []
    if answers:
        lost.append(
            f"{counted(answers, 'pair')} the end of an answer"
            if lost
            else f"{counted(answers, 'pair')} lost the end of an answer"
        )
    return ", ".join(lost)


def _named(ids: tuple[str, ...], count: int) -> str:
    return ", ".join(ids[:5]) + (", ..." if count > 5 else "")
