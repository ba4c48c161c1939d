"""The prompts of a generation: of a file, of a source of the workspace, or typed; never those of a sealed test."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from core import bounded
from core.domain.conversation import Prompt
from core.domain.counting import counted
from core.domain.errors import BadInput, NotFound, UsageError
from core.domain.text_form import prompt_keys
from core.services.generations.requests import GenerationRequest
from core.services.suites.columns import SuiteChoices
from core.services.suites.suite_file import MOST_BYTES, read_suite_file
from core.store import generated, sources
from core.store.sqlite.database import Session


@dataclass(frozen=True, slots=True)
class ChosenPrompts:
    """The prompts that are answered, and what they were chosen from.

    Attributes:
        of: different prompts that there were. labelled: of these, left out because a person labelled a pair of them.
        sealed: left out because they stand in a sealed test, alike or with the same words.
        origin: the same as plain values, for ``generation.json``.
    """

    prompts: tuple[Prompt, ...]
    of: int
    labelled: int = 0
    sealed: int = 0
    origin: dict[str, Any] = field(default_factory=dict)

    def sentence(self) -> str:
        """Return the counts in words.

        >>> ChosenPrompts((Prompt.from_text("a"),), 4, 1, 2).sentence()
        '1 of 4 prompts; 1 labelled and 2 of a sealed test are left out'
        """
        out = [f"{count:,} {words}" for count, words in ((self.labelled, "labelled"), (self.sealed, "of a sealed test"))
               if count]  # fmt: skip
        told = f"; {' and '.join(out)} are left out" if out else ""
        return f"{len(self.prompts):,} of {counted(self.of, 'prompt')}{told}"


def choose_prompts(session: Session, request: GenerationRequest) -> ChosenPrompts:
    """Return the prompts of a request in their order; with ``choose`` so many of them, drawn by the seed.

    Raises:
        UsageError: when none or several of file, source and typed prompts are given.
        NotFound: when there is no such source.
        BadInput: when a file cannot be read, or nothing is left to answer.
    """
    given = [request.file is not None, request.source is not None, bool(request.typed)]
    if sum(given) != 1:
        raise UsageError(
            "The prompts come from one place.", "Name a file with --prompts, a source with --from-source, or type them."
        )
    labelled = 0
    if request.file is not None:
        found, origin = prompts_of_file(request.file), {"from": "file", "name": request.file.name}
    elif request.source is not None:
        name = _source_name(session, request.source)
        own = generated.prompts_of(session, request.source)
        found, origin = list(own.all), {"from": "source", "name": name, "source": request.source}
        if request.unlabelled:
            kept = {prompt.sha256 for prompt in own.unlabelled}
            labelled = len(own.all) - len(kept)
            found = [prompt for prompt in own.all if prompt.sha256 in kept]
    else:
        found, origin = [Prompt.from_text(text) for text in request.typed if text.strip()], {"from": "typed"}
    different = list({prompt.sha256: prompt for prompt in found}.values())
    free = _without_sealed(session, different)
    taken = _drawn(free, request.choose, request.choose_seed)
    of, sealed = len(different) + labelled, len(different) - len(free)
    if not taken:
        raise BadInput(_nothing(of, labelled, sealed), "Choose other prompts, or take labelled ones too.")
    facts = {"of": of, "labelled": labelled, "sealed": sealed, "chosen": len(taken)}
    drawn = {"seed": request.choose_seed} if request.choose and len(taken) < len(free) else {}
    return ChosenPrompts(tuple(taken), of, labelled, sealed, {**origin, **facts, **drawn})


def prompts_of_file(path: Path) -> list[Prompt]:
    """Return the prompts of a text file, one a line, or of JSON Lines, JSON or CSV with a column of prompts.

    Raises:
        BadInput: when it cannot be read, or holds no prompt.
    """
    path = Path(path).expanduser()
    if path.suffix.lower() in (".txt", ".text", ""):
        if not path.is_file():
            raise BadInput(f"{path} is no file; nothing was generated.", "Check the name.")
        text = bounded.read_utf8(path, MOST_BYTES).replace("\r\n", "\n").replace("\r", "\n")
        return [Prompt.from_text(line.strip()) for line in text.split("\n") if line.strip()]
    try:
        reading = read_suite_file(path, SuiteChoices(expected="open"))
    except UsageError:  # a column says what is expected of an answer, which does not matter here
        reading = read_suite_file(path, SuiteChoices())
    return [item.prompt for item in reading.items]


def _source_name(session: Session, source_id: int) -> str:
    for source in sources.listed(session):
        if source.id == source_id:
            return source.name
    raise NotFound(f"There is no source {source_id}.", "See them with: sources WS")


def _without_sealed(session: Session, prompts: Sequence[Prompt]) -> list[Prompt]:
    same, words = generated.sealed_prompts(session)
    if not same:
        return list(prompts)
    keys = [prompt_keys(prompt.to_plain()) for prompt in prompts]
    return [p for p, key in zip(prompts, keys, strict=True) if key.same not in same and key.words not in words]


def _drawn(prompts: Sequence[Prompt], choose: int, seed: int) -> list[Prompt]:
    """Return so many prompts, drawn by their content alone, in their own order; all for 0."""
    if choose < 0:
        raise UsageError("The number of prompts cannot be below 0.", "0 takes all.")
    if not choose or choose >= len(prompts):
        return list(prompts)
    pool = sorted(prompts, key=lambda prompt: prompt.sha256)
    kept = {prompt.sha256 for prompt in random.Random(seed).sample(pool, choose)}
    return [prompt for prompt in prompts if prompt.sha256 in kept]


def _nothing(of: int, labelled: int, sealed: int) -> str:
    if not of:
        return "There is no prompt to answer; nothing was generated."
    return (
        f"None of {counted(of, 'prompt')} is left to answer: a person labelled pairs of {labelled:,}, and {sealed:,} "
        "stand in a sealed test. Nothing was generated."
    )
