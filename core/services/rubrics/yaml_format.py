"""Rubrics as YAML files that people write and read: safe loading, stable order, long texts as blocks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from core import bounded
from core.domain.errors import BadInput
from core.domain.rubric import RubricBody

_MAX_BYTES = 1 << 20
_MAX_DEPTH = 20
_FIELDS = {"name", "purpose", "scale", "priority", "criteria", "tie_rule", "not_checked", "examples"}
_CRITERION = {"id", "name", "question", "anchors", "allowed", "disallowed", "note"}


def read(path: Path) -> tuple[str, RubricBody]:
    """Return name and content of a rubric file.

    Raises:
        BadInput: it cannot be read, is too large, is not YAML, or not a rubric.
    """
    return parse(bounded.read_utf8(Path(path), _MAX_BYTES))


def parse(text: str) -> tuple[str, RubricBody]:
    """Return name and content of a rubric in YAML.

    Raises:
        BadInput: with the line of a YAML error, or the field that is wrong.
    """
    try:
        row = yaml.load(text, _Loader)
    except (yaml.YAMLError, RecursionError) as error:
        raise BadInput(f"This is not readable YAML: {_first_line(error)}.", "Correct it there.") from error
    except (ValueError, OverflowError) as error:  # a number of thousands of digits, a date such as 2026-99-99
        raise BadInput("A number or a date in this YAML cannot be read.", "Write it as text, in quotes.") from error
    if not isinstance(row, dict) or not isinstance(row.get("criteria"), list):
        raise BadInput("This is not a rubric.", "A rubric has at least a name, a purpose and criteria.")
    _refuse_unknown(row, _FIELDS, "the rubric")
    for criterion in row["criteria"]:
        if isinstance(criterion, dict):
            _refuse_unknown(criterion, _CRITERION, f"criterion {criterion.get('id', '?')}")
    name = str(row.pop("name", "")).strip()
    if not name:
        raise BadInput("The rubric has no name.", "Begin the file with a line such as: name: Helpful answers")
    return name, RubricBody.from_plain(row)


def dump(name: str, body: RubricBody) -> str:
    """Return a rubric as YAML; :func:`parse` gives the same content back."""
    plain = {"name": name, **body.to_plain()}
    ordered = {key: plain[key] for key in ("name", "purpose", "scale", "priority", "criteria", "tie_rule")}
    ordered |= {key: plain[key] for key in ("not_checked", "examples")}
    ordered["criteria"] = [{k: v for k, v in c.items() if v or k in ("id", "name")} for c in plain["criteria"]]
    kept = {k: v for k, v in ordered.items() if v or k in ("name", "purpose", "criteria")}
    return yaml.dump(kept, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)


class _Loader(yaml.SafeLoader):
    """Safe loading that refuses aliases, which can expand to gigabytes, and deep nesting, which takes seconds."""

    _depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.events.AliasEvent):
            raise yaml.YAMLError("references (*name) are not used in rubrics")
        if self._depth > _MAX_DEPTH:
            raise yaml.YAMLError("it is nested too deeply")
        self._depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1


class _Dumper(yaml.SafeDumper):
    """Writes texts of several lines as blocks."""

    def ignore_aliases(self, data: object) -> bool:  # noqa: ARG002 - the name is yaml's
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> Any:
    block = "\n" in text and not any(line.endswith((" ", "\t")) for line in text.split("\n"))
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if block else None)


_Dumper.add_representer(str, _text)


def _refuse_unknown(row: dict[Any, Any], known: set[str], where: str) -> None:
    if unknown := [str(key) for key in row if key not in known]:
        raise BadInput(
            f"{where[0].upper()}{where[1:]} has an unknown field {unknown[0]!r}.", f"Known: {sorted(known)}."
        )


def _first_line(error: BaseException) -> str:
    mark = getattr(error, "problem_mark", None)
    what = getattr(error, "problem", None) or str(error).split("\n")[0]
    return f"line {mark.line + 1}: {what}" if mark else str(what)
