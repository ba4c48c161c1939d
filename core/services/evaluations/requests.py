"""What a person asks an evaluation for, in words, and how the words become arms and suites. Needs no workspace."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from core.domain.counting import counted, verb
from core.domain.errors import BadInput, NotFound, UsageError
from core.domain.evaluation_record import DEV, Arm
from core.domain.evaluation_settings import EvaluationConfig
from core.domain.evidence import ARM_KINDS
from core.domain.names import checked_name
from core.domain.suite import Suite
from core.domain.threshold import Threshold
from core.runs.evaluations.suite_items import flat, index_aligned
from core.runs.evaluations.work import items_of_pairs
from core.runs.folder import RunFolder
from core.runs.run_control import find_run
from core.services.suites.built_in import find_built_in
from core.services.suites.columns import SuiteChoices
from core.services.suites.suite_file import read_suite_file

_OWN = ("aligned", "reference_with_rubric", "aligned_without_system")
_NAMED = ("run", "endpoint", "guarded")
_REASONS = 3
_IMPORT_IT = "Mend them, or import the file as a suite, which takes the others."

FindSuite = Callable[[str], Suite]
FindGuardrail = Callable[[str], Threshold]
"""From the title of a threshold to a confirmed one that may be used now; raises where there is none."""


@dataclass(frozen=True, slots=True)
class EvaluationRequest:
    """An evaluation to create.

    Attributes:
        run: folder of the run. step: of the checkpoint; 0 is its result.
        suites: words that name suites: a title, ``dev``, ``sealed:<dataset version>``, or a file of items.
        arms: words that name arms besides the reference; see :func:`read_arm`.
        rubric: title and text for the arm that has the rubric as its system prompt; ("", "") takes the run's own.
        person, reason: who opens a sealed test, and why.
        templates: answer suites in several languages under plain text and two other chat templates too.
        leave_out_leaks: leave out items of open suites that stand in what an arm was trained or tuned on.
    """

    run: Path
    suites: tuple[str, ...]
    arms: tuple[str, ...] = ()
    step: int = 0
    config: EvaluationConfig = field(default_factory=EvaluationConfig)
    limit: int = 0
    name: str = ""
    rubric: tuple[str, str] = ("", "")
    person: str = ""
    reason: str = ""
    command_line: str = ""
    templates: bool = False
    leave_out_leaks: bool = False


def read_arm(
    word: str, *, rubric: str = "", place: Path | None = None, find_guardrail: FindGuardrail | None = None
) -> Arm:
    """Return the arm of a word.

    ``reference``, ``aligned``, ``aligned_without_system`` and ``reference_with_rubric`` are arms of the run itself;
    ``run:NAME`` or ``run:NAME@STEP`` is another run's policy; ``endpoint:URL`` or ``endpoint:URL#MODEL`` a server;
    ``guarded:THRESHOLD`` or ``guarded:THRESHOLD@ARM`` the policy, or another arm of the run, after a guardrail.

    Args:
        word: as above.
        rubric: text that ``reference_with_rubric`` has as system prompt.
        place: workspace or folder in which runs are found by name.
        find_guardrail: finds a threshold of the workspace; None without a workspace.

    Raises:
        UsageError: for another word.
        NotFound: when there is no such run or threshold.
        BadInput: when a threshold is not confirmed.
    """
    kind, mark, rest = word.partition(":")
    kind = kind.replace("-", "_")
    if mark and kind == "endpoint":
        url, _, model = rest.partition("#")
        return Arm(f"endpoint {model or url}", "endpoint", url=url, served_model=model)
    if mark and kind == "guarded":
        return _guarded(rest, find_guardrail)
    if mark and kind == "run":
        name, at, step = rest.rpartition("@") if "@" in rest else (rest, "", "")
        if at and not step.isdecimal():
            raise UsageError(f"{step!r} is no step of a checkpoint.", "Write run:NAME@STEP.")
        folder = find_run(name, place)
        record = folder.record()
        title = f"run {record.name}{f' step {step}' if step else ''}"
        return Arm(title, "run", str(folder.path.resolve()), record.run_id, int(step or 0))
    if not mark and (kind == "reference" or kind in _OWN):
        title = kind.replace("_", " ")
        return Arm(title, kind, system_prompt=rubric if kind == "reference_with_rubric" else "")  # type: ignore[arg-type]
    kinds = ", ".join(name for name in ARM_KINDS if name not in _NAMED)
    raise UsageError(f"{word!r} is no arm.", f"Use {kinds}, run:NAME, endpoint:URL, or guarded:THRESHOLD@ARM.")


def _guarded(words: str, find: FindGuardrail | None) -> Arm:
    """Return the arm of ``THRESHOLD`` or ``THRESHOLD@ARM``."""
    title, _, base = words.rpartition("@") if "@" in words else (words, "", "aligned")
    base = base.strip().replace("-", "_")
    if base not in ("reference", *_OWN):
        raise UsageError(
            f"A guardrail cannot stand on {base!r}.", f"Name reference, {', '.join(_OWN)}: guarded:THRESHOLD@aligned."
        )
    if find is None:
        raise UsageError("A threshold belongs to a workspace.", "Name the workspace: evaluate WS RUN.")
    threshold, name = find(title.strip()), base.replace("_", " ")
    return Arm(f"{name} + {threshold.title}", "guarded", guard=threshold.to_plain(), base=name)


def with_bases(words: Sequence[str]) -> list[str]:
    """Return the words of arms with the arms that the guardrails among them stand on.

    >>> with_bases(["guarded:harm v2@reference", "guarded:harm v2"])
    ['guarded:harm v2@reference', 'aligned', 'guarded:harm v2']
    """
    found: list[str] = []
    for word in words:
        kind, mark, rest = word.partition(":")
        if mark and kind == "guarded":
            base = rest.rpartition("@")[2].strip().replace("-", "_") if "@" in rest else "aligned"
            if base != "reference" and base not in (known.replace("-", "_") for known in (*words, *found)):
                found.append(base)
        found.append(word)
    return found


def open_suite_of(word: str, run: RunFolder, find: FindSuite | None = None) -> Suite:
    """Return the suite that a word names: built in, of the workspace, the run's held-out pairs, or a file of items.

    Args:
        word: a title, ``dev``, or the path of a JSONL file.
        run: that is evaluated.
        find: finds a suite of the workspace by its title; None without a workspace.

    Raises:
        NotFound: when there is none.
        BadInput: when a file cannot be read.
    """
    if word == DEV:
        return held_out_suite(run)
    path = Path(word).expanduser()
    if path.suffix and path.is_file():
        return suite_from_file(path)
    if find is not None:
        return find(word)
    suite = find_built_in(word)
    if suite is None:
        raise NotFound(f"There is no built-in suite {word!r}.", "Name a file of items or dev, or use a workspace.")
    return suite


def held_out_suite(run: RunFolder) -> Suite:
    """Return the dev pairs of a run as a suite of preferences.

    Raises:
        NotFound: when it has none.
    """
    items = items_of_pairs(run.pairs(), "dev")
    if not items:
        raise NotFound("This run has no held-out pairs.", "Freeze a dataset version with a dev split.")
    title = run.record().dataset.get("title", "pairs")
    return Suite(DEV, 1, items, "dataset", "", f"Held-out pairs of {title}, which the run may have been tuned on.")


def suite_from_file(path: Path) -> Suite:
    """Return the suite in a file of items, read as an import of suites reads it; every row must be an item.

    Raises:
        BadInput: the file cannot be read, or some of its rows are no items.
        UsageError: the file does not say what is expected of an answer, or what a column is.
    """
    first = "Nothing was measured."
    try:
        reading = read_suite_file(path, SuiteChoices())
    except UsageError as error:
        hint = f"Import it, where options answer this: pairwright suite import WS {path.name} --help."
        raise UsageError(f"{error.message} {first}", hint) from error
    if reading.rejects.count:
        why = "; ".join(f"{reason.rstrip('.')} (line {line})" for reason, _, line in reading.rejects.told()[:_REASONS])
        rows = f"{counted(reading.rejects.count, 'row')} of {path.name}"
        raise BadInput(f"{rows} {verb(reading.rejects.count, 'is', 'are')} no items: {why}. {first}", _IMPORT_IT)
    name = path.stem if find_built_in(path.stem) is None else f"{path.stem} (file)"
    return Suite(checked_name(name, "suite"), 1, reading.items, "import", "", f"Items of {path.name}.")


def aligned_items(suite: Suite) -> int:
    """Return how many items of a suite ask the same in several languages: what other templates are tried on."""
    return len(flat(index_aligned(suite.items)))


def titles(words: Sequence[str]) -> tuple[str, ...]:
    """Return the words without repeats, in their order."""
    return tuple(dict.fromkeys(words))
