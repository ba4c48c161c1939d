"""What a person asks a generation for, in words, and how the words become sides. Reads folders, no database."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from core.domain.errors import NotFound, UsageError
from core.domain.evaluation_settings import EvaluationConfig
from core.domain.generation import NEARLY, AnsweringSide, BatchWish, SideKind
from core.domain.pair import Side
from core.model_files.policy_files import policy_folder
from core.runs.folder import RunFolder
from core.runs.forking import saved_steps

FindRun = Callable[[str], RunFolder]
"""From an id or a name to the folder of a run."""
FindModel = Callable[[str], Path]
"""From the name of a model or "starter" to its folder."""
GENERATION_CONFIG = EvaluationConfig().with_values({"temperature": 0.8, "top_p": 0.95, "batch_answers": 8})
"""Settings of the decoder where nobody says otherwise: samples that differ, in batches that are soon stored."""
_MORE = ("top_k", "repetition_penalty", "device", "threads", "batch_answers", "batch_tokens")
_WAYS = "Name a run (NAME, NAME@best, NAME@last, NAME@STEP), reference:RUN, a model folder, or endpoint:URL#MODEL."


@dataclass(frozen=True, slots=True)
class GenerationRequest:
    """A generation to create.

    Attributes:
        a, b: words that name what answers; see :func:`read_side`. An empty ``b`` is the same as ``a``: two samples.
        file: of prompts. source: id of a source of the workspace. typed: prompts, a text each. One of them is given.
        choose: prompts that are drawn at random; 0 takes all. choose_seed: fixes that draw.
        unlabelled: of a source, only prompts of which no person labelled a pair.
        samples: pairs for each prompt.
        keep: reasons for which a pair is kept all the same. nearly: see ``core.domain.generation.NEARLY``.
        batch: what is wanted for labelling; None for no batch.
        margins: let a run score the answers, also where no rule reads that.
    """

    a: str
    b: str = ""
    file: Path | None = None
    source: int | None = None
    typed: tuple[str, ...] = ()
    choose: int = 0
    choose_seed: int = 0
    unlabelled: bool = True
    samples: int = 1
    config: EvaluationConfig = field(default_factory=lambda: GENERATION_CONFIG)
    system_prompt: str = ""
    keep: tuple[str, ...] = ()
    nearly: float = NEARLY
    batch: BatchWish | None = None
    margins: bool = False
    name: str = ""
    command_line: str = ""


@dataclass(frozen=True, slots=True)
class Answerer:
    """One thing that can answer: the word that names it, and its title. ``run_id`` is empty for a model."""

    word: str
    title: str
    kind: SideKind
    run_id: str = ""


def answerers_of(name: str, run_id: str, folder: Path) -> list[Answerer]:
    """Return the policies of a run: its result, and its checkpoints, newest first; none before it trained anything."""
    found = []
    with suppress(NotFound):
        policy_folder(folder)
        found.append(Answerer(f"run:{run_id}", f"{name} · result", "policy", run_id))
    steps = saved_steps(RunFolder(folder))
    return [*found, *(Answerer(f"run:{run_id}@{step}", f"{name} · step {step}", "policy", run_id) for step in steps)]


def command_words(request: GenerationRequest, workspace: Path, people: Sequence[str] = (), rubric: str = "") -> str:
    """Return the command that makes the same generation without the window.

    Args:
        request: as the window asks for it.
        workspace: its folder.
        people: names of the reviewers of its batch.
        rubric: title of the version that they label under.
    """
    words = ["pairwright", "generate", str(workspace), "--a", request.a]
    config, usual = request.config, GENERATION_CONFIG
    one = not request.b or request.a == request.b
    options: list[tuple[str, object]] = [
        ("--b", request.b),
        ("--prompts", request.file or ""),
        ("--from-source", request.source or ""),
        *(("--prompt", text) for text in request.typed),
        ("--choose", request.choose or ""),
        ("--choose-seed", request.choose_seed if request.choose and request.choose_seed != config.seed else ""),
        ("--n", request.samples * (2 if one else 1)),
        ("--temperature", f"{config.temperature:g}"),
        ("--top-p", f"{config.top_p:g}"),
        ("--max-new-tokens", config.max_new_tokens),
        ("--seed", config.seed),
        ("--system", request.system_prompt),
        *(("--keep", reason) for reason in request.keep),
        ("--nearly", f"{request.nearly:g}" if request.nearly != NEARLY else ""),
        ("--name", request.name),
    ]
    if (wish := request.batch) is not None:
        options += [("--batch", wish.name), ("--rule", wish.rule), ("--rubric", rubric)]
        options += [("--take", wish.take or ""), ("--random", wish.random or ""), *(("--for", name) for name in people)]
    words += [word for option, value in options if str(value) for word in (option, str(value))]
    words += ["--labelled-too"] if request.source is not None and not request.unlabelled else []
    words += ["--margins"] if request.margins else []
    words += [f"--set={key}={getattr(config, key)}" for key in _MORE if getattr(config, key) != getattr(usual, key)]
    return shlex.join(words)


def read_sides(
    request: GenerationRequest, find_run: FindRun, find_model: FindModel
) -> tuple[AnsweringSide, AnsweringSide]:
    """Return both sides of a request; a reference without a checkpoint shares that of the other side's run.

    Raises:
        UsageError, NotFound: as :func:`read_side`.
    """
    a = read_side(request.a, "A", find_run, find_model)
    b = read_side(request.b, "B", find_run, find_model) if request.b else replace(a, letter="B")
    if a.kind == "reference" and "@" not in request.a:
        a = _with_checkpoint_of(a, b)
    if b.kind == "reference" and "@" not in request.b:
        b = _with_checkpoint_of(b, a)
    return a, b


def _with_checkpoint_of(side: AnsweringSide, other: AnsweringSide) -> AnsweringSide:
    return replace(side, step=other.step) if other.run_dir == side.run_dir and other.kind == "policy" else side


def read_side(word: str, letter: Side, find_run: FindRun, find_model: FindModel) -> AnsweringSide:
    """Return the side of a word.

    ``NAME``, ``NAME@STEP``, ``NAME@best`` and ``NAME@last`` are the policy of a run, named by its id, name or folder,
    at its result, a checkpoint, the best or the newest checkpoint; ``reference:NAME`` is what it was compared with; a
    folder or GGUF file, or the name of a model of the workspace, is that model; ``endpoint:URL`` or
    ``endpoint:URL#MODEL`` is a server on this machine. ``run:`` and ``model:`` say which of both a name is.

    Args:
        word: as above.
        letter: of the side.
        find_run: finds a run by its name.
        find_model: finds a model by its name.

    Raises:
        UsageError: for a word that is nothing of this.
        NotFound: when there is no such run, checkpoint or model.
    """
    if not word.strip():
        raise UsageError(f"Nobody is named who answers for side {letter}.", _WAYS)
    kind, mark, rest = word.partition(":")
    if kind in ("http", "https"):
        kind, rest = "endpoint", word
    if mark and kind == "endpoint":
        url, _, model = rest.partition("#")
        return AnsweringSide(letter, "endpoint", f"endpoint {model or url}", url=url, served_model=model)
    if mark and kind == "reference":
        return _of_run(rest, letter, "reference", find_run)
    if mark and kind == "run":
        return _of_run(rest, letter, "policy", find_run)
    if mark and kind == "model":
        return _of_model(rest, letter, find_model)
    place = Path(word).expanduser()
    if (place / "config.json").is_file() or place.suffix == ".gguf":
        return _of_model(word, letter, find_model)
    try:
        return _of_run(word, letter, "policy", find_run)
    except NotFound as missing:
        try:
            return _of_model(word, letter, find_model)
        except NotFound:
            if RunFolder(place).exists() or "@" in word:
                raise missing from missing
            raise NotFound(f"{word!r} is no run and no model of this workspace.", _WAYS) from missing


def _of_run(word: str, letter: Side, kind: SideKind, find_run: FindRun) -> AnsweringSide:
    name, at, which = word.rpartition("@") if "@" in word else (word, "", "")
    folder = find_run(name)
    record = folder.record()
    step = _step(folder, which) if at else 0
    title = f"{record.name}{f' step {step}' if step else ''}"
    return AnsweringSide(
        letter,
        kind,
        title if kind == "policy" else f"reference of {title}",
        run_dir=str(folder.path.resolve()),
        run_id=record.run_id,
        run_name=record.name,
        step=step,
    )


def _step(folder: RunFolder, which: str) -> int:
    """Return the step of a checkpoint in words; 0 for the result, which is the best one of a run that keeps one."""
    if which == "best":
        if folder.record().config.best_metric == "off":
            raise UsageError("This run kept no best checkpoint (best_metric=off).", "Name @last, or leave it out.")
        return 0
    if which == "last":
        steps = saved_steps(folder)
        if not steps:
            raise NotFound("This run holds no checkpoint.", "Leave @last out to take its result.")
        return steps[0]
    if not which.isdecimal():
        raise UsageError(f"{which!r} is no checkpoint.", "Write NAME@best, NAME@last or NAME@STEP.")
    return int(which)


def _of_model(word: str, letter: Side, find_model: FindModel) -> AnsweringSide:
    place = Path(word).expanduser()
    found = place if place.exists() else find_model(word)
    return AnsweringSide(letter, "model", found.stem if found.is_file() else found.name, model_dir=str(found.resolve()))


def scored_by(request: GenerationRequest, a: AnsweringSide, b: AnsweringSide) -> tuple[Side, ...]:
    """Return the sides whose run scores the answers, which a rule or the request asks for.

    Raises:
        UsageError: when no side is a run, or two different ones are needed.
    """
    wanted = request.batch.margins if request.batch is not None else 0
    wanted = max(wanted, int(request.margins))
    letters: tuple[Side, ...] = tuple(side.letter for side in (a, b) if side.run_dir)
    if wanted == 2 and (len(letters) < 2 or a.run_dir == b.run_dir):
        raise UsageError("Disagreement is between two different runs.", "Name a run for each side, or another rule.")
    if wanted and not letters:
        raise UsageError("A margin needs a run: none of the sides is one.", "Name a run, or another rule.")
    return letters[:wanted]
