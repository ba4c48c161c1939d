"""One row of a file as a suite item, or the reason why it is none."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from core.domain.conversation import Message, Prompt
from core.domain.errors import BadInput
from core.domain.ids import sha256_json
from core.domain.suite import Constraint, Expected, SuiteItem
from core.evaluation.constraints import checked_constraint
from core.services.importing.formats.messages import ColumnShape, read_answer, read_prompt, shape_of
from core.services.importing.limits import Limits, RowRejected, check_text, describe_type
from core.services.suites.columns import BoundColumns, Row, folded
from core.services.suites.computed_slices import with_slices

_ID_CHARS = 120
_SLICE_CHARS = 120
_SLICES = 20
_HASH_CHARS = 16


class ItemReader:
    """Turns rows into items; one without an id is named by its content, so that it keeps its id in later versions."""

    def __init__(self, bound: BoundColumns, rows: list[Row], limits: Limits) -> None:
        self._bound, self._limits = bound, limits
        self._shapes = {
            wanted: shape_of((row.get(bound.fields[wanted]) for row in rows), limits)
            for wanted in ("prompt", "chosen", "rejected")
            if wanted in bound.fields
        }

    def item(self, row: Row) -> SuiteItem:
        """Return the item of a row.

        Raises:
            RowRejected: with the reason.
        """
        expected = self._expected(row)
        values: dict[str, Any] = {"prompt": self._prompt(row), "expected": expected, "slices": self._slices(row)}
        if constraints := self._constraints(row):
            values["constraints"] = constraints
        if expected == "preference":
            values |= {name: self._answer(row, name) for name in ("chosen", "rejected")}
            values |= {"target": self._target(row), "is_tie": self._is_tie(row)}
        try:
            item = with_slices(SuiteItem(id="x", **values))
        except BadInput as error:
            raise RowRejected(_phrase(error.message)) from None
        return replace(item, id=self._id(row) or content_key(item)[:_HASH_CHARS])

    def _cell(self, row: Row, wanted: str) -> object:
        column = self._bound.fields.get(wanted)
        return None if column is None else row.get(column)

    def _name(self, wanted: str) -> str:
        return self._bound.fields.get(wanted, wanted)

    def _expected(self, row: Row) -> Expected:
        if self._bound.expected:
            return cast(Expected, self._bound.expected)
        value = self._cell(row, "expected")
        if value in (None, ""):
            raise RowRejected(f"{self._name('expected')} is empty")
        known = self._bound.values.get(folded(value)) if isinstance(value, str | int | float) else None
        if known is None:
            raise RowRejected(f"{self._name('expected')} is {describe_type(value)}, not a word that says it")
        return known

    def _prompt(self, row: Row) -> Prompt:
        shape = self._shapes.get("prompt", ColumnShape())
        prompt = read_prompt(self._cell(row, "prompt"), self._name("prompt"), self._limits, as_json=shape.as_json)
        system = self._cell(row, "system")
        if system in (None, "") or prompt.messages[0].role == "system":
            return prompt
        text = check_text(system, self._name("system"), self._limits)
        return Prompt((Message("system", text), *prompt.messages))

    def _answer(self, row: Row, wanted: str) -> str:
        shape = self._shapes.get(wanted, ColumnShape())
        return read_answer(self._cell(row, wanted), self._name(wanted), self._limits, as_json=shape.as_json)

    def _target(self, row: Row) -> float:
        value = self._cell(row, "target")
        if value in (None, ""):
            return 1.0
        try:
            target = float(cast(Any, value))
        except (TypeError, ValueError):
            raise RowRejected(f"{self._name('target')} is {describe_type(value)}, not a number") from None
        if not 0.5 <= target <= 1:
            raise RowRejected(f"{self._name('target')} is {target:g}, not between 0.5 and 1")
        return target

    def _is_tie(self, row: Row) -> bool:
        value = self._cell(row, "is_tie")
        if value in (None, ""):
            return False
        if folded(value) not in ("true", "false", "1", "0"):
            raise RowRejected(f"{self._name('is_tie')} is {describe_type(value)}, not true or false")
        return folded(value) in ("true", "1")

    def _id(self, row: Row) -> str:
        value = self._cell(row, "id")
        if value in (None, ""):
            return ""
        if isinstance(value, bool) or not isinstance(value, str | int):
            raise RowRejected(f"{self._name('id')} is {describe_type(value)}, not a text or a whole number")
        text = " ".join(check_text(str(value), self._name("id"), self._limits).split())
        if len(text) > _ID_CHARS:
            raise RowRejected(f"{self._name('id')} has {len(text):,} characters, more than {_ID_CHARS}")
        return text

    def _slices(self, row: Row) -> dict[str, str]:
        given = self._decoded(row, "slices")
        if given is not None and not isinstance(given, Mapping):
            raise RowRejected(f"{self._name('slices')} is {describe_type(given)}, not an object")
        cells = {**(given or {}), **{name: row.get(column) for column, name in self._bound.slices.items()}}
        slices = {str(name): self._slice(str(name), value) for name, value in cells.items() if value not in (None, "")}
        if len(slices) > _SLICES:
            raise RowRejected(f"it has {len(slices)} slices, more than {_SLICES}")
        return slices

    def _slice(self, name: str, value: object) -> str:
        if isinstance(value, bool | int | float):
            return folded(value)
        text = " ".join(check_text(value, f"slice {name}", self._limits).split())
        if len(text) > _SLICE_CHARS:
            raise RowRejected(f"slice {name} has {len(text):,} characters, more than {_SLICE_CHARS}")
        return text

    def _constraints(self, row: Row) -> tuple[Constraint, ...]:
        given = self._decoded(row, "constraints")
        if given in (None, [], {}):
            return ()
        if isinstance(given, Mapping):
            given = [given] if "kind" in given else [{"kind": kind, "value": value} for kind, value in given.items()]
        if not isinstance(given, list) or not all(
            isinstance(c, Mapping) and isinstance(c.get("kind"), str) for c in given
        ):
            raise RowRejected(f"{self._name('constraints')} is no list of objects with kind and value")
        try:
            return tuple(checked_constraint(Constraint(c["kind"], c.get("value"))) for c in given)
        except BadInput as error:
            raise RowRejected(f"{_phrase(error.message)} {error.hint}".rstrip(". ")) from None

    def _decoded(self, row: Row, wanted: str) -> Any:
        """Return a cell; a text, as in a CSV file, is JSON."""
        value = self._cell(row, wanted)
        if not isinstance(value, str) or not value.strip():
            return None if isinstance(value, str) else value
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            raise RowRejected(f"{self._name(wanted)} is no JSON") from None


def content_key(item: SuiteItem) -> str:
    """Return the hash of what an item asks: everything but its id and its slices."""
    plain = item.to_plain()
    return sha256_json({key: value for key, value in plain.items() if key not in ("id", "slices")})


def _phrase(message: str) -> str:
    """Return a sentence about an item as a reason for the reject list."""
    return message.removeprefix("Item x: ").rstrip(".")
