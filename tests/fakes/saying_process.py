"""Talks without a model: arms that nobody loads, and a process that says given answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from core.domain.evaluation_record import Arm
from core.domain.talk import Reply
from core.runs.talks.process import OnMessage, TalkEnded


def arm(name: str = "policy", kind: Any = "aligned", run_dir: str = "nowhere") -> Arm:
    """Return an arm of a run that nobody loads."""
    return Arm(name, kind, run_dir, "r" * 32)


class SayingProcess:
    """Answers with given texts, a word a token; the last word is followed by the end.

    Args:
        answers: (arm, question) to text; what is missing is answered with the arm's name and the question.

    Attributes:
        asked: the bodies of all requests.
        ends_after: so many tokens, then the process ends by itself; None for never.
        heard: called before each token; tests stop there.
    """

    def __init__(self, answers: Mapping[tuple[str, str], str] | None = None) -> None:
        self.answers = dict(answers or {})
        self.asked: list[Mapping[str, Any]] = []
        self.ends_after: int | None = None
        self.heard: Callable[[], None] = lambda: None
        self.stopped = self.closed = False

    def starts(self, _arms: Sequence[Arm]) -> SayingProcess:
        """Stand in for the start of a process."""
        return self

    def request(self, body: Mapping[str, Any], on_message: OnMessage) -> Any:
        """Answer as the real process does."""
        self.asked.append(body)
        self.stopped = False
        if body["op"] == "rendered":
            ((_, turns),) = body["prompts"].items()
            parts = [["<|turn|>", True], [turns[-1]["content"], False]]
            return {"parts": parts, "tokens": 2, "system_tokens": 0, "dropped_turns": 0}
        return self._answers(body, on_message)

    def _answers(self, body: Mapping[str, Any], on_message: OnMessage) -> list[dict[str, Any]]:
        found, told = [], 0
        for name, turns in body["prompts"].items():
            question = turns[-1]["content"]
            words = self.answers.get((name, question), f"{name} says {question}").split(" ")
            said: list[str] = []
            for n, word in enumerate(words, 1):
                if told == self.ends_after:
                    raise TalkEnded("The process that holds the models was killed. The talk is kept.", "Send again.")
                self.heard()
                if self.stopped:
                    break
                said.append(word if n == 1 else f" {word}")
                told += 1
                on_message({"token": [name, said[-1], n, n == len(words)]})
            finished = len(said) == len(words)
            found.append(
                Reply(
                    name, "".join(said), tuple(range(len(said))), finished, not finished,
                    body["settings"]["seed"], 7, 0, 0.1, 0.2,
                ).to_plain()
            )  # fmt: skip
        return found

    def stop(self) -> None:
        """Stop the answer."""
        self.stopped = True

    def close(self) -> None:
        """End."""
        self.closed = True
