"""The truth gate's audit of token ids. It is cheap, so it covers every pair."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

from core.domain.counting import counted, verb
from core.domain.errors import GateFailed, ModelRefused
from core.domain.run_config import RunConfig
from core.training.text.chat_template import probe
from core.training.text.encoded_pair import EncodedPair
from core.training.text.template_inputs import TemplateInputs, rules_of

MERGED_LIMIT = 0.1
"""Share of pairs whose boundary may be merged; more than that points to a fault of the template, not of the texts."""


def audit_tokens(
    encoded: Sequence[EncodedPair], tokenizer: Any, config: RunConfig, stop_ids: Iterable[int]
) -> dict[str, str]:
    """Check the template and the tokens of every pair; return the result of each check by cause.

    Raises:
        GateFailed: with the cause's name and the pairs that show it.
    """
    return {
        "template_roles": check_template_roles(tokenizer, config),
        "rewritten_answer": check_answers_kept(encoded, config),
        "all_masked": check_not_masked(encoded),
        "identical_answers": check_answers_differ(encoded),
        "double_bos": check_single_bos(encoded, tokenizer.bos_token_id),
        "template_refuses": "the template renders the conversation of every pair that trains",
        "weight": f"the weights of the pairs add up to {sum(pair.weight for pair in encoded):g}",
        "missing_eos": check_stop_token(encoded, stop_ids, row_end(tokenizer, config)),
        "merged_boundary": check_boundary(encoded),
    }


def check_template_roles(tokenizer: Any, config: RunConfig) -> str:
    """Require that the chat template shows every message once, in order, under its own role."""
    if config.template == "none":
        return "plain text, no template"
    try:
        chat = probe(tokenizer, TemplateInputs.of(config))
    except ModelRefused as error:
        raise GateFailed(error.message, error.hint, cause="template_roles") from error
    return f"a marked conversation was rendered whole (template {chat.sha256[:12]})"


def check_answers_kept(encoded: Sequence[EncodedPair], config: RunConfig) -> str:
    """Require that the scored text of every pair is its answer, unless the run accepts what the template makes."""
    changed = _which(encoded, lambda p: p.rewritten)
    if config.rewritten_answers == "stop":
        _refuse(
            "rewritten_answer",
            changed,
            "the chat template changes an answer (it moves or adds a thought, or strips blanks), so that another text "
            "than the answer would be trained",
            "See both texts with: pairwright train ... --proof. Then set rewritten_answers to template (train what the "
            "template makes of them) or to answer (train them as they stand).",
        )
    if changed:
        return f"{counted(len(changed), 'pair')} {verb(len(changed), 'is', 'are')} trained as the template changes them"
    return "the scored texts are the answers"


def check_not_masked(encoded: Sequence[EncodedPair]) -> str:
    """Require a response token to learn from on both sides of every pair."""
    _refuse(
        "all_masked",
        _which(encoded, is_masked),
        "no response token is left to learn from",
        "Raise max_length, or raise min_response so that such pairs are dropped.",
    )
    least = min((min(p.response_tokens()) for p in encoded), default=0)
    return f"at least {least} response tokens on each side"


def check_answers_differ(encoded: Sequence[EncodedPair]) -> str:
    """Require two different responses in every pair."""
    _refuse(
        "identical_answers",
        _which(encoded, has_same_answers),
        "both responses are the same tokens, so there is no preference to learn",
        "Raise max_length if truncation made them equal, or remove these pairs from the dataset.",
    )
    return "both responses differ in every pair"


def check_single_bos(encoded: Sequence[EncodedPair], bos_id: int | None) -> str:
    """Require that no row begins with two BOS tokens."""
    if bos_id is None:
        return "the tokenizer has no BOS"
    _refuse(
        "double_bos",
        _which(encoded, lambda p: begins_twice(p, bos_id)),
        "the text begins with two BOS tokens, which the model never saw in training",
        "Remove the BOS text from the prompts, or use the model's original chat template.",
    )
    return "no row begins with two BOS tokens"


def row_end(tokenizer: Any, config: RunConfig) -> int:
    """Return the id of the token that ends every row of a run; -1 when there is none."""
    if config.template == "none":
        return -1 if tokenizer.eos_token_id is None else int(tokenizer.eos_token_id)
    return probe(tokenizer, TemplateInputs.of(config), rules=rules_of(config)).stop_id


def check_stop_token(encoded: Sequence[EncodedPair], stop_ids: Iterable[int], row_end: int = -1) -> str:
    """Require that every response that was not cut ends with a token that stops generation: the template's own."""
    stops = frozenset(stop_ids)
    if row_end in stops:
        stops = frozenset((row_end,))
    if not stops:
        raise GateFailed(
            "The model has no stop token, so a response could never end.",
            "Set eos_token in tokenizer_config.json or eos_token_id in generation_config.json.",
            cause="missing_eos",
        )
    _refuse(
        "missing_eos",
        _which(encoded, lambda p: never_stops(p, stops)),
        "a response does not end with a stop token, so the model would learn not to stop",
        "Set eos_token_id in generation_config.json to the token that the chat template ends an answer with.",
    )
    return f"responses end with one of {sorted(stops)}; {sum(p.truncated for p in encoded)} were cut"


def check_boundary(encoded: Sequence[EncodedPair]) -> str:
    """Require that tokens seldom span the end of the prompt and the start of the response."""
    merged = _which(encoded, lambda p: p.merged_boundary)
    if len(merged) > MERGED_LIMIT * max(len(encoded), 1):
        _refuse(
            "merged_boundary",
            merged,
            "a token spans the end of the prompt and the start of the response, so generation "
            "would never start from these tokens",
            "Remove white space from the end of the prompts, or use the model's own chat template.",
        )
    return f"{len(merged)} of {counted(len(encoded), 'pair')} have a merged boundary"


def is_masked(pair: EncodedPair) -> bool:
    """Return whether a side has no response token to learn from."""
    return min(pair.response_tokens()) == 0


def has_same_answers(pair: EncodedPair) -> bool:
    """Return whether both responses are the same tokens."""
    return pair.chosen_ids == pair.rejected_ids


def begins_twice(pair: EncodedPair, bos_id: int | None) -> bool:
    """Return whether the row begins with two BOS tokens."""
    return bos_id is not None and (pair.prompt_ids + pair.chosen_ids)[:2] == (bos_id, bos_id)


def never_stops(pair: EncodedPair, stops: Collection[int]) -> bool:
    """Return whether a response that was not cut ends without a stop token."""
    return not pair.truncated and not {pair.chosen_ids[-1], pair.rejected_ids[-1]} <= set(stops)


def highest_id(pair: EncodedPair) -> int:
    """Return the highest token id of the pair."""
    return max((*pair.prompt_ids, *pair.chosen_ids, *pair.rejected_ids))


def _which(encoded: Sequence[EncodedPair], test: Callable[[EncodedPair], bool]) -> list[str]:
    return [pair.pair_id for pair in encoded if test(pair)]


def _refuse(cause: str, pair_ids: list[str], what: str, hint: str) -> None:
    if pair_ids:
        named = ", ".join(pair_ids[:5]) + (", ..." if len(pair_ids) > 5 else "")
        raise GateFailed(f"In {counted(len(pair_ids), 'pair')} {what}: {named}.", hint, cause=cause)
