"""A charter from a YAML file and from ``key=value`` words. Needs no workspace."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import yaml

from core import bounded
from core.domain.charter import Charter
from core.domain.errors import BadInput, UsageError
from core.services.suites.built_in import find_built_in

_LIMIT = 64 << 10
_NAMES = tuple(f.name for f in fields(Charter) if f.name != "counts")
_WHOLE = ("planned_items", "planned_judgements")
_NUMBERS = ("margin", "refusal_share", "kl_budget", "answer_seconds", "memory_gib", *_WHOLE)
_HINT = f"Write a name and a value a line; the names are {', '.join(_NAMES)}."


def read_charter(path: Path | None, words: Sequence[str] = (), **given: str) -> Charter:
    """Return the charter of a file, with what the words and the arguments say in place of what the file says.

    Args:
        path: YAML (or JSON) with the fields of a charter; None for none.
        words: ``key=value`` each; examples are joined by commas.
        given: fields by name; an empty text says nothing.

    Raises:
        BadInput: when the file is none of a charter.
        UsageError: for a field that a charter does not have, or a value that it cannot have.
    """
    values: dict[str, Any] = {} if path is None else _of_file(path)
    for word in words:
        name, sign, text = word.partition("=")
        if not sign:
            raise UsageError(f"{word!r} is no field of a charter.", "Write key=value, such as margin=0.02.")
        values[name.strip()] = _number(name.strip(), text) if name.strip() in _NUMBERS else text.strip()
    values |= {name: text for name, text in given.items() if text}
    if unknown := [str(name) for name in values if name not in _NAMES]:
        raise UsageError(f"A charter has no field {unknown[0]!r}.", _HINT)
    examples = values.get("examples", ())
    if isinstance(examples, str):
        values["examples"] = [name for part in examples.split(",") if (name := part.strip())]
    elif not (isinstance(examples, list | tuple) and all(isinstance(name, str) for name in examples)):
        raise UsageError("The examples of a charter are names.", "Write examples: [dev, look-alikes].")
    try:
        charter = Charter.from_plain(values)
    except TypeError as error:
        raise UsageError(f"The charter lacks {error}.", _HINT) from error
    charter.check()
    return charter


def yaml_text(plain: Mapping[str, Any]) -> str:
    """Return the plain values of a charter as the text of a file that :func:`read_charter` reads."""
    return yaml.safe_dump(dict(plain), sort_keys=False, allow_unicode=True, width=1000).rstrip()


def with_built_in(charter: Charter) -> Charter:
    """Return the charter of a run without a workspace, its benign suite by full title.

    Raises:
        UsageError: when there is no such built-in suite, or it holds nothing that should be answered.
    """
    if not charter.benign_suite:
        return charter
    suite = find_built_in(charter.benign_suite)
    if suite is None:
        raise UsageError(
            f"There is no built-in suite {charter.benign_suite!r}; a run without a workspace knows no other.",
            "Name look-alikes, or train from a workspace.",
        )
    require_benign(suite.title, Counter(item.expected for item in suite.items))
    return replace(charter, benign_suite=suite.title)


def require_benign(name: str, counts: Mapping[str, int]) -> None:
    """Raise where a suite cannot show over-refusal.

    Raises:
        UsageError: naming the suite.
    """
    if not counts.get("comply"):
        raise UsageError(
            f"The suite {name} holds no request that should be answered; it cannot show over-refusal.",
            "Name a suite whose items expect to comply, such as look-alikes.",
        )


def _of_file(path: Path) -> dict[str, Any]:
    try:
        plain = yaml.safe_load(bounded.read_utf8(path, _LIMIT))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        line = getattr(getattr(error, "problem_mark", None), "line", None)
        where = f" in line {line + 1}" if line is not None else ""
        raise BadInput(f"{path.name} cannot be read as YAML{where}; nothing was made.", _HINT) from error
    if not isinstance(plain, Mapping):
        raise BadInput(f"{path.name} holds no charter; nothing was made.", _HINT)
    return dict(plain)


def _number(name: str, text: str) -> float:
    try:
        return int(text) if name in _WHOLE else float(text)
    except ValueError as error:
        raise UsageError(f"The charter's {name} cannot be {text!r}.", "Name a number.") from error
