"""Names in use for the columns of preference files, in lower case, the more telling ones first."""

from __future__ import annotations

import re

from core.services.importing.reading import FIELDS, ColumnRole

PROMPTS = (
    "prompt",
    "question",
    "instruction",
    "query",
    "user_prompt",
    "history",
    "context",
    "contents",
    "conversation",
    "conversations",
    "post",
    "input",
)
ANSWERS = (
    ("response_a", "response_b"),
    ("response1", "response2"),
    ("response_0", "response_1"),
    ("response_1", "response_2"),
    ("answer_a", "answer_b"),
    ("answer1", "answer2"),
    ("answer_0", "answer_1"),
    ("answer_1", "answer_2"),
    ("completion_a", "completion_b"),
    ("completion1", "completion2"),
    ("completion_1", "completion_2"),
    ("output_a", "output_b"),
    ("output1", "output2"),
    ("output_1", "output_2"),
    ("human_ref_a", "human_ref_b"),
    ("conversation_a", "conversation_b"),
    ("response_left", "response_right"),
    ("left_response", "right_response"),
    ("answer_left", "answer_right"),
    ("left_answer", "right_answer"),
    ("left", "right"),
)
MODELS = (
    ("chosen_model", "rejected_model"),
    ("chosen-model", "rejected-model"),
    ("model_a", "model_b"),
    ("model1", "model2"),
    ("model_1", "model_2"),
    ("model_0", "model_1"),
    ("response_a_model", "response_b_model"),
)
SCORES = (
    ("score_chosen", "score_rejected"),
    ("chosen_score", "rejected_score"),
    ("chosen-rating", "rejected-rating"),
    ("chosen_rating", "rejected_rating"),
    ("score_a", "score_b"),
    ("score1", "score2"),
    ("score_1", "score_2"),
    ("score_0", "score_1"),
    ("rating_a", "rating_b"),
    ("rating1", "rating2"),
    ("rating_1", "rating_2"),
    ("response_a_score", "response_b_score"),
    ("response_a_rating", "response_b_rating"),
    ("reward_chosen", "reward_rejected"),
    ("chosen_reward", "rejected_reward"),
    ("rating_chosen", "rating_rejected"),
    ("reward_a", "reward_b"),
    ("reward_1", "reward_2"),
    ("votes_a", "votes_b"),
    ("votes_1", "votes_2"),
    ("upvotes_a", "upvotes_b"),
)
RANKS = (
    ("rank_a", "rank_b"),
    ("rank1", "rank2"),
    ("rank_1", "rank_2"),
    ("rank_0", "rank_1"),
    ("ranking_a", "ranking_b"),
    ("response_a_rank", "response_b_rank"),
)
"""Columns with the places of the two answers, 1 the best."""
ORDERS = (
    "swapped", "is_swapped", "flipped", "is_flipped", "reversed", "is_reversed", "switched", "order_swapped",
    "position_swapped", "swap", "flip",
)  # fmt: skip
"""Columns that say of each row whether the answers were shown the other way round."""
LABELS = (
    "label",
    "labels",
    "winner",
    "preference",
    "preferred",
    "choice",
    "better",
    "better_response_id",
    "overall_preference",
    "preference_strength",
    "strength",
    "verdict",
    "vote",
    "judgement",
    "judgment",
    "human_preference",
    "preferred_answer",
    "preferred_response",
    "better_answer",
    "better_response",
)
OTHER_LABELS = ("safer_response_id", "gpt_preference", "majority", "gold_label")
"""Columns that also say who won, where another one is read."""
WHO = (
    "reviewer",
    "judge",
    "annotator",
    "annotator_id",
    "worker",
    "worker_id",
    "rater",
    "rater_id",
    "labeler",
    "labeler_id",
)
SYSTEM = ("system", "system_prompt")
LISTS = ("completions", "responses", "answers", "candidates", "generations")
LIST_SCORES = ("scores", "ratings", "rewards")
ONE_HOT = ("winner_model_a", "winner_model_b", "winner_tie")
INDIVIDUAL = ("individual_preference", "all_preferences_unprocessed")
"""Lists with one object and a signed score for each reviewer, as HelpSteer3 and HelpSteer2 write them."""
REVIEWER = re.compile(r"(?:annotator|annotation|rater|reviewer|labeler|labeller|judge|label|worker)[ _-]?\d{1,3}")

