"""Child program: look at one prompt under policy and reference of a run. It needs torch."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from core.domain.conversation import Prompt
from core.domain.errors import BadInput
from core.domain.estimate import Estimate
from core.domain.evaluation_record import Arm
from core.domain.evaluation_settings import EvaluationConfig
from core.domain.kl_estimate import kl_name
from core.domain.pair import TrainingPair
from core.domain.prompt_inspection import (
    ONE_PROMPT,
    Author,
    GivenAnswer,
    InspectedAnswer,
    NearPair,
    PromptInspection,
)
from core.domain.suite import SuiteItem
from core.evaluation.measures.means import mean_by_prompt
from core.evaluation.nearest import nearest_texts
from core.evaluation.token_shift import token_shifts
from core.model_files.offline import go_offline
from core.runs.child_processes.request import Part, Progress, serve_parts
from core.runs.evaluations.local_model import LocalModel
from core.runs.evaluations.model_batches import EncodedPrompt, prompt_batches
from core.runs.folder import RunFolder
from core.runs.priority import lower_priority
from core.training.text.response_mask import without_second_bos

ARMS: dict[Author, Arm] = {"policy": Arm("policy", "aligned"), "reference": Arm("reference", "reference")}
_SUITE = "inspection"
"""Stands in place of a suite where seeds are derived."""


def inspect(request: dict[str, Any], progress: Progress, part: Part) -> dict[str, Any]:
    """Return the inspection of a request of :func:`core.runs.evaluations.inspecting.inspect_prompt` as plain values."""
    go_offline()
    run, config = RunFolder(Path(request["run_dir"])), EvaluationConfig().with_values(request["config"])
    prompt, samples = Prompt.from_plain(request["prompt"]), int(request["samples"])
    given = [GivenAnswer(name, text, finished) for name, text, finished in request["given"]]
    authors: list[Author] = request["authors"]
    total = 2 + len(given) + len(authors) * samples
    answers: list[InspectedAnswer] = []
    notes: list[str] = [ONE_PROMPT]
    dropped = 0
    if given or samples:
        progress(0, total, "Loading the model")
        look = PromptLook(LocalModel(run.path, int(request["step"]), config, {}), prompt, int(request["likely"]))
        for answer in look.answers(given, samples, authors):
            answers.append(answer)
            part(answer.to_plain())
            progress(1 + len(answers), total, f"{answer.name} ({answer.author}) is scored")
        notes += look.notes
        dropped = look.prompt.dropped_turns
    progress(total - 1, total, "Searching the training pairs")
    near, searched = nearest_pairs(prompt, run.pairs(), int(request["nearest"]))
    record = run.record()
    return PromptInspection(
        run={"run_id": record.run_id, "name": record.name, "step": int(request["step"])},
        beta=record.config.beta,
        prompt=prompt,
        horizon=config.max_new_tokens,
        settings=_settings_words(config),
        answers=tuple(answers),
        kl=kl_of(answers, config),
        nearest=tuple(near),
        searched=searched,
        dropped_turns=dropped,
        notes=tuple(notes),
    ).to_plain()


class PromptLook:
    """One prompt under policy and reference of a loaded model.

    Args:
        model: both, with the settings of the decoder.
        prompt: what is asked.
        likely: how many of the likeliest tokens of each are named at each place.

    Attributes:
        prompt: as tokens. notes: what must be said of the answers that were looked at.

    Raises:
        BadInput: when the model cannot read the prompt.
    """

    def __init__(self, model: LocalModel, prompt: Prompt, likely: int) -> None:
        self._model, self._likely = model, likely
        found, _ = model.encoded(ARMS["policy"], [SuiteItem(_SUITE, prompt, "open")], model.config.max_new_tokens)
        if not found:
            raise BadInput("The model cannot read this prompt: its last turn is too long. Nothing was measured.")
        self.prompt = found[0]
        self.notes: list[str] = []

    def answers(
        self, given: Sequence[GivenAnswer], samples: int, authors: Sequence[Author] = ("policy", "reference")
    ) -> Iterator[InspectedAnswer]:
        """Yield the given answers, then samples of each author with the same seeds."""
        for answer in given:
            yield self._given(answer)
        for author in authors if samples else ():
            yield from self._sampled(author, ARMS[author], samples)

    def _given(self, answer: GivenAnswer) -> InspectedAnswer:
        """Encode an answer as training does, behind the prompt that training would put before it.

        One that does not end where its text does is scored without the stop token.
        """
        pair = TrainingPair(answer.name, self.prompt.item.prompt, answer.text, answer.text, "dev", 1.0, 1.0, False)
        encoder = self._model.encoder
        rows = encoder.encode([pair])[0]
        whole = without_second_bos(rows.chosen, encoder.bos_id)[0]
        row = whole.cut(encoder.limit)
        if row.start >= len(row.ids):
            raise BadInput(
                f"Nothing of the answer {answer.name} is left at the run's max length. Nothing was measured."
            )
        if rows.shortened or row is not whole:
            self.notes.append(f"The answer {answer.name} or its prompt is cut to the run's max length.")
        ends = len(row.ids) - (row.complete and not answer.finished)
        tokens = token_shifts(self._model.model, row.ids[: row.start], row.ids[row.start : ends], self._likely)
        return InspectedAnswer(answer.name, "given", answer.text, tuple(tokens), row.complete and answer.finished)

    def _sampled(self, author: Author, arm: Arm, samples: int) -> Iterator[InspectedAnswer]:
        asked = [self._numbered(n) for n in range(1, samples + 1)]
        found = []
        with self._model.decoding(arm, asked):
            for batch in prompt_batches(asked, self._model.config, self._model.config.max_new_tokens):
                found += self._model.answer(arm, _SUITE, batch)
        for prompt, row in zip(asked, sorted(found, key=lambda row: int(row.item.split()[-1])), strict=True):
            tokens = token_shifts(self._model.model, prompt.ids, row.token_ids, self._likely)
            yield InspectedAnswer(row.item, author, row.text, tuple(tokens), row.finished, row.seed)

    def _numbered(self, n: int) -> EncodedPrompt:
        """Return the prompt under the name of a sample, which its seed follows from."""
        return replace(self.prompt, item=replace(self.prompt.item, id=f"sample {n}"))


def _settings_words(config: EvaluationConfig) -> str:
    penalty = f"repetition penalty {config.repetition_penalty:g}, " if config.repetition_penalty != 1.0 else ""
    drawn = f"temperature {config.temperature:g}, top-p {config.top_p:g}, top-k {config.top_k}"
    return f"{drawn}, {penalty}seed {config.seed}"


def kl_of(answers: Sequence[InspectedAnswer], config: EvaluationConfig) -> Estimate | None:
    """Return the sequence KL at the prompt; None unless samples follow the policy's own distribution."""
    own = [answer for answer in answers if answer.author == "policy"]
    if not own or (config.temperature, config.top_p, config.top_k, config.repetition_penalty) != (1.0, 1.0, 0, 1.0):
        return None
    what = f"{kl_name(config.max_new_tokens)}, at this prompt, Rao-Blackwellised over answers of the policy"
    found = mean_by_prompt([answer.kl for answer in own], None, "nats", what, over="answer")
    return replace(found, low=max(0.0, found.low)) if found.has_interval else found


def nearest_pairs(prompt: Prompt, pairs: Sequence[TrainingPair], most: int) -> tuple[list[NearPair], int]:
    """Return the training pairs whose prompts are likest, and how many were compared."""
    trained = [pair for pair in pairs if pair.split == "train"]
    texts = [pair.prompt.as_text() for pair in trained]
    near = nearest_texts(prompt.as_text(), texts, most)
    found = [
        NearPair(trained[at].pair_id, similarity, texts[at], trained[at].chosen, trained[at].rejected)
        for at, similarity in near
    ]
    return found, len(trained) if most else 0


if __name__ == "__main__":
    lower_priority()
    sys.exit(serve_parts(inspect))
