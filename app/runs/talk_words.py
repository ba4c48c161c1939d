"""A talk in words: names over the columns, the line under an answer, votes. No widgets."""

from __future__ import annotations

from core.domain.counting import counted
from core.domain.evaluation_record import Arm
from core.domain.number_text import estimate_text, signed
from core.domain.prompt_inspection import InspectedAnswer
from core.domain.talk import Exchange, Reply, Talk
from core.services.talks.tally import TalkTally

SIDES = ("Left", "Right", "Third")


def arm_title(arm: Arm, run: str) -> str:
    """Return who an arm is: "Policy of dpo-b0.1", "Reference of dpo-b0.1", "Policy of dpo-b0.3"."""
    who = {"policy": "Policy of ", "reference": "Reference of "}.get(arm.name)
    return f"{who}{run}" if who else f"Policy of {arm.name}"


def column_titles(talk: Talk, run: str) -> list[str]:
    """Return who will answer, before the first exchange."""
    return [arm_title(arm, run) for arm in talk.arms]


def side_title(exchange: Exchange, place: int, talk: Talk, run: str) -> str:
    """Return what an answer is called: its side while names are hidden."""
    if not exchange.names_known:
        return SIDES[place]
    name = exchange.order[place]
    arm = next((one for one in talk.arms if one.name == name), None)
    return arm_title(arm, run) if arm is not None else name


def reply_words(reply: Reply | None, known: bool, answering: bool) -> str:
    """Return the line under an answer; counts and times would tell whose it is while names are hidden."""
    if reply is None:
        return "answering…" if answering else "no answer"
    end = {"EOS": "ends by itself", "cut": "cut at the limit", "stopped": "stopped"}[reply.end]
    if not known:
        return end if reply.stopped else ""
    parts = [counted(len(reply.token_ids), "token"), end, f"seed {reply.seed}"]
    if reply.first_token_s is not None:
        parts.append(f"first token {reply.first_token_s:.2f} s")
    if reply.dropped_turns:
        parts.append(f"{counted(reply.dropped_turns, 'turn')} did not fit")
    return " · ".join(parts)


def shift_words(answer: InspectedAnswer) -> str:
    """Return the sum of the changes along an answer, and what that is a token."""
    n = len(answer.tokens)
    return (
        f"Σ {signed(answer.displacement, 3)} nats over {counted(n, 'token')}, "
        f"{signed(answer.displacement / max(1, n), 3)} a token"
    )


def vote_words(exchange: Exchange | None) -> str:
    """Return what stands beside the votes."""
    if exchange is None:
        return "Write a message; both answer it."
    if len(exchange.order) != 2:
        return "A vote compares two answers."
    if not exchange.is_complete:
        return "Vote when both have ended."
    saved = f" · saved as pair {exchange.pair_id}" if exchange.pair_id else ""
    if exchange.vote is None:
        return f"No vote yet{saved}"
    return f"{exchange.vote.words()}{' · blind' if exchange.vote.blind else ''}{saved}"


def tally_words(tally: TalkTally | None, hidden: bool) -> str:
    """Return what the saved votes come to; counts by arm would tell which side wins while names are hidden."""
    if tally is None:
        return "Votes compare two answers."
    if not tally.votes:
        return "No vote is saved yet."
    if hidden:
        return f"{counted(tally.votes, 'vote')}. By whom they were won is hidden: it would tell which side is whose."
    first, ties, second, neither = tally.wins
    counts = f"{tally.first} {first}, tie {ties}, {tally.second} {second}, neither {neither}; {tally.blind} blind."
    share = tally.share
    if share is None:
        return counts
    return f"{counts} Won by {tally.first}, of decided: {estimate_text(share)} ({share.estimator})."
