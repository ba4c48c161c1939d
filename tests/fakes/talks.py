"""Talks without a model of any size: a run whose result was never trained, and a process that says given answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from core.domain.evaluation_record import Arm
from core.domain.run_config import RunConfig
from core.domain.talk import Reply
from core.runs.creation import NewRun, create_run
from core.runs.folder import RunFolder
from core.runs.talks.process import OnMessage, TalkEnded
from core.training.export.run_result import publish_result
from core.training.policy.model import load_model
from tests.tiny_models import save_tiny, tiny_pairs

CONFIG = RunConfig().with_values({
    "steps": 2, "batch_size": 2, "lora_r": 4, "max_length": 128, "device": "cpu", "threads": 1, "eval_every": 0,
    "kl_every": 0, "sample_every": 0,
})  # fmt: skip


def untrained_run(place: Path, model: Path | None = None, *, name: str = "r", **changes: Any) -> RunFolder:
    """Return a run with a result whose policy differs from its reference by noise.

    Args:
        place: folder for model and run.
        model: of an earlier one; a tiny model is saved when None.
        name: of the run; one letter.
        changes: of its settings.
    """
    model = model or save_tiny(place / "model")
    config = CONFIG.with_values(changes)
    folder = create_run(
        place / "runs" / name, NewRun(config, model, tiny_pairs(4), name=f"run {name}"), run_id=name * 32
    )
    loaded = load_model(model, config)
    with torch.no_grad():
        torch.manual_seed(len(name) + ord(name))
        for parameter in loaded.trainable().values():
            parameter += 0.2 * torch.randn_like(parameter)
    publish_result(folder.path, loaded, {"step": 2})
    return folder


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