LABEL_WORDS = ("label", "winner", "prefer", "verdict", "vote", "judg", "choice", "better", "best", "wins")
"""Parts of a name by which a column of numbers may be one of labels; the user is asked."""

WORSE_WORDS = ("worse", "worst", "loser", "losing")
"""Parts of the name of a column that names the answer that lost."""

_FIELD_NAMES: dict[str, tuple[str, ...]] = {
    "prompt": ("prompt",),
    "chosen": ("chosen",),
    "rejected": ("rejected",),
    "first": ("response_a",),
    "second": ("response_b",),
    "answers": ("completions",),
    "label": ("label",),
    "reviewer": ("reviewer",),
    "score_first": ("score_chosen",),
    "score_second": ("score_rejected",),
    "scores": ("scores",),
    "model_first": ("chosen_model",),
    "model_second": ("rejected_model",),
    "system": ("system",),
    "unused": (),
}
_SIDES = {name for pair in (*ANSWERS, ("chosen", "rejected")) for name in pair}
_RIVALS: dict[str, set[str]] = {
    "prompt": set(PROMPTS) | {"messages"},
    "chosen": _SIDES,
    "rejected": _SIDES,
    "first": _SIDES,
    "second": _SIDES,
    "answers": {*LISTS, *_SIDES},
    "label": {*LABELS, *ONE_HOT, *INDIVIDUAL},
    "reviewer": set(WHO),
    "score_first": {name for pair in SCORES for name in pair},
    "score_second": {name for pair in SCORES for name in pair},
    "scores": set(LIST_SCORES),
    "model_first": {name for pair in MODELS for name in pair},
    "model_second": {name for pair in MODELS for name in pair},
    "system": set(SYSTEM),
    "unused": set(),
}


def with_fields(names: dict[str, str], chosen: dict[str, str]) -> dict[str, str]:
    """Return lower-case name -> column once the user has said what some columns are.

    A column that the user names takes the place of every other one that could be read as the same: the formats then
    find it under the usual name.

    Args:
        names: lower-case name -> column, as the file has them.
        chosen: column -> one of :data:`FIELDS`.
    """
    if not chosen:
        return names
    fields = set(chosen.values())
    rivals = set().union(*(_RIVALS[name] for name in fields))
    left = {name: column for name, column in names.items() if column not in chosen and name not in rivals}
    if "label" in fields:
        left = {name: column for name, column in left.items() if not REVIEWER.fullmatch(name)}
    for column, wanted in chosen.items():
        left.update(dict.fromkeys(_FIELD_NAMES[wanted], column))
    return left


def usual_role(name: str) -> ColumnRole:
    """Return what a column of this name, which a format has read, most likely became."""
    return _ROLES.get(name, ColumnRole.LABEL if REVIEWER.fullmatch(name) else ColumnRole.METADATA)


def _roles() -> dict[str, ColumnRole]:
    roles: dict[str, ColumnRole] = dict.fromkeys((*PROMPTS, "messages"), ColumnRole.PROMPT)
    roles |= {one: ColumnRole.FIRST for one, _ in ANSWERS} | {other: ColumnRole.SECOND for _, other in ANSWERS}
    roles |= {"response_1": ColumnRole.FIRST, "chosen": ColumnRole.CHOSEN, "rejected": ColumnRole.REJECTED}
    roles |= {"chosen_response": ColumnRole.CHOSEN, "rejected_response": ColumnRole.REJECTED}
    roles |= dict.fromkeys((name for pair in MODELS for name in pair), ColumnRole.MODEL)
    roles |= dict.fromkeys((name for pair in (*SCORES, *RANKS) for name in pair), ColumnRole.SCORE)
    roles |= dict.fromkeys((*LABELS, *ONE_HOT, *INDIVIDUAL), ColumnRole.LABEL)
    roles |= dict.fromkeys(WHO, ColumnRole.REVIEWER) | dict.fromkeys(SYSTEM, ColumnRole.SYSTEM)
    return roles | dict.fromkeys(LISTS, ColumnRole.ANSWERS) | dict.fromkeys(LIST_SCORES, ColumnRole.SCORE)


_ROLES = _roles()
assert set(_FIELD_NAMES) == set(FIELDS) == set(_RIVALS)
